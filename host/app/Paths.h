// Where things are when nobody has said so.
#pragma once

#include <filesystem>
#include <string>

#include "config/Settings.h"

namespace hearth::host {

/// data.dir, or $XDG_STATE_HOME/hearth, or ~/.local/state/hearth.
std::string dataFolder(const Settings& settings);
/// plugins.dir, or the folder beside the running program: ../plugins in a build tree, the library
/// folder in an installed one.
std::string pluginsFolder(const Settings& settings);

/// What is known of crashes: the folder, and the note of the run that is under way.
std::string crashFolder(const std::string& dataFolder);
std::string crashNote(const std::string& dataFolder);

/// The program hearth-supervise: beside the running one in a build tree, else in libexec.
std::string supervisorProgram();

/// Where the running program is.
std::filesystem::path programFolder();
/// What the running program was installed under; in a build tree the build folder.
std::filesystem::path installPrefix();
/// What `hearth plugin new` writes: a folder for each language.
std::filesystem::path pluginTemplates();
/// The pages for authors of plugins.
std::filesystem::path pluginDocs();

}  // namespace hearth::host
