#include "http/Connection.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/algorithm/string/predicate.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <cctype>
#include <cstdio>
#include <utility>
#include <vector>

#include "http/ContentCoding.h"
#include "http/HttpError.h"
#include "http/RequestTarget.h"
#include "http/ResponseHead.h"
#include "support/FaultPoint.h"
#include "support/Log.h"

namespace hearth::host {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr std::size_t kScratch = 64 * 1024;
// A connection gives others their turn after this many reads or requests.
constexpr int kReadsPerTurn = 16;
constexpr int kRequestsPerTurn = 32;
constexpr std::size_t kWritePiece = 1024 * 1024;
// How long and how much is read after a last answer. Closing with unread bytes would reset the
// connection, and the client could lose the answer.
constexpr std::chrono::milliseconds kLingerTime{2000};
constexpr std::size_t kLingerBytes = 16 * 1024 * 1024;
// How often a parked connection with pipelined bytes is asked whether the client is still there.
constexpr std::chrono::milliseconds kPeerCheck{1000};
constexpr std::chrono::seconds kStreamKeepAlive{15};

std::vector<char>& scratch() {
  thread_local std::vector<char> buffer(kScratch);
  return buffer;
}

std::string textOf(const asio::ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
  return address.to_string();
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

bool wouldBlock(const error_code& error) {
  return error == asio::error::would_block || error == asio::error::try_again;
}

}  // namespace

thread_local Connection* Connection::current_ = nullptr;

Connection::Connection(ServerCore& core, Socket socket)
    : core_(core),
      socket_(std::move(socket)),
      timer_(socket_.get_executor()),
      line_(std::make_shared<ReplyLine>(this)) {
  error_code error;
  const auto peer = socket_.remote_endpoint(error);
  if (!error) remote_ = textOf(peer.address());
}

void Connection::start() {
  // Bytes usually follow the connect; whether they do is found out by watching.
  setDeadline(Clock::now() + core_.limits().idleTime);
  watch();
}

void Connection::refuse() {
  refused_ = true;
  started_ = Clock::now();
  fail(503, "there are too many connections");
  advance();
}

// ---- Bytes in

std::string_view Connection::input() const {
  return in_.empty() ? fresh_ : std::string_view(in_).substr(used_);
}

void Connection::consume(std::size_t size) {
  if (in_.empty())
    fresh_.remove_prefix(size);
  else
    used_ += size;
}

// Before waiting: bytes in the thread's buffer are copied, and a used-up buffer is freed.
void Connection::keepInput() {
  if (!fresh_.empty()) {
    in_.assign(fresh_);
    used_ = 0;
    fresh_ = {};
  } else if (used_ == in_.size()) {
    in_ = std::string();
    used_ = 0;
  } else if (used_ > 0) {
    in_.erase(0, used_);
    used_ = 0;
  }
}

void Connection::watch() {
  if (watching_) return;
  watching_ = true;
  socket_.async_wait(Socket::wait_read, [self = shared_from_this()](const error_code& error) {
    self->watching_ = false;
    self->onReadable(error);
  });
}

void Connection::onReadable(const error_code& error) {
  if (error && state_ != State::Closed) {
    close();
    return;
  }
  switch (state_) {
    case State::Head:
    case State::Body:
      readRequest();
      break;
    case State::Parked:
    case State::Streaming:
      lookForHangUp();
      break;
    case State::Lingering:
      readLeftovers();
      break;
    case State::Continue:
    case State::Writing:  // what was watched for has ended meanwhile; what comes next watches anew
    case State::Closed:
      break;
  }
}

void Connection::readRequest() {
  std::vector<char>& buffer = scratch();
  for (int reads = 0; reads < kReadsPerTurn; ++reads) {
    error_code error;
    const std::size_t size = socket_.read_some(asio::buffer(buffer), error);
    if (wouldBlock(error)) break;
    if (error) {
      close();
      return;
    }
    if (in_.empty())
      fresh_ = std::string_view(buffer.data(), size);
    else
      in_.append(buffer.data(), size);
    if (!process()) return;
    // A short read has emptied the socket. One that has ended meanwhile says so to the watch.
    if (size < buffer.size() || (state_ != State::Head && state_ != State::Body)) break;
    keepInput();
  }
  rest();
}

void Connection::readLeftovers() {
  std::vector<char>& buffer = scratch();
  for (int reads = 0; reads < kReadsPerTurn; ++reads) {
    error_code error;
    const std::size_t size = socket_.read_some(asio::buffer(buffer), error);
    if (wouldBlock(error)) break;
    if (error || size > lingerLeft_) {
      close();
      return;
    }
    lingerLeft_ -= size;
  }
  watch();
}

// A parked connection became readable: the client has gone, or it has sent the next request
// already.
void Connection::lookForHangUp() {
  char byte = 0;
  error_code error;
  socket_.receive(asio::buffer(&byte, 1), Socket::message_peek, error);
  if (wouldBlock(error)) {
    watch();
  } else if (error) {
    close();
  } else {
    // The bytes stay in the kernel, which bounds them. They also hide the end of the stream from
    // reads and would keep a watch firing, so the socket's state is asked for now and then instead.
    pipelined_ = true;
    if (state_ == State::Parked) setDeadline(Clock::now() + kPeerCheck);
  }
}

bool Connection::peerIsGone() {
  pollfd state{socket_.native_handle(), POLLRDHUP, 0};
  return ::poll(&state, 1, 0) > 0 && (state.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

// ---- Requests

void Connection::advance() {
  if (process()) rest();
}

// Handles the requests that are here. False where it has given way to others and will go on itself.
bool Connection::process() {
  for (int requests = 0; state_ == State::Head || state_ == State::Body;) {
    try {
      if (state_ == State::Head && !takeHead()) break;
      if (state_ != State::Body || !takeBody()) break;
    } catch (const HttpError& error) {
      fail(error.status(), error.what());
      break;
    }
    dispatch();
    if (++requests == kRequestsPerTurn && state_ == State::Head && !input().empty()) {
      keepInput();
      asio::post(executor(), [self = shared_from_this()] { self->advance(); });
      return false;
    }
  }
  return true;
}

// Waits for whatever the state needs.
void Connection::rest() {
  keepInput();
  switch (state_) {
    case State::Head:
    case State::Body:
      // Between requests the deadline is that of idleness, set when the last answer was out.
      if (incoming_ || !scanner_.atStart()) setDeadline(started_ + core_.limits().requestTime);
      watch();
      break;
    case State::Parked:
    case State::Lingering:
      watch();
      break;
    case State::Continue:
    case State::Writing:
    case State::Streaming:
    case State::Closed:
      break;
  }
}

// True once the head is read; the state is Body then, or Continue.
bool Connection::takeHead() {
  if (scanner_.atStart()) {
    // An empty line before a request is passed over, as RFC 9112 asks: old clients end bodies so.
    while (input().substr(0, 2) == "\r\n") consume(2);
    if (input().empty() || input() == "\r") return false;
    started_ = Clock::now();
    isHead_ = false;
  }
  const std::string_view bytes = input();
  const std::size_t size = scanner_.scan(bytes, core_.limits().headerBytes);
  if (size == 0) return false;
  scanner_.reset();
  beginRequest(RequestHead(bytes.substr(0, size)));
  consume(size);
  state_ = State::Body;
  if (wantsContinue_ && input().empty()) sendContinue();
  return true;
}

void Connection::beginRequest(const RequestHead& head) {
  const HttpLimits& limits = core_.limits();
  incoming_ = std::make_unique<Incoming>(core_.newRequest(remote_), limits.bodyBytes);
  Request& request = *incoming_->request;
  isHead_ = head.getMethod() == "HEAD";
  http10_ = head.http10();
  wantsClose_ = !head.wantsKeepAlive();
  wantsContinue_ = head.wantsContinue();
  request.method = upper(head.getMethod());
  request.headers.reserve(head.size());
  for (const auto& [name, value] : head) request.headers.emplace_back(name, value);
  readTarget(head.getURI(), request);
  applyMethodOverride(request);
  if (head.length() > limits.bodyBytes)
    throw HttpError(
        413, "the request body is longer than " + std::to_string(limits.bodyBytes) + " bytes");
  incoming_->framing = head.framing();
  incoming_->left = head.length();
  // Not the whole length: a client that only announces a body must not cost its memory.
  request.body.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(head.length(), kScratch)));
}

void Connection::applyMethodOverride(Request& request) const {
  if (request.method != "POST") return;
  std::string method = request.header("X-HTTP-Method-Override");
  if (method.empty()) method = request.parameter("_method").value_or("");
  if (method.empty()) return;
  if (!RequestHead::isToken(method)) throw HttpError(400, "the method override is malformed");
  request.method = upper(method);
}

void Connection::sendContinue() {
  static constexpr std::string_view kText = "HTTP/1.1 100 Continue\r\n\r\n";
  error_code error;
  const std::size_t size = socket_.write_some(asio::buffer(kText.data(), kText.size()), error);
  if (error && !wouldBlock(error)) {
    close();
    return;
  }
  if (size == kText.size()) return;
  state_ = State::Continue;
  setDeadline(started_ + core_.limits().requestTime);
  asio::async_write(socket_, asio::buffer(kText.data() + size, kText.size() - size),
                    [self = shared_from_this()](const error_code& failure, std::size_t) {
                      if (self->state_ == State::Closed) return;
                      if (failure) {
                        self->close();
                        return;
                      }
                      self->state_ = State::Body;
                      self->advance();
                    });
}

// True once the body is whole and decoded.
bool Connection::takeBody() {
  Request& request = *incoming_->request;
  const std::string_view bytes = input();
  if (incoming_->framing == RequestHead::Framing::Length) {
    const auto size =
        static_cast<std::size_t>(std::min<std::uint64_t>(incoming_->left, bytes.size()));
    request.body.append(bytes.substr(0, size));
    consume(size);
    incoming_->left -= size;
    if (incoming_->left > 0) return false;
  } else if (incoming_->framing == RequestHead::Framing::Chunked) {
    consume(incoming_->chunks.feed(bytes, request.body));
    if (!incoming_->chunks.done()) return false;
  }
  if (!request.body.empty()) {
    const std::string coding = request.header("Content-Encoding");
    if (!coding.empty())
      request.body = decodeContent(coding, std::move(request.body), core_.limits().bodyBytes);
  }
  return true;
}

void Connection::dispatch() {
  held_ = std::move(incoming_->request);
  incoming_.reset();
  state_ = State::Parked;
  pipelined_ = false;
  setDeadline(Clock::time_point::max());
  current_ = this;
  core_.handle(held_, line_);
  current_ = nullptr;
}

// ---- Answers

void Connection::answer(std::shared_ptr<const Request> request, Response response) {
  if (state_ != State::Parked || request != held_) return;
  if (response.status < 200 || response.status > 599) {
    log().error("request {}: {} is no status of an answer", request->id, response.status);
    answerInternalError(std::move(request));
    return;
  }
  write(std::move(request), std::move(response));
}

void Connection::answerInternalError(std::shared_ptr<const Request> request) {
  if (state_ != State::Parked || request != held_) return;
  write(request, core_.makeError(500, request->path, "internal error"));
}

// Answers a request that does not get to a handler; where it ends is unknown, so this is the last.
void Connection::fail(int status, const std::string& text) {
  std::shared_ptr<const Request> request;
  if (incoming_)
    request = std::move(incoming_->request);
  else
    request = core_.newRequest(remote_);
  incoming_.reset();
  wantsClose_ = true;
  unread_ = true;
  write(request, core_.makeError(status, request->path, text));
}

void Connection::write(std::shared_ptr<const Request> request, Response response) {
  held_.reset();
  ResponseFraming framing;
  framing.close = wantsClose_ || core_.stopping();
  bool encoded = false;
  for (const auto& [name, value] : response.headers) {
    if (boost::algorithm::iequals(name, "Connection") && boost::algorithm::iequals(value, "close"))
      framing.close = true;
    if (boost::algorithm::iequals(name, "Content-Encoding")) encoded = true;
  }
  if (response.stream) {
    framing.chunked = !http10_;
    framing.unbounded = http10_;
    framing.close = framing.close || http10_;
  }
  framing.keepAlive = http10_ && !framing.close;
  closing_ = framing.close;
  const bool bodiless = response.status == 204 || response.status == 304;
  if (!bodiless && !encoded && !response.stream &&
      worthGzip(response.contentType, response.body.size())) {
    framing.vary = true;
    framing.gzipped = prefersGzip(request->header("Accept-Encoding"));
    if (framing.gzipped) response.body = gzip(response.body);
  }
  framing.length = response.body.size();
  outgoing_ = std::make_unique<Outgoing>();
  outgoing_->head = writeHead(response, framing);
  outgoing_->status = response.status;
  outgoing_->request = std::move(request);
  if (!bodiless && !isHead_) outgoing_->body = std::move(response.body);
  state_ = State::Writing;
  if (response.stream && !isHead_) {
    outgoing_->stream = std::move(response.stream);
    outgoing_->chunked = framing.chunked;
    startStream();
    return;
  }

  if (outgoing_->request->method == "POST" && faultPoint("http.answer.before") == Fault::cut)
    return close();
  // Nearly always the kernel takes all of it at once, and no turn of the loop is needed.
  const std::array<asio::const_buffer, 2> parts{asio::buffer(outgoing_->head),
                                                asio::buffer(outgoing_->body)};
  error_code error;
  const std::size_t sent = socket_.write_some(parts, error);
  const std::size_t total = parts[0].size() + parts[1].size();
  if (sent == total || (error && !wouldBlock(error))) {
    onWritten(error, sent);
    return;
  }
  const std::size_t ofHead = std::min(sent, parts[0].size());
  const std::array<asio::const_buffer, 2> left{parts[0] + ofHead, parts[1] + (sent - ofHead)};
  setDeadline(Clock::now() + core_.limits().sendTime);
  asio::async_write(
      socket_, left,
      [this](const error_code& failure, std::size_t) -> std::size_t {
        // Asked before each piece: the client has taken something since the last one.
        if (failure) return 0;
        setDeadline(Clock::now() + core_.limits().sendTime);
        return kWritePiece;
      },
      [self = shared_from_this(), sent](const error_code& failure, std::size_t more) {
        self->onWritten(failure, sent + more);
        self->advance();
      });
}

void Connection::startStream() {
  state_ = State::Streaming;
  std::string first = std::move(outgoing_->head);
  outgoing_->head.clear();
  // Small pieces are what a live stream is made of; each has to go out at once.
  error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  sendPiece(std::move(first), false);
  // A client that hangs up is noticed while there is nothing to send.
  watch();
}

// Sends what the stream has, or waits for it. Only while no piece is on its way.
void Connection::pumpStream() {
  if (state_ != State::Streaming || outgoing_->sending) return;
  std::string piece;
  const auto wake = [weak = weak_from_this(), strand = executor()] {
    asio::post(strand, [weak] {
      if (const auto self = weak.lock()) self->pumpStream();
    });
  };
  BodyStream::Next next = BodyStream::Next::end;
  try {
    next = outgoing_->stream->read(piece, kScratch, wake);
  } catch (const std::exception& error) {
    // The head is out: all that can be said is that the body is not whole.
    log().error("request {}: {}", outgoing_->request->id, error.what());
    close();
    return;
  }
  const bool last = next == BodyStream::Next::end;
  if (piece.empty() && !last) {
    if (next == BodyStream::Next::more)
      wake();
    else
      setDeadline(Clock::now() + kStreamKeepAlive);
    return;
  }
  sendPiece(framed(std::move(piece), last), last);
}

void Connection::keepStreamAlive() {
  std::string piece = peerIsGone() ? std::string() : outgoing_->stream->keepAlive();
  if (piece.empty())
    close();
  else
    sendPiece(framed(std::move(piece), false), false);
}

std::string Connection::framed(std::string piece, bool last) {
  outgoing_->size += piece.size();
  if (!outgoing_->chunked) return piece;
  std::string chunk;
  if (!piece.empty()) {
    char size[24] = "";
    std::snprintf(size, sizeof size, "%zx\r\n", piece.size());
    chunk = size + piece + "\r\n";
  }
  return last ? chunk + "0\r\n\r\n" : chunk;
}

void Connection::sendPiece(std::string bytes, bool last) {
  outgoing_->sending = true;
  outgoing_->body = std::move(bytes);
  setDeadline(Clock::now() + core_.limits().sendTime);
  asio::async_write(
      socket_, asio::buffer(outgoing_->body),
      [this](const error_code& failure, std::size_t) -> std::size_t {
        if (failure) return 0;
        setDeadline(Clock::now() + core_.limits().sendTime);
        return kWritePiece;
      },
      [self = shared_from_this(), last](const error_code& failure, std::size_t) {
        self->onPieceSent(failure, last);
      });
}

void Connection::onPieceSent(const error_code& error, bool last) {
  if (state_ == State::Closed) {
    outgoing_.reset();
    return;
  }
  outgoing_->sending = false;
  if (!error && !last) {
    pumpStream();
    return;
  }
  const std::uint64_t size = outgoing_->size;
  outgoing_->stream.reset();
  onWritten(error, size);
  advance();
}

void Connection::onWritten(const error_code& error, std::size_t size) {
  const std::unique_ptr<Outgoing> done = std::move(outgoing_);
  if (done->request->method == "POST") faultPoint("http.answer.after");
  core_.logAccess(*done->request, done->status, size - std::min(size, done->head.size()),
                  std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - started_));
  if (state_ == State::Closed) return;
  if (error) {
    close();
  } else if (closing_) {
    if (unread_ || pipelined_ || !input().empty())
      linger();
    else
      close();
  } else {
    state_ = State::Head;
    setDeadline(Clock::now() + core_.limits().idleTime);
  }
}

