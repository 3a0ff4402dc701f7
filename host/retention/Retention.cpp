#include "retention/Retention.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <deque>
#include <filesystem>
#include <optional>
#include <utility>

#include "retention/FolderRemoval.h"
#include "support/Log.h"
#include "support/Time.h"
#include "support/Timer.h"

namespace hearth::host {

namespace fs = std::filesystem;

namespace {

using What = StoreUpkeep::What;

// What one step does at most.
constexpr std::size_t entriesPerStep = 256;
constexpr std::size_t foldersPerStep = 64;
constexpr std::int64_t rowsAtOnce = 64;
constexpr std::int64_t measuredPerStep = 16;

const char* nameOf(What what) {
  return what == What::sessions ? "session" : "batch";
}

std::optional<std::int64_t> idIn(const std::string& name) {
  std::int64_t id = -1;
  const auto [rest, error] = std::from_chars(name.data(), name.data() + name.size(), id);
  if (error != std::errc() || rest != name.data() + name.size() || id < 0) return std::nullopt;
  return id;
}

}  // namespace

// One strand: nothing of this runs twice at once.
class Retention::Run : public std::enable_shared_from_this<Run> {
 public:
  Run(EventLoop& loop, StoreUpkeep& store, RetentionOptions options, std::string sessions,
      std::string batches)
      : strand_(loop.strand()),
        store_(store),
        options_(options),
        kinds_{Kind{What::sessions, std::move(sessions), options.sessions},
               Kind{What::batches, std::move(batches), options.batches}},
        timer_(strand_) {}

  void start() { next(&Run::findOrphans); }

 private:
  struct Kind {
    What what;
    std::string folder;
    std::int64_t limit;
    bool swept = false;  // folders without a row have been looked for
    std::optional<fs::directory_iterator> entries = {};
    std::string orphan = {};  // being removed
    StoreUpkeep::Totals totals = {};
    StoreUpkeep::Ended last = {};             // that was fetched
    std::deque<StoreUpkeep::Ended> due = {};  // fetched, oldest first
    std::int64_t removed = 0;

    std::string folderOf(std::int64_t id) const { return folder + "/" + std::to_string(id); }
  };
  using Step = void (Run::*)();

  void next(Step step) {
    EventLoop::post(strand_, [weak = weak_from_this(), step] {
      if (const auto self = weak.lock()) self->run(step);
    });
  }

  void run(Step step) {
    try {
      (this->*step)();
    } catch (const std::exception& error) {
      // The store or a folder does not do what is asked today: another time it may.
      log().warn("retention: {}", error.what());
      rest();
    }
  }

  void findOrphans() {
    for (Kind& kind : kinds_) {
      if (kind.swept) continue;
      if (sweep(kind)) {
        kind.swept = true;
        kind.entries.reset();
      }
      return next(&Run::findOrphans);
    }
    next(options_.bytes > 0 ? &Run::measure : &Run::count);
  }

  // Only those of earlier runs: of this run's, a row may be on its way.
  bool sweep(Kind& kind) {
    if (!kind.orphan.empty() && !removeOrphan(kind)) return false;
    std::error_code none;
    if (!kind.entries) kind.entries.emplace(kind.folder, none);
    for (std::size_t i = 0; i < foldersPerStep; ++i) {
      if (*kind.entries == fs::directory_iterator()) return true;
      const fs::path path = (*kind.entries)->path();
      ++*kind.entries;
      const auto id = idIn(path.filename().string());
      if (!id || *id >= store_.firstOfThisRun(kind.what) || store_.has(kind.what, *id)) continue;
      kind.orphan = path.string();
      return false;
    }
    return false;
  }

  bool removeOrphan(Kind& kind) {
    try {
      if (!removeSome(kind.orphan, entriesPerStep)) return false;
      ++orphans_;
    } catch (const fs::filesystem_error& error) {
      log().warn("retention: a folder that belongs to nothing stays: {}", error.what());
    }
    kind.orphan.clear();
    return true;
  }

