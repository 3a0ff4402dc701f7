#include "app/PluginSettings.h"

namespace hearth::host {

CallWatch::Options watchOptions(const Settings& settings) {
  CallWatch::Options options;
  options.limit = settings.duration("plugins.call_limit");
  options.most = static_cast<std::size_t>(settings.number("plugins.hanging"));
  return options;
}

PluginCrashes::Options crashOptions(const Settings& settings) {
  PluginCrashes::Options options;
  options.limit = static_cast<int>(settings.number("plugins.crash_limit"));
  options.window = settings.duration("plugins.crash_window");
  return options;
}

}  // namespace hearth::host
