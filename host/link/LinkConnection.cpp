#include "link/LinkConnection.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/json.hpp>
#include <cstring>
#include <utility>
#include <vector>

#include "support/FaultPoint.h"
#include "support/Log.h"
#include "support/Utf8.h"

namespace hearth::host {

namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using Error = boost::system::error_code;

/// How long an ACK waits for others to be said by the same frame.
constexpr std::chrono::milliseconds ackDelay{10};
/// A payload's memory grows with what has arrived, not with what its header announces.
constexpr std::size_t firstPayloadStep = 64 * 1024;

}  // namespace

LinkConnection::LinkConnection(std::unique_ptr<LinkStream> stream, EventLoop::Strand strand,
                               std::weak_ptr<Owner> owner)
    : stream_(std::move(stream)),
      strand_(std::move(strand)),
      owner_(std::move(owner)),
      deadline_(strand_),
      ackTimer_(strand_) {}

void LinkConnection::start(std::chrono::milliseconds handshakeTime) {
  asio::post(strand_, [self = shared_from_this(), handshakeTime] {
    if (self->closed_) return;
    self->deadline_.expires_after(handshakeTime);
    self->deadline_.async_wait([self](const Error& error) {
      if (error || self->settled_ || self->closed_) return;
      log().debug("a peer of the link did not finish its handshake in time");
      self->close();
    });
    self->stream_->open([self](const Error& error) {
      if (error) return self->close();
      self->read();
    });
  });
}

void LinkConnection::wake() {
  if (woken_.exchange(true)) return;
  asio::post(strand_, [self = shared_from_this()] {
    self->woken_ = false;
    self->pump();
  });
}

void LinkConnection::wakeForAck() {
  if (ackWaits_.exchange(true)) return;
  asio::post(strand_, [self = shared_from_this()] {
    if (self->closed_) return;
    self->ackTimer_.expires_after(ackDelay);
    self->ackTimer_.async_wait([self](const Error&) {
      self->ackWaits_ = false;
      self->pump();
    });
  });
}

void LinkConnection::readOn() {
  asio::post(strand_, [self = shared_from_this()] {
    self->held_ = false;
    self->read();
  });
}

void LinkConnection::hangUp() {
  asio::post(strand_, [self = shared_from_this()] { self->close(); });
}

