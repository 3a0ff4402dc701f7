// A follower of Spark sessions: an interpreter that lives in or beside its leader's driver.
#pragma once

#include <cstdint>
#include <hearth/plugin.hpp>
#include <string>
#include <string_view>

namespace hearth::spark {

/// A channel of the leader's driver link, opened with a payload that tells the driver which
/// interpreter to start (doc/link.md, "Interpreters of followers"). It lives as long as the
/// channel; opened with a blob, the session takes up the one of an earlier run of the host. A
/// follower is this class with its own payload.
class FollowerSession : public Session,
                        public Interruptible,
                        public Completing,
                        public Inspecting,
                        public Resumable {
 public:
  /// `name` is what the interpreter is called in reasons: "the Python worker".
  FollowerSession(Host host, hearth_session_h handle, const hearth_open& open,
                  const std::string& config, std::string name, std::string opening);

  void launch() final;
  void execute(std::uint64_t statement, std::string_view code, std::string_view optionsJson) final;
  /// As execute(): the driver passes over what it has started already.
  void resume(std::uint64_t statement, std::string_view code, std::string_view optionsJson) final;
  void interrupt(std::uint64_t statement) final;
  void complete(std::uint64_t request, std::string_view code, std::uint64_t cursor) final;
  void inspect(std::uint64_t request, std::string_view code, std::uint64_t cursor,
               std::int32_t detail) final;
  void close(std::int32_t mode) final;

  void onFrame(hearth_chan_h channel, std::int32_t event, const Frame& frame) final;

 private:
  void needWorking() const;
  void received(const Frame& frame);
  void onFailed(std::string_view payload);
  void onClosed();

  std::string name_;
  std::string opening_;  // OPEN's payload
  hearth_chan_h channel_ = 0;
  bool recovered_ = false;
  bool failed_ = false;
  bool closing_ = false;
};

}  // namespace hearth::spark