  void measure() {
    for (Kind& kind : kinds_) {
      const auto rows = store_.unmeasured(kind.what, measuredPerStep);
      if (rows.empty()) continue;
      for (const auto& row : rows) {
        StoreUpkeep::Done done;
        if (row.id == rows.back().id)
          done = [weak = weak_from_this()](const std::string& error) {
            if (const auto self = weak.lock())
              self->next(error.empty() ? &Run::measure : &Run::count);
          };
        store_.setBytes(kind.what, row.id, bytesOn(kind.folderOf(row.id)), std::move(done));
      }
      return;
    }
    next(&Run::count);
  }

  void count() {
    for (Kind& kind : kinds_) {
      kind.totals = store_.totals(kind.what);
      kind.last = {};
      kind.due.clear();
    }
    next(&Run::shed);
  }

  void shed() {
    Kind* oldest = nullptr;
    for (Kind& kind : kinds_) {
      if (kind.due.empty()) refill(kind);
      if (kind.due.empty() || !mustGo(kind)) continue;
      if (!oldest || kind.due.front().ended < oldest->due.front().ended) oldest = &kind;
    }
    if (!oldest) return next(&Run::compact);
    removing_ = oldest;
    next(&Run::removeFolder);
  }

  void refill(Kind& kind) {
    const auto rows = store_.ended(kind.what, kind.last, rowsAtOnce);
    kind.due.assign(rows.begin(), rows.end());
    if (!rows.empty()) kind.last = rows.back();
  }

  bool mustGo(const Kind& kind) const {
    if (options_.age.count() > 0 && kind.due.front().ended < nowMillis() - options_.age.count())
      return true;
    if (kind.limit > 0 && kind.totals.count > kind.limit) return true;
    if (options_.bytes == 0) return false;
    std::int64_t bytes = store_.usedBytes();
    for (const Kind& any : kinds_) bytes += any.totals.bytes;
    return bytes > 0 && static_cast<std::uint64_t>(bytes) > options_.bytes;
  }

  void removeFolder() {
    const std::int64_t id = removing_->due.front().id;
    try {
      if (!removeSome(removing_->folderOf(id), entriesPerStep)) return next(&Run::removeFolder);
    } catch (const fs::filesystem_error& error) {
      // The row stays, so that the folder is not forgotten; no other goes in its place.
      log().warn("retention: {} {} stays: {}", nameOf(removing_->what), id, error.what());
      pass();
      return next(&Run::shed);
    }
    removeRows();
  }

  void pass() {
    --removing_->totals.count;
    removing_->totals.bytes -= std::max<std::int64_t>(0, removing_->due.front().bytes);
    removing_->due.pop_front();
  }

  void removeRows() {
    store_.remove(
        removing_->what, removing_->due.front().id,
        [weak = weak_from_this()](const std::string& error, bool more) {
          const auto self = weak.lock();
          if (!self) return;
          self->error_ = error;
          self->next(!error.empty() ? &Run::giveUp : more ? &Run::removeRows : &Run::removed);
        });
  }

  void removed() {
    pass();
    ++removing_->removed;
    next(&Run::shed);
  }

  void giveUp() {
    log().warn("retention: {}", error_);
    rest();
  }

  void compact() {
    store_.compact([weak = weak_from_this()](const std::string& error, bool more) {
      if (const auto self = weak.lock())
        self->next(error.empty() && more ? &Run::compact : &Run::rest);
    });
  }

  void rest() {
    if (kinds_[0].removed + kinds_[1].removed + orphans_ > 0)
      log().info("retention: removed {} sessions, {} batches, {} folders that belonged to nothing",
                 kinds_[0].removed, kinds_[1].removed, orphans_);
    kinds_[0].removed = kinds_[1].removed = orphans_ = 0;
    timer_.start(options_.interval, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->run(&Run::findOrphans);
    });
  }

  EventLoop::Strand strand_;
  StoreUpkeep& store_;
  const RetentionOptions options_;
  std::array<Kind, 2> kinds_;
  Kind* removing_ = nullptr;  // its first due
  std::int64_t orphans_ = 0;
  std::string error_;
  Timer timer_;
};

Retention::Retention(EventLoop& loop, StoreUpkeep& store, RetentionOptions options,
                     std::string sessions, std::string batches)
    : run_(std::make_shared<Run>(loop, store, options, std::move(sessions), std::move(batches))) {}

Retention::~Retention() = default;

void Retention::start() {
  run_->start();
}

}  // namespace hearth::host
