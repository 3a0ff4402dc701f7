#include "batch/Batch.h"

#include <signal.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <filesystem>
#include <utility>

#include "submit/PrivateFile.h"
#include "support/FaultPoint.h"
#include "support/JsonWriter.h"
#include "support/Log.h"
#include "support/Time.h"

namespace hearth::host {

namespace fs = std::filesystem;
namespace json = boost::json;

Batch::Batch(BatchEnvironment& environment, BatchRow row, BatchRequest request, Hooks hooks)
    : environment_(environment),
      id_(row.id),
      request_(std::move(request)),
      user_(row.owner.empty() ? row.proxyUser : row.owner),
      strand_(environment.loop.strand()),
      folder_(row.folder),
      log_(row.folder + "/batch.log"),
      output_(row.folder + "/batch.log"),
      hooks_(std::move(hooks)),
      row_(std::move(row)),
      state_(batchState(row_.state).value_or(BatchState::notStarted)),
      reportTimer_(strand_),
      waiters_(strand_) {}

Batch::~Batch() = default;

template <typename Work>
void Batch::post(Work work) {
  EventLoop::post(strand_,
                  [self = shared_from_this(), work = std::move(work)]() mutable { work(*self); });
}

BatchRow Batch::row() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return row_;
}

BatchState Batch::state() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return state_;
}

ApplicationLog::Found Batch::found() {
  return output_.look();
}

void Batch::setState(BatchState next, const std::string& reason) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (state_ == next) return;
    if (!mayFollow(state_, next)) {
      hearth::host::log().error("batch {}: no step leads from {} to {}", id_, name(state_),
                                name(next));
      return;
    }
    state_ = next;
    row_.state = std::string(name(next));
    row_.reason = reason;
    row_.stateSince = nowMillis();
  }
  hearth::host::log().info("batch {}: {}{}{}", id_, name(next), reason.empty() ? "" : ": ", reason);
}

void Batch::saveRow(Store::Done done) {
  environment_.store.putBatch(row(), [id = id_, done = std::move(done)](const std::string& error) {
    if (!error.empty())
      hearth::host::log().error("batch {}: its row was not stored: {}", id, error);
    if (done) done(error);
  });
}

void Batch::noteInLog(const std::string& text) {
  log_.append("hearth: " + text);
}

void Batch::submit() {
  post([](Batch& self) {
    self.place_ = true;
    if (self.ending_) return self.releasePlace();
    self.start();
  });
}

void Batch::start() {
  setState(BatchState::starting, std::string());
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    row_.submitted = nowMillis();
  }
  saveRow(nullptr);
  try {
    if (faultPoint("batch.submit.before") == Fault::error)
      throw std::runtime_error("no space left on device");
    startProcess();
    faultPoint("batch.submit.after");
  } catch (const std::exception& error) {
    noteInLog(error.what());
    return finish(BatchState::dead, error.what(), nowMillis());
  }
  follow();
  // In a cluster it runs when the cluster says so.
  if (!cluster_) setState(BatchState::running, std::string());
  saveRow(nullptr);
}

BatchApplication Batch::application() {
  BatchApplication made = batchApplication(request_, environment_.options.spark, row().tag);
  cluster_ = made.cluster;
  master_ = made.master;
  // Its submission is then all that tells how it ends.
  if (cluster_ && standalone() && !isFollowed())
    made.properties["spark.standalone.submit.waitAppCompletion"] = "true";
  return made;
}

void Batch::startProcess() {
  const BatchRow current = row();
  const BatchApplication made = application();
  fs::create_directories(current.folder + "/work");
  const std::string properties = current.folder + "/spark.properties";
  submit::writePrivateFile(properties, submit::formatProperties(made.properties));
  const submit::Command command =
      submit::submission(made.application, properties, made.environment);
  SpawnRequest request;
  request.argv = folder_.command(environment_.options.supervisor,
                                 environment_.options.killGrace.count(), command.argv);
  request.env = command.environment;
  request.cwd = current.folder + "/work";
  request.logFile = log_.path();
  process_ = environment_.launcher.spawn(
      request, strand_, Process::Events{nullptr, [weak = weak_from_this()](int, int) {
                                          if (const auto self = weak.lock()) self->onProcessEnd();
                                        }});
}

void Batch::takeUp() {
  post([](Batch& self) {
    self.place_ = true;
    try {
      self.takeUpNow();
    } catch (const std::exception& error) {
      self.finish(BatchState::dead, error.what(), nowMillis());
    }
  });
}

void Batch::takeUpNow() {
  faultPoint("batch.takeup.before");
  const BatchRow current = row();
  ending_ = !current.ending.empty();
  if (state() != BatchState::shuttingDown)
    setState(ending_ ? BatchState::shuttingDown : BatchState::recovering, current.reason);
  const auto identity = folder_.claimed();
  if (!identity) {
    if (ending_) return finish(BatchState::killed, current.reason, nowMillis());
    releasePlace();
    setState(BatchState::notStarted, std::string());
    return hooks_.requeue(*this);
  }
  try {
    application();
  } catch (const Refusal&) {
    // The Spark that it was submitted with is gone; it goes on without.
  }
  foreign_ = ForeignProcess::open(environment_.loop, *identity, strand_, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->onProcessEnd();
  });
  follow();
  if (ending_) killApplication();
  if (!foreign_) return onProcessEnd();
  if (ending_)
    foreign_->signal(SIGTERM);
  else if (!cluster_)
    setState(BatchState::running, std::string());
}

