#include "cluster/YarnManager.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "cluster/YarnAnswers.h"

namespace hearth::host {

namespace {

constexpr std::size_t queryBytes = 6000;  // what every proxy takes
const std::string applications = "/ws/v1/cluster/apps";

bool isAnswer(const HttpAnswer& answer) {
  // A ResourceManager that changes its part answers 5xx for a while; another one may do better.
  return answer.error.empty() && answer.status < 500;
}

}  // namespace

struct YarnManager::Round {
  std::deque<std::string> targets;
  std::vector<SeenApplication> seen;
  Listed done;
};

YarnManager::YarnManager(EventLoop::Strand strand, std::shared_ptr<HttpClient> http,
                         Addresses addresses, std::string user)
    : strand_(std::move(strand)),
      http_(std::move(http)),
      addresses_(std::move(addresses)),
      user_(std::move(user)) {}

void YarnManager::list(const std::vector<ApplicationKey>& keys, Listed done) {
  const auto round = std::make_shared<Round>();
  round->done = std::move(done);
  std::string tags;
  const auto flush = [&] {
    if (tags.empty()) return;
    // Leaves out what makes an answer long and is not looked at; old ones send it all the same.
    round->targets.push_back(applications + "?applicationTags=" + tags +
                             "&deSelects=resourceRequests,timeouts");
    tags.clear();
  };
  for (const ApplicationKey& key : keys) {
    if (key.tag.empty()) {
      round->targets.push_back(applications + "/" + queryValue(key.applicationId));
      continue;
    }
    const std::string tag = queryValue(key.tag);
    if (tags.size() + tag.size() > queryBytes) flush();
    tags += (tags.empty() ? "" : ",") + tag;
  }
  flush();
  next(round);
}

void YarnManager::next(const std::shared_ptr<Round>& round) {
  if (round->targets.empty()) return round->done(std::string(), std::move(round->seen));
  HttpQuestion question;
  question.url = round->targets.front();
  const bool single = question.url.find('?') == std::string::npos;
  round->targets.pop_front();
  ask(question, [self = shared_from_this(), round, single](const HttpAnswer& answer) {
    if (!answer.error.empty()) return round->done(answer.error, {});
    // One that is not known, asked for by its id, is not seen: no more.
    if (single && answer.status == 404) return self->next(round);
    auto seen = answer.status == 200 ? yarnApplications(answer.body) : std::nullopt;
    if (!seen)
      return round->done(answer.origin + " answers " + std::to_string(answer.status) +
                             (answer.status == 200 ? " with something that is no list" : "") + " " +
                             yarnRefusal(answer.body),
                         {});
    std::move(seen->begin(), seen->end(), std::back_inserter(round->seen));
    self->next(round);
  });
}

void YarnManager::kill(const std::string& applicationId, Killed done) {
  HttpQuestion question;
  question.method = "PUT";
  question.url = applications + "/" + queryValue(applicationId) + "/state";
  question.body = "{\"state\":\"KILLED\"}";
  question.contentType = "application/json";
  ask(question, [done = std::move(done)](const HttpAnswer& answer) {
    if (!answer.error.empty()) return done(answer.error);
    // 202 while it ends, 200 when it has; 404 is over as well.
    if (answer.status == 200 || answer.status == 202 || answer.status == 404)
      return done(std::string());
    done(answer.origin + " answers " + std::to_string(answer.status) + " " +
         yarnRefusal(answer.body));
  });
}

void YarnManager::ask(const HttpQuestion& question, const Answered& done) {
  try {
    if (known_.empty()) known_ = addresses_();
  } catch (const std::exception& error) {
    HttpAnswer none;
    none.error = error.what();
    return done(none);
  }
  if (known_.empty()) {
    HttpAnswer none;
    none.error =
        "no ResourceManager is known: yarn.resource_managers is empty, and so is what "
        "yarn-site.xml in HADOOP_CONF_DIR or YARN_CONF_DIR says";
    return done(none);
  }
  askNext(question, {known_.begin(), known_.end()}, std::string(), done);
}

void YarnManager::askNext(const HttpQuestion& question, std::deque<std::string> untried,
                          std::string errors, const Answered& done) {
  if (untried.empty()) {
    known_.clear();
    HttpAnswer none;
    none.error = std::move(errors);
    return done(none);
  }
  HttpQuestion asked = question;
  asked.url = untried.front() + question.url;
  if (!user_.empty())
    asked.url += (question.url.find('?') == std::string::npos ? "?user.name=" : "&user.name=") +
                 queryValue(user_);
  untried.pop_front();
  http_->ask(std::move(asked), strand_,
             [self = shared_from_this(), question, untried = std::move(untried),
              errors = std::move(errors), done](const HttpAnswer& answer) mutable {
               if (!isAnswer(answer)) {
                 if (!errors.empty()) errors += "; ";
                 errors += answer.error.empty()
                               ? answer.origin + " answers " + std::to_string(answer.status)
                               : answer.error;
                 return self->askNext(question, std::move(untried), std::move(errors), done);
               }
               self->prefer(answer.origin);
               done(answer);
             });
}

// Also one that is none of the list: a standby knows where the active one is.
void YarnManager::prefer(const std::string& origin) {
  if (!known_.empty() && known_.front() == origin) return;
  known_.erase(std::remove(known_.begin(), known_.end(), origin), known_.end());
  known_.insert(known_.begin(), origin);
}

}  // namespace hearth::host
