// The deployment's policy: what users may ask for, and what they get besides.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "policy/ConfRules.h"
#include "policy/DefaultFileSystem.h"
#include "policy/PathRules.h"
#include "policy/SparkRequest.h"
#include "policy/Templates.h"
#include "policy/UsageLedger.h"

namespace hearth::host {

/// Thread-safe.
class Policy {
 public:
  struct Options {
    ConfRules::Options sessionConf, batchConf;  ///< they differ in what is fixed
    std::string sessionMaster, batchMaster;     ///< that the server has chosen; empty: none
    PathRules::Options paths;
    DefaultFileSystem::Options files;
    UsageLedger::Limits limits;
    Templates templates;
  };

  explicit Policy(Options options);

  /// Judges a request and makes it the one to be carried out: with its template, the defaults and
  /// what is forced, and with paths that say where they are. Users are judged by what they sent,
  /// the operator's values pass. The lease is kept for as long as the session or batch lives.
  /// Throws PolicyRefusal; then nothing is taken. Looks at the local files that are named.
  UsageLedger::Lease admit(const std::string& user, Resource resource, SparkRequest& request);

  /// The lease of what an earlier run of the host admitted.
  UsageLedger::Lease readmit(const std::string& user, Resource resource,
                             const SparkRequest& request);

  const Templates& templates() const { return templates_; }

 private:
  std::string master(Resource resource, SparkRequest request) const;
  SparkAsk ask(Resource resource, const SparkRequest& request) const;

  const ConfRules sessionConf_, batchConf_;
  const std::string sessionMaster_, batchMaster_;
  const PathRules paths_;
  const DefaultFileSystem files_;
  const Templates templates_;
  UsageLedger ledger_;
};

}  // namespace hearth::host
