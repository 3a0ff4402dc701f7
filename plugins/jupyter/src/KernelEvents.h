// What a kernel's channels tell the session.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace hearth::jupyter {

/// Called on the I/O thread. Implementations only hand on to the host.
class KernelEvents {
 public:
  /// The kernel answers, on all the channels that matter. Once.
  virtual void onReady(const std::string& about) = 0;
  virtual void onOutput(std::uint64_t statement, std::int32_t stream, std::string_view text) = 0;
  /// A MIME bundle that the statement shows.
  virtual void onDisplay(std::uint64_t statement, std::string_view bundle) = 0;
  /// The statement's display number `index`, from 0, has become `bundle`; "{}": it is gone.
  virtual void onDisplayChanged(std::uint64_t statement, std::size_t index,
                                std::string_view bundle) = 0;
  virtual void onDone(std::uint64_t statement, std::int32_t outcome, std::string_view bundle) = 0;
  virtual void onReply(std::uint64_t request, std::string_view json) = 0;
  virtual void onNote(std::int32_t level, const std::string& text) = 0;

 protected:
  ~KernelEvents() = default;
};

}  // namespace hearth::jupyter
