// One client connection: reads requests, parks them, writes answers.
#pragma once

#include <array>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "http/ChunkedDecoder.h"
#include "http/Message.h"
#include "http/ReplyLine.h"
#include "http/RequestHead.h"
#include "http/ServerCore.h"
#include "support/EventLoop.h"

namespace hearth::host {

/// A socket and the state of its current request. Requests are answered one after the other: the
/// next is looked at only once the answer is sent. Everything runs on the connection's strand,
/// except the constructor and what is marked otherwise. Waiting needs no buffer: the socket is
/// watched for bytes and read into a buffer of the thread.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Executor = EventLoop::Strand;
  using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, Executor>;

  Connection(ServerCore& core, Socket socket);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Begins to serve.
  void start();
  /// Answers 503 without reading: there are too many connections. Whoever calls it has counted the
  /// refusal; close() takes it back.
  void refuse();
  /// Continues after an answer as far as it can without waiting, then waits.
  void advance();
  /// Sends the answer to the parked request; ignored where there is none.
  void answer(std::shared_ptr<const Request> request, Response response);
  void answerInternalError(std::shared_ptr<const Request> request);

  /// Closes unless a request is in hand.
  void closeIdle();
  /// Answers a parked request 503, closes.
  void closeHeld();
  /// Closes at once. May be called again.
  void close();

  Executor executor() { return socket_.get_executor(); }            ///< [any thread]
  const std::shared_ptr<ReplyLine>& line() const { return line_; }  ///< [any thread]
  /// The connection whose handler this thread is running, or null. [any thread]
  static Connection* current() { return current_; }

 private:
  using Clock = std::chrono::steady_clock;
  using Timer = boost::asio::basic_waitable_timer<Clock, boost::asio::wait_traits<Clock>, Executor>;

  enum class State {
    Head,       ///< waits for a request or for the rest of its head
    Body,       ///< waits for the rest of the body
    Continue,   ///< "100 Continue" is being written
    Parked,     ///< the handler has the request
    Writing,    ///< the answer is being written
    Streaming,  ///< the head is out, the body is made while it is sent
    Lingering,  ///< answered; reads what is still coming, so that the client gets to read
    Closed
  };

  /// A request being read.
  struct Incoming {
    Incoming(std::shared_ptr<Request> fresh, std::size_t bodyBound)
        : request(std::move(fresh)), chunks(bodyBound) {}
    std::shared_ptr<Request> request;
    RequestHead::Framing framing = RequestHead::Framing::None;
    std::uint64_t left = 0;  ///< of a body with a known length
    ChunkedDecoder chunks;
  };

  /// An answer being written.
  struct Outgoing {
    std::shared_ptr<const Request> request;
    std::string head;
    std::string body;
    int status = 0;
    std::shared_ptr<BodyStream> stream;
    bool chunked = false;  ///< the stream's framing
    bool sending = false;  ///< a piece is on its way
    std::size_t size = 0;  ///< of the body so far
  };

  // Bytes received and not yet used: `in_` from `used_` on, or, while it is empty, `fresh_`.
  std::string_view input() const;
  void consume(std::size_t size);
  void keepInput();

  void watch();
  void onReadable(const boost::system::error_code& error);
  void readRequest();
  void readLeftovers();
  void lookForHangUp();

  bool process();
  void rest();
  bool takeHead();
  void beginRequest(const RequestHead& head);
  bool takeBody();
  void sendContinue();
  void dispatch();
  void applyMethodOverride(Request& request) const;

  void fail(int status, const std::string& text);
  void write(std::shared_ptr<const Request> request, Response response);
  void startStream();
  void pumpStream();
  void sendPiece(std::string bytes, bool last);
  void onPieceSent(const boost::system::error_code& error, bool last);
  void keepStreamAlive();
  std::string framed(std::string piece, bool last);
  void onWritten(const boost::system::error_code& error, std::size_t size);
  void linger();

  void setDeadline(Clock::time_point when);
  void armTimer();
  void onTimer();
  void onDeadline();
  bool peerIsGone();

  static thread_local Connection* current_;

  ServerCore& core_;
  Socket socket_;
  Timer timer_;
  std::shared_ptr<ReplyLine> line_;
  std::string remote_;
  State state_ = State::Head;
  bool watching_ = false;       ///< a wait for bytes is under way
  bool wantsClose_ = false;     ///< the client's wish
  bool wantsContinue_ = false;  ///< the client waits for "100 Continue"
  bool http10_ = false;
  bool isHead_ = false;   ///< HEAD on the wire: whatever the override says, no body is read
  bool closing_ = false;  ///< after the answer being written
  bool refused_ = false;
  bool unread_ = false;     ///< closing with bytes of the client perhaps still coming
  bool pipelined_ = false;  ///< bytes of a next request wait in the kernel while parked

  std::string in_;
  std::size_t used_ = 0;
  std::string_view fresh_;
  HeadScanner scanner_;
  std::unique_ptr<Incoming> incoming_;
  std::shared_ptr<const Request> held_;  ///< with the handler
  std::unique_ptr<Outgoing> outgoing_;
  std::size_t lingerLeft_ = 0;

  Clock::time_point started_{};                            ///< first byte of the request
  Clock::time_point deadline_ = Clock::time_point::max();  ///< of what is waited for now
  Clock::time_point timerAt_ = Clock::time_point::max();   ///< when the timer goes off: never later
  std::uint64_t timerRound_ = 0;
};

}  // namespace hearth::host
