#include "link/LinkRegistry.h"

#include <stdexcept>

#include "link/LinkCore.h"

namespace hearth::host {

void LinkRegistry::enter(const std::string& session, const std::shared_ptr<LinkCore>& core) {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::weak_ptr<LinkCore>& entry = cores_[session];
  if (!entry.expired()) throw std::logic_error("session " + session + " has a link already");
  entry = core;
}

void LinkRegistry::forget(const std::string& session, const LinkCore* core) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = cores_.find(session);
  if (found == cores_.end()) return;
  const std::shared_ptr<LinkCore> entered = found->second.lock();
  if (!entered || entered.get() == core) cores_.erase(found);
}

std::shared_ptr<LinkCore> LinkRegistry::find(const std::string& session) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = cores_.find(session);
  return found == cores_.end() ? nullptr : found->second.lock();
}

}  // namespace hearth::host
