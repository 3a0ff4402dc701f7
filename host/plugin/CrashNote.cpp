#include "plugin/CrashNote.h"

#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <mutex>
#include <sstream>
#include <system_error>

#include "plugin/PluginCall.h"

namespace hearth::host {

namespace {

constexpr const char* firstLine = "hearth-crash 1";

struct Signal {
  int number;
  const char* name;
};
constexpr std::array<Signal, 5> signals{{{SIGSEGV, "SIGSEGV"},
                                         {SIGBUS, "SIGBUS"},
                                         {SIGFPE, "SIGFPE"},
                                         {SIGILL, "SIGILL"},
                                         {SIGABRT, "SIGABRT"}}};

/// What the handler reads is prepared, never changed and never freed: it may run at any moment.
struct Module {
  std::uintptr_t begin, end;  // of its code
  std::uintptr_t base;        // what a debugger's addresses are counted from
  const char* path;
};
struct Plugin {
  const char* instance;
  const char* path;
  const char* version;
  const char* text;  // lines of the note: version, file, kinds
};

template <typename Entry, std::size_t most>
class Table {
 public:
  void add(const Entry& entry) {
    const std::size_t at = size_.load(std::memory_order_relaxed);
    if (at == most) return;
    entries_[at] = entry;
    size_.store(at + 1, std::memory_order_release);
  }
  const Entry* begin() const { return entries_.data(); }
  const Entry* end() const { return entries_.data() + size_.load(std::memory_order_acquire); }

 private:
  std::array<Entry, most> entries_{};
  std::atomic<std::size_t> size_{0};
};

Table<Module, 1024> modules;
Table<Plugin, 512> plugins;  // of one instance the last entry counts
std::mutex preparing;
std::array<struct sigaction, signals.size()> before;
std::atomic<int> noteFile{-1};
std::atomic<pid_t> owner{0};  // a child between fork and exec writes no note
std::atomic<pid_t> crashing{0};
char uncaught[512];

const char* kept(const std::string& text) {
  std::string clean = text;
  std::replace(clean.begin(), clean.end(), '\n', ' ');
  // A further version of a file is loaded by another spelling of its path.
  for (std::size_t at; (at = clean.find("/./")) != std::string::npos;) clean.erase(at, 2);
  return ::strdup(clean.c_str());
}

int addModule(dl_phdr_info* info, std::size_t, void*) {
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& part = info->dlpi_phdr[i];
    if (part.p_type != PT_LOAD || (part.p_flags & PF_X) == 0) continue;
    const std::uintptr_t begin = info->dlpi_addr + part.p_vaddr;
    const bool known = std::any_of(modules.begin(), modules.end(),
                                   [begin](const Module& module) { return module.begin == begin; });
    if (known) continue;
    char program[PATH_MAX] = "";
    const bool isProgram = info->dlpi_name == nullptr || info->dlpi_name[0] == '\0';
    if (isProgram) [[maybe_unused]]
      const ssize_t length = ::readlink("/proc/self/exe", program, sizeof program - 1);
    modules.add(Module{begin, begin + part.p_memsz, info->dlpi_addr,
                       kept(isProgram ? program : info->dlpi_name)});
  }
  return 0;
}

// ---- From here on to install(): async-signal-safe.

const Module* moduleAt(std::uintptr_t address) {
  for (const Module& module : modules)
    if (address >= module.begin && address < module.end) return &module;
  return nullptr;
}

const Plugin* pluginOf(const Module* module) {
  const Plugin* found = nullptr;
  if (module != nullptr)
    for (const Plugin& plugin : plugins)
      if (std::strcmp(plugin.path, module->path) == 0) found = &plugin;
  return found;
}

const Plugin* pluginNamed(const char* instance) {
  const Plugin* found = nullptr;
  for (const Plugin& plugin : plugins)
    if (std::strcmp(plugin.instance, instance) == 0) found = &plugin;
  return found;
}

/// Writes whole lines to stderr and to the note's file.
class Lines {
 public:
  Lines& text(const char* text) {
    while (*text != '\0' && length_ < sizeof line_ - 1) line_[length_++] = *text++;
    return *this;
  }
  Lines& number(std::uint64_t value, unsigned base = 10) {
    char digits[24];
    std::size_t at = sizeof digits;
    digits[--at] = '\0';
    do {
      digits[--at] = "0123456789abcdef"[value % base];
      value /= base;
    } while (value != 0);
    return text(digits + at);
  }
  void end() {
    line_[length_++] = '\n';
    put(STDERR_FILENO);
    if (const int file = noteFile.load(); file >= 0) put(file);
    length_ = 0;
  }
  void line(const char* key, const char* value) {
    if (value[0] != '\0') text(key).text(" ").text(value).end();
  }

