#include "batch/BatchManager.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <utility>

#include "session/PolicyCall.h"
#include "submit/PrivateFile.h"
#include "support/Digest.h"
#include "support/Log.h"
#include "support/Time.h"

namespace hearth::host {

namespace fs = std::filesystem;
using Cause = Refusal::Cause;

namespace {

constexpr std::int64_t maxPage = 10000;

std::string notFound(const std::string& idOrName) {
  return "Session '" + idOrName.substr(0, 300) + "' not found.";
}

bool isNumber(const std::string& text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// The same for the same request and the same files, whatever way they came.
std::string digestOf(const BatchManager::Post& post) {
  if (post.idempotencyKey.empty()) return {};
  std::string text = post.request.toJson();
  for (const BatchUpload& upload : post.uploads)
    text += "\n" + upload.field + " " + upload.name + " " + sha256(upload.content);
  return sha256(text);
}

// What came with the request is the batch's own, in its folder.
void place(const std::vector<BatchUpload>& uploads, const std::string& folder,
           BatchRequest& request) {
  if (uploads.empty()) return;
  fs::create_directories(folder + "/files");
  fs::permissions(folder + "/files", fs::perms::owner_all);
  std::map<std::string, std::vector<std::string>> placed;
  for (const BatchUpload& upload : uploads) {
    const std::string path = folder + "/files/" + upload.name;
    submit::writePrivateFile(path, upload.content);
    placed[upload.field].push_back(path);
  }
  if (placed.count("file") != 0) request.file = placed["file"].front();
  for (const auto& [field, list] :
       {std::pair{"jars", &request.jars}, std::pair{"pyFiles", &request.pyFiles},
        std::pair{"files", &request.files}, std::pair{"archives", &request.archives}})
    list->insert(list->begin(), placed[field].begin(), placed[field].end());
}

}  // namespace

BatchManager::BatchManager(BatchEnvironment environment, std::string folder)
    : environment_(std::move(environment)),
      folder_(std::move(folder)),
      folders_(environment_.loop),
      queue_(std::max<std::size_t>(1, environment_.options.concurrent)) {
  environment_.folders = &folders_;
}

BatchManager::~BatchManager() = default;

std::shared_ptr<Batch> BatchManager::make(const BatchRow& row, BatchRequest request) {
  return std::make_shared<Batch>(
      environment_, row, std::move(request),
      Batch::Hooks{[this](Batch&) { released(); }, [this](Batch& batch) { enqueue(batch); },
                   [this](Batch& batch) { retire(batch); }});
}

void BatchManager::recover() {
  std::vector<std::shared_ptr<Batch>> found;
  for (BatchRow& row : environment_.store.openBatches()) {
    BatchRequest request;
    try {
      request = BatchRequest::parseStored(row.request);
    } catch (const Refusal& refusal) {
      log().error("batch {}: its stored request cannot be read: {}", row.id, refusal.what());
      row.state = std::string(name(BatchState::dead));
      row.reason = "its stored request cannot be read";
      row.stateSince = row.ended = nowMillis();
      environment_.store.putBatch(std::move(row), nullptr);
      continue;
    }
    UsageLedger::Lease lease;
    if (environment_.policy)
      lease = policyLease(*environment_.policy, row.owner, Resource::batch, request);
    const auto batch = make(row, std::move(request));
    const std::lock_guard<std::mutex> lock(mutex_);
    live_[row.id] = batch;
    leases_[row.id] = std::move(lease);
    if (!row.name.empty()) names_[row.name] = row.id;
    queue_.occupy();
    found.push_back(batch);
  }
  for (const auto& batch : found) batch->takeUp();
  if (!found.empty()) log().info("{} batches of an earlier run are taken up", found.size());
}

void BatchManager::create(const Post& post, const Created& done) {
  const std::string digest = digestOf(post);
  keys_.create(
      post.owner, post.idempotencyKey, digest, done,
      [&]() -> std::optional<Keys::Earlier> {
        const auto row = environment_.store.batchByKey(post.owner, post.idempotencyKey);
        if (!row) return std::nullopt;
        return Keys::Earlier{row->requestDigest, Result{viewOf(*row), true, std::nullopt}};
      },
      [&](const Created& made) { add(post, digest, made); });
}

BatchRow BatchManager::newRow(const Post& post, const std::string& digest) {
  BatchRow row;
  row.id = environment_.store.nextBatchId();
  row.name = post.request.name.value_or(std::string());
  row.owner = post.owner;
  row.proxyUser = post.request.proxyUser;
  row.state = std::string(name(BatchState::notStarted));
  row.tag = "hearth-batch-" + randomHex(16);
  row.folder = folder_ + "/" + std::to_string(row.id);
  row.idempotencyKey = post.idempotencyKey;
  row.requestDigest = digest;
  row.created = row.stateSince = nowMillis();
  return row;
}

void BatchManager::add(const Post& post, const std::string& digest, const Created& done) {
  BatchRow row;
  std::shared_ptr<Batch> batch;
  BatchRequest request = post.request;
  UsageLedger::Lease lease;
  const auto refuse = [&](const Refusal& refusal) {
    // First, so that who is told can have the place.
    lease = UsageLedger::Lease();
    if (!row.folder.empty()) {
      const std::lock_guard<std::mutex> lock(mutex_);
      --accepting_;
      names_.erase(row.name);
    }
    done(Result{{}, false, refusal});
  };
  try {
    // Before the files that came along have their paths, which are the host's.
    if (environment_.policy)
      lease = applyPolicy(*environment_.policy, post.owner, Resource::batch, request);
    if (const std::string full = environment_.disk ? environment_.disk->refusal() : std::string();
        !full.empty())
      throw Refusal(Cause::storage, full);
    findSparkHome(environment_.options.spark);
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (stopping_) throw Refusal(Cause::stopping, "the server is shutting down");
      if (queue_.waiting() + accepting_ >= environment_.options.queue)
        throw Refusal(Cause::limit, "Rejected, too many sessions are being created!");
      if (post.request.name) {
        const auto taken = names_.find(*post.request.name);
        if (taken != names_.end())
          throw Refusal(Cause::conflict, "Duplicate session name: Some(" + *post.request.name +
                                             ") for session " + std::to_string(taken->second));
      }
      row = newRow(post, digest);
      ++accepting_;
      if (!row.name.empty()) names_[row.name] = row.id;
    }
    fs::create_directories(row.folder);
    fs::permissions(row.folder, fs::perms::owner_all);
    place(post.uploads, row.folder, request);
    row.request = request.toJson();
    batch = make(row, std::move(request));
  } catch (const Refusal& refusal) {
    return refuse(refusal);
  } catch (const std::exception& error) {
    return refuse(Refusal(Cause::storage, error.what()));
  }
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    live_[row.id] = batch;
    leases_[row.id] = std::move(lease);
  }
  environment_.store.putBatch(row, [this, batch, done](const std::string& error) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      --accepting_;
    }
    if (!error.empty()) {
      std::error_code ignored;
      fs::remove_all(batch->row().folder, ignored);
      retire(*batch);
      return done(Result{{}, false, Refusal(Cause::storage, error)});
    }
    log().info("batch {}: created", batch->id());
    enqueue(*batch);
    done(Result{viewOf(batch->row()), false, std::nullopt});
  });
}

