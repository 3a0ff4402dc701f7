#include "plugin/Manifest.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fstream>
#include <iterator>
#include <vector>

#include "plugin/Descriptor.h"
#include "plugin/PluginLibrary.h"
#include "support/JsonBody.h"

namespace hearth::host {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

std::string quote(std::string_view text) {
  return '"' + std::string(text) + '"';
}

std::string readFile(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::string content{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (!in) throw LoadError("cannot be read: " + file.string());
  return content;
}

}  // namespace

json::object Manifest::parse(const fs::path& file) {
  // A manifest decides what code is loaded and with what paths: as trusted as the code.
  requireTrusted(file.parent_path());
  requireTrusted(file);
  json::error_code error;
  auto value = json::parse(readFile(file), error);
  if (error) throw LoadError("the manifest is not JSON: " + error.message());
  if (!value.is_object()) throw LoadError("the manifest is not a JSON object");
  return std::move(value.get_object());
}

void Manifest::readLibrary(const json::object& object) {
  if (const auto* value = object.if_contains("name"); value && value->is_string())
    name = std::string(value->get_string());
  if (const auto* value = object.if_contains("library"); value && value->is_string())
    library = std::string(value->get_string());
}

void Manifest::readAll(const json::object& object) {
  static const std::vector<std::string> known{"manifest_version", "name",    "library", "instance",
                                              "sha256",           "enabled", "kinds",   "config",
                                              "defaults",         "limits"};
  for (const auto& entry : object)
    if (std::find(known.begin(), known.end(), entry.key()) == known.end())
      throw LoadError("unknown manifest key " + quote(entry.key()) +
                      nearestHint(entry.key(), known));

  const auto* version = object.if_contains("manifest_version");
  if (version == nullptr) throw LoadError("the manifest has no \"manifest_version\"");
  if (!version->is_int64() || version->get_int64() != 1)
    throw LoadError("manifest_version " + json::serialize(*version) +
                    " is not one that this host reads; it reads 1");

  const auto text = [&](const char* key, std::string& out) {
    const auto* value = object.if_contains(key);
    if (value == nullptr) return;
    if (!value->is_string() || value->get_string().empty())
      throw LoadError("manifest key " + quote(key) + " is not a text, or is empty");
    out = std::string(value->get_string());
  };
  text("name", name);
  text("library", library);
  text("instance", instance);
  text("sha256", sha256);
  if (!isName(instance))
    throw LoadError("instance " + quote(instance) +
                    " is not a name: letters, digits, and . _ - + inside");
  if (const auto* value = object.if_contains("enabled")) {
    if (!value->is_bool()) throw LoadError("manifest key \"enabled\" is neither true nor false");
    enabled = value->get_bool();
  }
  if (const auto* value = object.if_contains("kinds")) {
    if (!value->is_object()) throw LoadError("manifest key \"kinds\" is not an object");
    for (const auto& [kind, offered] : value->get_object()) {
      if (!offered.is_string() || !isName(std::string_view(offered.get_string())))
        throw LoadError("manifest key \"kinds\": the new name of " + quote(kind) +
                        " is not a name");
      kinds.emplace(kind, offered.get_string());
    }
  }
  if (const auto* value = object.if_contains("config")) {
    if (!value->is_object()) throw LoadError("manifest key \"config\" is not an object");
    config = value->get_object();
  }
  try {
    rules = InstanceRules::parse(object);
  } catch (const JsonFieldError& error) {
    throw LoadError(error.what());
  }
}

}  // namespace hearth::host
