// A plugin with one configuration, created.
#pragma once

#include <hearth/plugin.h>

#include <atomic>
#include <cstdint>
#include <memory>

#include "plugin/PluginCatalog.h"

namespace hearth::host {

/// Whoever holds it keeps it from being destroyed; it is, on the plugins' own thread, when nobody
/// holds it any more. Any thread.
struct PluginInstance {
  std::shared_ptr<const CatalogEntry> entry;  ///< as it was when the instance was made
  const hearth_plugin* table = nullptr;
  hearth_instance* self = nullptr;
  mutable std::atomic<std::int64_t> sessions{0};
};

using PluginInstancePtr = std::shared_ptr<const PluginInstance>;

}  // namespace hearth::host
