#include "plugin/PluginCall.h"

#include <signal.h>
#include <sys/mman.h>

#include <atomic>
#include <cstddef>

namespace hearth::host {

namespace {

// Of the executable, so that a signal handler finds it without a call into the loader.
thread_local const PluginCall* innermost = nullptr;

/// A stack for the handler of a thread that has used its own up.
class SignalStack {
 public:
  SignalStack() {
    stack_t there{};
    if (::sigaltstack(nullptr, &there) != 0 || (there.ss_flags & SS_DISABLE) == 0) return;
    void* const memory = ::mmap(nullptr, guard + size, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (memory == MAP_FAILED) return;
    ::mprotect(memory, guard, PROT_NONE);
    stack_t stack{};
    stack.ss_sp = static_cast<char*>(memory) + guard;
    stack.ss_size = size;
    if (::sigaltstack(&stack, nullptr) == 0)
      memory_ = memory;
    else
      ::munmap(memory, guard + size);
  }
  ~SignalStack() {
    if (memory_ == nullptr) return;
    stack_t none{};
    none.ss_flags = SS_DISABLE;
    ::sigaltstack(&none, nullptr);
    ::munmap(memory_, guard + size);
  }
  SignalStack(const SignalStack&) = delete;
  SignalStack& operator=(const SignalStack&) = delete;
  bool there() const { return memory_ != nullptr; }

 private:
  static constexpr std::size_t guard = 4096;
  static constexpr std::size_t size = 64 * 1024;
  void* memory_ = nullptr;
};

}  // namespace

PluginCallMark::PluginCallMark(const PluginCall& call) noexcept : outer_(innermost) {
  static thread_local const SignalStack stack;
  (void)stack.there();
  innermost = &call;
  std::atomic_signal_fence(std::memory_order_seq_cst);
}

PluginCallMark::~PluginCallMark() {
  std::atomic_signal_fence(std::memory_order_seq_cst);
  innermost = outer_;
}

const PluginCall* PluginCallMark::current() noexcept {
  return innermost;
}

}  // namespace hearth::host
