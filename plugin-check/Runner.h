// Runs a check in a process of its own, and makes sure that nothing of it stays.
#pragma once

#include "Check.h"
#include "Options.h"

namespace hearth::check {

class Runner {
 public:
  /// Makes a folder for the checks, which goes with the object.
  explicit Runner(const Options& options);
  ~Runner();
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  /// Never throws for what a plugin does.
  Result run(const Check& check, const Subject& subject);
  /// Whether a signal has asked the program to end.
  static bool stopped();

 private:
  Result runInChild(const Check& check, const Subject& subject,
                    const std::filesystem::path& scratch);

  const Options& options_;
  std::filesystem::path folder_;
  int count_ = 0;
};

/// The other side: does in this process what options.run says.
void runAsChild(const Options& options);

}  // namespace hearth::check
