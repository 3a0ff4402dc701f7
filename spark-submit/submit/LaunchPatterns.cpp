#include "submit/LaunchPatterns.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <utility>

namespace hearth::submit {

namespace {

constexpr std::chrono::seconds longest{60};
constexpr std::size_t mostOutput = 1u << 20;

std::string valueOf(const Environment& environment, const char* name) {
  const auto found = environment.find(name);
  if (found != environment.end()) return found->second;
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

// Changes when what is there changes: present or not, replaced or not.
std::string signatureOf(const std::string& path) {
  struct stat status {};
  if (path.empty() || ::stat(path.c_str(), &status) != 0) return path + "=-";
  return path + "=" + std::to_string(status.st_ino) + "." + std::to_string(status.st_mtim.tv_sec) +
         "." + std::to_string(status.st_mtim.tv_nsec);
}

std::string launcherJarOf(const std::string& sparkHome) {
  const std::string folder = sparkHome + "/jars";
  std::string found;
  DIR* const open = ::opendir(folder.c_str());
  if (open == nullptr) return found;
  while (const dirent* entry = ::readdir(open))
    if (std::strncmp(entry->d_name, "spark-launcher_", 15) == 0)
      found = folder + "/" + entry->d_name;
  ::closedir(open);
  return found;
}

std::string inPath(const std::string& path, const char* program) {
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find(':', begin), path.size());
    const std::string candidate = path.substr(begin, end - begin) + "/" + program;
    begin = end + 1;
    if (candidate.front() == '/' && ::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return {};
}

std::vector<char*> pointersTo(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// What it prints until it ends; empty where it fails, or takes too long.
std::string outputOf(std::vector<std::string> command, const Environment& environment) {
  std::vector<std::string> variables;
  for (const auto& [name, value] : environment) variables.push_back(name + "=" + value);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return {};
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
  ::posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  pid_t pid = -1;
  const std::vector<char*> arguments = pointersTo(command);
  const std::vector<char*> names = pointersTo(variables);
  const int error =
      ::posix_spawn(&pid, command[0].c_str(), &actions, nullptr, arguments.data(), names.data());
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  std::string text;
  bool whole = false;
  const auto until = std::chrono::steady_clock::now() + longest;
  while (error == 0 && !whole && text.size() < mostOutput) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        until - std::chrono::steady_clock::now());
    pollfd waited{ends[0], POLLIN, 0};
    if (left.count() <= 0) break;
    const int ready = ::poll(&waited, 1, static_cast<int>(left.count()));
    if (ready < 0 && errno == EINTR) continue;
    char piece[4096];
    const ssize_t length = ready <= 0 ? -1 : ::read(ends[0], piece, sizeof piece);
    if (length < 0) break;
    whole = length == 0;
    text.append(piece, static_cast<std::size_t>(length));
  }
  ::close(ends[0]);
  if (error != 0) return {};
  if (!whole) ::kill(pid, SIGKILL);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return whole && status == 0 ? text : std::string();
}

}  // namespace

std::string scalaVersion(const std::string& sparkHome) {
  const std::string jar = launcherJarOf(sparkHome);
  const auto begin = jar.rfind('_');
  if (begin == std::string::npos) return {};
  return jar.substr(begin + 1, jar.find('-', begin) - begin - 1);
}

LaunchPatterns& LaunchPatterns::instance() {
  static auto* const patterns = new LaunchPatterns;
  return *patterns;
}

std::optional<LaunchPatterns::Asking> LaunchPatterns::asking(const std::string& sparkHome,
                                                             const Environment& environment) {
  // Each makes the scripts or the launcher do something that is theirs to do.
  for (const char* name :
       {"SPARK_SUBMIT_OPTS", "SPARK_LAUNCHER_OPTS", "SPARK_DIST_CLASSPATH", "SPARK_DRIVER_MEMORY",
        "SPARK_MEM", "SPARK_PREPEND_CLASSES", "SPARK_TESTING", "SPARK_SQL_TESTING",
        "SPARK_ENV_LOADED", "SPARK_SCALA_VERSION", "SPARK_PRINT_LAUNCH_COMMAND"})
    if (!valueOf(environment, name).empty()) return std::nullopt;
  std::string conf = valueOf(environment, "SPARK_CONF_DIR");
  if (conf.empty()) conf = sparkHome + "/conf";
  if (::access((conf + "/spark-env.sh").c_str(), F_OK) == 0) return std::nullopt;

  Asking asking;
  asking.launcherJar = launcherJarOf(sparkHome);
  const std::string javaHome = valueOf(environment, "JAVA_HOME");
  const std::string path = valueOf(environment, "PATH");
  asking.java = javaHome.empty() ? inPath(path, "java") : javaHome + "/bin/java";
  if (asking.launcherJar.empty() || asking.java.empty()) return std::nullopt;
  asking.environment = {{"SPARK_HOME", sparkHome},
                        {"SPARK_SCALA_VERSION", scalaVersion(sparkHome)},
                        {"SPARK_CONF_DIR", conf},
                        {"PATH", path}};
  if (!javaHome.empty()) asking.environment["JAVA_HOME"] = javaHome;
  asking.key = signatureOf(sparkHome + "/jars") + " " + signatureOf(asking.java) + " " +
               signatureOf(conf) + " " + signatureOf(conf + "/java-opts");
  for (const char* name : {"HADOOP_CONF_DIR", "YARN_CONF_DIR"}) {
    const std::string folders = valueOf(environment, name);
    if (folders.find(':') != std::string::npos) return std::nullopt;
    asking.key += " " + signatureOf(folders);
    if (!folders.empty()) asking.environment[name] = folders;
  }
  return asking;
}

std::optional<LaunchPattern> LaunchPatterns::find(const std::string& sparkHome,
                                                  const Environment& environment) {
  const auto asked = asking(sparkHome, environment);
  if (!asked) return std::nullopt;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto known = known_.find(asked->key);
    if (known != known_.end()) return known->second;
    if (!asked_.insert(asked->key).second) return std::nullopt;
  }
  std::thread([this, question = *asked] { ask(question); }).detach();
  return std::nullopt;
}

std::optional<LaunchPattern> LaunchPatterns::learn(const std::string& sparkHome,
                                                   const Environment& environment) {
  const auto asked = asking(sparkHome, environment);
  if (!asked) return std::nullopt;
  ask(*asked);
  return find(sparkHome, environment);
}

void LaunchPatterns::ask(const Asking& asking) {
  // One jar of Spark's, and no more of the JVM than it takes: a third of the launcher's time.
  std::vector<std::string> command = {asking.java,        "-XX:TieredStopAtLevel=1",
                                      "-XX:+UseSerialGC", "-Xshare:auto",
                                      "-Xmx64m",          "-cp",
                                      asking.launcherJar, "org.apache.spark.launcher.Main"};
  for (std::string& word : LaunchPattern::question()) command.push_back(std::move(word));
  auto pattern = LaunchPattern::parse(outputOf(std::move(command), asking.environment));
  const std::lock_guard<std::mutex> lock(mutex_);
  // Answers to what has changed since are of no more use.
  if (known_.size() >= 64) known_.clear();
  known_[asking.key] = std::move(pattern);
  asked_.erase(asking.key);
}

}  // namespace hearth::submit