 private:
  void put(int file) const {
    for (std::size_t from = 0; from < length_;) {
      const ssize_t written = ::write(file, line_ + from, length_ - from);
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return;
      from += static_cast<std::size_t>(written);
    }
  }
  char line_[2048];
  std::size_t length_ = 0;
};

void frame(Lines& out, std::uintptr_t address, std::uintptr_t shown) {
  const Module* const module = moduleAt(address);
  out.text("frame ").text(module != nullptr ? module->path : "?").text("+0x");
  out.number(shown - (module != nullptr ? module->base : 0), 16).end();
}

struct Place {
  std::uintptr_t pc = 0, sp = 0;
};

Place placeOf(const void* context) {
  Place place;
  const auto& machine = static_cast<const ucontext_t*>(context)->uc_mcontext;
#if defined(__x86_64__)
  place.pc = static_cast<std::uintptr_t>(machine.gregs[REG_RIP]);
  place.sp = static_cast<std::uintptr_t>(machine.gregs[REG_RSP]);
#elif defined(__aarch64__)
  place.pc = machine.pc;
  place.sp = machine.sp;
#else
  (void)machine;
#endif
  return place;
}

// A thread that no mark stands on: whose code it runs, or was called from.
void named(Lines& out, const Plugin* plugin, const char* where) {
  out.line("plugin", plugin->instance);
  out.line("path", plugin->path);
  for (const char* line = plugin->text; *line != '\0';) {
    char copy[1024];
    std::size_t length = 0;
    while (*line != '\0' && *line != '\n' && length < sizeof copy - 1) copy[length++] = *line++;
    copy[length] = '\0';
    if (*line == '\n') ++line;
    out.text(copy).end();
  }
  out.line("where", where);
}

void writeNote(int signo, const siginfo_t* info, const void* context) {
  Lines out;
  out.text(firstLine).end();
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  out.text("time ")
      .number(static_cast<std::uint64_t>(now.tv_sec) * 1000 +
              static_cast<std::uint64_t>(now.tv_nsec) / 1000000)
      .end();
  for (const Signal& known : signals)
    if (known.number == signo) out.line("signal", known.name);
  if (signo != SIGABRT && info->si_code > 0)
    out.text("address 0x").number(reinterpret_cast<std::uintptr_t>(info->si_addr), 16).end();
  out.line("said", uncaught);
  char thread[16] = "";
  ::prctl(PR_GET_NAME, thread);
  out.line("thread", thread);

  const PluginCall* const call = PluginCallMark::current();
  bool isNamed = call != nullptr;
  if (call != nullptr) {
    if (const Plugin* const plugin = pluginNamed(call->instance)) {
      named(out, plugin, "call");
    } else {
      out.line("plugin", call->instance);
      out.line("version", call->version);
      out.line("path", call->path);
      out.line("where", "call");
    }
    out.line("slot", call->slot);
    out.line("session", call->session);
    if (call->statement != 0) out.text("statement ").number(call->statement).end();
    if (call->takingUp) out.line("takeup", "1");
  }
  const Place place = placeOf(context);
  if (place.pc != 0) frame(out, place.pc, place.pc);
  const auto look = [&](std::uintptr_t address) {
    const Plugin* const plugin = isNamed ? nullptr : pluginOf(moduleAt(address));
    if (plugin == nullptr) return;
    named(out, plugin, "thread");
    isNamed = true;
  };
  look(place.pc);
  const int file = noteFile.load();
  if (file >= 0) ::fsync(file);

  // What follows may go wrong where the stack is in pieces: what matters most is written.
  ::alarm(10);
  void* frames[64];
  const int count = ::backtrace(frames, 64);
  bool below = false;  // the handler's own frames are passed
  for (int i = 0; i < count; ++i) {
    const auto address = reinterpret_cast<std::uintptr_t>(frames[i]);
    if (!below) {
      below = address == place.pc;
      continue;
    }
    frame(out, address - 1, address - 1);  // of the call, not of what follows it
    look(address - 1);
  }
  if (!below && place.sp != 0) {
    // No way to unwind from there, as after a call through a bad pointer: who called is on top.
    const std::uintptr_t caller = *reinterpret_cast<const std::uintptr_t*>(place.sp);
    if (moduleAt(caller) != nullptr) frame(out, caller - 1, caller - 1);
    look(caller - 1);
  }
  out.text("end").end();
  if (file >= 0) ::fsync(file);
}

void handle(int signo, siginfo_t* info, void* context) {
  const int error = errno;
  const auto self = static_cast<pid_t>(::syscall(SYS_gettid));
  const bool mine = owner.load() == ::getpid();
  pid_t nobody = 0;
  if (mine && !crashing.compare_exchange_strong(nobody, self) && nobody != self)
    for (int i = 0; i < 200; ++i) {  // another one is writing, and ends the process
      timespec rest{0, 50000000};
      ::nanosleep(&rest, nullptr);
    }
  if (mine && nobody == 0) writeNote(signo, info, context);
  for (std::size_t i = 0; i < signals.size(); ++i)
    if (signals[i].number == signo) ::sigaction(signo, &before[i], nullptr);
  // With all that the kernel said of it, so that a core dump has it; it comes when this returns.
  if (::syscall(SYS_rt_tgsigqueueinfo, ::getpid(), self, signo, info) != 0)
    ::syscall(SYS_tgkill, ::getpid(), self, signo);
  errno = error;
}

[[noreturn]] void onTerminate() {
  const char* text = "std::terminate";
  try {
    if (const std::exception_ptr thrown = std::current_exception()) std::rethrow_exception(thrown);
  } catch (const std::exception& caught) {
    text = caught.what();
  } catch (...) {
    text = "an exception that is no std::exception";
  }
  std::size_t length = 0;
  for (; text[length] != '\0' && length < sizeof uncaught - 1; ++length)
    uncaught[length] = text[length] == '\n' ? ' ' : text[length];
  uncaught[length] = '\0';
  std::abort();
}

}  // namespace

