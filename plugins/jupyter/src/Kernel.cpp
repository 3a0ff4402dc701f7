#include "Kernel.h"

#include <hearth/json_members.hpp>
#include <hearth/plugin.hpp>
#include <utility>
#include <zmq_addon.hpp>

#include "Text.h"

namespace hearth::jupyter {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int messagesInARow = 64;
// How soon a kernel that has replied is asked again while nothing has come on iopub: its
// subscription takes effect a moment after the connection is there, and nothing tells when.
constexpr milliseconds askAgainAfter{50};
// A kernel may drop what it publishes, "idle" too, when it publishes faster than it is read.
constexpr seconds idlePatience{5};
constexpr seconds answerPatience{30};
constexpr int receiveQueue = 20000;

std::size_t index(Channel channel) {
  return static_cast<std::size_t>(channel);
}

}  // namespace

Kernel::Kernel(IoThread& io, std::shared_ptr<Connection> connection, KernelEvents& events,
               KernelTimes times)
    : io_(io),
      connection_(std::move(connection)),
      events_(events),
      times_(times),
      wire_(connection_->key()) {}

void Kernel::start() {
  io_.post([self = shared_from_this()] { self->open(); });
}

void Kernel::stop() {
  io_.call([this] {
    io_.remove(*this);
    sockets_.clear();
    statement_.reset();
    resumed_ = 0;
  });
}

void Kernel::open() {
  for (int channel = 0; channel < channelCount; ++channel)
    sockets_.push_back(connect(static_cast<Channel>(channel), channel == iopub
                                                                  ? zmq::socket_type::sub
                                                                  : zmq::socket_type::dealer));
  io_.add(*this);
  controlProbe_ = send(control, "kernel_info_request", "{}");
  shellProbe_ = send(shell, "kernel_info_request", "{}");
}

zmq::socket_t Kernel::connect(Channel channel, zmq::socket_type type) {
  zmq::socket_t socket(io_.context(), type);
  socket.set(zmq::sockopt::linger, 0);
  socket.set(zmq::sockopt::reconnect_ivl, 50);
  socket.set(zmq::sockopt::maxmsgsize, static_cast<std::int64_t>(times_.messageBytes));
  socket.set(zmq::sockopt::rcvhwm, receiveQueue);
  if (type == zmq::socket_type::sub)
    socket.set(zmq::sockopt::subscribe, "");
  else if (channel != heartbeat)
    // The kernel asks for input where the request came from: one identity for all.
    socket.set(zmq::sockopt::routing_id, wire_.session());
  socket.connect(connection_->endpoint(channel));
  return socket;
}

std::string Kernel::send(Channel channel, std::string_view type, const std::string& content,
                         const std::string& parentHeader) {
  const std::string id = wire_.nextId();
  const Frames frames = wire_.encode(id, type, content, parentHeader);
  std::vector<zmq::const_buffer> parts;
  for (const std::string& frame : frames) parts.push_back(zmq::buffer(frame));
  // Never waits: a kernel that takes nothing must not stop this thread.
  if (!zmq::send_multipart(sockets_[index(channel)], parts, zmq::send_flags::dontwait))
    events_.onNote(HEARTH_LOG_WARN,
                   "the kernel takes no messages: a " + std::string(type) + " was dropped");
  return id;
}

void Kernel::execute(std::uint64_t statement, std::string code) {
  running_ = statement;
  io_.post([self = shared_from_this(), statement, code = std::move(code)] {
    if (self->sockets_.empty()) return;
    // stop_on_error would make the kernel refuse what comes right after a failed statement; the
    // host queues, and each statement runs whatever became of the one before.
    const std::string id = self->send(shell, "execute_request",
                                      "{\"code\":" + hearth::quoted(code) +
                                          ",\"silent\":false,\"store_history\":true,"
                                          "\"user_expressions\":{},\"allow_stdin\":false,"
                                          "\"stop_on_error\":false}");
    self->statement_.emplace(statement, id, self->events_);
  });
}

