// Memory that is lent to a plugin for one call, and is found out where it is used afterwards.
#pragma once

#include <hearth/plugin.h>

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace hearth::check {

/// A copy of some bytes that lives until the end of this object; then its memory can neither be
/// read nor written. While it lives, what is behind its last byte cannot be touched either.
///
/// In strict mode each copy has pages of its own, which end inaccessible and stay so; a plugin that
/// keeps a pointer ends in watch()'s handler with the name of what it kept. Otherwise the bytes are
/// overwritten and freed. Thread-safe as far as different objects are concerned.
class Lent {
 public:
  /// `what` is static text, such as "code of execute". `bytes` may be null where `size` is 0.
  Lent(const void* bytes, std::size_t size, const char* what);
  Lent(std::string_view text, const char* what) : Lent(text.data(), text.size(), what) {}
  ~Lent();
  Lent(const Lent&) = delete;
  Lent& operator=(const Lent&) = delete;

  void* data() const { return data_; }
  hearth_str text() const { return {static_cast<const char*>(data_), size_}; }

  /// For the whole process; before the first object.
  static void strict(bool on);
  /// Handles SIGSEGV and SIGBUS: where the address is of memory that was lent, `found` is told what
  /// was done, in the handler, and must not return. Other faults crash as they would have.
  static void watch(void (*found)(const char* what));

 private:
  void* data_;
  std::size_t size_;
  void* mapped_ = nullptr;
  std::size_t length_ = 0;
  std::size_t slot_ = 0;
};

}  // namespace hearth::check
