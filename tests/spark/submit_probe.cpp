// submit_probe SPARK_HOME PROPERTIES_FILE MAIN_CLASS PROXY_USER RESOURCE ARGUMENT...: prints the
// command that would submit the application, then what it adds to the environment; each word ends
// in a NUL, and a line end stands between the two.
#include <cstdio>
#include <fstream>
#include <iterator>

#include "submit/LaunchPatterns.h"

int main(int count, char** arguments) {
  using namespace hearth::submit;
  if (count < 6) return 2;
  Application application;
  application.sparkHome = arguments[1];
  const std::string file = arguments[2];
  application.mainClass = arguments[3];
  application.proxyUser = arguments[4];
  application.resource = arguments[5];
  application.arguments.assign(arguments + 6, arguments + count);
  std::ifstream stream(file, std::ios::binary);
  application.properties = parseProperties(
      std::string(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()));
  const Environment environment = sparkEnvironment();
  LaunchPatterns::instance().learn(application.sparkHome, environment);
  const Command command = submission(application, file, environment);
  const auto print = [](const std::string& word) {
    std::fwrite(word.c_str(), 1, word.size() + 1, stdout);
  };
  for (const std::string& word : command.argv) print(word);
  print("\n");
  for (const std::string& word : command.environment) print(word);
  return 0;
}