void Kernel::resume(std::uint64_t statement) {
  running_ = statement;
  io_.post([self = shared_from_this(), statement] {
    if (self->sockets_.empty()) return;
    self->resumed_ = statement;
    if (self->ready_) self->finishResumed();
  });
}

void Kernel::complete(std::uint64_t request, const std::string& code, std::uint64_t cursor) {
  ask(Question::complete, request, "complete_request",
      "{\"code\":" + hearth::quoted(code) + ",\"cursor_pos\":" + std::to_string(cursor) + "}");
}

void Kernel::inspect(std::uint64_t request, const std::string& code, std::uint64_t cursor,
                     int detail) {
  ask(Question::inspect, request, "inspect_request",
      "{\"code\":" + hearth::quoted(code) + ",\"cursor_pos\":" + std::to_string(cursor) +
          ",\"detail_level\":" + std::to_string(detail) + "}");
}

void Kernel::ask(Question what, std::uint64_t request, std::string_view type, std::string content) {
  io_.post([self = shared_from_this(), what, request, type, content = std::move(content)] {
    if (self->sockets_.empty()) return;
    const bool busy = self->statement_ || self->resumed_ != 0;
    if (busy && !self->controlAnswers_) {
      self->events_.onReply(request, what == Question::complete ? R"({"candidates":[]})"
                                                                : R"({"found":false,"data":{}})");
      return;
    }
    const auto now = Clock::now();
    // Of those never answered: the host has given up on them too.
    for (auto old = self->asked_.begin(); old != self->asked_.end();)
      old = now - old->second.since > answerPatience ? self->asked_.erase(old) : std::next(old);
    const std::string id = self->send(busy ? control : shell, type, content);
    self->asked_[id] = Asked{what, request, now};
  });
}

void Kernel::interruptByMessage() {
  io_.post([self = shared_from_this()] {
    if (!self->sockets_.empty()) self->send(control, "interrupt_request", "{}");
  });
}

void Kernel::shutdown() {
  io_.post([self = shared_from_this()] {
    if (!self->sockets_.empty()) self->send(control, "shutdown_request", "{\"restart\":false}");
  });
}

void Kernel::drain(std::string reason, std::function<void()> then) {
  io_.post([self = shared_from_this(), reason = std::move(reason), then = std::move(then)] {
    for (int channel = 0; channel < static_cast<int>(self->sockets_.size()); ++channel)
      while (self->receive(static_cast<Channel>(channel))) {
      }
    self->beatDue_.reset();
    if (self->statement_)
      self->events_.onDone(self->statement_->number(), HEARTH_DONE_LOST,
                           errorBundle("Error", "Interpreter died:\n" + reason, {}));
    if (self->resumed_ != 0)
      self->events_.onDone(self->resumed_, HEARTH_DONE_LOST,
                           errorBundle("Error", "Interpreter died:\n" + reason, {}));
    self->statement_.reset();
    self->resumed_ = 0;
    then();
  });
}

std::vector<zmq::socket_ref> Kernel::sockets() {
  return {sockets_.begin(), sockets_.end()};
}

void Kernel::readable(std::size_t which) {
  for (int i = 0; i < messagesInARow; ++i)
    if (!receive(static_cast<Channel>(which))) return;
}

bool Kernel::receive(Channel channel) {
  std::vector<zmq::message_t> parts;
  zmq::socket_t& socket = sockets_[index(channel)];
  do {
    zmq::message_t part;
    if (!socket.recv(part, zmq::recv_flags::dontwait)) return false;
    parts.push_back(std::move(part));
  } while (parts.back().more());
  if (channel == heartbeat) {
    beatOpen_ = false;
    if (std::exchange(beatMissed_, false))
      events_.onNote(HEARTH_LOG_INFO, "the kernel answers its heartbeat again");
    return true;
  }
  FrameViews frames;
  for (const zmq::message_t& part : parts) frames.push_back(part.to_string_view());
  try {
    received(channel, wire_.decode(frames), frames);
  } catch (const WireError& error) {
    // An attacker must not be able to fill the log.
    if (++badMessages_ <= 10)
      events_.onNote(HEARTH_LOG_WARN,
                     std::string("a message of the kernel was dropped: ") + error.what());
  }
  return true;
}

