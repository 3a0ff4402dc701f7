// What a plugin's file must be, before and while it is loaded.
#include <dlfcn.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "Check.h"
#include "ElfFile.h"
#include "hearth/plugin.h"

namespace hearth::check {

namespace {

ElfFile elf(const Context& context) {
  try {
    return ElfFile::read(context.subject.file);
  } catch (const ElfError& error) {
    throw Failure(error.what());
  }
}

bool begins(const std::string& text, const char* with) {
  return text.compare(0, std::strlen(with), with) == 0;
}

std::string listed(const std::vector<std::string>& words) {
  constexpr std::size_t most = 5;
  std::string text;
  for (std::size_t i = 0; i < words.size() && i < most; ++i)
    text += (i == 0 ? "" : ", ") + words[i];
  if (words.size() > most) text += " and " + std::to_string(words.size() - most) + " more";
  return text;
}

void exports(const Context& context) {
  const ElfFile file = elf(context);
  if (std::find(file.exported.begin(), file.exported.end(), "hearth_plugin_v1") ==
      file.exported.end())
    throw Failure("it exports no hearth_plugin_v1");
  std::vector<std::string> others;
  for (const auto& symbol : file.exported)
    if (!begins(symbol, "hearth_plugin_v")) others.push_back(symbol);
  if (!others.empty()) throw Failure("it also exports " + listed(others));
}

void unique(const Context& context) {
  const ElfFile file = elf(context);
  if (!file.unique.empty())
    throw Failure("these bind as STB_GNU_UNIQUE, one for the whole process: " +
                  listed(file.unique));
}

void needed(const Context& context) {
  static const char* const system[] = {
      "libc.so.",      "libm.so.", "libdl.so.",  "librt.so.",   "libpthread.so.", "libgcc_s.so.",
      "libstdc++.so.", "ld-linux", "libasan.so", "libubsan.so", "libtsan.so"};
  static const char* const hosts[] = {"libPoco", "libboost_", "libspdlog", "libfmt", "libhearth"};
  std::vector<std::string> forbidden, others;
  for (const auto& library : elf(context).needed) {
    const auto is = [&](const char* with) { return begins(library, with); };
    const auto& allowed = context.subject.quirks.needed;
    if (std::any_of(std::begin(hosts), std::end(hosts), is))
      forbidden.push_back(library);
    else if (std::none_of(std::begin(system), std::end(system), is) &&
             std::find(allowed.begin(), allowed.end(), library) == allowed.end())
      others.push_back(library);
  }
  if (!forbidden.empty())
    throw Failure("it needs " + listed(forbidden) + ", which the host has in a version of its own");
  if (!others.empty())
    throw Failure("it needs " + listed(others) +
                  ", which the quirks file does not name in \"needed\"");
}

void stack(const Context& context) {
  if (elf(context).executableStack) throw Failure("it asks for an executable stack");
}

void relocations(const Context& context) {
  if (elf(context).textRelocations) throw Failure("it has relocations in its code");
}

std::chrono::nanoseconds processTime() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

void* load(const Context& context) {
  void* library = ::dlopen(context.subject.file.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (library == nullptr) throw Failure(std::string("the loader refuses it: ") + ::dlerror());
  return library;
}

void loads(const Context& context) {
  void* library = load(context);
  if (::dlsym(library, "hearth_plugin_v1") == nullptr)
    throw Failure("hearth_plugin_v1 is not to be found in it");
}

/// In a child, as a library is loaded once only in a process; the child ends with whether it was
/// too slow.
bool loadsInTime(const Context& context) {
  const pid_t child = ::fork();
  if (child < 0) throw Failure("no process to load it in: " + std::string(std::strerror(errno)));
  if (child == 0) {
    using namespace std::chrono;
    const auto began = steady_clock::now();
    const auto cpu = processTime();
    using Entry = const hearth_plugin* (*)();
    void* const library =
        ::dlopen(context.subject.file.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    const auto entry = library == nullptr
                           ? nullptr
                           : reinterpret_cast<Entry>(::dlsym(library, "hearth_plugin_v1"));
    if (entry != nullptr) entry();
    const auto limit = context.subject.quirks.loadTime;
    // The wall's time counts tenfold: the machine may be busy, or the disk.
    ::_exit(processTime() - cpu > limit || steady_clock::now() - began > 10 * limit ? 1 : 0);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status)) ::raise(WTERMSIG(status));
  return WEXITSTATUS(status) == 0;
}

void loadTime(const Context& context) {
  // A shared machine may count its neighbours' computing as ours: a slow one is slow each time.
  for (int tries = 0; tries < 3; ++tries)
    if (loadsInTime(context)) return;
  const std::string limit = std::to_string(context.subject.quirks.loadTime.count());
  throw Failure("loading took more than " + limit + " ms of computing, or ten times that by the " +
                "clock, in each of three tries; " + limit + " are allowed (quirk load_ms)");
}

}  // namespace

std::vector<Check> fileChecks() {
  return {
      {"file", "file-exports", "It exports hearth_plugin_v1, and nothing but hearth_plugin_v*.",
       "Build it by hearth_add_plugin(), or with -fvisibility=hidden and a linker map that has "
       "hearth_plugin_v* as the only global symbols.",
       exports},
      {"file", "file-no-unique", "No symbol binds as STB_GNU_UNIQUE.",
       "Build with -fno-gnu-unique: such a symbol is shared with other plugins.", unique},
      {"file", "file-needed",
       "It needs the C and C++ runtimes only, never a library of the host (Poco, Boost, spdlog).",
       "Link other libraries statically with -Wl,--exclude-libs,ALL. One that must be shared is "
       "named in the quirks file's \"needed\".",
       needed},
      {"file", "file-no-exec-stack", "It does not ask for an executable stack.",
       "Give each assembler file a .note.GNU-stack section; link with -z noexecstack.", stack},
      {"file", "file-no-text-relocations", "It has no relocations in its code.",
       "Compile everything in it with -fPIC.", relocations},
      {"file", "file-loads", "It loads with RTLD_NOW: every symbol is there.",
       "Link with -z defs, and install the libraries that it needs.", loads},
      {"file", "file-load-time", "Loading it takes less than 100 ms of computing.",
       "Do nothing in static constructors; leave work to create() or launch().", loadTime},
  };
}

}  // namespace hearth::check
