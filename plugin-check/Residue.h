// What belongs to the whole process, before and after a plugin was in it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace hearth::check {

struct Residue {
  std::map<pid_t, std::string> threads;    ///< by id: name
  std::map<int, std::string> descriptors;  ///< by number: what is open
  std::map<pid_t, std::string> children;   ///< also those that were orphaned (childrenComeHere)
  std::set<std::string> files;             ///< in the folders looked at
  std::string cwd, umask, locale, signalMask;
  std::map<int, std::string> signals;  ///< disposition by number

  static Residue now(const std::vector<std::filesystem::path>& folders);
  /// What `after` has besides, or otherwise; one line each.
  std::vector<std::string> left(const Residue& after) const;

  /// Waits, at most `time`, until nothing is left, and returns what is.
  std::vector<std::string> wait(const std::vector<std::filesystem::path>& folders,
                                std::chrono::milliseconds time) const;
};

/// Children of children whose parents end become this process's.
void childrenComeHere();

/// Ends and reaps all children of this process, and theirs.
void endChildren();

}  // namespace hearth::check