void Kernel::received(Channel channel, const Message& message, const FrameViews& frames) {
  switch (channel) {
    case shell:
      onShell(message);
      break;
    case control:
      onControl(message);
      break;
    case iopub:
      heard_ = true;
      if (resumed_ != 0) publishedByResumed(message);
      if (!ready_) becomeReady();
      if (!statement_) break;
      // What has no parent was printed past the kernel's own streams, by what runs now.
      if (message.parentId == statement_->messageId() ||
          (message.parentId.empty() && message.type == "stream"))
        statement_->published(message);
      if (statement_->underWay()) underWay_ = statement_->number();
      if (idleOverdue_) idleOverdue_ = Clock::now() + idlePatience;
      finishIfOver();
      break;
    case stdinput:
      if (message.type != "input_request" || !statement_ ||
          message.parentId != statement_->messageId())
        break;
      statement_->refuseInput(textMember(message.content, "prompt"));
      // The end of the input, as kernels that read on take it.
      send(stdinput, "input_reply", "{\"status\":\"ok\",\"value\":\"\\u0004\"}",
           Wire::header(frames));
      break;
    default:
      break;
  }
}

void Kernel::onShell(const Message& message) {
  if (message.type == "kernel_info_reply") {
    about_ = textMember(message.content, "implementation") + " " +
             textMember(message.content, "implementation_version") + ", protocol " +
             textMember(message.content, "protocol_version");
    if (heard_)
      becomeReady();
    else
      askAgain_ = Clock::now() + askAgainAfter;
  } else if (message.type == "execute_reply") {
    if (!statement_ || message.parentId != statement_->messageId()) return;
    statement_->reply(message);
    underWay_ = statement_->number();
    idleOverdue_ = Clock::now() + idlePatience;
    finishIfOver();
  } else if (!ready_ && message.parentId == shellProbe_) {
    // It came while other code ran, with whose failure or interrupt what waits is refused.
    askAgain_ = Clock::now() + askAgainAfter;
  } else {
    answer(message);
  }
}

void Kernel::onControl(const Message& message) {
  if (message.type == "kernel_info_reply" && message.parentId == controlProbe_)
    controlAnswers_ = true;
  else
    answer(message);
}

void Kernel::answer(const Message& message) {
  const auto question = asked_.find(message.parentId);
  if (question == asked_.end()) return;
  const Asked asked = question->second;
  asked_.erase(question);
  const std::string_view content = message.content;
  const bool good = textMember(content, "status") != "error";
  std::string reply;
  if (asked.what == Question::complete) {
    const auto member = [&](const char* key, const char* otherwise) {
      const std::string_view value = good ? jsonMember(content, key) : std::string_view();
      return std::string(value.empty() ? otherwise : value);
    };
    reply = "{\"candidates\":" + member("matches", "[]") +
            ",\"start\":" + member("cursor_start", "null") +
            ",\"end\":" + member("cursor_end", "null") + "}";
  } else {
    const bool found = good && jsonMember(content, "found") == "true";
    reply = found ? "{\"found\":true,\"data\":{" : "{\"found\":false,\"data\":{";
    std::string_view comma;
    if (found)
      for (const auto& [mime, value] : jsonMembers(objectMember(content, "data"))) {
        // Text for people, with the colours of a terminal in it.
        reply += std::string(comma) + "\"" + std::string(mime) + "\":" +
                 (mime == "text/plain" ? hearth::quoted(withoutAnsi(textOf(value)))
                                       : std::string(value));
        comma = ",";
      }
    reply += "}}";
  }
  events_.onReply(asked.request, reply);
}

