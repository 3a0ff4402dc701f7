// What a statement has printed and shown so far, kept for a next run of the host.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "process/Fd.h"

namespace hearth::host {

/// One file, appended to before the driver's frame is acknowledged: what is written survives the
/// host's death, a tail that was cut off is passed over. Not thread-safe.
class OutputJournal {
 public:
  enum class Kind : std::uint8_t { out = 1, err = 2, display = 3, change = 4 };
  struct Record {
    std::uint64_t frame = 0;  ///< of the link; 0: of none
    Kind kind = Kind::out;
    std::uint64_t index = 0;  ///< of the display that has changed
    std::string text;
  };

  explicit OutputJournal(std::string path) : path_(std::move(path)) {}

  /// Hands over what an earlier run has written, and goes on behind it.
  void replay(const std::function<void(Record)>& each);
  /// False where the disk refuses, once and for all: it is logged.
  bool add(std::uint64_t frame, Kind kind, std::uint64_t index, std::string_view text);
  void remove();

 private:
  bool open();

  const std::string path_;
  Fd file_;
  bool broken_ = false;
};

}  // namespace hearth::host
