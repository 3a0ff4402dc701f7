// The command that Spark's launcher would make of an application, without its JVM.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "submit/Application.h"

namespace hearth::submit {

/// What of the launcher's command is the same for all applications of one Spark, Java and
/// environment.
struct LaunchPattern {
  std::vector<std::string> java;       ///< the program, and options before the class path
  std::vector<std::string> classPath;  ///< without the driver's own entries
  std::vector<std::string> before;     ///< options between class path and heap size
  std::vector<std::string> after;      ///< options after the driver's, and the main class

  /// The arguments with which the launcher is asked for one.
  static std::vector<std::string> question();
  /// From what the launcher prints then; nothing where that is not as expected.
  static std::optional<LaunchPattern> parse(std::string_view printed);
};

/// The pattern filled in, from the java program to the main class of spark-submit; nothing where
/// the properties ask for what is not known here.
std::optional<std::vector<std::string>> launchCommand(const LaunchPattern& pattern,
                                                      const Application& application,
                                                      const Properties& properties);

/// The value of LD_LIBRARY_PATH for those properties; empty: none.
std::string libraryPath(const Properties& properties, const std::string& current);

/// Options as Spark splits them: at blanks, with quotes and backslashes; nothing where a quote is
/// not closed.
std::optional<std::vector<std::string>> splitOptions(std::string_view text);

}  // namespace hearth::submit
