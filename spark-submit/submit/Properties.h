// Java's .properties format, which Spark reads its configuration from.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace hearth::submit {

using Properties = std::map<std::string, std::string>;

/// Reads the text of a .properties file as Java does: comments, escapes, lines that go on, values
/// trimmed as Spark does. The last of two equal keys wins. Anything is valid.
Properties parseProperties(std::string_view text);

/// The text of a .properties file in UTF-8; every value comes back as it was.
std::string formatProperties(const Properties& properties);

}  // namespace hearth::submit
