// What one statement prints and shows while it runs, for those who follow it live.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "session/OutputJournal.h"
#include "store/Store.h"

namespace hearth::host {

/// Two streams of text and a list of displays (MIME bundles), in the order in which they came. A
/// stream keeps its first bytes in memory; one that outgrows them moves to a file, whole, so that
/// memory stays bounded whatever is printed. Readers hold positions of their own and ask for
/// what comes next; nobody waits in a thread. Thread-safe.
class StatementOutput {
 public:
  /// Files are made as `folder`/ID.stdout and ID.stderr, when needed. `memory`: bytes per stream.
  StatementOutput(std::string folder, std::int64_t statement, std::size_t memory);
  /// Of a statement that has ended, as stored; its files are looked for. Closed.
  StatementOutput(std::string folder, const StatementRow& row);

  /// From now on all is also kept in `folder`/ID.journal, for a next run of the host; what an
  /// earlier one has left there comes first.
  void keep();
  /// Of an open statement: what keep() wrote is not needed any more.
  void letGo();

  /// Of a statement that is removed.
  static void removeFiles(const std::string& folder, std::int64_t statement);

  // `frame`: number of the link's frame that it came of; 0: of none. One that an earlier run has
  // kept already is dropped.
  /// UTF-8, HEARTH_STDOUT or HEARTH_STDERR.
  void append(int stream, std::string_view text, std::uint64_t frame = 0);
  void display(const std::string& bundle, std::uint64_t frame = 0);  ///< a JSON object
  /// Display number `index`, from 0, becomes `bundle`; "{}": it is gone.
  void changeDisplay(std::uint64_t index, const std::string& bundle, std::uint64_t frame = 0);
  /// Something else that readers show has changed: state, progress.
  void touch();
  /// Nothing follows any more.
  void close();

  /// Bytes from the start of each stream, and how many displays and changes of such, a reader has
  /// had. Text form:
  /// "OUT-ERR-DISPLAYS".
  struct Position {
    std::array<std::uint64_t, 3> had{};
    std::uint64_t segment = 0;  // where next() goes on looking
    std::string text() const;
    static std::optional<Position> parse(const std::string& text);
  };
  struct Piece {
    bool isDisplay = false;
    bool isChange = false;    ///< of the display number `index`
    std::uint64_t index = 0;  ///< of a display
    int stream = 0;
    std::uint64_t from = 0;  ///< its first byte's place in the stream
    std::string text;  ///< whole characters; the bundle, empty where a change has overtaken it
  };
  /// The next piece, `most` bytes of text at most (never less than a character), and the position
  /// behind it; nothing where all was had.
  std::optional<Piece> next(Position& position, std::size_t most) const;

  struct Page {
    std::uint64_t from = 0, total = 0;  ///< bytes; `from` is moved to the start of a character
    std::string text;
  };
  Page read(int stream, std::uint64_t from, std::size_t most) const;

  /// Number of changes so far; odd or even means nothing.
  std::uint64_t version() const;
  bool closed() const;
  /// Calls `wake` once, at the next change after `seen`, on the thread that makes it; at once and
  /// on this one where there was one already. Must not block.
  void wait(std::uint64_t seen, std::function<void()> wake);

  /// For the statement's row: the first bytes, with a remark where there is more.
  std::string head(int stream) const;
  /// The displays as they are now, joined by commas.
  std::string displays() const;

 private:
  struct Stream {
    std::string head;
    std::uint64_t total = 0;
    std::string path;
    int file = -1;        // open for appending once it has outgrown the memory
    bool stored = false;  // the file has it whole
    bool broken = false;  // the disk refused: what follows is dropped
  };
  struct Segment {
    int kind;  // a stream, or 2: displays
    std::uint64_t begin, end;
  };

  void note(int kind, std::uint64_t begin, std::uint64_t end);
  void changed(std::unique_lock<std::mutex>& lock);
  void spill(Stream& stream, std::string_view text);
  std::string slice(const Stream& stream, std::uint64_t from, std::size_t most) const;

  mutable std::mutex mutex_;
  const std::size_t memory_;
  std::string folder_;
  std::array<Stream, 2> streams_;
  struct Shown {
    std::uint64_t index;
    bool isChange;
    std::string bundle;  // empty: overtaken by a later change
  };
  bool isRepetition(std::uint64_t frame) const { return frame != 0 && frame <= keptFrame_; }
  void record(std::uint64_t frame, OutputJournal::Kind kind, std::uint64_t index,
              std::string_view text);
  bool fits(std::size_t bytes, std::unique_lock<std::mutex>& lock);
  void show(Shown shown, std::unique_lock<std::mutex>& lock);

  std::vector<Shown> shown_;         // in the order in which they came
  std::vector<std::size_t> latest_;  // by display: its place in shown_
  std::size_t displayBytes_ = 0;
  std::deque<Segment> segments_;
  std::uint64_t firstSegment_ = 0;            // number of segments_.front()
  std::array<std::uint64_t, 3> forgotten_{};  // ends of segments that were dropped
  std::uint64_t version_ = 0;
  bool closed_ = false;
  std::unique_ptr<OutputJournal> journal_;
  std::uint64_t keptFrame_ = 0;  // the last that an earlier run has kept
  std::vector<std::function<void()>> waiting_;

 public:
  ~StatementOutput();
  StatementOutput(const StatementOutput&) = delete;
  StatementOutput& operator=(const StatementOutput&) = delete;
};

}  // namespace hearth::host