namespace crash {

void install() {
  static std::once_flag once;
  std::call_once(once, [] {
    void* frames[4];
    ::backtrace(frames, 4);  // loads what it needs: later it allocates nothing
    owner = ::getpid();
    {
      const std::lock_guard<std::mutex> lock(preparing);
      ::dl_iterate_phdr(&addModule, nullptr);
    }
    for (std::size_t i = 0; i < signals.size(); ++i) {
      struct sigaction action {};
      action.sa_sigaction = &handle;
      action.sa_flags = SA_SIGINFO | SA_ONSTACK;
      ::sigemptyset(&action.sa_mask);
      ::sigaction(signals[i].number, &action, &before[i]);
    }
    std::set_terminate(&onTerminate);
  });
}

void writeTo(const std::string& file) {
  const int opened =
      ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (opened < 0) throw std::system_error(errno, std::generic_category(), file);
  const int old = noteFile.exchange(opened);
  if (old >= 0) ::close(old);
}

void knowPlugin(const std::string& instance, const std::string& version, const std::string& path,
                const std::vector<std::string>& kinds) {
  std::string text;
  if (!version.empty()) text += "version " + version + "\n";
  if (const std::string mark = fileMark(path); !mark.empty()) text += "file " + mark + "\n";
  if (!kinds.empty()) {
    text += "kinds";
    for (const std::string& kind : kinds) text += " " + kind;
    text += "\n";
  }
  const std::lock_guard<std::mutex> lock(preparing);
  ::dl_iterate_phdr(&addModule, nullptr);
  const Plugin* const known = pluginNamed(instance.c_str());
  if (known != nullptr && path == known->path && text == known->text) return;
  plugins.add(Plugin{kept(instance), kept(path), kept(version), ::strdup(text.c_str())});
}

}  // namespace crash

std::string fileMark(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return {};
  return std::to_string(info.st_size) + ":" + std::to_string(info.st_mtim.tv_sec) + "." +
         std::to_string(info.st_mtim.tv_nsec);
}

std::optional<CrashReport> CrashReport::parse(const std::string& text) {
  std::istringstream in(text);
  std::string line;
  if (!std::getline(in, line) || line != firstLine) return std::nullopt;
  CrashReport report;
  while (std::getline(in, line)) {
    const std::size_t blank = line.find(' ');
    const std::string key = line.substr(0, blank);
    const std::string value = blank == std::string::npos ? std::string() : line.substr(blank + 1);
    if (key == "time") report.time = std::strtoll(value.c_str(), nullptr, 10);
    if (key == "signal") report.signal = value;
    if (key == "address") report.address = value;
    if (key == "said") report.said = value;
    if (key == "plugin") report.plugin = value;
    if (key == "version") report.version = value;
    if (key == "path") report.path = value;
    if (key == "file") report.file = value;
    if (key == "where") report.ownThread = value == "thread";
    if (key == "slot") report.slot = value;
    if (key == "session") report.session = value;
    if (key == "statement") report.statement = std::strtoull(value.c_str(), nullptr, 10);
    if (key == "takeup") report.takingUp = true;
    if (key == "frame") report.frames.push_back(value);
    if (key == "kinds") {
      std::istringstream words(value);
      for (std::string kind; words >> kind;) report.kinds.push_back(kind);
    }
  }
  if (report.signal.empty()) report.signal = "a signal";
  return report;
}

std::string CrashReport::summary() const {
  std::string text = signal + " in ";
  if (plugin.empty()) {
    text += "the host itself";
  } else {
    text += "plugin " + plugin + (version.empty() ? "" : " " + version) + " (" + path + ")";
    if (ownThread) text += ", on a thread of its own";
    if (!slot.empty()) text += ", " + slot;
    if (!session.empty()) text += ", session " + session;
  }
  if (!said.empty()) text += ": " + said;
  return text;
}

}  // namespace hearth::host