void Connection::linger() {
  error_code ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
  state_ = State::Lingering;
  in_ = std::string();
  used_ = 0;
  fresh_ = {};
  lingerLeft_ = kLingerBytes;
  setDeadline(Clock::now() + kLingerTime);
}

// ---- The end

void Connection::closeIdle() {
  if (state_ == State::Head && scanner_.atStart() && in_.empty()) close();
}

void Connection::closeHeld() {
  if (state_ == State::Parked) {
    write(held_, core_.makeError(503, held_->path, "the server is stopping"));
    advance();
  } else if (state_ != State::Writing && state_ != State::Lingering) {
    close();
  }
}

void Connection::close() {
  if (state_ == State::Closed) return;
  state_ = State::Closed;
  line_->hangUp();
  if (outgoing_ && outgoing_->stream && !outgoing_->sending) outgoing_.reset();
  error_code ignored;
  socket_.close(ignored);
  timer_.cancel();
  in_ = std::string();
  used_ = 0;
  fresh_ = {};
  incoming_.reset();
  held_.reset();
  core_.connections().remove(this);
  if (refused_) --core_.refusals();
}

// ---- Time

// The timer is left alone while it goes off no later than needed: deadlines mostly move away, with
// each request, and the timer finds that out when it goes off.
void Connection::setDeadline(Clock::time_point when) {
  deadline_ = when;
  if (when < timerAt_) armTimer();
}

