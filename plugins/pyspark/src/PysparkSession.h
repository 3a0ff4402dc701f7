// The follower of Spark sessions for Python: a channel of the leader's driver link.
#pragma once

#include <cstdint>
#include <hearth/plugin.hpp>
#include <string>
#include <string_view>

#include "WorkerOpening.h"

namespace hearth::pyspark {

/// The plugin with one configuration.
class PysparkInstance final : public Instance {
 public:
  PysparkInstance(Host host, std::string config);
  const WorkerOpening& opening() const noexcept { return opening_; }

 private:
  WorkerOpening opening_;
};

/// One Python worker, which the session's driver starts beside itself. It lives as long as the
/// channel; opened with a blob, the session takes up the one of an earlier run of the host.
class PysparkSession final : public Session, public Interruptible, public Completing {
 public:
  PysparkSession(PysparkInstance& instance, Host host, hearth_session_h handle,
                 const hearth_open& open, const std::string& config);

  void launch() override;
  void execute(std::uint64_t statement, std::string_view code,
               std::string_view optionsJson) override;
  void interrupt(std::uint64_t statement) override;
  void complete(std::uint64_t request, std::string_view code, std::uint64_t cursor) override;
  void close(std::int32_t mode) override;

  void onFrame(hearth_chan_h channel, std::int32_t event, const Frame& frame) override;

 private:
  void received(const Frame& frame);
  void onFailed(std::string_view payload);
  void onClosed();

  std::string opening_;  // OPEN's payload
  hearth_chan_h channel_ = 0;
  bool recovered_ = false;
  bool failed_ = false;
  bool closing_ = false;
};

}  // namespace hearth::pyspark
