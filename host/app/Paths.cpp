#include "app/Paths.h"

#include <cstdlib>
#include <filesystem>

namespace hearth::host {

namespace fs = std::filesystem;

std::string dataFolder(const Settings& settings) {
  if (!settings.text("data.dir").empty()) return fs::absolute(settings.text("data.dir")).string();
  if (const char* state = std::getenv("XDG_STATE_HOME"); state && *state)
    return std::string(state) + "/hearth";
  if (const char* home = std::getenv("HOME"); home && *home)
    return std::string(home) + "/.local/state/hearth";
  throw SettingsError(
      "neither data.dir, XDG_STATE_HOME nor HOME is set: say where to keep the store");
}

fs::path programFolder() {
  std::error_code error;
  return fs::read_symlink("/proc/self/exe", error).parent_path();
}

fs::path installPrefix() {
  return programFolder().parent_path();
}

fs::path pluginTemplates() {
  return installPrefix() / HEARTH_DATADIR / "hearth" / "plugin-template";
}

fs::path pluginDocs() {
  return installPrefix() / HEARTH_DOCDIR / "plugin-api" / "doc";
}

std::string pluginsFolder(const Settings& settings) {
  if (!settings.text("plugins.dir").empty())
    return fs::absolute(settings.text("plugins.dir")).string();
  std::error_code error;
  const fs::path above = installPrefix();
  const fs::path built = above / "plugins";
  if (fs::is_directory(built, error)) return built.string();
  return (above / HEARTH_LIBDIR / "hearth" / "plugins").string();
}

std::string crashFolder(const std::string& dataFolder) {
  return dataFolder + "/crashes";
}

std::string crashNote(const std::string& dataFolder) {
  return dataFolder + "/crash.note";
}

std::string supervisorProgram() {
  std::error_code error;
  const fs::path folder = programFolder();
  const fs::path built = folder / "hearth-supervise";
  if (fs::exists(built, error)) return built.string();
  return (folder.parent_path() / HEARTH_LIBEXECDIR / "hearth" / "hearth-supervise").string();
}

}  // namespace hearth::host
