// The API of one cluster's manager, as far as followers need it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "cluster/ClusterFollower.h"

namespace hearth::host {

/// One application that the manager knows.
struct SeenApplication {
  ApplicationReport report;
  std::vector<std::string> tags;
  std::int64_t started = 0;  ///< by the manager's clock

  /// By the id or by the tag.
  bool is(const ApplicationKey& key) const;
};

/// Asks the manager; one question of a kind at a time. All on the strand it was made with.
class ClusterManager {
 public:
  /// `error` is empty, or why nothing was learned.
  using Listed = std::function<void(std::string error, std::vector<SeenApplication> seen)>;
  using Killed = std::function<void(std::string error)>;

  virtual ~ClusterManager() = default;
  virtual const std::string& name() const = 0;  ///< for people: "YARN"
  /// Whether an application with this key could be found at all.
  virtual bool findable(const ApplicationKey& key) const = 0;
  /// The applications with these keys, with as few requests as it takes; others may be among them.
  virtual void list(const std::vector<ApplicationKey>& keys, Listed done) = 0;
  /// Asks for the end of an application; that it has ended is seen in a list.
  virtual void kill(const std::string& applicationId, Killed done) = 0;
};

}  // namespace hearth::host
