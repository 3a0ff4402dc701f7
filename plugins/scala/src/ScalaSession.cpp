#include "ScalaSession.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "Cluster.h"
#include "JsonOptions.h"
#include "LinkFrames.h"
#include "submit/PrivateFile.h"

namespace hearth::scala {

namespace json = boost::json;
namespace frames = spark::frames;
using spark::reasonDetail;

namespace {

constexpr std::uint32_t stopTime = 5000;
/// On a cluster the context takes longer to give back what it holds.
constexpr std::uint32_t clusterStopTime = 8000;
/// What is kept of a submitter's output for the reason of its failure.
constexpr std::size_t keptLines = 12;
constexpr std::size_t keptLineBytes = 400;

json::object parseObject(std::string_view text) {
  boost::system::error_code error;
  json::value value = json::parse({text.data(), text.size()}, error);
  return error || !value.is_object() ? json::object() : std::move(value.get_object());
}

std::string member(const json::object& object, const char* key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

}  // namespace

ScalaSession::ScalaSession(Host host, hearth_session_h handle, const hearth_open& open,
                           const std::string& config)
    : Session(host, handle, open, config),
      spark_(Config::parse(config)),
      request_(Request::parse(args().sessionId, args().optionsJson)),
      recovered_(!args().recoveryBlob.empty()) {
  // What is wrong with it is the answer to the create request.
  if (spark_.cluster) application();
}

ScalaSession::~ScalaSession() {
  if (!placedFile_.empty()) ::unlink(placedFile_.c_str());
}

void ScalaSession::launch() {
  const Offer made = offer(spark_.cluster ? R"({"network":true})" : "");
  channel_ = made.channel;
  if (recovered_) return takeUp();
  submit::Environment environment = submit::sparkEnvironment();
  submit::Application driver = application();
  std::uint32_t flags = 0;
  if (spark_.cluster) {
    placeLinkFile(made.linkFile, driver.properties);
    flags = HEARTH_SPAWN_LINES;
  } else {
    environment["HEARTH_LINK_FILE"] = made.linkFile;
  }
  const submit::Command command = submit::submission(driver, writeProperties(driver), environment);
  process_ = spawn(command.argv, command.environment, flags);
  master_ = driver.properties["spark.master"];
  // Before it is there: what comes of the submission is the host's to look after, too.
  if (isCluster()) state(HEARTH_WAITING, json::serialize(json::object{{"cluster", cluster("")}}));
  keep();
  if (request_.prepare) send(channel_, frames::prepare, 0, {});
}

// What a next run of the host needs to go on with the driver.
void ScalaSession::keep() const {
  json::object saved{{"master", master_},
                     {"placedFile", placedFile_},
                     {"submittedAs", submittedAs_},
                     {"orphanMillis", orphanMillis_}};
  if (!info_.empty()) saved["info"] = parseObject(info_);
  save(json::serialize(saved));
}

// The driver dials by itself.
void ScalaSession::takeUp() {
  const json::object saved = parseObject(args().recoveryBlob);
  master_ = member(saved, "master");
  placedFile_ = member(saved, "placedFile");
  submittedAs_ = member(saved, "submittedAs");
  if (const json::value* const time = saved.if_contains("orphanMillis"); time && time->is_int64())
    orphanMillis_ = static_cast<std::uint32_t>(time->get_int64());
  if (isCluster())
    state(HEARTH_WAITING, json::serialize(json::object{{"cluster", cluster(submittedAs_)}}));
  if (const json::value* const info = saved.if_contains("info"); info && info->is_object()) {
    onInfo(json::serialize(*info));
  } else if (request_.prepare) {
    send(channel_, frames::prepare, 0, {});  // whether it has had it is not known
  }
  if (spark_.cluster) {
    if (orphanMillis_ != 0) lostTimer_ = timer(orphanMillis_);
    return;
  }
  process_ = adopt();
  if (process_ == 0) gone("the driver has ended while the host was away");
}

submit::Application ScalaSession::application() const {
  submit::Application driver;
  driver.sparkHome = spark_.sparkHome;
  driver.javaHome = spark_.javaHome;
  driver.mainClass = "io.hearth.driver.Main";
  driver.resource =
      spark_.cluster && !spark_.clusterJar.empty() ? spark_.clusterJar : spark_.driverJar;
  driver.proxyUser = args().user;
  driver.properties = sparkProperties(
      spark_, request_, submit::readDefaults(spark_.sparkHome, submit::sparkEnvironment()));
  return driver;
}

std::string ScalaSession::writeProperties(const submit::Application& driver) const {
  const std::string path = request_.folder + "/driver.properties";
  try {
    submit::writePrivateFile(path, submit::formatProperties(driver.properties));
  } catch (const std::system_error& e) {
    throw Error(HEARTH_E_IO, e.what());
  }
  return path;
}

// Spark takes a copy of it to the driver, by a name that the driver knows.
void ScalaSession::placeLinkFile(const std::string& linkFile, Properties& properties) {
  std::ifstream file(linkFile, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file) throw Error(HEARTH_E_IO, "cannot read " + linkFile);
  const json::object link = parseObject(text);
  if (const json::value* seconds = link.if_contains("orphan_seconds"))
    if (seconds->is_int64())
      orphanMillis_ = static_cast<std::uint32_t>(
          std::min<std::int64_t>(seconds->get_int64(), UINT32_MAX / 1000) * 1000);
  const std::string folder = linkFileFolder(properties, spark_, request_);
  const bool elsewhere = folder != request_.folder;
  const std::string path = folder + "/" + (elsewhere ? request_.tag + "-" : "") + linkFileName;
  try {
    submit::writePrivateFile(path, text);
  } catch (const std::system_error& e) {
    throw Error(HEARTH_E_IO, e.what());
  }
  if (elsewhere) placedFile_ = path;
  addLinkFile(properties, path);
}

void ScalaSession::execute(std::uint64_t statement, std::string_view code, std::string_view) {
  if (ended_ || closing_) throw Error(HEARTH_E_STATE, "the driver is gone");
  send(channel_, frames::execute, statement, code);
}

// The driver passes over what it has started already.
void ScalaSession::resume(std::uint64_t statement, std::string_view code,
                          std::string_view optionsJson) {
  execute(statement, code, optionsJson);
}

void ScalaSession::interrupt(std::uint64_t statement) {
  send(channel_, frames::interrupt, statement, {});
}

void ScalaSession::complete(std::uint64_t request, std::string_view code, std::uint64_t cursor) {
  send(channel_, frames::complete, request,
       "{\"code\":" + quoted(code) + ",\"cursor\":" + std::to_string(cursor) + "}");
}

void ScalaSession::inspect(std::uint64_t request, std::string_view code, std::uint64_t cursor,
                           std::int32_t detail) {
  send(channel_, frames::inspect, request,
       "{\"code\":" + quoted(code) + ",\"cursor\":" + std::to_string(cursor) +
           ",\"detail\":" + std::to_string(detail) + "}");
}

void ScalaSession::exportDriver(std::uint64_t request) {
  if (ended_ || closing_) throw Error(HEARTH_E_STATE, "the driver is gone");
  exports_.push_back(request);
  answerExports();
}

void ScalaSession::sharedData(std::uint64_t request) {
  if (ended_ || closing_) throw Error(HEARTH_E_STATE, "the driver is gone");
  send(channel_, frames::shared, request, {});
}

// The version is known once the context is up.
void ScalaSession::answerExports() {
  if (info_.empty()) return;
  const json::object info = parseObject(info_);
  for (const std::uint64_t request : std::exchange(exports_, {}))
    reply(request, HEARTH_OK,
          "{\"sparkVersion\":" + quoted(member(info, "sparkVersion")) + ",\"sparkHome\":" +
              quoted(spark_.sparkHome) + ",\"appId\":" + quoted(member(info, "appId")) + "}");
}

void ScalaSession::onFrame(hearth_chan_h, std::int32_t event, const Frame& frame) {
  if (event == HEARTH_CHAN_FRAME) {
    received(frame);
  } else if (event == HEARTH_CHAN_UP || event == HEARTH_CHAN_BACK) {
    connected_ = true;
    lostTimer_ = 0;
    if (recovered_ && !info_.empty())
      reportIdle();
    else if (spark_.cluster && !idle_)
      waits("the driver has started in the cluster, and starts Spark");
  } else if (event == HEARTH_CHAN_DOWN && spark_.cluster && orphanMillis_ != 0) {
    // No process of ours tells of its end: by then it has ended itself.
    lostTimer_ = timer(orphanMillis_);
  }
}

void ScalaSession::received(const Frame& frame) {
  switch (frame.type) {
    case frames::info:
      onInfo(frame.payload);
      keep();
      break;
    case frames::ready:
      reportIdle();
      break;
    case frames::output:
      output(frame.statement, frame.outcome, frame.payload);
      break;
    case frames::progress:
      progress(frame.statement, std::strtod(std::string(frame.payload).c_str(), nullptr));
      break;
    case frames::done:
      done(frame.statement, frame.outcome, frame.payload);
      break;
    case frames::reply:
      reply(frame.statement, frame.outcome, frame.payload);
      break;
    case frames::failed:
      state(HEARTH_ERROR, reasonDetail(member(parseObject(frame.payload), "reason")));
      break;
    case frames::bye:
      onBye(frame.payload);
      break;
    default:
      log(HEARTH_LOG_WARN, "the driver sent a frame of type " + std::to_string(frame.type));
  }
}

void ScalaSession::onInfo(std::string_view payload) {
  info_ = payload;
  const json::object info = parseObject(payload);
  json::object application;
  for (const char* key : {"driverLogUrl", "sparkUiUrl"})
    if (const json::value* value = info.if_contains(key)) application[key] = *value;
  json::object detail;
  for (const char* key : {"appId", "sparkVersion", "scalaVersion"}) detail[key] = member(info, key);
  detail["appInfo"] = std::move(application);
  // With a driver of its own there the cluster knows it by that, else by the application's.
  if (isCluster()) detail["cluster"] = cluster(spark_.cluster ? "" : member(info, "appId"));
  detail_ = json::serialize(detail);
  answerExports();
  // Without a Scala interpreter of its own the session can serve its followers from now on.
  if (idle_ || (!request_.prepare && connected_)) reportIdle();
}

bool ScalaSession::isCluster() const {
  return master_ == "yarn" || master_.rfind("spark://", 0) == 0;
}

json::object ScalaSession::cluster(const std::string& id) const {
  json::object told{{"master", master_}, {"tag", request_.tag}};
  if (!id.empty()) told["id"] = id;
  return told;
}

void ScalaSession::waits(const std::string& reason) {
  if (!closing_ && !ended_) state(HEARTH_WAITING, reasonDetail(reason));
}

void ScalaSession::reportIdle() {
  idle_ = true;
  if (!closing_ && !ended_) state(HEARTH_IDLE, detail_);
}

void ScalaSession::onBye(std::string_view payload) {
  bye_ = member(parseObject(payload), "reason");
  // Where a process of ours is the driver, its exit is the end, and has more to tell.
  if (process_ == 0 || spark_.cluster) gone("the driver has ended: " + bye_);
}

void ScalaSession::onExit(hearth_proc_h process, std::int32_t status, std::int32_t signo) {
  if (process != process_) return;
  if (spark_.cluster) {
    process_ = 0;
    return submitterEnded(status, signo);
  }
  killProcess();  // workers that it has left behind are in its group
  process_ = 0;
  std::string reason = "the driver has ended ";
  if (signo != 0)
    reason += "by signal " + std::to_string(signo) +
              (signo == SIGKILL ? " (by hand, or the system was out of memory)" : "");
  else if (status < 0)
    reason += "(how is not known, as the host was started anew since)";
  else
    reason += "with exit status " + std::to_string(status);
  if (!bye_.empty()) reason += " (" + bye_ + ")";
  if (!connected_) reason += recovered_ ? " while the host was away" : " before it had connected";
  gone(reason + "; the session's log has its last words");
}

void ScalaSession::onLine(hearth_proc_h process, std::int32_t, std::string_view line) {
  if (process != process_ || ended_) return;
  if (line.rfind("\tat ", 0) == 0) return;  // a stack says little to who asked for a session
  lastLines_.emplace_back(line.substr(0, keptLineBytes));
  if (lastLines_.size() > keptLines) lastLines_.pop_front();
  if (const std::string id = submittedId(line); !id.empty()) submitted(id);
}

void ScalaSession::submitted(const std::string& id) {
  if (connected_ || closing_ || !submittedAs_.empty()) return;
  submittedAs_ = id;
  keep();
  json::object detail;
  detail["reason"] = "submitted as " + id + ", which waits for the cluster's resources";
  if (id.rfind("application_", 0) == 0) detail["appId"] = id;
  if (isCluster()) detail["cluster"] = cluster(id);
  state(HEARTH_WAITING, json::serialize(detail));
}

// The application is the cluster's from here on; that its driver dials in is what counts.
void ScalaSession::submitterEnded(std::int32_t status, std::int32_t signo) {
  if (ended_ || connected_) return;
  if (closing_) return gone("it was not submitted");
  if (status == 0) {
    if (submittedAs_.empty()) waits("submitted, and waits for the cluster's resources");
    return;
  }
  std::string reason = "the application was not submitted: spark-submit has ended ";
  reason += signo != 0 ? "by signal " + std::to_string(signo)
                       : "with exit status " + std::to_string(status);
  for (const std::string& line : lastLines_) reason += "\n" + line;
  gone(reason);
}

void ScalaSession::gone(const std::string& reason) {
  ended_ = true;
  for (const std::uint64_t request : std::exchange(exports_, {}))
    reply(request, HEARTH_E_STATE, reasonDetail(reason));
  if (closing_)
    state(HEARTH_CLOSED);
  else
    state(HEARTH_DEAD, reasonDetail(reason));
}

void ScalaSession::close(std::int32_t mode) {
  closing_ = true;
  if (mode == HEARTH_CLOSE_DETACH) placedFile_.clear();  // the next run of the host sees to it
  if (spark_.cluster) return closeInCluster(mode);
  if (ended_ || process_ == 0 || mode == HEARTH_CLOSE_DETACH) {
    state(HEARTH_CLOSED);
    return;
  }
  if (mode == HEARTH_CLOSE_KILL && process_ != 0) {
    killProcess();
    return;
  }
  send(channel_, frames::stop, 0, {});
  closeTimer_ = timer(stopTime);
}

// What the cluster still has of it ends by itself: a driver that dials finds no session any more.
void ScalaSession::closeInCluster(std::int32_t mode) {
  if (ended_ || mode == HEARTH_CLOSE_DETACH) return state(HEARTH_CLOSED);
  if (process_ != 0) killProcess();
  if (!connected_) {
    if (process_ == 0) state(HEARTH_CLOSED);
    return;  // else when the submitter's end is told
  }
  send(channel_, frames::stop, 0, {});
  if (mode == HEARTH_CLOSE_KILL)
    gone("it was told to end");
  else
    closeTimer_ = timer(clusterStopTime);
}

void ScalaSession::onTimer(std::uint64_t id) {
  if (ended_) return;
  if (id == lostTimer_)
    gone("the driver has not been heard of for " + std::to_string(orphanMillis_ / 1000) + " s");
  if (id != closeTimer_ || ended_) return;
  if (process_ != 0)
    killProcess();
  else
    gone("the driver did not answer");
}

void ScalaSession::killProcess() noexcept {
  guard(nullptr, [this] { signal(process_, SIGKILL); });
}

}  // namespace hearth::scala
