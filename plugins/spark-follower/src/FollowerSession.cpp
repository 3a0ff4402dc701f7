#include "FollowerSession.h"

#include <boost/json/parse.hpp>
#include <charconv>
#include <utility>

#include "JsonOptions.h"
#include "LinkFrames.h"

namespace hearth::spark {

namespace json = boost::json;

FollowerSession::FollowerSession(Host host, hearth_session_h handle, const hearth_open& open,
                                 const std::string& config, std::string name, std::string opening)
    : Session(host, handle, open, config),
      name_(std::move(name)),
      opening_(std::move(opening)),
      recovered_(!args().recoveryBlob.empty()) {}

void FollowerSession::launch() {
  channel_ = join(opening_);
  opening_ = {};  // a worker's files, it may be: not needed again
}

void FollowerSession::needWorking() const {
  if (channel_ == 0 || failed_ || closing_) throw Error(HEARTH_E_STATE, name_ + " is gone");
}

void FollowerSession::execute(std::uint64_t statement, std::string_view code,
                              std::string_view optionsJson) {
  needWorking();
  if (optionsJson.empty() || optionsJson == "{}")
    send(channel_, frames::execute, statement, code);
  else
    send(channel_, frames::execute, statement,
         "{\"code\":" + quoted(code) + ",\"options\":" + std::string(optionsJson) + "}",
         frames::withOptions);
}

void FollowerSession::resume(std::uint64_t statement, std::string_view code,
                             std::string_view optionsJson) {
  execute(statement, code, optionsJson);
}

void FollowerSession::interrupt(std::uint64_t statement) {
  if (channel_ != 0) send(channel_, frames::interrupt, statement, {});
}

void FollowerSession::complete(std::uint64_t request, std::string_view code, std::uint64_t cursor) {
  needWorking();
  send(channel_, frames::complete, request,
       "{\"code\":" + quoted(code) + ",\"cursor\":" + std::to_string(cursor) + "}");
}

void FollowerSession::inspect(std::uint64_t request, std::string_view code, std::uint64_t cursor,
                              std::int32_t detail) {
  needWorking();
  send(channel_, frames::inspect, request,
       "{\"code\":" + quoted(code) + ",\"cursor\":" + std::to_string(cursor) +
           ",\"detail\":" + std::to_string(detail) + "}");
}

void FollowerSession::close(std::int32_t mode) {
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

void FollowerSession::onFrame(hearth_chan_h, std::int32_t event, const Frame& frame) {
  if (event == HEARTH_CHAN_FRAME)
    received(frame);
  else if (event == HEARTH_CHAN_CLOSED)
    onClosed();
  else if ((event == HEARTH_CHAN_UP || event == HEARTH_CHAN_BACK) && recovered_ && !failed_)
    state(HEARTH_IDLE);  // it said READY to an earlier run of the host
}

void FollowerSession::received(const Frame& frame) {
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
    case frames::display:
      display(frame.statement, frame.payload);
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

void FollowerSession::onFailed(std::string_view payload) {
  failed_ = true;
  boost::system::error_code error;
  const json::value value = json::parse({payload.data(), payload.size()}, error);
  std::string reason = name_ + " has failed";
  if (!error && value.is_object()) {
    const json::object& said = value.get_object();
    if (const std::string why = anyText(said, "reason"); !why.empty()) reason += ": " + why;
    if (const std::string words = anyText(said, "output"); !words.empty()) reason += "\n" + words;
  }
  state(HEARTH_ERROR, reasonDetail(reason));
}

void FollowerSession::onClosed() {
  channel_ = 0;
  if (closing_)
    state(HEARTH_CLOSED);
  else
    state(HEARTH_DEAD, reasonDetail("the driver's link has ended"));
}

}  // namespace hearth::spark
