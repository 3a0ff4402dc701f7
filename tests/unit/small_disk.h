// A real disk of a test's own, small enough to be filled.
#pragma once

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "temp_folder.h"

namespace hearth::test {

constexpr char diskVariable[] = "HEARTH_TEST_DISK";

inline int runShell(const std::string& script, const std::vector<std::string>& words) {
  std::vector<std::string> all = {"unshare", "--map-root-user", "--mount", "sh", "-c", script,
                                  "sh"};
  all.insert(all.end(), words.begin(), words.end());
  std::vector<char*> arguments;
  for (std::string& word : all) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t pid = -1;
  if (::posix_spawnp(&pid, "unshare", nullptr, nullptr, arguments.data(), environ) != 0) return 127;
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/// Runs the hidden test of that name on a real disk of 3 MB of its own. False where this user may
/// not mount one.
inline bool passesOnSmallDisk(const std::string& test) {
  const TempFolder folder;
  const std::string mount = "mount -t tmpfs -o size=3m,mode=700 none \"$1\"";
  if (runShell(mount, {folder.path()}) != 0) {
    WARN("this user may not mount a disk: not tested");
    return true;
  }
  ::setenv(diskVariable, folder.path().c_str(), 1);
  const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
  const int status =
      runShell(mount + " && exec \"$2\" -w NoTests \"$3\"", {folder.path(), self, test});
  ::unsetenv(diskVariable);
  return status == 0;
}

inline std::string disk() {
  const char* const folder = std::getenv(diskVariable);
  if (folder == nullptr) throw std::runtime_error("run by the test that mounts the disk");
  return folder;
}

}  // namespace hearth::test
