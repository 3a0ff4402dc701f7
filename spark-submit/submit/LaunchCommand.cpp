#include "submit/LaunchCommand.h"

#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <utility>

namespace hearth::submit {

namespace {

using Words = std::vector<std::string>;

constexpr const char* probeMemory = "1234567m";
constexpr const char* probeOption = "-Dhearth.probe=1";
constexpr const char* submitClass = "org.apache.spark.deploy.SparkSubmit";

std::string valueOf(const Properties& properties, const char* key) {
  const auto found = properties.find(key);
  return found == properties.end() ? std::string() : found->second;
}

Words splitAt(char separator, const std::string& text) {
  Words words;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(separator, begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

bool isClient(const Properties& properties) {
  const std::string mode = valueOf(properties, "spark.submit.deployMode");
  return mode.empty() || mode == "client";
}

// The launcher makes something else of these.
bool isSpecial(const Application& application, const Properties& properties) {
  const std::string& main = application.mainClass;
  if (main.rfind("org.apache.spark.", 0) == 0 && main.rfind("org.apache.spark.examples.", 0) != 0)
    return true;
  if (application.resource.find('/') == std::string::npos) return true;
  for (const char* key : {"spark.remote", "spark.api.mode", "spark.driver.defaultExtraClassPath"})
    if (properties.count(key) != 0) return true;
  return false;
}

// Each entry once, folders with a slash at their end. False for one that starts where the process
// will be.
bool addEntries(Words& path, const std::string& entries) {
  for (std::string entry : splitAt(':', entries)) {
    if (entry.empty()) continue;
    if (entry.front() != '/') return false;
    struct stat status {};
    if (entry.back() != '/' && ::stat(entry.c_str(), &status) == 0 && S_ISDIR(status.st_mode))
      entry += '/';
    if (std::find(path.begin(), path.end(), entry) == path.end()) path.push_back(entry);
  }
  return true;
}

std::string join(const Words& words, char separator) {
  std::string text;
  for (const std::string& word : words)
    text += (text.empty() ? "" : std::string(1, separator)) + word;
  return text;
}

bool addOptions(Words& command, const std::string& options) {
  // Spark refuses a heap size here, in its own words.
  if (options.find("-Xmx") != std::string::npos) return false;
  const auto words = splitOptions(options);
  if (words) command.insert(command.end(), words->begin(), words->end());
  return words.has_value();
}

}  // namespace

Words LaunchPattern::question() {
  Words words = {submitClass, "--master", "local", "--deploy-mode", "client"};
  // All that would come from spark-defaults.conf: that is the application's to know.
  for (const std::string& property :
       {std::string("spark.driver.memory=") + probeMemory,
        std::string("spark.driver.extraJavaOptions=") + probeOption,
        std::string("spark.driver.defaultJavaOptions="),
        std::string("spark.driver.extraClassPath="), std::string("spark.driver.extraLibraryPath=")})
    words.insert(words.end(), {"--conf", property});
  words.insert(words.end(), {"--class", "io.hearth.Probe", "/probe.jar"});
  return words;
}

std::optional<LaunchPattern> LaunchPattern::parse(std::string_view printed) {
  // A line of its own, then words that each end in a NUL.
  const auto start = printed.find(std::string_view("\0\n", 2));
  if (start == std::string_view::npos) return std::nullopt;
  printed.remove_prefix(start + 2);
  Words words;
  for (std::size_t end; (end = printed.find('\0')) != std::string_view::npos;) {
    words.emplace_back(printed.substr(0, end));
    printed.remove_prefix(end + 1);
  }
  const auto at = [&](std::vector<std::string>::const_iterator from, const std::string& word) {
    return std::find(from, words.cend(), word);
  };
  const auto path = at(words.cbegin(), "-cp");
  if (path == words.cend() || path == words.cbegin() || path + 1 == words.cend())
    return std::nullopt;
  const auto memory = at(path + 2, std::string("-Xmx") + probeMemory);
  if (memory == words.cend() || memory + 1 == words.cend() || *(memory + 1) != probeOption)
    return std::nullopt;
  const auto main = at(memory + 2, submitClass);
  if (main == words.cend() || words.front().find("/java") == std::string::npos) return std::nullopt;
  LaunchPattern pattern;
  pattern.java.assign(words.cbegin(), path);
  pattern.classPath = splitAt(':', *(path + 1));
  pattern.before.assign(path + 2, memory);
  pattern.after.assign(memory + 2, main + 1);
  return pattern;
}

std::optional<Words> launchCommand(const LaunchPattern& pattern, const Application& application,
                                   const Properties& properties) {
  if (isSpecial(application, properties)) return std::nullopt;
  const bool client = isClient(properties);
  Words path;
  if (client && !addEntries(path, valueOf(properties, "spark.driver.extraClassPath")))
    return std::nullopt;
  for (const std::string& entry : pattern.classPath)
    if (std::find(path.begin(), path.end(), entry) == path.end()) path.push_back(entry);

  Words command = pattern.java;
  command.insert(command.end(), {"-cp", join(path, ':')});
  command.insert(command.end(), pattern.before.begin(), pattern.before.end());
  Words own;
  const std::string memory = valueOf(properties, "spark.driver.memory");
  own.push_back("-Xmx" + (memory.empty() ? std::string("1g") : memory));
  if (!addOptions(own, valueOf(properties, "spark.driver.defaultJavaOptions")) ||
      !addOptions(own, valueOf(properties, "spark.driver.extraJavaOptions")))
    return std::nullopt;
  if (client) command.insert(command.end(), own.begin(), own.end());
  command.insert(command.end(), pattern.after.begin(), pattern.after.end());
  return command;
}

std::string libraryPath(const Properties& properties, const std::string& current) {
  const std::string extra = valueOf(properties, "spark.driver.extraLibraryPath");
  if (extra.empty() || !isClient(properties)) return {};
  return current.empty() ? extra : current + ":" + extra;
}

std::optional<Words> splitOptions(std::string_view text) {
  Words words;
  std::string word;
  bool within = false;
  bool escaped = false;
  char quote = 0;
  for (const char c : text) {
    if (escaped) {
      word += c;
      escaped = false;
    } else if (c == '\\' && quote != '\'') {
      within = escaped = true;
    } else if (quote != 0) {
      if (c == quote)
        quote = 0;
      else
        word += c;
    } else if (c == '\'' || c == '"') {
      quote = c;
      within = true;
    } else if (std::isspace(static_cast<unsigned char>(c)) == 0) {
      word += c;
      within = true;
    } else if (within) {
      words.push_back(std::exchange(word, {}));
      within = false;
    }
  }
  if (quote != 0 || escaped) return std::nullopt;
  if (within) words.push_back(word);
  return words;
}

}  // namespace hearth::submit
