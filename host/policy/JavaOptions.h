// The options of a Java machine in a value of Spark's configuration.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hearth::host {

struct JavaOption {
  std::string word;         ///< without its quotes and escapes
  std::string property;     ///< NAME of -DNAME=VALUE
  std::string value;        ///< VALUE
  bool fromFile = false;    ///< it names a file with more options
  bool setsMemory = false;  ///< the heap, which Spark's own keys are for
};

/// Reads the value as Spark does, and as a shell on the way would.
std::vector<JavaOption> javaOptions(std::string_view text);
/// Variables of the environment whose values are options of a Java machine.
bool isJavaOptionsVariable(const std::string& name);

}  // namespace hearth::host