void Batch::follow() {
  if (!isFollowed()) return;
  followed_ =
      environment_.clusters->follow(key(output_.look().applicationId), master_, strand_,
                                    [weak = weak_from_this()](const ApplicationReport& report) {
                                      if (const auto self = weak.lock()) self->onReport(report);
                                    });
  followLog();
}

bool Batch::isFollowed() const {
  return environment_.clusters != nullptr && environment_.clusters->follows(master_);
}

// Where there are tags, what a log says of the id does not count: the application can write it.
ApplicationKey Batch::key(const std::string& id) const {
  return {row().tag, standalone() ? id : std::string()};
}

// A driver of ours takes its application along. By an id that its own log tells nothing is ended.
void Batch::killApplication() {
  if (followed_ && (cluster_ || !standalone())) followed_->kill();
}

bool Batch::standalone() const {
  return master_.rfind("spark://", 0) == 0;
}

// A standalone cluster knows applications by ids only, which it gives them: their logs tell.
void Batch::followLog() {
  if (!standalone() || environment_.folders == nullptr) return;
  if (!output_.look().applicationId.empty()) return;
  logWatch_ = environment_.folders->watch(row().folder, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->post([](Batch& batch) { batch.learnId(); });
  });
  learnId();  // it may have been said in between
}

void Batch::learnId() {
  if (finished_ || !logWatch_) return;
  const std::string id = output_.look().applicationId;
  if (!id.empty() || !output_.open()) logWatch_.reset();
  if (id.empty()) return;
  ApplicationReport report;
  report.applicationId = id;
  remember(report);
  saveRow(nullptr);
  if (followed_) followed_->know(key(id));
}

void Batch::onReport(const ApplicationReport& report) {
  if (finished_) return;
  report_ = report;
  remember(report);
  using State = ApplicationReport::State;
  if (!report.final()) {
    if (report.state == State::running && cluster_ && !ending_)
      setState(BatchState::running, std::string());
    return saveRow(nullptr);
  }
  // The driver's log is whole once its process has ended.
  if (!cluster_ && !processEnd_) return endLeftDriver(report.state);
  if (!report.diagnostics.empty()) noteInLog("the cluster says: " + report.diagnostics);
  // To the cluster an application is finished when its driver has said goodbye, however it ends
  // then.
  if (!cluster_ && report.state == State::finished && !processEnd_->success() && !ending_)
    return finish(BatchState::dead, processEnd_->text(), nowMillis());
  std::string reason = report.diagnostics;
  // A standalone cluster has no words for it.
  if (reason.empty() && report.state != State::finished)
    reason = ending_ ? row().reason
                     : report.applicationId + (report.state == State::killed
                                                   ? " was killed in the cluster"
                                                   : " has failed in the cluster");
  const BatchState state = report.state == State::finished ? BatchState::success
                           : report.state == State::killed ? BatchState::killed
                                                           : BatchState::dead;
  finish(ending_ && state != BatchState::success ? BatchState::killed : state, reason, nowMillis());
}

// A driver whose application was taken from it may sleep on, of no use to anybody. One that has
// finished its application may have more to do.
void Batch::endLeftDriver(ApplicationReport::State state) {
  if (state == ApplicationReport::State::finished) return;
  const bool killed = state == ApplicationReport::State::killed;
  reportTimer_.start(killed ? std::chrono::milliseconds(0) : environment_.options.killGrace,
                     [weak = weak_from_this()] {
                       if (const auto self = weak.lock()) self->signalDriver();
                     });
}

void Batch::signalDriver() {
  if (process_) process_->signal(SIGTERM);
  if (foreign_) foreign_->signal(SIGTERM);
}

void Batch::onProcessEnd() {
  process_.reset();
  foreign_.reset();
  ApplicationEnd end;
  if (const auto told = folder_.end())
    end = *told;
  else
    end.failure = "its supervisor was ended and left no word of the application's end";
  processEnded(end);
}

