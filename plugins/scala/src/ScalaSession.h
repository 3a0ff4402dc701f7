// The leader of Spark sessions: launches the driver and speaks for its Scala interpreter.
#pragma once

#include <cstdint>
#include <hearth/plugin.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "SparkSettings.h"
#include "submit/Application.h"

namespace hearth::scala {

/// One session's driver, a JVM started by spark-submit, and channel 1 of its link. The driver
/// outlives the host: opened with the blob it has saved, the session takes the running one up.
class ScalaSession final : public Session,
                           public Interruptible,
                           public Completing,
                           public Inspecting,
                           public Leader,
                           public DataSharing {
 public:
  ScalaSession(Host host, hearth_session_h handle, const hearth_open& open,
               const std::string& config);

  void launch() override;
  void execute(std::uint64_t statement, std::string_view code,
               std::string_view optionsJson) override;
  void interrupt(std::uint64_t statement) override;
  void complete(std::uint64_t request, std::string_view code, std::uint64_t cursor) override;
  void inspect(std::uint64_t request, std::string_view code, std::uint64_t cursor,
               std::int32_t detail) override;
  void exportDriver(std::uint64_t request) override;
  void sharedData(std::uint64_t request) override;
  void close(std::int32_t mode) override;

  void onFrame(hearth_chan_h channel, std::int32_t event, const Frame& frame) override;
  void onExit(hearth_proc_h process, std::int32_t status, std::int32_t signo) override;
  void onTimer(std::uint64_t id) override;

 private:
  submit::Application application() const;
  std::string writeProperties(const submit::Application& driver) const;
  void received(const Frame& frame);
  void onInfo(std::string_view payload);
  void onBye(std::string_view payload);
  void reportIdle();
  void answerExports();
  void gone(const std::string& reason);
  void killProcess() noexcept;

  Config spark_;
  Request request_;
  hearth_chan_h channel_ = 0;
  hearth_proc_h process_ = 0;  // 0 also where an earlier run of the host has started it
  std::uint64_t closeTimer_ = 0;
  bool recovered_ = false;
  bool connected_ = false;
  bool idle_ = false;
  bool closing_ = false;
  bool ended_ = false;
  std::string info_;    // what INFO said, JSON; empty before
  std::string detail_;  // the same as a detail of the session's state
  std::string bye_;     // the reason of BYE; empty without
  std::vector<std::uint64_t> exports_;
};

}  // namespace hearth::scala
