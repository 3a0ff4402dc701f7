// What a plugin has told of a session and its strand has not taken yet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace hearth::host {

/// One call of the plugin's, on its way to the strand.
struct PluginEvent {
  enum class Kind { state, output, display, change, progress, done, reply, save, other };

  Kind kind = Kind::other;
  std::uint64_t statement = 0;  ///< or request
  std::int32_t number = 0;      ///< state, stream, outcome or status
  std::uint64_t index = 0;      ///< of a display
  double fraction = 0;
  std::uint64_t frame = 0;    ///< of the link, that it came of
  std::string text;           ///< detail, output, bundle, blob
  std::function<void()> act;  ///< of the kind `other`
  std::uint64_t lost = 0;     ///< output: so many bytes are missing here, and `text` is empty
};

/// A queue in order that has bounds, so that a plugin that tells more than its session's strand can
/// take costs neither memory without end nor what the session has to know. Output that does not fit
/// is dropped and its place says how much; a display leaves a placeholder, so that the numbers of
/// those behind it stay right; progress, and what is to be saved, is replaced by what is newer; so
/// is, where all is full, the last state. Ends and answers that are waited for always get in.
/// Thread-safe.
class EventInbox {
 public:
  struct Bounds {
    std::size_t bytes = 16u << 20;
    std::size_t events = 10000;
  };

  explicit EventInbox(Bounds bounds) : bounds_(bounds) {}

  enum class Put {
    queued,  ///< take() is to be called once more
    joined,  ///< it is part of one that waits
    dropped
  };
  /// An end (done) or an answer (reply) of that number is waited for: the first one is never
  /// dropped.
  void expect(PluginEvent::Kind kind, std::uint64_t number);
  /// The strand calls take() once for each event that was queued, in a handler that was posted
  /// after this returned: so an event is never taken later than what is posted behind it.
  Put put(PluginEvent event);
  /// The oldest one; nothing where there is none.
  std::optional<PluginEvent> take();
  std::size_t bytes() const;

 private:
  bool full(std::size_t more) const;
  Put add(PluginEvent event);
  Put miss(const PluginEvent& event);
  PluginEvent* newest(PluginEvent::Kind kind, std::uint64_t statement);

  const Bounds bounds_;
  mutable std::mutex mutex_;
  std::deque<PluginEvent> events_;
  std::set<std::pair<PluginEvent::Kind, std::uint64_t>> expected_;
  std::size_t bytes_ = 0;
};

}  // namespace hearth::host
