#include "KernelSpec.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string_view>

namespace hearth::jupyter {

namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

bool isWord(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

using Lookup = std::function<std::optional<std::string>(const std::string&)>;

/// `text` with each {name} that `value` knows replaced.
std::string fillBraces(const std::string& text, const Lookup& value) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text[at] == '{' ? text.find('}', at) : std::string::npos;
    const auto found =
        end == std::string::npos ? std::nullopt : value(text.substr(at + 1, end - at - 1));
    if (found) {
      out += *found;
      at = end + 1;
    } else {
      out += text[at++];
    }
  }
  return out;
}

/// The same for $name and ${name}.
std::string fillDollars(const std::string& text, const Lookup& value) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t begin = at + 1, end = begin, next = begin;
    if (text[at] == '$' && begin < text.size() && text[begin] == '{') {
      end = text.find('}', ++begin);
      next = end == std::string::npos ? end : end + 1;
    } else if (text[at] == '$') {
      while (end < text.size() && isWord(text[end])) ++end;
      next = end;
    }
    const bool named = text[at] == '$' && end != std::string::npos && end > begin;
    const auto found = named ? value(text.substr(begin, end - begin)) : std::nullopt;
    if (found) {
      out += *found;
      at = next;
    } else {
      out += text[at++];
    }
  }
  return out;
}

std::string text(const json::object& object, const char* key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

}  // namespace

KernelSpec KernelSpec::read(const std::string& name, const std::string& folder) {
  const std::string path = folder + "/kernel.json";
  const auto wrong = [&](const std::string& why) {
    return std::runtime_error("the kernelspec " + path + " cannot be used: " + why);
  };
  std::ifstream file(path, std::ios::binary);
  const std::string content((std::istreambuf_iterator<char>(file)),
                            std::istreambuf_iterator<char>());
  if (!file) throw wrong("it cannot be read");
  json::error_code error;
  const json::value parsed = json::parse(content, error);
  if (error || !parsed.is_object()) throw wrong("it is no JSON object");
  const json::object& object = parsed.get_object();

  KernelSpec spec;
  spec.name = name;
  spec.folder = folder;
  spec.displayName = text(object, "display_name");
  spec.language = text(object, "language");
  const json::value* argv = object.if_contains("argv");
  if (argv == nullptr || !argv->is_array() || argv->get_array().empty())
    throw wrong("it has no \"argv\"");
  for (const json::value& word : argv->get_array()) {
    if (!word.is_string()) throw wrong("\"argv\" has a word that is no text");
    spec.argv.emplace_back(word.get_string());
  }
  if (const json::value* env = object.if_contains("env"); env != nullptr && env->is_object())
    for (const auto& [key, value] : env->get_object()) {
      if (!value.is_string()) throw wrong("\"env\" has a value that is no text");
      spec.env.emplace_back(key, value.get_string());
    }
  const std::string mode = text(object, "interrupt_mode");
  if (!mode.empty() && mode != "signal" && mode != "message")
    throw wrong("its interrupt_mode \"" + mode + "\" is neither signal nor message");
  spec.interruptByMessage = mode == "message";
  if (const json::value* metadata = object.if_contains("metadata");
      metadata != nullptr && metadata->is_object()) {
    const json::value* provisioner = metadata->get_object().if_contains("kernel_provisioner");
    if (provisioner != nullptr && provisioner->is_object()) {
      const std::string kind = text(provisioner->get_object(), "provisioner_name");
      if (!kind.empty() && kind != "local-provisioner")
        throw wrong("it is started by the provisioner \"" + kind +
                    "\", and only local kernels can be run");
    }
  }
  return spec;
}

// PREFIX/share/jupyter/kernels/NAME
std::string KernelSpec::prefix() const {
  const fs::path share =
      fs::path(folder).parent_path().parent_path().parent_path();  // PREFIX/share
  return share.filename() == "share" ? share.parent_path().string() : "/usr";
}

std::vector<std::string> KernelSpec::command(const std::string& connectionFile) const {
  const std::string root = prefix();
  const Lookup value = [&](const std::string& key) -> std::optional<std::string> {
    if (key == "connection_file") return connectionFile;
    if (key == "resource_dir") return folder;
    if (key == "prefix") return root;
    return std::nullopt;
  };
  std::vector<std::string> words;
  for (const std::string& word : argv) words.push_back(fillBraces(word, value));
  if (words[0] == "python" || words[0] == "python3") {
    const std::string own = root + "/bin/" + words[0];
    std::error_code ignored;
    if (fs::exists(own, ignored)) words[0] = own;
  }
  return words;
}

std::vector<std::string> KernelSpec::variables(
    const std::map<std::string, std::string>& environment) const {
  const Lookup value = [&](const std::string& key) -> std::optional<std::string> {
    const auto found = environment.find(key);
    return found == environment.end() ? std::nullopt : std::make_optional(found->second);
  };
  std::vector<std::string> entries;
  for (const auto& [key, given] : env) entries.push_back(key + "=" + fillDollars(given, value));
  return entries;
}

KernelSpecs::KernelSpecs(const std::vector<std::string>& more,
                         const std::map<std::string, std::string>& environment)
    : folders_(more) {
  const auto variable = [&](const char* name) {
    const auto found = environment.find(name);
    return found == environment.end() ? std::string() : found->second;
  };
  const std::string path = variable("JUPYTER_PATH");
  for (std::size_t begin = 0; begin < path.size();) {
    const std::size_t end = std::min(path.find(':', begin), path.size());
    if (end > begin) folders_.push_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  if (const std::string data = variable("JUPYTER_DATA_DIR"); !data.empty())
    folders_.push_back(data);
  else if (const std::string xdg = variable("XDG_DATA_HOME"); !xdg.empty())
    folders_.push_back(xdg + "/jupyter");
  else if (const std::string home = variable("HOME"); !home.empty())
    folders_.push_back(home + "/.local/share/jupyter");
  folders_.emplace_back("/usr/local/share/jupyter");
  folders_.emplace_back("/usr/share/jupyter");
}

std::map<std::string, std::string> KernelSpecs::installed() const {
  std::map<std::string, std::string> found;
  for (const std::string& folder : folders_) {
    std::error_code error;
    for (fs::directory_iterator it(fs::absolute(folder) / "kernels", error), end;
         !error && it != end; it.increment(error)) {
      std::error_code ignored;
      if (fs::exists(it->path() / "kernel.json", ignored))
        found.emplace(lower(it->path().filename().string()), it->path().string());
    }
  }
  return found;
}

KernelSpec KernelSpecs::find(const std::string& name) const {
  const auto all = installed();
  const auto found = all.find(lower(name));
  if (found != all.end()) return KernelSpec::read(found->first, found->second);
  std::string names;
  for (const auto& entry : all) names += (names.empty() ? "" : ", ") + entry.first;
  throw std::runtime_error("there is no Jupyter kernel \"" + name +
                           "\"; installed: " + (names.empty() ? "none" : names));
}

}  // namespace hearth::jupyter