void Batch::processEnded(const ApplicationEnd& end) {
  if (finished_) return;
  processEnd_ = end;
  const std::int64_t when = end.millis != 0 ? end.millis : nowMillis();
  const ApplicationLog::Found told = output_.look();
  if (!told.applicationId.empty()) {
    ApplicationReport report;
    report.applicationId = told.applicationId;
    remember(report);
    if (followed_) followed_->know(key(told.applicationId));
  }
  if (ending_ && (!followed_ || !cluster_)) return finish(BatchState::killed, row().reason, when);
  const std::string reason = end.success() ? std::string() : end.text();
  if (!followed_)
    return finish(end.success() ? BatchState::success : BatchState::dead, reason, when);
  if (cluster_) {
    followed_->submitted();
    releasePlace();
    // Without an id there is nothing that a standalone cluster could be asked for.
    if (!end.success() && !ending_ && standalone() && told.applicationId.empty())
      return finish(BatchState::dead, "spark-submit: " + end.text(), when);
    // A submission that fails may have left an application, or none: the cluster knows.
    if (!end.success()) noteInLog("spark-submit: " + end.text());
  }
  if (report_ && report_->final()) return onReport(*report_);
  if (cluster_) return;
  const BatchState state = end.success() ? BatchState::success : BatchState::dead;
  if (!report_ && told.applicationId.empty()) return finish(state, reason, when);
  // The cluster may know better than the driver's exit status, but is not waited for for ever.
  reportTimer_.start(environment_.options.reportTime,
                     [weak = weak_from_this(), state, reason, when] {
                       if (const auto self = weak.lock()) self->finish(state, reason, when);
                     });
}

void Batch::end(const std::string& reason, bool deleted, std::function<void()> done) {
  post([reason, deleted, done = std::move(done)](Batch& self) mutable {
    self.endNow(reason, deleted, std::move(done));
  });
}

void Batch::endNow(const std::string& reason, bool deleted, std::function<void()> done) {
  if (deleted) {
    const std::lock_guard<std::mutex> lock(mutex_);
    row_.ending = "delete";
    if (isFinal(state_)) row_.deleted = true;
  }
  if (isFinal(state())) {
    saveRow([done](const std::string&) {
      if (done) done();
    });
    return;
  }
  if (done) endCallbacks_.push_back(std::move(done));
  if (std::exchange(ending_, true) || finished_) return;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (row_.ending.empty()) row_.ending = "kill";
  }
  setState(BatchState::shuttingDown, reason);
  noteInLog("the batch ends: " + reason);
  // Durable before the first signal: a host that comes back goes on with it.
  saveRow(nullptr);
  killApplication();
  signalDriver();
  if (!process_ && !foreign_ && !followed_) finish(BatchState::killed, reason, nowMillis());
}

void Batch::finish(BatchState state, const std::string& reason, std::int64_t millis) {
  if (std::exchange(finished_, true)) return;
  faultPoint("batch.end.before");
  reportTimer_.cancel();
  followed_.reset();
  logWatch_.reset();
  process_.reset();
  foreign_.reset();
  std::error_code ignored;
  const BatchRow current = row();
  fs::remove_all(current.folder + "/work", ignored);
  // And drafts of it, of a host that was killed while it wrote one: there may be secrets in them.
  for (const auto& entry : fs::directory_iterator(current.folder, ignored))
    if (entry.path().filename().string().rfind("spark.properties", 0) == 0)
      fs::remove(entry.path(), ignored);
  releasePlace();
  BatchRow last = current;
  last.state = std::string(name(state));
  last.reason = reason;
  last.stateSince = nowMillis();
  last.ended = millis;
  last.deleted = last.ending == "delete";
  environment_.store.putBatch(
      last, [self = shared_from_this(), state, last](const std::string& error) {
        if (!error.empty())
          hearth::host::log().error("batch {}: its end was not stored: {}", self->id_, error);
        self->post([state, last](Batch& batch) { batch.tellEnd(state, last); });
      });
}

void Batch::tellEnd(BatchState state, const BatchRow& stored) {
  bool late = false;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    row_.ended = stored.ended;
    row_.deleted = row_.ending == "delete";
    late = row_.deleted != stored.deleted;
  }
  setState(state, stored.reason);
  faultPoint("batch.end.after");
  const auto tell = [](Batch& batch) {
    // First, so that who is told of the end can have its name.
    batch.hooks_.ended(batch);
    batch.waiters_.wakeAll();
    for (const auto& done : std::exchange(batch.endCallbacks_, {})) done();
  };
  if (!late) return tell(*this);
  // Perhaps asked for while its last row was on its way.
  saveRow([self = shared_from_this(), tell](const std::string&) { self->post(tell); });
}

void Batch::remember(const ApplicationReport& report) {
  const std::lock_guard<std::mutex> lock(mutex_);
  json::object info;
  boost::system::error_code error;
  json::value old = json::parse(row_.info.empty() ? "{}" : row_.info, error);
  if (!error && old.is_object()) info = std::move(old.get_object());
  const auto put = [&](const char* key, const std::string& value) {
    if (!value.empty()) info[key] = value;
  };
  put("appId", report.applicationId);
  put("driverLogUrl", report.driverLogUrl);
  put("sparkUiUrl", report.sparkUiUrl);
  row_.info = json::serialize(info);
}

void Batch::releasePlace() {
  if (std::exchange(place_, false)) hooks_.released(*this);
}

void Batch::wait(Wait wait) {
  post([wait = std::move(wait)](Batch& self) mutable {
    if (isFinal(self.state())) return wait.done();
    self.waiters_.add(std::move(wait));
  });
}

}  // namespace hearth::host
