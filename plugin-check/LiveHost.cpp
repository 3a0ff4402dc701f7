#include "LiveHost.h"

#include <stdexcept>
#include <utility>

namespace hearth::check {

namespace {

constexpr unsigned threads = 2;

host::LinkOptions linkOptions(const std::filesystem::path& folder) {
  host::LinkOptions options;
  options.socket = (folder / "link.sock").string();
  options.tls.host = "127.0.0.1";
  return options;
}

// The host gives its table to plugins only: this one takes it and does nothing.
const hearth_host* taken = nullptr;
hearth_status take(const hearth_host* host, hearth_str, hearth_instance** out, hearth_error*) {
  static char instance;
  taken = host;
  *out = reinterpret_cast<hearth_instance*>(&instance);
  return HEARTH_OK;
}

const hearth_plugin& taker() {
  static const hearth_plugin table = [] {
    hearth_plugin made{};
    made.struct_size = sizeof made;
    made.create = take;
    made.destroy = [](hearth_instance*) {};
    return made;
  }();
  return table;
}

}  // namespace

LiveHost::LiveHost(const std::filesystem::path& folder)
    : folder_(folder),
      loop_("check", threads),
      launcher_(loop_),
      links_(loop_, linkOptions(folder)),
      catalog_(folder / "no-plugins", folder / "no-manifests") {
  host::CatalogEntry entry;
  entry.instance = "plugin-check";
  entry.loaded = true;
  entry.configJson = "{}";
  entry.table = &taker();
  catalog_.entries().push_back(std::move(entry));
  plugins_ = std::make_unique<host::PluginHost>(catalog_, launcher_, links_);
  table_ = taken;
  if (table_ == nullptr) throw std::logic_error("the host made no instance");
}

void LiveHost::start() {
  if (!std::exchange(started_, true)) links_.start();
}

}  // namespace hearth::check
