#include "plugin/Descriptor.h"

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <numeric>
#include <utility>

namespace hearth::host {
namespace {

namespace json = boost::json;

constexpr std::array<std::pair<std::string_view, ConfigKey::Type>, 6> typeNames{{
    {"string", ConfigKey::Type::String},
    {"integer", ConfigKey::Type::Integer},
    {"number", ConfigKey::Type::Number},
    {"boolean", ConfigKey::Type::Boolean},
    {"array", ConfigKey::Type::Array},
    {"object", ConfigKey::Type::Object},
}};

std::string quote(std::string_view text) {
  return '"' + std::string(text) + '"';
}

std::string_view typeName(ConfigKey::Type type) {
  for (const auto& [name, value] : typeNames)
    if (value == type) return name;
  return "";
}

bool hasType(const json::value& value, ConfigKey::Type type) {
  switch (type) {
    case ConfigKey::Type::String:
      return value.is_string();
    case ConfigKey::Type::Integer:
      return value.is_int64() || value.is_uint64();
    case ConfigKey::Type::Number:
      return value.is_number();
    case ConfigKey::Type::Boolean:
      return value.is_bool();
    case ConfigKey::Type::Array:
      return value.is_array();
    case ConfigKey::Type::Object:
      return value.is_object();
  }
  return false;
}

std::string text(const json::value& value, const std::string& where) {
  if (!value.is_string() || value.get_string().empty())
    throw DescriptorError(where + " is not a text, or is empty");
  return std::string(value.get_string());
}

std::string name(const json::value& value, const std::string& where) {
  auto word = text(value, where);
  if (!isName(word))
    throw DescriptorError(where + " " + quote(word) +
                          " is not a name: letters, digits, and . _ - + inside");
  return word;
}

template <class Read>
std::vector<std::string> list(const json::value& value, const std::string& where, Read read) {
  if (!value.is_array()) throw DescriptorError(where + " is not an array");
  std::vector<std::string> words;
  for (const auto& item : value.get_array()) {
    auto word = read(item, where + "[" + std::to_string(words.size()) + "]");
    if (std::find(words.begin(), words.end(), word) != words.end())
      throw DescriptorError(where + " names " + quote(word) + " twice");
    words.push_back(std::move(word));
  }
  return words;
}

ConfigKey configKey(const json::value& value, const std::string& where) {
  if (!value.is_object()) throw DescriptorError(where + " is not an object");
  ConfigKey key;
  const auto* type = value.get_object().if_contains("type");
  if (type == nullptr) throw DescriptorError(where + " has no \"type\"");
  const auto word = text(*type, where + ".type");
  const auto* known = std::find_if(typeNames.begin(), typeNames.end(),
                                   [&](const auto& entry) { return entry.first == word; });
  if (known == typeNames.end()) {
    std::string all;
    for (const auto& entry : typeNames) all += (all.empty() ? "" : ", ") + std::string(entry.first);
    throw DescriptorError(where + ".type " + quote(word) + " is not one of " + all);
  }
  key.type = known->second;
  if (const auto* given = value.get_object().if_contains("default"); given && !given->is_null()) {
    if (!hasType(*given, key.type))
      throw DescriptorError(where + ".default is not of its type, " + word);
    key.defaultValue = *given;
  }
  if (const auto* doc = value.get_object().if_contains("doc")) key.doc = text(*doc, where + ".doc");
  return key;
}

std::size_t editDistance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0U);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

Descriptor Descriptor::parse(std::string_view source) {
  json::error_code error;
  const auto value = json::parse({source.data(), source.size()}, error);
  if (error) throw DescriptorError("the descriptor is not JSON: " + error.message());
  if (!value.is_object()) throw DescriptorError("the descriptor is not a JSON object");
  const auto& object = value.get_object();

  const auto required = [&](const char* key) -> const json::value& {
    const auto* found = object.if_contains(key);
    if (found == nullptr) throw DescriptorError("the descriptor has no " + quote(key));
    return *found;
  };

  Descriptor descriptor;
  descriptor.id = name(required("id"), "id");
  descriptor.version = text(required("version"), "version");
  descriptor.kinds = list(required("kinds"), "kinds", name);
  if (descriptor.kinds.empty()) throw DescriptorError("the descriptor's \"kinds\" is empty");
  const auto isKind = [&](const std::string& word) {
    return std::find(descriptor.kinds.begin(), descriptor.kinds.end(), word) !=
           descriptor.kinds.end();
  };

  if (const auto* aliases = object.if_contains("aliases")) {
    if (!aliases->is_object()) throw DescriptorError("aliases is not an object");
    for (const auto& [key, kind] : aliases->get_object()) {
      const auto alias = name(json::value(key), "alias");
      const auto target = text(kind, "aliases." + alias);
      if (isKind(alias)) throw DescriptorError("alias " + quote(alias) + " is a kind already");
      if (!isKind(target))
        throw DescriptorError("alias " + quote(alias) + " stands for " + quote(target) +
                              ", which is not one of the kinds");
      descriptor.aliases.emplace(alias, target);
    }
  }
  if (const auto* magics = object.if_contains("magics"))
    descriptor.magics = list(*magics, "magics", text);
  if (const auto* mime = object.if_contains("mime")) descriptor.mime = list(*mime, "mime", text);
  if (const auto* leader = object.if_contains("leader"))
    descriptor.leader = name(*leader, "leader");
  if (const auto* parameter = object.if_contains("kind_parameter"))
    descriptor.kindParameter = text(*parameter, "kind_parameter");
  if (const auto* concurrency = object.if_contains("concurrency")) {
    if (!concurrency->is_int64() || concurrency->get_int64() < 1 || concurrency->get_int64() > 1000)
      throw DescriptorError("concurrency is not a number from 1 to 1000");
    descriptor.concurrency = static_cast<int>(concurrency->get_int64());
  }
  if (const auto* config = object.if_contains("config")) {
    if (!config->is_object()) throw DescriptorError("config is not an object");
    for (const auto& [key, entry] : config->get_object()) {
      if (key == "plugin_dir")
        throw DescriptorError("config key \"plugin_dir\" is the host's to set");
      descriptor.config.emplace(std::string(key), configKey(entry, "config." + std::string(key)));
    }
  }
  return descriptor;
}

json::object Descriptor::mergeConfig(const json::object& given) const {
  json::object merged;
  for (const auto& [key, entry] : config)
    if (!entry.defaultValue.is_null()) merged[key] = entry.defaultValue;
  for (const auto& [key, value] : given) {
    const auto known = config.find(std::string(key));
    if (known == config.end()) {
      std::vector<std::string> names;
      for (const auto& entry : config) names.push_back(entry.first);
      throw DescriptorError("unknown config key " + quote(key) + nearestHint(key, names));
    }
    if (!hasType(value, known->second.type))
      throw DescriptorError("config key " + quote(key) + " is not of its type, " +
                            std::string(typeName(known->second.type)));
    merged[key] = value;
  }
  return merged;
}

bool isName(std::string_view word) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return !word.empty() && plain(word.front()) && std::all_of(word.begin(), word.end(), [&](char c) {
    return plain(c) || c == '.' || c == '_' || c == '-' || c == '+';
  });
}

std::string nearestHint(std::string_view word, const std::vector<std::string>& known) {
  const std::string* best = nullptr;
  std::size_t bestDistance = word.size() / 2 + 2;  // beyond this a hint would only puzzle
  for (const auto& candidate : known) {
    const std::size_t distance = editDistance(word, candidate);
    if (distance >= bestDistance) continue;
    bestDistance = distance;
    best = &candidate;
  }
  return best == nullptr ? "" : "; did you mean " + quote(*best) + "?";
}

}  // namespace hearth::host
