// Keys of Spark's configuration: how they are written, and their other names.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace hearth::host {

/// Without what Java's trim() takes away: blanks and control characters at both ends.
std::string trimmed(std::string_view text);
/// ASCII only, as schemes and units are.
std::string lowered(std::string text);
/// The items between commas, trimmed; none is empty.
std::vector<std::string> commaList(std::string_view text);

/// The newest of a key's names (spark.yarn.keytab is spark.kerberos.keytab); itself where it has
/// but one. Spark's keys are told apart by case.
std::string canonicalKey(const std::string& key);
/// All of its names, the newest first.
std::vector<std::string> namesOfKey(const std::string& key);
/// Whether a rule's `pattern`, a key or the beginning of one and '*', means `key` by any of its
/// names.
bool matchesKey(const std::string& pattern, const std::string& key);

/// `conf` with its keys trimmed. Throws PolicyRefusal for a key of Spark's that has a blank or
/// control character inside, and for one that is given twice with two values.
std::map<std::string, std::string> normalisedConf(const std::map<std::string, std::string>& conf);

}  // namespace hearth::host
