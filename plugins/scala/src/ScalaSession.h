// The leader of Spark sessions: launches the driver and speaks for its Scala interpreter.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <deque>
#include <hearth/plugin.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "SparkSettings.h"
#include "submit/Application.h"

namespace hearth::scala {

/// One session's driver, a JVM started by spark-submit, and channel 1 of its link. The driver
/// outlives the host: opened with the blob it has saved, the session takes the running one up.
/// In cluster mode the process is the submitter: when it has done its work the session goes on.
class ScalaSession final : public Session,
                           public Interruptible,
                           public Completing,
                           public Inspecting,
                           public Leader,
                           public DataSharing,
                           public Resumable {
 public:
  ScalaSession(Host host, hearth_session_h handle, const hearth_open& open,
               const std::string& config);
  ~ScalaSession() override;

  void launch() override;
  void execute(std::uint64_t statement, std::string_view code,
               std::string_view optionsJson) override;
  void resume(std::uint64_t statement, std::string_view code,
              std::string_view optionsJson) override;
  void interrupt(std::uint64_t statement) override;
  void complete(std::uint64_t request, std::string_view code, std::uint64_t cursor) override;
  void inspect(std::uint64_t request, std::string_view code, std::uint64_t cursor,
               std::int32_t detail) override;
  void exportDriver(std::uint64_t request) override;
  void sharedData(std::uint64_t request) override;
  void close(std::int32_t mode) override;

  void onFrame(hearth_chan_h channel, std::int32_t event, const Frame& frame) override;
  void onLine(hearth_proc_h process, std::int32_t stream, std::string_view line) override;
  void onExit(hearth_proc_h process, std::int32_t status, std::int32_t signo) override;
  void onTimer(std::uint64_t id) override;

 private:
  submit::Application application() const;
  std::string writeProperties(const submit::Application& driver) const;
  void keep() const;
  void takeUp();
  void placeLinkFile(const std::string& linkFile, Properties& properties);
  void submitted(const std::string& id);
  void submitterEnded(std::int32_t status, std::int32_t signo);
  void closeInCluster(std::int32_t mode);
  void waits(const std::string& reason);
  bool isCluster() const;
  /// What the host needs to know to follow the application; `id` may be empty.
  boost::json::object cluster(const std::string& id) const;
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
  std::uint64_t lostTimer_ = 0;        // runs while a driver in the cluster is not connected
  std::uint32_t orphanMillis_ = 0;     // after which such a driver has ended itself
  std::string placedFile_;             // a copy of the link file outside the session's folder
  std::deque<std::string> lastLines_;  // of the submitter
  std::string master_;                 // empty before launch
  std::string submittedAs_;            // what the cluster calls the application; empty before
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
