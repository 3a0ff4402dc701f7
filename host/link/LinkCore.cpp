#include "link/LinkCore.h"

#include <algorithm>
#include <utility>

#include "support/Log.h"

namespace hearth::host {

namespace {

constexpr std::size_t maxPendingBytes = 64u * 1024 * 1024;
/// Frames that wait for their event: above it the driver is not read from, and so held back.
constexpr std::size_t maxUndeliveredBytes = 16u * 1024 * 1024;
constexpr std::size_t batchFrames = 64;
constexpr std::size_t batchBytes = 256 * 1024;

std::size_t weight(const Frame& frame) {
  return frameHeaderBytes + frame.payload.size();
}

}  // namespace

LinkCore::LinkCore(std::string secret, EventLoop::Strand strand, Link::Events events, bool takenUp)
    : secret_(std::move(secret)),
      gate_(std::make_shared<Gate<Link::Events>>(std::move(strand), std::move(events))),
      admits_(!takenUp),
      adoptNumbers_(takenUp),
      adoptIncoming_(takenUp) {}

bool LinkCore::send(Frame frame) {
  if (frame.payload.size() > maxFramePayload) {
    log().error("a frame of {} bytes is above the link's bound and was not sent",
                frame.payload.size());
    return false;
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  if (closed_ || pendingBytes_ > maxPendingBytes) return false;
  pendingBytes_ += weight(frame);
  outbox_.push_back(std::make_shared<Frame>(std::move(frame)));
  if (const std::shared_ptr<Wire> wire = wire_.lock()) wire->wake();
  return true;
}

void LinkCore::received(std::uint64_t sequence) {
  const std::lock_guard<std::mutex> lock(mutex_);
  durable_ = std::max(durable_, std::min(sequence, received_));
  if (durable_ == ackSent_) return;
  if (const std::shared_ptr<Wire> wire = wire_.lock()) wire->wakeForAck();
}

bool LinkCore::connected() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return current_ != nullptr;
}

void LinkCore::admit() {
  const std::lock_guard<std::mutex> lock(mutex_);
  admits_ = true;
}

void LinkCore::close() {
  std::shared_ptr<Wire> wire;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    closed_ = true;
    wire = wire_.lock();
    wire_.reset();
    current_ = nullptr;
    outbox_.clear();
    pendingBytes_ = 0;
  }
  if (wire) wire->hangUp();
  gate_->shut();
}

LinkCore::Attached LinkCore::attach(const std::shared_ptr<Wire>& wire,
                                    std::uint64_t driverReceived) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (closed_) return {"there is no such session"};
  if (!admits_) return {{}, true};
  if (adoptNumbers_) {
    first_ = driverReceived + 1;
    sent_ = driverReceived;
    adoptNumbers_ = false;
  }
  // Both are drivers with another history than this link's: going on would lose frames silently.
  if (driverReceived > sent_) return {"it has received frames that were never sent"};
  if (driverReceived + 1 < first_) return {"it has lost frames that it acknowledged"};
  while (first_ <= driverReceived) {
    pendingBytes_ -= weight(*outbox_.front());
    outbox_.pop_front();
    ++first_;
  }
  if (current_ != nullptr) {
    if (const std::shared_ptr<Wire> old = wire_.lock()) old->hangUp();
    post(Link::Event::down);
  }
  wire_ = wire;
  current_ = wire.get();
  next_ = first_;
  ackSent_ = 0;
  held_ = false;
  post(wasUp_ ? Link::Event::back : Link::Event::up);
  wasUp_ = true;
  return {{}, false, received_};
}

void LinkCore::detach(const Wire* wire) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (current_ != wire) return;
  current_ = nullptr;
  wire_.reset();
  post(Link::Event::down);
}

LinkCore::Taken LinkCore::take(const Wire* wire, Frame frame) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (current_ != wire) return Taken::more;  // closed or replaced: a hang-up is on its way
  if (frame.sequence == 0) return Taken::broken;
  if (adoptIncoming_) {
    received_ = frame.sequence - 1;
    adoptIncoming_ = false;
  }
  if (frame.sequence <= received_) return Taken::more;
  if (frame.sequence != received_ + 1) return Taken::broken;
  ++received_;
  undelivered_ += weight(frame);
  post(std::move(frame));
  held_ = undelivered_ > maxUndeliveredBytes;
  return held_ ? Taken::full : Taken::more;
}

bool LinkCore::acknowledged(const Wire* wire, std::uint64_t sequence) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (current_ != wire) return true;
  if (sequence >= next_) return false;
  while (first_ <= sequence) {
    pendingBytes_ -= weight(*outbox_.front());
    outbox_.pop_front();
    ++first_;
  }
  return true;
}

LinkCore::Batch LinkCore::nextBatch(const Wire* wire) {
  Batch batch;
  const std::lock_guard<std::mutex> lock(mutex_);
  if (current_ != wire) return batch;
  if (ackSent_ < durable_) {
    Frame ack;
    ack.type = static_cast<std::uint8_t>(FrameType::ack);
    ack.sequence = ackSent_ = durable_;
    batch.headers.push_back(encodeHeader(ack));
    batch.frames.push_back(nullptr);
  }
  std::size_t bytes = 0;
  for (; next_ - first_ < outbox_.size(); ++next_) {
    if (batch.frames.size() >= batchFrames || bytes >= batchBytes) break;
    const std::shared_ptr<Frame>& frame = outbox_[next_ - first_];
    frame->sequence = next_;
    bytes += weight(*frame);
    batch.headers.push_back(encodeHeader(*frame));
    // Shared, as an ACK may drop it from the outbox before the write has reported its end.
    batch.frames.push_back(frame);
  }
  sent_ = std::max(sent_, next_ - 1);
  return batch;
}

void LinkCore::post(Link::Event event) {
  EventLoop::post(gate_->strand(), [gate = gate_, event] {
    gate->run([event](const Link::Events& events) {
      if (events.event) events.event(event);
    });
  });
}

void LinkCore::post(Frame frame) {
  EventLoop::post(gate_->strand(), [self = shared_from_this(), moved = std::move(frame)]() mutable {
    const Delivered delivered{*self, weight(moved)};
    self->gate_->run([&moved](const Link::Events& events) {
      if (events.frame) events.frame(std::move(moved));
    });
  });
}

void LinkCore::delivered(std::size_t bytes) {
  const std::lock_guard<std::mutex> lock(mutex_);
  undelivered_ -= bytes;
  if (!held_ || undelivered_ > maxUndeliveredBytes / 2) return;
  held_ = false;
  if (const std::shared_ptr<Wire> wire = wire_.lock()) wire->readOn();
}

}  // namespace hearth::host
