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

Policy::Policy(Options options)
    : sessionConf_(std::move(options.sessionConf)),
      batchConf_(std::move(options.batchConf)),
      sessionMaster_(std::move(options.sessionMaster)),
      batchMaster_(std::move(options.batchMaster)),
      paths_(std::move(options.paths)),
      files_(std::move(options.files)),
      templates_(std::move(options.templates)),
      ledger_(options.limits) {}

UsageLedger::Lease Policy::admit(const std::string& user, Resource resource,
                                 SparkRequest& request) {
  const ConfRules& rules = resource == Resource::session ? sessionConf_ : batchConf_;
  SparkRequest wanted = request;
  wanted.conf = normalisedConf(wanted.conf);
  takeTemplateName(wanted);
  wanted = withoutForced(std::move(wanted), rules);
  rules.check(wanted);
  // As it will be, but by what the request says alone.
  SparkRequest judged = wanted;
  files_.resolve(resource, master(resource, wanted), judged);
  paths_.check(judged);
  templates_.apply(wanted);
  rules.addDefaults(wanted);
  rules.force(wanted);
  files_.resolve(resource, master(resource, wanted), wanted);
  UsageLedger::Lease lease = ledger_.take(user, resource, ask(resource, wanted));
  request = std::move(wanted);
  return lease;
}

// Empty where neither the server's configuration nor the request says it.
std::string Policy::master(Resource resource, SparkRequest request) const {
  const std::string& chosen = resource == Resource::session ? sessionMaster_ : batchMaster_;
  if (!chosen.empty()) return chosen;
  const ConfRules& rules = resource == Resource::session ? sessionConf_ : batchConf_;
  try {
    templates_.apply(request);
  } catch (const PolicyRefusal&) {
    // To be refused for that when its turn comes.
  }
  rules.addDefaults(request);
  rules.force(request);
  return request_keys::valueOf(request, "spark.master").value_or(std::string());
}

UsageLedger::Lease Policy::readmit(const std::string& user, Resource resource,
                                   const SparkRequest& request) {
  SparkAsk asked;
  try {
    asked = ask(resource, request);
  } catch (const PolicyRefusal&) {
    // It was admitted under other limits, and counts as a session or batch.
  }
  return ledger_.occupy(user, resource, asked);
}

// What nobody limits is not counted: a size that is none is then Spark's to refuse.
SparkAsk Policy::ask(Resource resource, const SparkRequest& request) const {
  const UsageLedger::Limits& limits = ledger_.limits();
  if (!limits.sizes()) return {};
  return sparkAsk(request, resource == Resource::session ? sessionMaster_ : batchMaster_,
                  limits.memory > 0 ? "policy.limit.memory" : "policy.limit.cores");
}

}  // namespace hearth::host
