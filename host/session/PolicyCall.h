// Sessions' and batches' way to the policy.
#pragma once

#include <string>
#include <type_traits>

#include "policy/Policy.h"
#include "policy/PolicyRefusal.h"
#include "session/Refusal.h"

namespace hearth::host {

namespace policy_call {

// The fields that not all requests have.
template <typename Request, typename = void>
struct HasKind : std::false_type {};
template <typename Request>
struct HasKind<Request, std::void_t<decltype(Request::kind)>> : std::true_type {};
template <typename Request, typename = void>
struct HasTemplate : std::false_type {};
template <typename Request>
struct HasTemplate<Request, std::void_t<decltype(Request::templateName)>> : std::true_type {};
template <typename Request, typename = void>
struct HasFile : std::false_type {};
template <typename Request>
struct HasFile<Request, std::void_t<decltype(Request::file)>> : std::true_type {};
template <typename Request, typename = void>
struct HasEnvironment : std::false_type {};
template <typename Request>
struct HasEnvironment<Request, std::void_t<decltype(Request::env), decltype(Request::pythonPath)>>
    : std::true_type {};

/// Hands every field that both have to `move(of one, of the other)`.
template <typename One, typename Other, typename Move>
void eachField(One& one, Other& other, Move move) {
  using Request = std::remove_const_t<One>;
  move(one.jars, other.jars);
  move(one.pyFiles, other.pyFiles);
  move(one.files, other.files);
  move(one.archives, other.archives);
  move(one.driverMemory, other.driverMemory);
  move(one.executorMemory, other.executorMemory);
  move(one.driverCores, other.driverCores);
  move(one.executorCores, other.executorCores);
  move(one.numExecutors, other.numExecutors);
  move(one.queue, other.queue);
  move(one.conf, other.conf);
  if constexpr (HasKind<Request>::value) move(one.kind, other.kind);
  if constexpr (HasTemplate<Request>::value) move(one.templateName, other.templateName);
  if constexpr (HasFile<Request>::value) move(one.file, other.file);
  if constexpr (HasEnvironment<Request>::value) {
    move(one.env, other.env);
    move(one.pythonPath, other.pythonPath);
  }
}

template <typename Request>
SparkRequest sparkRequest(const Request& request) {
  SparkRequest spark;
  eachField(request, spark, [](const auto& from, auto& to) { to = from; });
  return spark;
}

}  // namespace policy_call

/// Policy::admit for a request of either kind, which becomes the one to be carried out. Throws
/// Refusal; then the request is as it was.
template <typename Request>
UsageLedger::Lease applyPolicy(Policy& policy, const std::string& user, Resource resource,
                               Request& request, const Policy::Fill& fill = nullptr) {
  try {
    SparkRequest spark = policy_call::sparkRequest(request);
    UsageLedger::Lease lease = policy.admit(user, resource, spark, fill);
    policy_call::eachField(request, spark, [](auto& to, auto& from) { to = std::move(from); });
    return lease;
  } catch (const PolicyRefusal& refusal) {
    throw Refusal(refusal.cause() == PolicyRefusal::Cause::limit ? Refusal::Cause::limit
                                                                 : Refusal::Cause::policy,
                  refusal.what());
  }
}

/// The lease of a request that an earlier run of the host admitted.
template <typename Request>
UsageLedger::Lease policyLease(Policy& policy, const std::string& user, Resource resource,
                               const Request& request) {
  return policy.readmit(user, resource, policy_call::sparkRequest(request));
}

}  // namespace hearth::host
