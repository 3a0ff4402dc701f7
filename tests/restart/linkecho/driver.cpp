// The driver of linkecho: a REPL in place of Spark, over the driver link (plugin-api/doc/link.md).
//
//   linkecho-driver LINK_FILE
//
//   echo TEXT    the result is TEXT
//   count        the result is how often this process has counted
//   print N      prints N lines, a frame each
//   sleep MS     ends after that time, or when interrupted
//   spin         ends when interrupted
//   fail         ends in an error
//   die          kills the process
//
// What it does is also written down outside of Hearth, in the file $HEARTH_EFFECTS:
// "SESSION STATEMENT start", and "SESSION STATEMENT end RESULT".
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "link/Frame.h"
#include "link/Handshake.h"
#include "support/FaultPoint.h"

namespace {

namespace json = boost::json;
using namespace hearth::host;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// Shorter than the link's own, so that tests wait less.
constexpr milliseconds firstRetry{50}, lastRetry{200}, handshakeTime{10000};
constexpr std::uint8_t doneOk = 0, doneError = 1, doneCancelled = 2;

std::string quoted(const std::string& text) {
  return json::serialize(json::value(text));
}

class Driver {
 public:
  explicit Driver(const std::string& linkFile) : file_(readLinkFile(linkFile)) {
    const char* const effects = std::getenv("HEARTH_EFFECTS");
    if (effects != nullptr)
      effects_ = ::open(effects, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    lastHost_ = Clock::now();
    say(FrameType::ready, 1, 0, 0, "{}");
  }

  int run() {
    while (!over_) {
      if (socket_ < 0 && Clock::now() >= retryAt_) connect();
      if (socket_ < 0 && Clock::now() - lastHost_ > std::chrono::seconds(file_.orphanSeconds)) {
        std::fprintf(stderr, "no host for %d s\n", static_cast<int>(file_.orphanSeconds));
        return 0;
      }
      if (socket_ >= 0) lastHost_ = Clock::now();
      flush();
      wait();
      step();
    }
    return 0;
  }

 private:
  struct Running {
    std::uint16_t channel;
    std::uint64_t statement;
    std::string code;
    std::optional<Clock::time_point> until;  // of a sleep
    long lines = 0;                          // still to be printed
    long line = 0;
    std::string printed;
  };
  struct Channel {
    std::uint64_t lastStarted = 0;
    long counter = 0;
  };

  // ---- the connection

  void connect() {
    retryAt_ = Clock::now() + retry_;
    retry_ = std::min(retry_ * 2, lastRetry);
    const std::string path = file_.endpoint.substr(std::strlen("unix:"));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) fail("the socket's path is too long");
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    socket_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    in_.clear();
    if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        !handshake())
      return hangUp();
    retry_ = firstRetry;
    takeAll();  // what came with WELCOME
    if (faultPoint("driver.connect.after") == Fault::cut) hangUp();
  }

  bool handshake() {
    const std::string nonce = randomHex();
    control(FrameType::hello, json::serialize(json::object{{"protocol", 1},
                                                           {"session", file_.session},
                                                           {"nonce", nonce},
                                                           {"received", received_}}));
    const auto challenge = answer(FrameType::challenge);
    if (!challenge) return false;
    const std::string hostNonce(challenge->at("nonce").as_string());
    const std::string proof(challenge->at("proof").as_string());
    if (!sameProof(proof, linkProof(file_.secret, "host", nonce, hostNonce))) return false;
    control(FrameType::proof, json::serialize(json::object{
                                  {"proof", linkProof(file_.secret, "driver", nonce, hostNonce)}}));
    const auto welcome = answer(FrameType::welcome);
    if (!welcome) return false;
    acknowledged(welcome->at("received").to_number<std::uint64_t>());
    unsent_ = 0;
    return true;
  }

  /// The next frame's object, where the frame is of this type. REFUSED is the end.
  std::optional<json::object> answer(FrameType type) {
    const auto until = Clock::now() + handshakeTime;
    Frame frame;
    while (!take(frame)) {
      const auto left = std::chrono::duration_cast<milliseconds>(until - Clock::now()).count();
      pollfd waited{socket_, POLLIN, 0};
      if (left <= 0 || ::poll(&waited, 1, static_cast<int>(left)) <= 0 || !fill()) return {};
    }
    if (frame.type == static_cast<std::uint8_t>(FrameType::refused)) {
      std::fprintf(stderr, "refused: %s\n", frame.payload.c_str());
      std::_Exit(0);
    }
    if (frame.type != static_cast<std::uint8_t>(type)) return {};
    return json::parse(frame.payload).as_object();
  }

