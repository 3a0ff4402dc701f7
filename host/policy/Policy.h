// The deployment's policy: what users may ask for, and what they get besides.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
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
  /// `fill`, if any, puts the defaults of the kind under the request, once its template has said
  /// which kind that is; the deployment's come under them.
  using Fill = std::function<void(SparkRequest&)>;
  UsageLedger::Lease admit(const std::string& user, Resource resource, SparkRequest& request,
                           const Fill& fill = nullptr);

  /// The lease of what an earlier run of the host admitted.
  UsageLedger::Lease readmit(const std::string& user, Resource resource,
                             const SparkRequest& request);

  /// Judges by other rules from now on; what has been admitted stays.
  void replace(Options options);

  std::shared_ptr<const Templates> templates() const;

 private:
  struct Rules;
  std::shared_ptr<const Rules> rules() const;

  mutable std::mutex mutex_;
  std::shared_ptr<const Rules> rules_;
  UsageLedger ledger_;
};

}  // namespace hearth::host
