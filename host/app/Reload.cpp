#include "app/Reload.h"

#include <exception>
#include <utility>

#include "app/PolicySettings.h"
#include "support/Log.h"

namespace hearth::host {

namespace {

bool isTaken(const std::string& key) {
  return key == "log.level" || key == "session.limit" || key.rfind("policy.", 0) == 0;
}

std::string joined(const std::string& all, const std::string& one) {
  return all.empty() ? one : all + ", " + one;
}

}  // namespace

Reload::Reload(Settings current, std::function<Settings()> load, Policy& policy,
               const PluginHost& plugins, SessionManager& sessions, std::string data)
    : current_(std::move(current)),
      load_(std::move(load)),
      policy_(policy),
      plugins_(plugins),
      sessions_(sessions),
      data_(std::move(data)) {}

void Reload::run() {
  const std::lock_guard<std::mutex> lock(mutex_);
  try {
    Settings fresh = load_();
    Policy::Options rules = policyOptions(fresh, *plugins_.catalog(), data_);
    setLogLevel(fresh.text("log.level"));
    policy_.replace(std::move(rules));
    sessions_.setLimits({static_cast<std::size_t>(fresh.number("session.limit"))});
    std::string taken, later;
    for (const SettingKey& key : Settings::keys()) {
      if (fresh.text(key.name) == current_.text(key.name)) continue;
      std::string& list = isTaken(key.name) ? taken : later;
      list = joined(list, key.name);
    }
    log().info("SIGHUP: the configuration was read again; changed: {}",
               taken.empty() ? "nothing" : taken);
    if (!later.empty()) log().warn("SIGHUP: these change at the next start: {}", later);
    // The others are still what the server was started with.
    for (const SettingKey& key : Settings::keys())
      if (isTaken(key.name))
        current_.set(key.name, fresh.text(key.name), fresh.value(key.name).origin);
  } catch (const std::exception& error) {
    log().error("SIGHUP: the configuration stays as it is: {}", error.what());
  }
}

void Reload::pluginsChanged() {
  const std::lock_guard<std::mutex> lock(mutex_);
  try {
    policy_.replace(policyOptions(current_, *plugins_.catalog(), data_));
  } catch (const std::exception& error) {
    log().error("plugins have changed; the policy does not take notice: {}", error.what());
  }
}

}  // namespace hearth::host
