// All batches: those that live, and those that only the store knows.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "batch/Batch.h"
#include "batch/BatchQueue.h"
#include "policy/UsageLedger.h"
#include "session/KeyedCreation.h"

namespace hearth::host {

/// A batch as clients see it, live or ended.
struct BatchView {
  BatchRow row;
  std::shared_ptr<Batch> live;               ///< null once it has ended
  std::optional<std::size_t> position = {};  ///< in the queue, from 0
};

/// A file that came with the request.
struct BatchUpload {
  std::string field;  ///< "file", "jars", "pyFiles", "files" or "archives"
  std::string name;   ///< a plain file name
  std::string content;
};

/// Thread-safe. Reads throw StoreError where the store cannot be read.
class BatchManager {
 public:
  struct Result {
    BatchView view;
    bool replayed = false;  ///< made by an earlier request with the same idempotency key
    std::optional<Refusal> refusal;
  };
  using Created = std::function<void(const Result&)>;

  struct Post {
    BatchRequest request;  ///< checked, but for what comes with `uploads`
    std::string owner;
    std::string idempotencyKey;  ///< empty: none
    std::vector<BatchUpload> uploads;
  };

  /// `folder` is where batches keep their logs and files, one folder each.
  BatchManager(BatchEnvironment environment, std::string folder);
  ~BatchManager();  ///< shutdown() must have been called

  /// Takes up what an earlier run of the host left open: asks what became of what ran, and queues
  /// what waited. Call once, before requests are served.
  void recover();

  /// Checks name and policy, makes the batch durable and queues it. The callback runs on any
  /// thread.
  void create(const Post& post, const Created& done);

  /// By id (digits) or name. Throws Refusal (noBatch), with Livy's text. `withDeleted`: also those
  /// that a client has deleted.
  BatchView find(const std::string& idOrName, bool withDeleted) const;
  struct Page {
    std::int64_t total = 0;
    std::vector<BatchView> batches;
  };
  Page list(std::int64_t from, std::int64_t size, bool withDeleted) const;

  /// Hides an ended batch from Livy's routes, as a client asked; `done` once that is durable.
  void hide(BatchRow row, Store::Done done);

  /// Submits nothing more. Applications go on without the host, or, where batch.on_shutdown says
  /// so, are ended, for which it waits at most `time`.
  void shutdown(std::chrono::milliseconds time);

 private:
  using Keys = KeyedCreation<Result>;

  std::shared_ptr<Batch> make(const BatchRow& row, BatchRequest request);
  BatchRow newRow(const Post& post, const std::string& digest);
  void add(const Post& post, const std::string& digest, const Created& done);
  void enqueue(Batch& batch);
  void pump();
  void released();
  void retire(Batch& batch);
  BatchView viewOf(BatchRow row) const;

  BatchEnvironment environment_;
  const std::string folder_;
  FolderWatch folders_;
  Keys keys_;
  mutable std::mutex mutex_;
  std::condition_variable empty_;
  std::map<std::int64_t, std::shared_ptr<Batch>> live_;
  std::map<std::string, std::int64_t> names_;          // of live batches
  std::map<std::int64_t, UsageLedger::Lease> leases_;  // likewise
  BatchQueue queue_;
  std::size_t accepting_ = 0;  // on their way to the queue, until they are durable
  bool stopping_ = false;
};

}  // namespace hearth::host
