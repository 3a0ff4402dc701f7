#include "process/LineSplitter.h"

#include <algorithm>

#include "support/Utf8.h"

namespace hearth::host {

void LineSplitter::feed(std::string_view bytes, std::vector<TextLine>& lines) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    take(bytes.substr(0, end), lines);
    if (end == std::string_view::npos) return;
    bytes.remove_prefix(end + 1);
    if (!rest_.empty() && rest_.back() == '\r') rest_.pop_back();
    lines.push_back({repairUtf8(std::move(rest_)), false});
    rest_.clear();
    cut_ = false;
  }
}

void LineSplitter::finish(std::vector<TextLine>& lines) {
  if (!rest_.empty() || cut_) lines.push_back({repairUtf8(std::move(rest_)), false});
  rest_.clear();
  cut_ = false;
}

void LineSplitter::take(std::string_view bytes, std::vector<TextLine>& lines) {
  while (!bytes.empty()) {
    // One byte above the bound tells whether the line goes on.
    const std::size_t part = std::min(bytes.size(), maxLineBytes + 1 - rest_.size());
    rest_.append(bytes.data(), part);
    bytes.remove_prefix(part);
    if (rest_.size() <= maxLineBytes) return;
    const std::size_t cut = utf8Prefix(rest_, maxLineBytes);
    lines.push_back({repairUtf8(rest_.substr(0, cut)), true});
    rest_.erase(0, cut);
    cut_ = true;
  }
}

}  // namespace hearth::host
