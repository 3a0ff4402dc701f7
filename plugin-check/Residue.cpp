#include "Residue.h"

#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <clocale>
#include <cstring>
#include <filesystem>
#include <thread>

#include "support/FileContent.h"

namespace hearth::check {

namespace fs = std::filesystem;
using host::fileContent;

namespace {

std::string line(const std::string& text, const std::string& key) {
  const auto at = text.find(key);
  if (at == std::string::npos) return {};
  const auto begin = text.find_first_not_of(" \t", at + key.size());
  return text.substr(begin, text.find('\n', begin) - begin);
}

template <class Body>
void eachNumber(const char* folder, Body body) {
  DIR* opened = ::opendir(folder);
  if (opened == nullptr) return;
  while (const dirent* entry = ::readdir(opened)) {
    char* end = nullptr;
    const long number = std::strtol(entry->d_name, &end, 10);
    if (*end == '\0' && number >= 0 && entry->d_name[0] != '.')
      body(static_cast<int>(number), ::dirfd(opened));
  }
  ::closedir(opened);
}

/// Name and parent of a process that runs, from its stat; the name may hold spaces and brackets.
/// One that has ended is left out: an orphan's end is taken note of by init, where there is no
/// check.
bool parentOf(int pid, int& parent, std::string& name, bool all) {
  const std::string stat = fileContent("/proc/" + std::to_string(pid) + "/stat");
  const auto open = stat.find('('), close = stat.rfind(')');
  if (open == std::string::npos || close == std::string::npos || close + 4 > stat.size())
    return false;
  name = stat.substr(open + 1, close - open - 1);
  parent = std::atoi(stat.c_str() + close + 4);
  return all || stat[close + 2] != 'Z';
}

std::map<pid_t, std::string> childrenNow(bool all) {
  std::map<pid_t, std::string> found;
  eachNumber("/proc", [&](int pid, int) {
    int parent = 0;
    std::string name;
    if (parentOf(pid, parent, name, all) && parent == ::getpid()) found[pid] = name;
  });
  return found;
}

std::string disposition(int signo) {
  struct sigaction action {};
  if (::sigaction(signo, nullptr, &action) != 0) return "none";
  if ((action.sa_flags & SA_SIGINFO) == 0 && action.sa_handler == SIG_DFL) return "default";
  if ((action.sa_flags & SA_SIGINFO) == 0 && action.sa_handler == SIG_IGN) return "ignored";
  return "handler at " + std::to_string(reinterpret_cast<std::uintptr_t>(action.sa_sigaction));
}

template <class Key>
void added(const std::map<Key, std::string>& before, const std::map<Key, std::string>& after,
           const std::string& what, std::vector<std::string>& left) {
  for (const auto& entry : after) {
    const auto found = before.find(entry.first);
    if (found == before.end() || found->second != entry.second)
      left.push_back(what + " left: " + std::to_string(entry.first) + " (" + entry.second + ")");
  }
}

void changed(const std::string& before, const std::string& after, const std::string& what,
             std::vector<std::string>& left) {
  if (before != after) left.push_back(what + " changed: from " + before + " to " + after);
}

}  // namespace

Residue Residue::now(const std::vector<fs::path>& folders) {
  Residue found;
  eachNumber("/proc/self/task", [&](int thread, int) {
    std::string name = fileContent("/proc/self/task/" + std::to_string(thread) + "/comm");
    if (!name.empty() && name.back() == '\n') name.pop_back();
    if (!name.empty()) found.threads[thread] = name;
  });
  eachNumber("/proc/self/fd", [&](int number, int own) {
    std::error_code gone;
    const auto target = fs::read_symlink("/proc/self/fd/" + std::to_string(number), gone);
    if (number != own && !gone) found.descriptors[number] = target.string();
  });
  found.children = childrenNow(false);
  for (const auto& folder : folders) {
    std::error_code none;
    for (const auto& entry : fs::recursive_directory_iterator(folder, none))
      found.files.insert(entry.path().string());
  }
  std::error_code none;
  found.cwd = fs::current_path(none).string();
  const std::string status = fileContent("/proc/self/status");
  found.umask = line(status, "Umask:");
  found.signalMask = line(status, "SigBlk:");
  found.locale = std::setlocale(LC_ALL, nullptr);
  for (int signo = 1; signo < NSIG; ++signo) found.signals[signo] = disposition(signo);
  return found;
}

std::vector<std::string> Residue::left(const Residue& after) const {
  std::vector<std::string> left;
  for (const auto& thread : after.threads)  // names change
    if (threads.count(thread.first) == 0)
      left.push_back("thread left: " + std::to_string(thread.first) + " (" + thread.second + ")");
  added(descriptors, after.descriptors, "descriptor", left);
  added(children, after.children, "child process", left);
  for (const auto& file : after.files)
    if (files.count(file) == 0) left.push_back("file left: " + file);
  changed(cwd, after.cwd, "working directory", left);
  changed(umask, after.umask, "umask", left);
  changed(locale, after.locale, "locale", left);
  changed(signalMask, after.signalMask, "signal mask", left);
  for (const auto& signal : after.signals)
    changed(signals.at(signal.first), signal.second,
            "disposition of signal " + std::to_string(signal.first) + " (" +
                ::strsignal(signal.first) + ")",
            left);
  return left;
}

std::vector<std::string> Residue::wait(const std::vector<fs::path>& folders,
                                       std::chrono::milliseconds time) const {
  const auto until = std::chrono::steady_clock::now() + time;
  for (;;) {
    const auto found = left(now(folders));
    const bool mayGo = std::any_of(found.begin(), found.end(), [](const std::string& what) {
      return what.rfind("thread", 0) == 0 || what.rfind("child", 0) == 0 ||
             what.rfind("descriptor", 0) == 0;
    });
    if (!mayGo || std::chrono::steady_clock::now() >= until) return found;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

void childrenComeHere() {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
}

void endChildren() {
  // Each round may orphan more of them to here.
  for (int round = 0; round < 100; ++round) {
    const auto children = childrenNow(true);
    if (children.empty()) return;
    for (const auto& child : children) ::kill(child.first, SIGKILL);
    for (const auto& child : children) ::waitpid(child.first, nullptr, 0);
  }
}

}  // namespace hearth::check
