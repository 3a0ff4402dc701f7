// Session: its application in a cluster, which is followed, whose end is the cluster's to tell, and
// which is gone when the session is.
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <sstream>

#include "session/Session.h"
#include "session/SessionPost.h"
#include "support/Log.h"

namespace hearth::host {

namespace json = boost::json;
using State = ApplicationReport::State;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

// A driver knows of its end before its cluster does.
constexpr milliseconds verdictTime{8000};
// For an application that was told to end, to be seen as ended.
constexpr milliseconds forcedTime{3000};
// What an application that has stopped in order still needs, at least.
constexpr milliseconds orderlyTime{2000};

std::string member(const json::object& object, const char* name) {
  const json::value* const value = object.if_contains(name);
  return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> found;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    line.erase(line.find_last_not_of(" \t\r") + 1);
    if (!line.empty()) found.push_back(line);
  }
  return found;
}

}  // namespace

// {"cluster": {"master": "yarn" or "spark://..", "tag": .., "id": ..}} among what a plugin tells of
// its state.
void Session::followApplication(Slot& of, const std::string& detailJson) {
  if (!environment_.clusters || of.tag.empty() || of.phase == Phase::none) return;
  if (detailJson.find("\"cluster\"") == std::string::npos) return;
  boost::system::error_code error;
  const json::value detail = json::parse(detailJson, error);
  if (error || !detail.is_object()) return;
  const json::value* const told = detail.get_object().if_contains("cluster");
  if (!told || !told->is_object()) return;
  const ApplicationKey key{member(told->get_object(), "tag"), member(told->get_object(), "id")};
  if (of.application) return of.application->know(key);
  const std::string master = member(told->get_object(), "master");
  if (!environment_.clusters->follows(master)) return;
  of.application = environment_.clusters->follow(
      key, master, strand_,
      [weak = weak_from_this(), kind = of.kind, tag = of.tag](const ApplicationReport& report) {
        if (const auto self = weak.lock()) self->applicationTold(kind, tag, report);
      });
}

void Session::applicationTold(const std::string& kind, const std::string& tag,
                              const ApplicationReport& report) {
  Slot& of = slot(kind);
  if (of.tag != tag || !of.application || ended()) return;
  of.report = report;
  keepWhereabouts(report);
  if (!report.final()) return;
  const std::vector<std::string> told = lines(report.diagnostics);
  for (const std::string& line : told) log_->append("cluster: " + line);
  if (ending_) return finishEnd();
  if (of.phase == Phase::closing || of.phase == Phase::none) return;  // it starts anew

  std::string reason = "the application " + report.applicationId;
  switch (report.state) {
    case State::killed:
      reason += " was killed in the cluster";
      break;
    case State::failed:
      reason += " has failed in the cluster";
      break;
    default:
      reason += " has ended in the cluster";
      break;
  }
  if (!told.empty()) reason += ": " + told.front();
  if (deadReason_ && report.state != State::killed) reason = *deadReason_ + "; " + reason;
  endNow(report.state == State::killed ? SessionState::killed : SessionState::dead, reason, false,
         nullptr);
}

// Where the driver itself has not said it, or cannot any more.
void Session::keepWhereabouts(const ApplicationReport& report) {
  json::object info;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    boost::system::error_code error;
    const json::value held = json::parse(row_.info.empty() ? "{}" : row_.info, error);
    if (held.is_object()) info = held.get_object();
  }
  json::object news;
  if (member(info, "appId").empty() && !report.applicationId.empty())
    news["appId"] = report.applicationId;
  const json::value* const known = info.if_contains("appInfo");
  json::object urls = known && known->is_object() ? known->get_object() : json::object();
  bool more = false;
  const auto add = [&](const char* key, const std::string& url) {
    if (url.empty() || !member(urls, key).empty()) return;
    urls[key] = url;
    more = true;
  };
  add("driverLogUrl", report.driverLogUrl);
  add("sparkUiUrl", report.sparkUiUrl);
  if (more) news["appInfo"] = std::move(urls);
  if (!news.empty()) mergeDetail(json::serialize(news));
}

// True where the session waits for what the cluster says of the end of its driver: whether it was
// killed there, and why.
bool Session::askCluster(Slot& dead, const std::string& reason) {
  if (ending_ || !carriesSession(dead)) return false;
  bool followed = false;
  for (auto& entry : slots_) {
    Slot& of = entry.second;
    if (!of.application || !of.report || of.report->final()) continue;
    of.application->submitted();
    followed = true;
  }
  if (!followed) return false;
  dead.losing = true;
  deadReason_ = reason;
  verdictTimer_ = std::make_unique<Timer>(strand_, verdictTime, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self) self->endNow(SessionState::dead, *self->deadReason_, false, nullptr);
  });
  return true;
}

// Its driver is replaced: what the cluster may still have of it ends, and nobody waits for that.
void Session::letApplicationGo(Slot& of) {
  if (!of.application) return;
  of.application->submitted();
  of.application->kill();
  of.application.reset();
}

// An application that stops in order gets the time for it, so that its final state is its own. One
// that does not, or never came so far, is ended.
bool Session::applicationsGone() {
  bool gone = true;
  bool seen = false;  // else nobody may be there who could tell
  for (auto& entry : slots_) {
    if (!entry.second.application) continue;
    seen = seen || entry.second.report;
    gone = gone && entry.second.report && entry.second.report->final();
  }
  if (gone || clusterEnd_ == ClusterEnd::over) {
    clusterTimer_.reset();
    for (auto& entry : slots_) entry.second.application.reset();
    return true;
  }
  if (clusterEnd_ == ClusterEnd::untold)
    endApplications(settledOnce_ && seen && finalState_ != SessionState::killed
                        ? ClusterEnd::awaited
                        : ClusterEnd::forced);
  return false;
}

void Session::endApplications(ClusterEnd step) {
  clusterEnd_ = step;
  if (step == ClusterEnd::over) {
    hearth::host::log().warn(
        "session {}: its application is still in the cluster and goes on "
        "being ended",
        id_);
    return finishEnd();
  }
  for (auto& entry : slots_) {
    if (!entry.second.application) continue;
    entry.second.application->submitted();
    if (step == ClusterEnd::forced) entry.second.application->kill();
  }
  const auto left = endingSince_ + environment_.options.closeTime - steady_clock::now();
  const steady_clock::duration time =
      step == ClusterEnd::forced ? forcedTime : std::max<steady_clock::duration>(left, orderlyTime);
  const ClusterEnd next = step == ClusterEnd::forced ? ClusterEnd::over : ClusterEnd::forced;
  clusterTimer_ = std::make_unique<Timer>(strand_, time, [weak = weak_from_this(), next] {
    if (const auto self = weak.lock()) self->endApplications(next);
  });
}

}  // namespace hearth::host
