#include "ScalaSession.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "JsonOptions.h"
#include "LinkFrames.h"

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

void writeFile(const std::string& path, const std::string& text) {
  // Written anew and never through a link, readable by nobody else: settings may hold secrets.
  ::unlink(path.c_str());
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  std::size_t written = 0;
  while (file >= 0 && written < text.size()) {
    const ssize_t count = ::write(file, text.data() + written, text.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) break;
    written += static_cast<std::size_t>(count);
  }
  const int why = errno;
  if (file >= 0) ::close(file);
  if (file < 0 || written < text.size())
    throw Error(HEARTH_E_IO, "cannot write " + path + ": " + std::strerror(why));
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
  const std::string properties = writeProperties();
  std::vector<std::string> command = {spark_.sparkHome + "/bin/spark-submit", "--class",
                                      "io.hearth.driver.Main", "--properties-file", properties};
  if (!args().user.empty()) command.insert(command.end(), {"--proxy-user", args().user});
  command.push_back(spark_.driverJar);

  std::vector<std::string> environment = {"HEARTH_LINK_FILE=" + made.linkFile,
                                          "SPARK_HOME=" + spark_.sparkHome};
  if (!spark_.javaHome.empty()) environment.push_back("JAVA_HOME=" + spark_.javaHome);
  for (const char* name : {"JAVA_HOME", "SPARK_CONF_DIR", "HADOOP_HOME", "HADOOP_CONF_DIR",
                           "YARN_CONF_DIR", "KRB5CCNAME", "PYSPARK_PYTHON"}) {
    const char* value = std::getenv(name);
    if (value != nullptr && (spark_.javaHome.empty() || std::strcmp(name, "JAVA_HOME") != 0))
      environment.push_back(std::string(name) + "=" + value);
  }
  process_ = spawn(command, environment);
  save("{}");
  if (request_.prepare) send(channel_, frames::prepare, 0, {});
}

std::string ScalaSession::writeProperties() const {
  const std::string path = request_.folder + "/driver.properties";
  writeFile(path, formatProperties(
                      sparkProperties(spark_, request_, readSparkDefaults(spark_.sparkHome))));
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
