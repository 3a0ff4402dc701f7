// Text out of JSON, and terminal colours out of text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hearth::jupyter {

/// The text that a JSON string, which is valid, stands for; empty for other values.
std::string textOf(std::string_view json);
/// The text of member `key` of a JSON object's text; empty where it is none.
std::string textMember(std::string_view object, std::string_view key);
/// The object that is member `key`, as it is written; "{}" where it is none.
std::string_view objectMember(std::string_view object, std::string_view key);
/// Without escape sequences, which terminals take for colours and the like.
std::string withoutAnsi(std::string_view text);
/// {"ename":..,"evalue":..,"traceback":[..]}
std::string errorBundle(const std::string& name, const std::string& value,
                        const std::vector<std::string>& traceback);

}  // namespace hearth::jupyter