  bool fill() {
    char bytes[65536];
    const ssize_t size = ::recv(socket_, bytes, sizeof bytes, 0);
    if (size <= 0) return false;
    in_.append(bytes, static_cast<std::size_t>(size));
    return true;
  }

  bool take(Frame& frame) {
    if (in_.size() < frameHeaderBytes) return false;
    const std::uint32_t length =
        decodeHeader(reinterpret_cast<const unsigned char*>(in_.data()), frame);
    if (in_.size() < frameHeaderBytes + length) return false;
    frame.payload = in_.substr(frameHeaderBytes, length);
    in_.erase(0, frameHeaderBytes + length);
    return true;
  }

  void hangUp() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }

  void control(FrameType type, std::string payload, std::uint64_t sequence = 0) {
    Frame frame;
    frame.type = static_cast<std::uint8_t>(type);
    frame.sequence = sequence;
    frame.payload = std::move(payload);
    write(frame);
  }

  void write(const Frame& frame) {
    const auto header = encodeHeader(frame);
    std::string bytes(header.begin(), header.end());
    bytes += frame.payload;
    std::size_t sent = 0;
    while (socket_ >= 0 && sent < bytes.size()) {
      const ssize_t size = ::send(socket_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (size < 0 && errno == EINTR) continue;
      if (size <= 0) return hangUp();
      sent += static_cast<std::size_t>(size);
    }
  }

  // ---- frames that must not get lost

  void say(FrameType type, std::uint16_t channel, std::uint64_t statement, std::uint8_t outcome,
           std::string payload) {
    Frame frame;
    frame.channel = channel;
    frame.type = static_cast<std::uint8_t>(type);
    frame.outcome = outcome;
    frame.statement = statement;
    frame.sequence = ++said_;
    frame.payload = std::move(payload);
    held_.push_back(std::move(frame));
  }

  void flush() {
    while (socket_ >= 0 && unsent_ < held_.size()) {
      const Fault fault = faultPoint("driver.send.before");
      if (fault == Fault::cut) return hangUp();
      if (fault == Fault::dup) write(held_[unsent_]);
      write(held_[unsent_]);
      if (socket_ >= 0) ++unsent_;
    }
  }

  void acknowledged(std::uint64_t sequence) {
    while (!held_.empty() && held_.front().sequence <= sequence) {
      held_.pop_front();
      if (unsent_ > 0) --unsent_;
    }
  }

  // ---- events

  void wait() {
    int time = 1000;
    const auto upTo = [&time](Clock::time_point then) {
      const auto left = std::chrono::duration_cast<milliseconds>(then - Clock::now()).count() + 1;
      time = std::clamp(static_cast<int>(left), 0, time);
    };
    if (socket_ < 0) upTo(retryAt_);
    if (running_ && running_->until) upTo(*running_->until);
    if (running_ && running_->lines > 0) time = 0;
    pollfd waited{socket_, POLLIN, 0};
    if (::poll(&waited, 1, time) <= 0 || socket_ < 0) return;
    if (!fill()) return hangUp();
    takeAll();
  }

  void takeAll() {
    Frame frame;
    while (socket_ >= 0 && take(frame)) {
      if (frame.channel == 0) {
        if (frame.type == static_cast<std::uint8_t>(FrameType::ack)) acknowledged(frame.sequence);
        continue;
      }
      const Fault fault = faultPoint("driver.receive.before");
      if (fault == Fault::cut) return hangUp();
      receive(frame);
      if (fault == Fault::dup) receive(frame);
    }
  }

  void receive(const Frame& frame) {
    if (frame.sequence <= received_) return;
    if (frame.sequence != received_ + 1) {
      std::fprintf(stderr, "frame %llu came after %llu\n",
                   static_cast<unsigned long long>(frame.sequence),
                   static_cast<unsigned long long>(received_));
      return hangUp();
    }
    received_ = frame.sequence;
    switch (static_cast<FrameType>(frame.type)) {
      case FrameType::execute:
        start(frame);
        break;
      case FrameType::interrupt:
        if (running_ && running_->statement == frame.statement)
          end(doneCancelled, "{}", "cancelled");
        break;
      case FrameType::open:
        say(FrameType::ready, frame.channel, 0, 0, "{}");
        break;
      case FrameType::stop:
        if (frame.channel != 1) {
          channels_.erase(frame.channel);
          break;
        }
        say(FrameType::bye, 1, 0, 0, R"({"reason":"it was told to stop"})");
        over_ = true;
        break;
      default:
        break;
    }
    control(FrameType::ack, {}, received_);
    if (over_) flush();
  }

  // ---- statements

  void note(std::uint16_t channel, std::uint64_t statement, const std::string& what) const {
    const std::string line = file_.session + " " + std::to_string(statement) + " " + what + " " +
                             std::to_string(channel) + "\n";
    if (effects_ >= 0 && ::write(effects_, line.data(), line.size()) < 0)
      std::fprintf(stderr, "effects: %s\n", std::strerror(errno));
  }

  void start(const Frame& frame) {
    Channel& channel = channels_[frame.channel];
    if (frame.statement <= channel.lastStarted) return;  // one that runs, or has run, already
    channel.lastStarted = frame.statement;
    faultPoint("driver.execute.before");
    note(frame.channel, frame.statement, "start");
    faultPoint("driver.execute.after");
    running_ = Running{frame.channel, frame.statement, frame.payload, std::nullopt, 0, 0, {}};
    const std::string& code = running_->code;
    const std::string word = code.substr(0, code.find(' '));
    const std::string rest = code.substr(std::min(code.size(), word.size() + 1));
    if (word == "sleep") {
      running_->until = Clock::now() + milliseconds(std::strtol(rest.c_str(), nullptr, 10));
    } else if (word == "print") {
      running_->lines = std::strtol(rest.c_str(), nullptr, 10);
      if (running_->lines <= 0) ok("");
    } else if (word == "count") {
      ok(std::to_string(++channel.counter));
    } else if (word == "echo") {
      ok(rest);
    } else if (word == "die") {
      ::kill(::getpid(), SIGKILL);
    } else if (word != "spin") {
      end(doneError, R"({"ename":"EchoError","evalue":"asked to fail","traceback":[]})", "failed");
    }
  }

  void step() {
    if (!running_) return;
    if (running_->until && Clock::now() >= *running_->until) return ok("slept");
    if (running_->lines == 0) return;
    const std::string line = "line " + std::to_string(++running_->line) + "\n";
    running_->printed += line;
    say(FrameType::output, running_->channel, running_->statement, 1, line);
    if (running_->line == running_->lines) ok(running_->printed);
  }

  void ok(const std::string& text) {
    end(doneOk, "{\"text/plain\":" + quoted(text) + "}",
        running_->code == "count" ? "counted-" + text : "ok");
  }

  void end(std::uint8_t outcome, const std::string& bundle, const std::string& told) {
    note(running_->channel, running_->statement, "end " + told);
    if (faultPoint("driver.done.before") == Fault::cut) hangUp();
    say(FrameType::done, running_->channel, running_->statement, outcome, bundle);
    running_.reset();
    flush();
    if (faultPoint("driver.done.after") == Fault::cut) hangUp();
  }

  [[noreturn]] static void fail(const char* what) {
    std::fprintf(stderr, "%s\n", what);
    std::_Exit(1);
  }

  const LinkFile file_;
  int effects_ = -1;
  int socket_ = -1;
  bool over_ = false;
  std::string in_;
  Clock::time_point lastHost_, retryAt_;
  milliseconds retry_ = firstRetry;
  std::deque<Frame> held_;  // not yet acknowledged
  std::size_t unsent_ = 0;  // from which of them on this connection has not had them
  std::uint64_t said_ = 0, received_ = 0;
  std::map<std::uint16_t, Channel> channels_;
  std::optional<Running> running_;
};

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::fprintf(stderr, "usage: linkecho-driver LINK_FILE\n");
    return 2;
  }
  try {
    return Driver(arguments[1]).run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "linkecho-driver: %s\n", error.what());
    return 1;
  }
}