void Kernel::becomeReady() {
  if (ready_ || about_.empty()) return;
  ready_ = true;
  askAgain_.reset();
  beatDue_ = Clock::now() + times_.heartbeat;
  events_.onReady(about_);
  if (resumed_ != 0) finishResumed();
}

// Of another client than this one, as the host's earlier run was.
bool Kernel::isStranger(const Message& message) const {
  return !message.parentId.empty() && message.parentId.rfind(wire_.session(), 0) != 0;
}

void Kernel::publishedByResumed(const Message& message) {
  if (!isStranger(message)) return;
  // What waits behind code that is interrupted may also be dropped without a word.
  if (!ready_ && message.type == "status" &&
      textMember(message.content, "execution_state") == "idle")
    askAgain_ = Clock::now() + askAgainAfter;
  if (message.type == "stream") {
    const bool error = textMember(message.content, "name") == "stderr";
    events_.onOutput(resumed_, error ? HEARTH_STDERR : HEARTH_STDOUT,
                     textMember(message.content, "text"));
  } else if (message.type == "display_data" || message.type == "execute_result") {
    events_.onDisplay(resumed_, objectMember(message.content, "data"));
  } else {
    return;
  }
  underWay_ = resumed_;
}

// Requests are served one after the other: the code has ended, or has never begun.
void Kernel::finishResumed() {
  const std::uint64_t number = std::exchange(resumed_, 0);
  running_ = 0;
  underWay_ = 0;
  const bool interrupted = interrupted_ == number;
  events_.onDone(
      number, interrupted ? HEARTH_DONE_CANCELLED : HEARTH_DONE_ERROR,
      errorBundle("ResultLost",
                  "the server was restarted while this statement ran: its result, and what it "
                  "printed meanwhile, are lost, as Jupyter kernels do not repeat them. Whether it "
                  "succeeded is not known. The kernel and its variables are still there",
                  {}));
}

void Kernel::finishIfOver() {
  if (!statement_ || !statement_->over()) return;
  idleOverdue_.reset();
  const std::uint64_t number = statement_->number();
  Statement ended = std::move(*statement_);
  statement_.reset();
  running_ = 0;
  underWay_ = 0;
  ended.tellEnd(interrupted_ == number);
}

std::optional<Clock::time_point> Kernel::deadline() const {
  std::optional<Clock::time_point> next;
  for (const auto* due : {&askAgain_, &idleOverdue_, &beatDue_})
    if (*due && (!next || **due < *next)) next = *due;
  return next;
}

void Kernel::due(Clock::time_point now) {
  if (askAgain_ && *askAgain_ <= now) {
    askAgain_.reset();
    shellProbe_ = send(shell, "kernel_info_request", "{}");
  }
  if (idleOverdue_ && *idleOverdue_ <= now) {
    events_.onNote(
        HEARTH_LOG_WARN,
        "the kernel has replied but not said that it is idle: the statement ends without "
        "what may be missing of its output");
    statement_->giveUpIdle();
    finishIfOver();
  }
  if (beatDue_ && *beatDue_ <= now) beat(now);
}

void Kernel::beat(Clock::time_point now) {
  beatDue_ = now + times_.heartbeat;
  if (beatOpen_) {
    if (!std::exchange(beatMissed_, true))
      events_.onNote(HEARTH_LOG_WARN,
                     statement_ ? "the kernel has not answered its heartbeat: it is stuck, or one "
                                  "that does not while code runs"
                                : "the kernel has not answered its heartbeat: it is stuck");
    return;
  }
  beatOpen_ = true;
  sockets_[index(heartbeat)].send(zmq::str_buffer(""), zmq::send_flags::sndmore);
  sockets_[index(heartbeat)].send(zmq::str_buffer("ping"), zmq::send_flags::dontwait);
}

}  // namespace hearth::jupyter
