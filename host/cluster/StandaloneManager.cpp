#include "cluster/StandaloneManager.h"

#include <algorithm>
#include <sstream>
#include <utility>

#include "cluster/JsonFields.h"

namespace hearth::host {

namespace {

using State = ApplicationReport::State;

struct Mapping {
  std::string_view state;
  State means;
};
// Of applications, then of drivers.
constexpr Mapping mappings[] = {
    {"WAITING", State::starting},     {"RUNNING", State::running}, {"FINISHED", State::finished},
    {"FAILED", State::failed},        {"KILLED", State::killed},   {"SUBMITTED", State::starting},
    {"RELAUNCHING", State::starting}, {"ERROR", State::failed},
};

constexpr std::string_view scheme = "spark://";

void readDriver(const json::object& driver, const json::object& whole, SeenApplication& seen) {
  const std::string worker = textOf(driver, "worker");
  forEachObject(whole, "workers", [&](const json::object& one) {
    if (textOf(one, "id") == worker && !worker.empty())
      seen.report.driverLogUrl = textOf(one, "webuiaddress") +
                                 "/logPage/?driverId=" + queryValue(seen.report.applicationId) +
                                 "&logType=stderr";
  });
}

}  // namespace

std::vector<std::string> standaloneMasters(const std::string& master) {
  std::vector<std::string> found;
  if (master.compare(0, scheme.size(), scheme) != 0) return found;
  std::istringstream hosts(master.substr(scheme.size()));
  for (std::string host; std::getline(hosts, host, ',');)
    if (!host.empty()) found.push_back(host);
  return found;
}

ApplicationReport::State standaloneState(std::string_view state) {
  for (const Mapping& mapping : mappings)
    if (mapping.state == state) return mapping.means;
  return State::failed;
}

std::optional<StandaloneState> standaloneState(std::string_view answer, const std::string& page) {
  const auto whole = parsedObject(answer);
  if (!whole || !whole->contains("activeapps")) return std::nullopt;
  StandaloneState state;
  state.url = textOf(*whole, "url");
  state.status = textOf(*whole, "status");
  for (const char* const field :
       {"activeapps", "completedapps", "activedrivers", "completeddrivers"})
    forEachObject(*whole, field, [&](const json::object& one) {
      SeenApplication seen;
      seen.started = numberOf(one, "starttime");
      seen.report.applicationId = textOf(one, "id");
      seen.report.state = standaloneState(textOf(one, "state"));
      if (std::string_view(field).find("drivers") != std::string_view::npos)
        readDriver(one, *whole, seen);
      else
        seen.report.sparkUiUrl = page + "/app/?appId=" + queryValue(seen.report.applicationId);
      if (!seen.report.applicationId.empty()) state.seen.push_back(std::move(seen));
    });
  return state;
}

StandaloneManager::StandaloneManager(EventLoop::Strand strand, std::shared_ptr<HttpClient> http,
                                     std::string master, std::vector<std::string> pages)
    : strand_(std::move(strand)),
      http_(std::move(http)),
      master_(std::move(master)),
      severalClusters_(pages.size() > 1),
      pages_(std::move(pages)) {
  if (!pages_.empty()) return;
  for (const std::string& host : standaloneMasters(master_))
    pages_.push_back("http://" + host.substr(0, host.rfind(':')) + ":8080");
}

void StandaloneManager::list(const std::vector<ApplicationKey>&, Listed done) {
  askNext({pages_.begin(), pages_.end()}, std::string(), done);
}

void StandaloneManager::askNext(std::deque<std::string> untried, std::string errors,
                                const Listed& done) {
  if (untried.empty()) return done(errors.empty() ? "no page of a Master is known" : errors, {});
  const std::string page = untried.front();
  untried.pop_front();
  HttpQuestion question;
  question.url = page + "/json/";
  http_->ask(
      question, strand_,
      [self = shared_from_this(), page, untried = std::move(untried), errors = std::move(errors),
       done](const HttpAnswer& answer) mutable {
        auto state = answer.status == 200 ? standaloneState(answer.body, page) : std::nullopt;
        std::string why = answer.error;
        if (why.empty() && !state)
          why = page + " answers " + std::to_string(answer.status) + " and no state";
        else if (why.empty() && state->status != "ALIVE")
          why = page + " is " + state->status;
        else if (why.empty() && self->severalClusters_ && !self->serves(state->url))
          why = page + " is of " + state->url;
        if (why.empty()) {
          auto& pages = self->pages_;
          std::rotate(pages.begin(), std::find(pages.begin(), pages.end(), page), pages.end());
          return done(std::string(), std::move(state->seen));
        }
        self->askNext(std::move(untried), errors + (errors.empty() ? "" : "; ") + why, done);
      });
}

bool StandaloneManager::serves(const std::string& url) const {
  const auto masters = standaloneMasters(master_);
  const auto own = standaloneMasters(url);
  return !own.empty() && std::find(masters.begin(), masters.end(), own.front()) != masters.end();
}

void StandaloneManager::kill(const std::string& applicationId, Killed done) {
  killWith(applicationId, token_,
           [self = shared_from_this(), applicationId, done = std::move(done)](
               unsigned status, const std::string& error) {
             if (status != 403) return done(error);
             self->findToken([self, applicationId, done, error](const std::string& token) {
               if (token.empty()) return done(error);
               self->token_ = token;
               self->killWith(applicationId, token,
                              [done](unsigned, const std::string& again) { done(again); });
             });
           });
}

void StandaloneManager::killWith(const std::string& applicationId, const std::string& token,
                                 std::function<void(unsigned, const std::string&)> done) {
  const bool driver = applicationId.compare(0, 7, "driver-") == 0;
  HttpQuestion question;
  question.method = "POST";
  question.url = pages_.front() + (driver ? "/driver/kill/" : "/app/kill/");
  question.body = "id=" + queryValue(applicationId) + "&terminate=true";
  if (!token.empty()) question.body += "&csrfToken=" + queryValue(token);
  question.contentType = "application/x-www-form-urlencoded";
  http_->ask(std::move(question), strand_, [done = std::move(done)](const HttpAnswer& answer) {
    if (!answer.error.empty()) return done(0, answer.error);
    // It sends back to its own page.
    if (answer.status < 400) return done(answer.status, std::string());
    done(answer.status, answer.origin + " answers " + std::to_string(answer.status));
  });
}

// Newer Masters end an application only for who has read its page.
void StandaloneManager::findToken(std::function<void(const std::string&)> done) {
  HttpQuestion question;
  question.url = pages_.front() + "/";
  http_->ask(std::move(question), strand_, [done = std::move(done)](const HttpAnswer& answer) {
    done(answer.status == 200 ? formToken(answer.body) : std::string());
  });
}

std::string formToken(const std::string& page) {
  const std::size_t at = page.find("\"csrfToken\"");
  if (at == std::string::npos) return {};
  const std::size_t from = page.rfind('<', at);
  const std::size_t to = page.find('>', at);
  if (from == std::string::npos || to == std::string::npos) return {};
  const std::string tag = page.substr(from, to - from);
  const std::string before = "value=\"";
  const std::size_t value = tag.find(before);
  if (value == std::string::npos) return {};
  const std::size_t start = value + before.size();
  const std::size_t end = tag.find('"', start);
  return end == std::string::npos ? std::string() : tag.substr(start, end - start);
}

}  // namespace hearth::host
