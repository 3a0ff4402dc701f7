// plugin-check: holds plugins to the rules of the ABI.
#include <chrono>
#include <iostream>

#include "Options.h"
#include "Report.h"
#include "Runner.h"
#include "support/Log.h"

namespace {

using namespace hearth::check;

constexpr int failed = 1, wrongUsage = 2, interrupted = 130;

int run(const Options& options) {
  if (options.help) {
    std::cout << help;
    return 0;
  }
  if (options.list) {
    Report::list(std::cout, options.json);
    return 0;
  }
  if (!options.run.empty()) runAsChild(options);
  Runner runner(options);
  Report report(std::cout, options.json);
  for (const Subject& subject : options.subjects) {
    report.begin(subject);
    for (const Check& check : allChecks()) {
      if (!options.wants(check)) continue;
      const auto began = std::chrono::steady_clock::now();
      const Result result = runner.run(check, subject);
      if (Runner::stopped()) return interrupted;
      report.add(check, result,
                 std::chrono::duration_cast<std::chrono::milliseconds>(
                     std::chrono::steady_clock::now() - began));
    }
    report.end();
  }
  report.finish();
  return report.bad() ? failed : 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(Options::parse(argc, argv));
  } catch (const UsageError& error) {
    std::cerr << "plugin-check: " << error.what() << "\nplugin-check --help shows the usage\n";
  } catch (const QuirksError& error) {
    std::cerr << "plugin-check: " << error.what() << "\n";
  } catch (const std::exception& error) {
    std::cerr << "plugin-check: " << error.what() << "\n";
    return failed;
  }
  return wrongUsage;
}