void BatchManager::enqueue(Batch& batch) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    queue_.add(batch.user(), batch.id());
  }
  pump();
}

void BatchManager::pump() {
  for (;;) {
    std::shared_ptr<Batch> batch;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (stopping_) return;
      const auto id = queue_.next();
      if (!id) return;
      const auto found = live_.find(*id);
      if (found == live_.end())
        queue_.release();
      else
        batch = found->second;
    }
    if (batch) batch->submit();
  }
}

void BatchManager::released() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    queue_.release();
  }
  pump();
}

void BatchManager::retire(Batch& batch) {
  std::shared_ptr<Batch> last;  // is not to be destroyed under the lock
  const std::lock_guard<std::mutex> lock(mutex_);
  queue_.remove(batch.id());
  const auto found = live_.find(batch.id());
  if (found == live_.end()) return;
  last = found->second;
  live_.erase(found);
  leases_.erase(batch.id());
  const auto named = names_.find(batch.row().name);
  if (named != names_.end() && named->second == batch.id()) names_.erase(named);
  if (live_.empty()) empty_.notify_all();
}

BatchView BatchManager::viewOf(BatchRow row) const {
  BatchView view;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = live_.find(row.id);
    if (found != live_.end()) view.live = found->second;
    view.position = queue_.position(row.id);
  }
  view.row = view.live ? view.live->row() : std::move(row);
  return view;
}

BatchView BatchManager::find(const std::string& idOrName, bool withDeleted) const {
  std::int64_t id = -1;
  if (isNumber(idOrName)) {
    const auto [rest, error] =
        std::from_chars(idOrName.data(), idOrName.data() + idOrName.size(), id);
    if (error != std::errc() || id > 2147483647)
      throw Refusal(Cause::parameter, "For input string: \"" + idOrName.substr(0, 100) + "\"");
  }
  BatchView view;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (id < 0) {
      const auto named = names_.find(idOrName);
      if (named != names_.end()) id = named->second;
    }
    const auto found = live_.find(id);
    if (found != live_.end()) view.live = found->second;
    view.position = queue_.position(id);
  }
  if (view.live) {
    view.row = view.live->row();
  } else {
    auto row = id >= 0 ? environment_.store.batch(id) : environment_.store.batchByName(idOrName);
    if (!row) throw Refusal(Cause::noBatch, notFound(idOrName));
    view.row = std::move(*row);
  }
  if (view.row.deleted && !withDeleted) throw Refusal(Cause::noBatch, notFound(idOrName));
  return view;
}

BatchManager::Page BatchManager::list(std::int64_t from, std::int64_t size,
                                      bool withDeleted) const {
  Page page;
  page.total = environment_.store.countBatches(withDeleted);
  if (from < 0 || size <= 0) return page;
  for (BatchRow& row : environment_.store.batches(from, std::min(size, maxPage), withDeleted))
    page.batches.push_back(viewOf(std::move(row)));
  return page;
}

void BatchManager::hide(BatchRow row, Store::Done done) {
  row.deleted = true;
  row.ending = "delete";
  environment_.store.putBatch(std::move(row), std::move(done));
}

void BatchManager::shutdown(std::chrono::milliseconds time) {
  std::vector<std::shared_ptr<Batch>> all;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    for (const auto& entry : live_) all.push_back(entry.second);
  }
  if (!environment_.options.killOnShutdown) {
    if (!all.empty()) log().info("{} batches go on or wait for the next start", all.size());
    return;
  }
  for (const auto& batch : all) batch->end("the server was stopped", false, nullptr);
  all.clear();
  std::unique_lock<std::mutex> lock(mutex_);
  if (!empty_.wait_for(lock, time, [this] { return live_.empty(); }))
    log().error("{} batches did not end in time", live_.size());
}

}  // namespace hearth::host
