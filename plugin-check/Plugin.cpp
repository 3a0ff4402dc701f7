#include "Plugin.h"

#include <dlfcn.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <cstddef>
#include <cstring>
#include <map>
#include <memory>

namespace hearth::check {

namespace json = boost::json;

const RequiredSlot requiredSlots[7] = {
    {"create", offsetof(hearth_plugin, create)},   {"destroy", offsetof(hearth_plugin, destroy)},
    {"open", offsetof(hearth_plugin, open)},       {"launch", offsetof(hearth_plugin, launch)},
    {"execute", offsetof(hearth_plugin, execute)}, {"close", offsetof(hearth_plugin, close)},
    {"release", offsetof(hearth_plugin, release)},
};

bool isTableSize(std::uint32_t size) {
  constexpr std::uint32_t longest = 64 * 1024;
  return size >= offsetof(hearth_plugin, extension) && size <= longest && size % sizeof(void*) == 0;
}

const Plugin& Plugin::of(const Subject& subject) {
  static std::map<std::filesystem::path, std::unique_ptr<const Plugin>> loaded;
  auto& plugin = loaded[subject.file];
  if (!plugin) plugin.reset(new Plugin(subject));
  return *plugin;
}

Plugin::Plugin(const Subject& subject) {
  void* library = ::dlopen(subject.file.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (library == nullptr) throw Skipped(std::string("the loader refuses it: ") + ::dlerror());
  entry_ = reinterpret_cast<Entry>(::dlsym(library, "hearth_plugin_v1"));
  if (entry_ == nullptr) throw Skipped("it exports no hearth_plugin_v1");
  given_ = entry_();
  if (given_ == nullptr || !isTableSize(given_->struct_size)) return;
  std::memcpy(&table_, given_, std::min<std::size_t>(given_->struct_size, sizeof table_));
  table_.struct_size = sizeof table_;
  whole_ = true;
  for (const RequiredSlot& slot : requiredSlots) {
    void* function = nullptr;
    std::memcpy(&function, reinterpret_cast<const char*>(&table_) + slot.offset, sizeof function);
    whole_ = whole_ && function != nullptr;
  }
}

const hearth_plugin& Plugin::table() const {
  if (!whole_) throw Skipped("its table is not whole (group tables)");
  return table_;
}

const host::Descriptor& Plugin::descriptor() const {
  static std::map<const Plugin*, host::Descriptor> parsed;
  const auto found = parsed.find(this);
  if (found != parsed.end()) return found->second;
  try {
    if (table().descriptor_json == nullptr) throw Skipped("its descriptor is null (group tables)");
    return parsed[this] = host::Descriptor::parse(table().descriptor_json);
  } catch (const host::DescriptorError& error) {
    throw Skipped(std::string("its descriptor breaks a rule: ") + error.what());
  }
}

std::string Plugin::configJson(const Subject& subject) const {
  json::object config = descriptor().mergeConfig(subject.quirks.config);
  config["plugin_dir"] = subject.file.parent_path().string();
  return json::serialize(config);
}

std::string Plugin::kind(const Subject& subject) const {
  return subject.quirks.kind.empty() ? descriptor().kinds.front() : subject.quirks.kind;
}

std::string Plugin::optionsJson(const Subject& subject, const std::string& folder) const {
  json::object options;
  options["dir"] = folder;
  options["name"] = "plugin-check";
  options["prepare"] = true;
  if (descriptor().leader.empty()) options["tag"] = "hearth-plugin-check";
  if (!subject.quirks.parameter.empty()) options["parameter"] = subject.quirks.parameter;
  options["request"] = subject.quirks.request;
  return json::serialize(options);
}

}  // namespace hearth::check
