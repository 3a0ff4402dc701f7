#include "plugin/DriverLink.h"

#include <stdexcept>
#include <utility>
#include <vector>

namespace hearth::host {

DriverLink::DriverLink(LinkServer& server, EventLoop::Strand strand, std::string session,
                       std::string folder, Durable durable)
    : server_(server),
      strand_(std::move(strand)),
      session_(std::move(session)),
      folder_(std::move(folder)),
      durable_(std::move(durable)) {}

Link::Events DriverLink::events() {
  Link::Events events;
  const std::weak_ptr<DriverLink> weak = weak_from_this();
  events.event = [weak](Link::Event event) {
    const auto self = weak.lock();
    if (!self) return;
    std::vector<std::function<void(Link::Event)>> targets;  // a handler may close channels
    for (const auto& entry : self->channels_) targets.push_back(entry.second.event);
    for (const auto& target : targets) target(event);
  };
  events.frame = [weak](Frame frame) {
    if (const auto self = weak.lock()) self->onFrame(std::move(frame));
  };
  return events;
}

void DriverLink::resume() {
  auto resumed = server_.resume(session_, folder_, strand_, events());
  const std::lock_guard<std::mutex> lock(linkMutex_);
  link_ = std::move(resumed);
  resumed_ = true;
}

void DriverLink::admit() {
  if (const std::shared_ptr<Link> link = this->link()) link->admit();
}

std::string DriverLink::offer(Channel channel, Reach reach) {
  const bool taken = std::exchange(resumed_, false);
  if (isOpen() && !taken) throw std::logic_error("the session's driver link is open already");
  channels_.clear();
  channels_[1] = std::move(channel);
  nextChannel_ = firstChannel_;
  if (taken) return link()->linkFile();
  handled_ = requested_ = 0;
  auto opened = server_.offer(session_, folder_, strand_, events(), reach);
  const std::lock_guard<std::mutex> lock(linkMutex_);
  link_ = std::move(opened);
  return link_->linkFile();
}

std::uint16_t DriverLink::join(Channel channel, std::uint16_t number) {
  if (!isOpen()) throw std::logic_error("the session has no driver link");
  if (number == 0) {
    if (nextChannel_ == 0) throw std::logic_error("the session's driver link is out of channels");
    number = nextChannel_++;
  }
  channels_[number] = std::move(channel);
  return number;
}

bool DriverLink::send(Frame frame) {
  const std::shared_ptr<Link> link = this->link();
  return link && link->send(std::move(frame));
}

void DriverLink::close(std::uint16_t channel) {
  channels_.erase(channel);
  if (channel != 1) return;
  std::shared_ptr<Link> ended;  // its destructor must not run under the lock
  const std::lock_guard<std::mutex> lock(linkMutex_);
  ended.swap(link_);
}

std::shared_ptr<Link> DriverLink::link() const {
  const std::lock_guard<std::mutex> lock(linkMutex_);
  return link_;
}

void DriverLink::onFrame(Frame frame) {
  const std::uint64_t sequence = frame.sequence;
  const auto found = channels_.find(frame.channel);
  if (found != channels_.end()) {
    const auto target = found->second.frame;  // a copy: the handler may close its channel
    handling_ = sequence;
    target(frame);
    handling_ = 0;
  }
  handled_ = sequence;
  if (!acknowledging_) acknowledge();
}

// What came of a frame is posted to the strand by the plugin's calls; this hop runs after it, so
// that the barrier stands behind every write that the frame caused. One barrier at a time: a flood
// of output costs one acknowledgement for many frames.
void DriverLink::acknowledge() {
  acknowledging_ = true;
  requested_ = handled_;
  EventLoop::post(strand_, [self = shared_from_this()] {
    self->durable_([self, link = self->link(), sequence = self->requested_](bool durable) {
      // Where it is not, the driver keeps its frames, and the next one asks again.
      if (link && durable) link->received(sequence);
      EventLoop::post(self->strand_, [self] {
        self->acknowledging_ = false;
        if (self->handled_ > self->requested_) self->acknowledge();
      });
    });
  });
}

}  // namespace hearth::host
