#include "PysparkSession.h"

#include <boost/json/parse.hpp>
#include <charconv>
#include <utility>

#include "LinkFrames.h"

namespace hearth::pyspark {

namespace json = boost::json;

namespace {

std::string member(const json::value& object, const char* key) {
  const json::value* value = object.is_object() ? object.get_object().if_contains(key) : nullptr;
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::string reasonDetail(const std::string& reason) {
  return "{\"reason\":" + quoted(reason) + "}";
}

}  // namespace

PysparkInstance::PysparkInstance(Host host, std::string config)
    : Instance(host, std::move(config)), opening_(this->config()) {}

PysparkSession::PysparkSession(PysparkInstance& instance, Host host, hearth_session_h handle,
                               const hearth_open& open, const std::string& config)
    : Session(host, handle, open, config),
      opening_(instance.opening().json(args().optionsJson)),
      recovered_(!args().recoveryBlob.empty()) {}

void PysparkSession::launch() {
  channel_ = join(opening_);
  opening_ = {};  // the worker's files: not needed again
}

void PysparkSession::execute(std::uint64_t statement, std::string_view code, std::string_view) {
  if (channel_ == 0 || failed_ || closing_)
    throw Error(HEARTH_E_STATE, "the Python worker is gone");
  send(channel_, frames::execute, statement, code);
}

void PysparkSession::interrupt(std::uint64_t statement) {
  if (channel_ != 0) send(channel_, frames::interrupt, statement, {});
}

void PysparkSession::complete(std::uint64_t request, std::string_view code, std::uint64_t cursor) {
  if (channel_ == 0 || failed_ || closing_)
    throw Error(HEARTH_E_STATE, "the Python worker is gone");
  send(channel_, frames::complete, request,
       "{\"code\":" + quoted(code) + ",\"cursor\":" + std::to_string(cursor) + "}");
}

void PysparkSession::close(std::int32_t mode) {
  closing_ = true;
  if (channel_ == 0 || mode == HEARTH_CLOSE_DETACH) {
    state(HEARTH_CLOSED);
    return;
  }
  // The driver may be gone already, and STOP with it; the channel ends all the same.
  guard(nullptr, [this] {
    if (!failed_) send(channel_, frames::stop, 0, {});
  });
  closeChannel(channel_);
}

void PysparkSession::onFrame(hearth_chan_h, std::int32_t event, const Frame& frame) {
  if (event == HEARTH_CHAN_FRAME)
    received(frame);
  else if (event == HEARTH_CHAN_CLOSED)
    onClosed();
  else if ((event == HEARTH_CHAN_UP || event == HEARTH_CHAN_BACK) && recovered_ && !failed_)
    state(HEARTH_IDLE);  // its worker said READY to an earlier run of the host
}

void PysparkSession::received(const Frame& frame) {
  switch (frame.type) {
    case frames::ready:
      save("{}");
      state(HEARTH_IDLE);
      break;
    case frames::output:
      output(frame.statement, frame.outcome, frame.payload);
      break;
    case frames::progress: {
      double fraction = 0;
      const char* const end = frame.payload.data() + frame.payload.size();
      if (std::from_chars(frame.payload.data(), end, fraction).ec == std::errc())
        progress(frame.statement, fraction);
      break;
    }
    case frames::done:
      done(frame.statement, frame.outcome, frame.payload);
      break;
    case frames::reply:
      reply(frame.statement, frame.outcome, frame.payload);
      break;
    case frames::failed:
      onFailed(frame.payload);
      break;
    default:
      log(HEARTH_LOG_WARN, "the driver sent a frame of type " + std::to_string(frame.type));
  }
}

void PysparkSession::onFailed(std::string_view payload) {
  failed_ = true;
  boost::system::error_code error;
  const json::value value = json::parse({payload.data(), payload.size()}, error);
  std::string reason = "the Python worker has failed";
  if (const std::string why = member(value, "reason"); !why.empty()) reason += ": " + why;
  if (const std::string words = member(value, "output"); !words.empty()) reason += "\n" + words;
  state(HEARTH_ERROR, reasonDetail(reason));
}

void PysparkSession::onClosed() {
  channel_ = 0;
  if (closing_)
    state(HEARTH_CLOSED);
  else
    state(HEARTH_DEAD, reasonDetail("the driver's link has ended"));
}

}  // namespace hearth::pyspark