void LinkConnection::read() {
  if (closed_ || closing_ || reading_ || held_) return;
  reading_ = true;
  const bool straight = inPayload_ && need_ - filled_ >= in_.size();
  asio::mutable_buffer room;
  if (straight) {
    const std::size_t size = std::min(need_, std::max(filled_ * 2, firstPayloadStep));
    if (frame_.payload.size() < size) frame_.payload.resize(size);
    room = asio::buffer(frame_.payload.data() + filled_, frame_.payload.size() - filled_);
  } else {
    std::memmove(in_.data(), in_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    room = asio::buffer(in_.data() + end_, in_.size() - end_);
  }
  stream_->read(room, [self = shared_from_this(), straight](const Error& error, std::size_t bytes) {
    self->reading_ = false;
    if (error) return self->close();
    (straight ? self->filled_ : self->end_) += bytes;
    try {
      self->consume();
      self->read();
    } catch (const std::exception& failure) {
      // Want of memory or randomness ends this connection; it must not stay half open.
      log().error("a driver's connection failed: {}", failure.what());
      self->close();
    }
  });
}

void LinkConnection::consume() {
  while (!closed_ && !closing_) {
    if (!inPayload_) {
      if (end_ - begin_ < frameHeaderBytes) return;
      frame_ = Frame();
      need_ = decodeHeader(in_.data() + begin_, frame_);
      begin_ += frameHeaderBytes;
      filled_ = 0;
      inPayload_ = true;
      if (!acceptsHeader(static_cast<std::uint32_t>(need_)))
        return broken("a header out of bounds");
    }
    const std::size_t part = std::min(need_ - filled_, end_ - begin_);
    if (part > 0) {
      frame_.payload.resize(std::max(frame_.payload.size(), filled_ + part));
      std::memcpy(frame_.payload.data() + filled_, in_.data() + begin_, part);
      begin_ += part;
      filled_ += part;
    }
    if (filled_ < need_) return;
    frame_.payload.resize(need_);
    inPayload_ = false;
    handle(std::move(frame_));
  }
}

bool LinkConnection::acceptsHeader(std::uint32_t length) const {
  if (phase_ == Phase::live) return length <= maxFramePayload;
  const FrameType expected = phase_ == Phase::hello ? FrameType::hello : FrameType::proof;
  return length <= maxHandshakePayload && frame_.channel == 0 && frame_.sequence == 0 &&
         frame_.type == static_cast<std::uint8_t>(expected);
}

void LinkConnection::handle(Frame frame) {
  switch (phase_) {
    case Phase::hello:
      return handleHello(frame);
    case Phase::proof:
      return handleProof(frame);
    case Phase::live:
      return handleLive(std::move(frame));
  }
}

void LinkConnection::handleHello(const Frame& frame) {
  std::string why;
  std::optional<Hello> hello = parseHello(frame.payload, why);
  if (!hello) return refuse(why);
  hello_ = std::move(*hello);
  if (const std::shared_ptr<Owner> owner = owner_.lock()) core_ = owner->find(hello_.session);
  if (!core_) return refuseUnlessLeaving("there is no such session");
  hostNonce_ = randomHex();
  phase_ = Phase::proof;
  say(FrameType::challenge,
      json::serialize(
          json::object{{"nonce", hostNonce_},
                       {"proof", linkProof(core_->secret(), "host", hello_.nonce, hostNonce_)}}));
}

void LinkConnection::handleProof(const Frame& frame) {
  const std::string expected = linkProof(core_->secret(), "driver", hello_.nonce, hostNonce_);
  if (!sameProof(parseProof(frame.payload), expected)) {
    log().warn("a driver of session {} has the wrong secret and was refused", hello_.session);
    return refuse("the proof is wrong");
  }
  if (faultPoint("link.attach.before") == Fault::cut) return close();
  const LinkCore::Attached attached = core_->attach(shared_from_this(), hello_.received);
  if (attached.later) return close();
  if (!attached.refusal.empty()) {
    log().warn("a driver of session {} was refused: {}", hello_.session, attached.refusal);
    return refuseUnlessLeaving(attached.refusal);
  }
  phase_ = Phase::live;
  settle();
  say(FrameType::welcome, json::serialize(json::object{{"received", attached.received}}));
  if (faultPoint("link.attach.after") == Fault::cut) close();
}

void LinkConnection::handleLive(Frame frame) {
  if (frame.channel == 0) {
    if (frame.type != static_cast<std::uint8_t>(FrameType::ack) || !frame.payload.empty())
      return broken("a frame on channel 0 that is no ACK");
    if (faultPoint("link.acked.before") == Fault::cut) return close();
    if (!core_->acknowledged(this, frame.sequence)) broken("an ACK of what was never sent");
    return;
  }
  if (!isValidUtf8(frame.payload)) return broken("a payload that is not UTF-8");
  const Fault fault = faultPoint("link.receive.before");
  if (fault == Fault::cut) return close();
  Frame again;
  if (fault == Fault::dup) again = frame;
  const LinkCore::Taken taken = core_->take(this, std::move(frame));
  if (fault == Fault::dup) core_->take(this, std::move(again));
  if (faultPoint("link.receive.after") == Fault::cut) return close();
  switch (taken) {
    case LinkCore::Taken::more:
      return;
    case LinkCore::Taken::full:
      held_ = true;
      return;
    case LinkCore::Taken::broken:
      return broken("a sequence number out of turn");
  }
}

void LinkConnection::say(FrameType type, std::string payload) {
  Frame frame;
  frame.type = static_cast<std::uint8_t>(type);
  frame.payload = std::move(payload);
  const auto header = encodeHeader(frame);
  control_.push_back(std::string(header.begin(), header.end()) + frame.payload);
  pump();
}

void LinkConnection::refuse(const std::string& reason) {
  closing_ = true;
  say(FrameType::refused, json::serialize(json::object{{"reason", reason}}));
}

// REFUSED is final, and a host that goes down has let go of sessions that go on.
void LinkConnection::refuseUnlessLeaving(const std::string& reason) {
  const std::shared_ptr<Owner> owner = owner_.lock();
  if (!owner || owner->leaving()) return close();
  refuse(reason);
}

void LinkConnection::broken(const char* what) {
  if (phase_ == Phase::live)
    log().warn("the driver of session {} sent {}: its connection was closed", hello_.session, what);
  else
    log().debug("a peer of the link sent {} in its handshake", what);
  close();
}

void LinkConnection::pump() {
  if (closed_ || writing_) return;
  std::vector<asio::const_buffer> buffers;
  if (!control_.empty()) {
    buffers.push_back(asio::buffer(control_.front()));
  } else if (phase_ == Phase::live) {
    batch_ = core_->nextBatch(this);
    buffers.reserve(batch_.headers.size() * 2);
    for (std::size_t i = 0; i < batch_.headers.size(); ++i) {
      buffers.push_back(asio::buffer(batch_.headers[i]));
      if (batch_.frames[i]) buffers.push_back(asio::buffer(batch_.frames[i]->payload));
    }
  }
  if (buffers.empty()) {
    if (closing_) close();
    return;
  }
  Fault fault = Fault::none;
  if (!batch_.frames.empty())
    fault = faultPoint(batch_.frames.front() ? "link.send.before" : "link.ack.before");
  if (fault == Fault::cut) return close();
  if (fault == Fault::dup) {
    const auto once = buffers;
    buffers.insert(buffers.end(), once.begin(), once.end());
  }
  writing_ = true;
  stream_->write(std::move(buffers), [self = shared_from_this()](const Error& error, std::size_t) {
    self->writing_ = false;
    const bool frames = !self->batch_.frames.empty() && self->batch_.frames.back();
    if (frames && faultPoint("link.send.after") == Fault::cut) return self->close();
    self->batch_ = LinkCore::Batch();
    if (error) return self->close();
    if (!self->control_.empty()) self->control_.pop_front();
    self->pump();
  });
}

void LinkConnection::settle() {
  if (std::exchange(settled_, true)) return;
  deadline_.cancel();
  if (const std::shared_ptr<Owner> owner = owner_.lock()) owner->settled(this);
}

void LinkConnection::close() {
  if (std::exchange(closed_, true)) return;
  stream_->close();
  ackTimer_.cancel();
  settle();
  if (core_) core_->detach(this);
  if (const std::shared_ptr<Owner> owner = owner_.lock()) owner->ended(this);
}

}  // namespace hearth::host