void Connection::armTimer() {
  timerAt_ = deadline_;
  timer_.expires_at(timerAt_);
  timer_.async_wait([self = shared_from_this(), round = ++timerRound_](const error_code& error) {
    if (error || round != self->timerRound_) return;
    self->timerAt_ = Clock::time_point::max();
    self->onTimer();
  });
}

void Connection::onTimer() {
  if (state_ == State::Closed || deadline_ == Clock::time_point::max()) return;
  if (Clock::now() < deadline_)
    armTimer();
  else
    onDeadline();
}

void Connection::onDeadline() {
  switch (state_) {
    case State::Head:
      if (scanner_.atStart()) {
        close();
        break;
      }
      [[fallthrough]];
    case State::Body:
      fail(408, "the request did not arrive in time");
      rest();
      break;
    case State::Parked:
      if (peerIsGone())
        close();
      else
        setDeadline(Clock::now() + kPeerCheck);
      break;
    case State::Streaming:
      if (!outgoing_->sending) {
        keepStreamAlive();
        break;
      }
      [[fallthrough]];
    case State::Writing: {
      // Reset rather than close: the kernel would go on keeping what the client does not take.
      error_code ignored;
      socket_.set_option(asio::socket_base::linger(true, 0), ignored);
      close();
      break;
    }
    case State::Continue:
    case State::Lingering:
      close();
      break;
    case State::Closed:
      break;
  }
}

}  // namespace hearth::host
