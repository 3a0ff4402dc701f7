// Cuts a stream of bytes into lines of text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace hearth::host {

constexpr std::size_t maxLineBytes = 64 * 1024;

/// A line, or a piece of one.
struct TextLine {
  std::string text;
  bool goesOn = false;  ///< the next one is more of the same line; that may be empty
};

/// Lines come without "\n" or "\r\n", as valid UTF-8 (U+FFFD for what is not). A line over 64 KiB
/// comes in pieces, never cut within a character.
class LineSplitter {
 public:
  /// Appends the lines that `bytes` completes to `lines`.
  void feed(std::string_view bytes, std::vector<TextLine>& lines);
  /// At the stream's end: appends the line that had no end, if any.
  void finish(std::vector<TextLine>& lines);

 private:
  void take(std::string_view bytes, std::vector<TextLine>& lines);

  std::string rest_;
  bool cut_ = false;  ///< the line at hand has given pieces already
};

}  // namespace hearth::host
