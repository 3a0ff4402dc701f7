#include "session/StatementOutput.h"

#include <fcntl.h>
#include <hearth/plugin.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>

#include "support/Log.h"
#include "support/Utf8.h"

namespace hearth::host {

namespace {

constexpr int displayKind = 2;
constexpr std::size_t keptSegments = 16384;
// Of all displays of one statement: they are stored in its row.
constexpr std::size_t mostDisplayBytes = 32u << 20;
// Displays and their changes, of one statement: a progress bar may change without end.
constexpr std::size_t mostShown = 100000;

std::size_t indexOf(int stream) {
  return stream == HEARTH_STDERR ? 1 : 0;
}
int streamOf(int kind) {
  return kind == 1 ? HEARTH_STDERR : HEARTH_STDOUT;
}

bool continues(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

}  // namespace

StatementOutput::StatementOutput(std::string folder, std::int64_t statement, std::size_t memory)
    : memory_(memory), folder_(std::move(folder)) {
  streams_[0].path = folder_ + "/" + std::to_string(statement) + ".stdout";
  streams_[1].path = folder_ + "/" + std::to_string(statement) + ".stderr";
}

StatementOutput::StatementOutput(std::string folder, const StatementRow& row)
    : StatementOutput(std::move(folder), row.id, 0) {
  closed_ = true;
  const std::array<const std::string*, 2> texts{&row.out, &row.err};
  for (std::size_t i = 0; i < 2; ++i) {
    Stream& stream = streams_[i];
    struct stat file {};
    if (::stat(stream.path.c_str(), &file) == 0) {
      stream.stored = true;
      stream.total = static_cast<std::uint64_t>(file.st_size);
    } else {
      stream.head = *texts[i];
      stream.total = stream.head.size();
    }
    if (stream.total > 0) note(static_cast<int>(i), 0, stream.total);
  }
  if (row.displays.empty()) return;
  boost::system::error_code error;
  const boost::json::value all = boost::json::parse("[" + row.displays + "]", error);
  if (error || !all.is_array()) return;
  for (const auto& bundle : all.get_array()) {
    shown_.push_back({shown_.size(), false, boost::json::serialize(bundle)});
    latest_.push_back(latest_.size());
  }
  note(displayKind, 0, shown_.size());
}

void StatementOutput::removeFiles(const std::string& folder, std::int64_t statement) {
  for (const char* stream : {".stdout", ".stderr", ".journal"})
    ::unlink((folder + "/" + std::to_string(statement) + stream).c_str());
}

StatementOutput::~StatementOutput() {
  for (const Stream& stream : streams_)
    if (stream.file >= 0) ::close(stream.file);
}

void StatementOutput::keep() {
  if (journal_) return;
  auto journal = std::make_unique<OutputJournal>(
      streams_[0].path.substr(0, streams_[0].path.rfind('.')) + ".journal");
  std::uint64_t last = 0;
  journal->replay([this, &last](const OutputJournal::Record& record) {
    last = std::max(last, record.frame);
    switch (record.kind) {
      case OutputJournal::Kind::out:
        return append(HEARTH_STDOUT, record.text, record.frame);
      case OutputJournal::Kind::err:
        return append(HEARTH_STDERR, record.text, record.frame);
      case OutputJournal::Kind::display:
        return display(record.text, record.frame);
      case OutputJournal::Kind::change:
        return changeDisplay(record.index, record.text, record.frame);
    }
  });
  const std::lock_guard<std::mutex> lock(mutex_);
  keptFrame_ = last;
  journal_ = std::move(journal);
}

void StatementOutput::letGo() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (journal_) journal_->remove();
  journal_.reset();
}

void StatementOutput::record(std::uint64_t frame, OutputJournal::Kind kind, std::uint64_t index,
                             std::string_view text) {
  if (journal_) journal_->add(frame, kind, index, text);
}

void StatementOutput::append(int stream, std::string_view text, std::uint64_t frame) {
  if (text.empty()) return;
  std::unique_lock<std::mutex> lock(mutex_);
  Stream& to = streams_[indexOf(stream)];
  if (closed_ || to.broken || isRepetition(frame)) return;
  record(frame, stream == HEARTH_STDERR ? OutputJournal::Kind::err : OutputJournal::Kind::out, 0,
         text);
  if (!to.stored && to.head.size() + text.size() <= memory_)
    to.head += text;
  else
    spill(to, text);
  if (to.broken) return;
  note(static_cast<int>(indexOf(stream)), to.total, to.total + text.size());
  to.total += text.size();
  changed(lock);
}

void StatementOutput::spill(Stream& to, std::string_view text) {
  if (to.file < 0) {
    std::error_code ignored;
    std::filesystem::create_directories(folder_, ignored);
    to.file = ::open(to.path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
  }
  const auto write = [&](std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t size = ::write(to.file, bytes.data(), bytes.size());
      if (size < 0 && errno == EINTR) continue;
      if (size <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(size));
    }
    return true;
  };
  if (to.file >= 0 && (to.stored || write(to.head)) && write(text)) {
    to.stored = true;
    if (to.head.size() == to.total && to.head.size() < memory_)
      to.head += text.substr(0, utf8Prefix(text, memory_ - to.head.size()));
    return;
  }
  log().error("{}: {}: what else the statement prints is dropped", to.path, std::strerror(errno));
  // A part of `text` may be in the file, but nobody is told of it: the total does not have it.
  to.broken = true;
}

void StatementOutput::display(const std::string& bundle, std::uint64_t frame) {
  std::unique_lock<std::mutex> lock(mutex_);
  if (closed_ || isRepetition(frame) || !fits(bundle.size(), lock)) return;
  record(frame, OutputJournal::Kind::display, 0, bundle);
  latest_.push_back(shown_.size());
  show({latest_.size() - 1, false, bundle}, lock);
}

void StatementOutput::changeDisplay(std::uint64_t index, const std::string& bundle,
                                    std::uint64_t frame) {
  std::unique_lock<std::mutex> lock(mutex_);
  if (closed_ || index >= latest_.size() || isRepetition(frame) || !fits(bundle.size(), lock))
    return;
  record(frame, OutputJournal::Kind::change, index, bundle);
  Shown& before = shown_[latest_[index]];
  if (before.isChange || shown_.size() >= mostShown) {
    displayBytes_ -= before.bundle.size();
    before.bundle.clear();
  }
  if (shown_.size() >= mostShown) {
    // Who follows live sees it at the end only.
    displayBytes_ += bundle.size();
    before.bundle = bundle;
    return;
  }
  latest_[index] = shown_.size();
  show({index, true, bundle}, lock);
}

bool StatementOutput::fits(std::size_t bytes, std::unique_lock<std::mutex>& lock) {
  if (displayBytes_ + bytes <= mostDisplayBytes) return true;
  lock.unlock();
  append(HEARTH_STDERR, "[a display of " + std::to_string(bytes) +
                            " bytes was dropped: the statement's bound is " +
                            std::to_string(mostDisplayBytes >> 20) + " MiB]\n");
  return false;
}

void StatementOutput::show(Shown shown, std::unique_lock<std::mutex>& lock) {
  displayBytes_ += shown.bundle.size();
  shown_.push_back(std::move(shown));
  note(displayKind, shown_.size() - 1, shown_.size());
  changed(lock);
}

void StatementOutput::touch() {
  std::unique_lock<std::mutex> lock(mutex_);
  changed(lock);
}

void StatementOutput::close() {
  std::unique_lock<std::mutex> lock(mutex_);
  closed_ = true;
  changed(lock);
}

void StatementOutput::note(int kind, std::uint64_t begin, std::uint64_t end) {
  if (!segments_.empty() && segments_.back().kind == kind) {
    segments_.back().end = end;
    return;
  }
  segments_.push_back({kind, begin, end});
  if (segments_.size() <= keptSegments) return;
  // Who is so far behind gets the oldest part stream by stream.
  forgotten_[static_cast<std::size_t>(segments_.front().kind)] = segments_.front().end;
  segments_.pop_front();
  ++firstSegment_;
}

void StatementOutput::changed(std::unique_lock<std::mutex>& lock) {
  ++version_;
  std::vector<std::function<void()>> due;
  due.swap(waiting_);
  lock.unlock();
  for (const auto& wake : due) wake();
}

void StatementOutput::wait(std::uint64_t seen, std::function<void()> wake) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (version_ == seen) {
      waiting_.push_back(std::move(wake));
      return;
    }
  }
  wake();
}

