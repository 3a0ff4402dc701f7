#include "LiveHost.h"

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

}  // namespace

LiveHost::LiveHost(const std::filesystem::path& folder)
    : folder_(folder),
      loop_("check", threads),
      launcher_(loop_),
      links_(loop_, linkOptions(folder)),
      plugins_({folder / "no-plugins", folder / "no-manifests", {}}, launcher_, links_) {}

void LiveHost::start() {
  if (!std::exchange(started_, true)) links_.start();
}

}  // namespace hearth::check
