// The command line.
#pragma once

#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "Check.h"

namespace hearth::check {

class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Options {
  bool help = false, list = false, json = false, inProcess = false, launches = true;
  std::vector<std::string> only;  ///< checks and groups; empty: all
  int timeout = 0;                ///< seconds; 0: as the quirks say
  std::vector<Subject> subjects;
  std::optional<Subject> leader;
  // As given, made absolute: for a check's own process.
  std::vector<std::string> passOn;
  // In a check's own process.
  std::string run;
  std::filesystem::path scratch;

  /// Throws UsageError and QuirksError.
  static Options parse(int argc, char** argv);

  bool wants(const Check& check) const;
};

extern const char* const help;

}  // namespace hearth::check
