#include "policy/Policy.h"

#include "policy/ConfKeys.h"
#include "policy/PolicyRefusal.h"

namespace hearth::host {

namespace {

// Livy's face knows no field of that kind.
constexpr const char* templateKey = "hearth.template";

void takeTemplateName(SparkRequest& request) {
  const auto given = request.conf.find(templateKey);
  if (given == request.conf.end()) return;
  if (!request.templateName.empty() && request.templateName != given->second)
    throw PolicyRefusal("policy.templates", "the field template and hearth.template name two");
  request.templateName = given->second;
  request.conf.erase(given);
}

// What is forced is not looked at: it has no effect.
SparkRequest withoutForced(SparkRequest request, const ConfRules& rules) {
  for (const auto& given : request_keys::givenFields(request))
    if (rules.isForced(given.second)) request_keys::erase(request, given.second);
  for (auto entry = request.conf.begin(); entry != request.conf.end();)
    entry = rules.isForced(entry->first) ? request.conf.erase(entry) : std::next(entry);
  return request;
}

}  // namespace

struct Policy::Rules {
  explicit Rules(Options options)
      : sessionConf(std::move(options.sessionConf)),
        batchConf(std::move(options.batchConf)),
        sessionMaster(std::move(options.sessionMaster)),
        batchMaster(std::move(options.batchMaster)),
        paths(std::move(options.paths)),
        files(std::move(options.files)),
        templates(std::move(options.templates)),
        limits(options.limits) {}

  const ConfRules& conf(Resource resource) const {
    return resource == Resource::session ? sessionConf : batchConf;
  }
  const std::string& chosenMaster(Resource resource) const {
    return resource == Resource::session ? sessionMaster : batchMaster;
  }
  std::string master(Resource resource, SparkRequest request) const;
  SparkAsk ask(Resource resource, const SparkRequest& request) const;

  const ConfRules sessionConf, batchConf;
  const std::string sessionMaster, batchMaster;
  const PathRules paths;
  const DefaultFileSystem files;
  const Templates templates;
  const UsageLedger::Limits limits;
};

Policy::Policy(Options options)
    : rules_(std::make_shared<const Rules>(std::move(options))), ledger_(rules_->limits) {}

void Policy::replace(Options options) {
  auto fresh = std::make_shared<const Rules>(std::move(options));
  ledger_.setLimits(fresh->limits);
  const std::lock_guard<std::mutex> lock(mutex_);
  rules_ = std::move(fresh);
}

std::shared_ptr<const Policy::Rules> Policy::rules() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return rules_;
}

std::shared_ptr<const Templates> Policy::templates() const {
  const auto current = rules();
  return {current, &current->templates};
}

UsageLedger::Lease Policy::admit(const std::string& user, Resource resource, SparkRequest& request,
                                 const Fill& fill) {
  const auto current = rules();
  const ConfRules& conf = current->conf(resource);
  SparkRequest wanted = request;
  wanted.conf = normalisedConf(wanted.conf);
  takeTemplateName(wanted);
  wanted = withoutForced(std::move(wanted), conf);
  conf.check(wanted);
  // As it will be, but by what the request says alone.
  SparkRequest judged = wanted;
  current->files.resolve(resource, current->master(resource, wanted), judged);
  current->paths.check(judged);
  current->templates.apply(wanted);
  if (fill) fill(wanted);
  conf.addDefaults(wanted);
  conf.force(wanted);
  current->files.resolve(resource, current->master(resource, wanted), wanted);
  UsageLedger::Lease lease = ledger_.take(user, resource, current->ask(resource, wanted));
  request = std::move(wanted);
  return lease;
}

UsageLedger::Lease Policy::readmit(const std::string& user, Resource resource,
                                   const SparkRequest& request) {
  SparkAsk asked;
  try {
    asked = rules()->ask(resource, request);
  } catch (const PolicyRefusal&) {
    // It was admitted under other limits, and counts as a session or batch.
  }
  return ledger_.occupy(user, resource, asked);
}

// Empty where neither the server's configuration nor the request says it.
std::string Policy::Rules::master(Resource resource, SparkRequest request) const {
  if (!chosenMaster(resource).empty()) return chosenMaster(resource);
  try {
    templates.apply(request);
  } catch (const PolicyRefusal&) {
    // To be refused for that when its turn comes.
  }
  conf(resource).addDefaults(request);
  conf(resource).force(request);
  return request_keys::valueOf(request, "spark.master").value_or(std::string());
}

// What nobody limits is not counted: a size that is none is then Spark's to refuse.
SparkAsk Policy::Rules::ask(Resource resource, const SparkRequest& request) const {
  if (!limits.sizes()) return {};
  return sparkAsk(request, chosenMaster(resource),
                  limits.memory > 0 ? "policy.limit.memory" : "policy.limit.cores");
}

}  // namespace hearth::host
