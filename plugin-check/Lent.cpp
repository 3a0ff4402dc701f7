#include "Lent.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

namespace hearth::check {

namespace {

/// Where lent memory is or was. A ring, read by the signal handler: the oldest are given back when
/// the kernel's number of mappings comes near.
struct Range {
  std::atomic<std::uintptr_t> begin{0}, end{0};
  std::atomic<const char*> what{nullptr};
  std::atomic<bool> over{false};
};
constexpr std::size_t most = 16384;
Range ranges[most];
std::atomic<std::size_t> next{0};
bool isStrict = false;
void (*report)(const char*) = nullptr;

std::size_t pageSize() {
  static const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return size;
}

std::size_t newRange(void* begin, std::size_t length, const char* what) {
  const std::size_t slot = next++ % most;
  Range& range = ranges[slot];
  const auto old = range.begin.exchange(0);
  if (old != 0 && range.over.load()) ::munmap(reinterpret_cast<void*>(old), range.end - old);
  range.over = false;
  range.what = what;
  range.end = reinterpret_cast<std::uintptr_t>(begin) + length;
  range.begin = reinterpret_cast<std::uintptr_t>(begin);
  return slot;
}

Range* rangeOf(const void* address) {
  const auto at = reinterpret_cast<std::uintptr_t>(address);
  for (Range& range : ranges)
    if (range.begin != 0 && at >= range.begin && at < range.end) return &range;
  return nullptr;
}

void onFault(int signo, siginfo_t* info, void*) {
  if (const Range* range = rangeOf(info->si_addr)) {
    static char text[256];
    std::snprintf(text, sizeof text,
                  range->over ? "it used the %s after that call had returned"
                              : "it went over the end of the %s",
                  range->what.load());
    report(text);
  }
  ::signal(signo, SIG_DFL);  // runs into it again
}

}  // namespace

Lent::Lent(const void* bytes, std::size_t size, const char* what) : size_(size) {
  if (!isStrict) {
    data_ = std::malloc(size + 1);
    if (data_ == nullptr) throw std::bad_alloc();
    if (size > 0) std::memcpy(data_, bytes, size);
    return;
  }
  const std::size_t page = pageSize();
  const std::size_t used = (size + page - 1) / page * page;
  length_ = used + page;
  mapped_ = ::mmap(nullptr, length_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped_ == MAP_FAILED) throw std::bad_alloc();
  if (used > 0) ::mprotect(mapped_, used, PROT_READ | PROT_WRITE);
  data_ = static_cast<char*>(mapped_) + used - size;
  if (size > 0) std::memcpy(data_, bytes, size);
  slot_ = newRange(mapped_, length_, what);
}

Lent::~Lent() {
  if (mapped_ == nullptr) {
    std::memset(data_, 0xDB, size_);
    std::free(data_);
    return;
  }
  if (ranges[slot_].begin == reinterpret_cast<std::uintptr_t>(mapped_)) ranges[slot_].over = true;
  ::mprotect(mapped_, length_, PROT_NONE);
  ::madvise(mapped_, length_, MADV_DONTNEED);
}

void Lent::strict(bool on) {
  isStrict = on;
}

void Lent::watch(void (*found)(const char* what)) {
  report = found;
  struct sigaction action {};
  action.sa_sigaction = onFault;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  ::sigaction(SIGSEGV, &action, nullptr);
  ::sigaction(SIGBUS, &action, nullptr);
}

}  // namespace hearth::check
