#include "ScalaSession.h"

#include <signal.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <system_error>
#include <utility>

#include "JsonOptions.h"
#include "LinkFrames.h"
#include "submit/PrivateFile.h"

namespace hearth::scala {

namespace json = boost::json;
namespace frames = spark::frames;
using spark::reasonDetail;

namespace {

constexpr std::uint32_t stopTime = 5000;

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
      recovered_(!args().recoveryBlob.empty()) {}

void ScalaSession::launch() {
  const Offer made = offer();
  channel_ = made.channel;
  if (recovered_) {
    const json::object saved = parseObject(args().recoveryBlob);
    if (const json::value* info = saved.if_contains("info"))
      if (info->is_object()) onInfo(json::serialize(*info));
    return;  // the driver dials by itself
  }
  submit::Environment environment = submit::sparkEnvironment();
  environment["HEARTH_LINK_FILE"] = made.linkFile;
  const submit::Application driver = application();
  const submit::Command command = submit::submission(driver, writeProperties(driver), environment);
  process_ = spawn(command.argv, command.environment);
  save("{}");
  if (request_.prepare) send(channel_, frames::prepare, 0, {});
}

submit::Application ScalaSession::application() const {
  submit::Application driver;
  driver.sparkHome = spark_.sparkHome;
  driver.javaHome = spark_.javaHome;
  driver.mainClass = "io.hearth.driver.Main";
  driver.resource = spark_.driverJar;
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

void ScalaSession::execute(std::uint64_t statement, std::string_view code, std::string_view) {
  if (ended_ || closing_) throw Error(HEARTH_E_STATE, "the driver is gone");
  send(channel_, frames::execute, statement, code);
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
    if (recovered_) reportIdle();
  }
}

void ScalaSession::received(const Frame& frame) {
  switch (frame.type) {
    case frames::info:
      onInfo(frame.payload);
      save("{\"info\":" + info_ + "}");
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
  detail_ = json::serialize(detail);
  answerExports();
  // Without a Scala interpreter of its own the session can serve its followers from now on.
  if (idle_ || (!request_.prepare && !recovered_)) reportIdle();
}

void ScalaSession::reportIdle() {
  idle_ = true;
  if (!closing_ && !ended_) state(HEARTH_IDLE, detail_);
}

void ScalaSession::onBye(std::string_view payload) {
  bye_ = member(parseObject(payload), "reason");
  if (process_ == 0) gone("the driver has ended: " + bye_);
}

void ScalaSession::onExit(hearth_proc_h process, std::int32_t status, std::int32_t signo) {
  if (process != process_) return;
  killProcess();  // workers that it has left behind are in its group
  process_ = 0;
  std::string reason = "the driver has ended ";
  if (signo != 0)
    reason += "by signal " + std::to_string(signo);
  else
    reason += "with exit status " + std::to_string(status);
  if (!bye_.empty()) reason += " (" + bye_ + ")";
  if (!connected_) reason += " before it had connected";
  gone(reason + "; the session's log has its last words");
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
  const bool running = process_ != 0 || (recovered_ && channel_ != 0);
  if (ended_ || !running || mode == HEARTH_CLOSE_DETACH) {
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

void ScalaSession::onTimer(std::uint64_t id) {
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