std::uint64_t StatementOutput::version() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return version_;
}

bool StatementOutput::closed() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return closed_;
}

std::string StatementOutput::slice(const Stream& stream, std::uint64_t from,
                                   std::size_t most) const {
  if (from >= stream.total) return {};
  const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(most, stream.total - from));
  if (from + length <= stream.head.size())
    return stream.head.substr(static_cast<std::size_t>(from), length);
  std::string text(length, '\0');
  const int file = ::open(stream.path.c_str(), O_RDONLY | O_CLOEXEC);
  std::size_t size = 0;
  while (file >= 0 && size < length) {
    const ssize_t got =
        ::pread(file, text.data() + size, length - size, static_cast<off_t>(from + size));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (file >= 0) ::close(file);
  text.resize(size);
  return text;
}

StatementOutput::Page StatementOutput::read(int stream, std::uint64_t from,
                                            std::size_t most) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const Stream& of = streams_[indexOf(stream)];
  Page page;
  page.total = of.total;
  page.from = std::min(from, of.total);
  // Four bytes more on both sides show where the characters begin.
  most = std::max<std::size_t>(most, 4);
  std::string text = slice(of, page.from, most + 4);
  std::size_t skip = 0;
  while (page.from > 0 && skip < text.size() && skip < 4 && continues(text[skip])) ++skip;
  page.from += skip;
  text.erase(0, skip);
  text.resize(utf8Prefix(text, most));
  page.text = std::move(text);
  return page;
}

