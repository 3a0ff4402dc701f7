#include "app/PluginNew.h"

#include <cctype>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <vector>

#include "app/Paths.h"
#include "plugin/Descriptor.h"

namespace hearth::host {
namespace {

namespace fs = std::filesystem;

using Words = std::vector<std::pair<std::string, std::string>>;  // placeholder, what it becomes

/// duck-db: DuckDb.
std::string className(const std::string& name) {
  std::string word;
  bool capital = true;
  for (const char c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) {
      capital = true;
      continue;
    }
    word += capital ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
    capital = false;
  }
  // A class may not begin with a digit, a kind may.
  return std::isdigit(static_cast<unsigned char>(word.front())) != 0 ? "Kind" + word : word;
}

std::string replaced(std::string text, const Words& words) {
  for (const auto& [placeholder, word] : words)
    for (std::size_t at = 0; (at = text.find(placeholder, at)) != std::string::npos;
         at += word.size())
      text.replace(at, placeholder.size(), word);
  return text;
}

std::string readAll(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::string content{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (!in) throw std::runtime_error("cannot read " + file.string());
  return content;
}

void writeAll(const fs::path& from, const fs::path& to, const std::string& name,
              const Words& words) {
  fs::create_directories(to);
  for (const auto& entry : fs::directory_iterator(from)) {
    const fs::path target = to / replaced(entry.path().filename().string(), {{"NAME", name}});
    if (entry.is_directory()) {
      writeAll(entry.path(), target, name, words);
      continue;
    }
    std::ofstream out(target, std::ios::binary);
    out << replaced(readAll(entry.path()), words);
    out.close();
    if (!out) throw std::runtime_error("cannot write " + target.string());
  }
}

}  // namespace

void writeNewPlugin(const std::string& name, const std::string& language, const fs::path& folder) {
  if (!isName(name) || name.find('+') != std::string::npos)
    throw std::invalid_argument("'" + name +
                                "' is no name for a plugin: letters and digits, and . _ - inside");
  if (language != "cpp" && language != "c")
    throw std::invalid_argument("--language " + language + ": cpp or c");
  const fs::path templates = pluginTemplates() / language;
  if (!fs::is_directory(templates))
    throw std::runtime_error("there are no templates in " + templates.string() +
                             "; the component plugin-api of Hearth installs them");
  if (fs::exists(fs::symlink_status(folder)))
    throw std::runtime_error(folder.string() + " is there already; --dir names another folder");
  const Words words{{"@NAME@", name},
                    {"@CLASS@", className(name)},
                    {"@PREFIX@", installPrefix().string()},
                    {"@DOCS@", pluginDocs().string()}};
  try {
    writeAll(templates, folder, name, words);
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(folder, ignored);
    throw;
  }
}

}  // namespace hearth::host