std::optional<StatementOutput::Piece> StatementOutput::next(Position& position,
                                                            std::size_t most) const {
  std::size_t kind = 0;
  std::uint64_t end = 0;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (kind = 0; kind < 3 && position.had[kind] >= forgotten_[kind];) ++kind;
    if (kind < 3) {
      end = forgotten_[kind];
    } else {
      position.segment = std::max(position.segment, firstSegment_);
      for (; position.segment < firstSegment_ + segments_.size(); ++position.segment) {
        const Segment& at = segments_[static_cast<std::size_t>(position.segment - firstSegment_)];
        if (position.had[static_cast<std::size_t>(at.kind)] >= at.end) continue;
        kind = static_cast<std::size_t>(at.kind);
        end = at.end;
        break;
      }
      if (kind == 3) {
        // The last one may still grow.
        if (position.segment > firstSegment_) --position.segment;
        return std::nullopt;
      }
    }
    if (kind == displayKind) {
      Piece piece;
      piece.isDisplay = true;
      piece.from = position.had[kind]++;
      const Shown& shown = shown_[static_cast<std::size_t>(piece.from)];
      piece.isChange = shown.isChange;
      piece.index = shown.index;
      piece.text = shown.bundle;
      return piece;
    }
  }
  const std::uint64_t from = position.had[kind];
  Page page = read(streamOf(static_cast<int>(kind)), from,
                   static_cast<std::size_t>(std::min<std::uint64_t>(most, end - from)));
  // A page has never less than a character; what was printed in between comes before its end.
  if (page.from < end && page.from + page.text.size() > end)
    page.text.resize(static_cast<std::size_t>(end - page.from));
  Piece piece;
  piece.stream = streamOf(static_cast<int>(kind));
  piece.from = page.from;
  piece.text = std::move(page.text);
  // A file that was cut or is gone has nothing there: pass over it rather than ask for ever.
  position.had[kind] = piece.text.empty() ? end : page.from + piece.text.size();
  return piece;
}

std::string StatementOutput::head(int stream) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const Stream& of = streams_[indexOf(stream)];
  if (of.total <= of.head.size()) return of.head;
  return of.head + "\n[" + std::to_string(of.total - of.head.size()) +
         " bytes more: GET the statement's /output]\n";
}

std::string StatementOutput::displays() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::string all;
  for (const std::size_t place : latest_) {
    if (shown_[place].bundle == "{}") continue;
    if (!all.empty()) all += ',';
    all += shown_[place].bundle;
  }
  return all;
}

std::string StatementOutput::Position::text() const {
  return std::to_string(had[0]) + "-" + std::to_string(had[1]) + "-" + std::to_string(had[2]);
}

std::optional<StatementOutput::Position> StatementOutput::Position::parse(const std::string& text) {
  Position position;
  const char* at = text.data();
  const char* const end = at + text.size();
  for (std::size_t i = 0; i < 3; ++i) {
    const auto [rest, error] = std::from_chars(at, end, position.had[i]);
    if (error != std::errc()) return std::nullopt;
    at = rest;
    if (i < 2 && (at == end || *at++ != '-')) return std::nullopt;
  }
  return at == end ? std::optional<Position>(position) : std::nullopt;
}

}  // namespace hearth::host
