#include "plugin/PluginRegistry.h"

#include <algorithm>
#include <future>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plugin/PluginCall.h"
#include "support/Log.h"
#include "support/Utf8.h"

namespace hearth::host {

namespace {

PluginCall callOf(const CatalogEntry& entry, const char* slot) {
  PluginCall call;
  call.instance = entry.instance.c_str();
  call.version = entry.descriptor.version.c_str();
  call.path = entry.path.c_str();
  call.slot = slot;
  return call;
}

}  // namespace

/// Instances that are to be destroyed. Outlives the registry where somebody holds one for longer;
/// then nobody destroys it.
struct PluginRegistry::Ends : std::enable_shared_from_this<Ends> {
  std::mutex mutex;
  std::vector<std::unique_ptr<PluginInstance>> due;
  std::optional<EventLoop::Strand> strand;

  void add(PluginInstance* instance) {
    const std::lock_guard<std::mutex> lock(mutex);
    due.emplace_back(instance);
    if (strand) EventLoop::post(*strand, [self = shared_from_this()] { self->run(); });
  }

  void run() {
    std::vector<std::unique_ptr<PluginInstance>> now;
    {
      const std::lock_guard<std::mutex> lock(mutex);
      now.swap(due);
    }
    for (const auto& instance : now) {
      {
        const PluginCall call = callOf(*instance->entry, "destroy");
        const PluginCallMark mark(call);
        instance->table->destroy(instance->self);
      }
      log().info("plugin {} {} of {} is gone: nobody uses it any more", instance->entry->instance,
                 instance->entry->descriptor.version, instance->entry->path);
    }
  }
};

PluginRegistry::PluginRegistry(PluginFolders folders, const hearth_host& table)
    : folders_(std::move(folders)), table_(table), ends_(std::make_shared<Ends>()) {
  loop_ = std::make_unique<EventLoop>("hearth-plugins", 1);
  watch_ = std::make_unique<PluginWatch>(*loop_, [this] { look(false); });
  look(false);
}

PluginRegistry::~PluginRegistry() {
  loop_->stop();
  {
    const std::lock_guard<std::mutex> lock(ends_->mutex);
    ends_->strand.reset();
  }
  catalog_.reset();
  ends_->run();
}

std::shared_ptr<const PluginCatalog> PluginRegistry::catalog() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return catalog_;
}

void PluginRegistry::watch(std::function<void()> changed) {
  changed_ = std::move(changed);
  const EventLoop::Strand strand = loop_->strand();
  {
    const std::lock_guard<std::mutex> lock(ends_->mutex);
    ends_->strand = strand;
  }
  EventLoop::post(strand, [this] { watch_->start(); });
}

void PluginRegistry::lookAgain() {
  EventLoop::post(loop_->strand(), [this] {
    watch_->forgetUnfinished();
    look(true);
  });
}

bool PluginRegistry::stop(std::chrono::milliseconds time) {
  const auto reached = std::make_shared<std::promise<void>>();
  EventLoop::post(loop_->strand(), [reached] { reached->set_value(); });
  if (reached->get_future().wait_for(time) != std::future_status::ready) return false;
  loop_->stop();
  return true;
}

void PluginRegistry::look(bool again) {
  const std::shared_ptr<const PluginCatalog> before = catalog();
  CatalogLook how;
  how.before = before.get();
  how.create = [this](const CatalogEntry& entry) { return create(entry); };
  how.again = again;
  how.crashes = folders_.crashes;
  // First, so that nothing falls in between.
  const auto covered = before ? before->libraryFolders() : std::set<std::filesystem::path>();
  const auto cover = [this](std::set<std::filesystem::path> folders) {
    folders.insert(folders_.manifests);
    watch_->cover(folders_.plugins, folders);
  };
  cover(covered);
  how.isUnfinished = [this](const std::filesystem::path& file) {
    return watch_->isUnfinished(file);
  };
  const auto now = std::make_shared<const PluginCatalog>(folders_.plugins, folders_.manifests,
                                                         folders_.fallbacks, how);
  const bool changed = tell(before.get(), *now);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    catalog_ = now;
  }
  if (now->libraryFolders() != covered) cover(now->libraryFolders());
  if (changed && changed_) changed_();
}

PluginInstancePtr PluginRegistry::create(const CatalogEntry& entry) {
  char why[2048] = "";
  hearth_error error{HEARTH_OK, sizeof why, why};
  auto made = std::make_unique<PluginInstance>();
  made->entry = std::make_shared<const CatalogEntry>(entry);
  made->table = entry.table;
  const hearth_str config{entry.configJson.data(), entry.configJson.size()};
  const hearth_status status = [&] {
    PluginCall call = callOf(entry, "create");
    call.takingUp = true;
    const PluginCallMark mark(call);
    return entry.table->create(&table_, config, &made->self, &error);
  }();
  if (status != HEARTH_OK) {
    why[sizeof why - 1] = '\0';
    throw LoadError("create failed: " +
                    (why[0] != '\0' ? repairUtf8(why) : "status " + std::to_string(status)));
  }
  return PluginInstancePtr(made.release(),
                           [ends = ends_](PluginInstance* instance) { ends->add(instance); });
}

/// Logs what is new; whether there is anything.
bool PluginRegistry::tell(const PluginCatalog* before, const PluginCatalog& now) {
  const auto wasSo = [&](const CatalogEntry& entry) {
    if (before == nullptr) return false;
    const auto& all = before->entries();
    return std::any_of(all.begin(), all.end(), [&](const CatalogEntry& was) {
      return was.source == entry.source && std::string_view(was.state()) == entry.state() &&
             was.reason == entry.reason && was.live == entry.live &&
             was.rules.defaultsJson == entry.rules.defaultsJson &&
             was.rules.limitsJson == entry.rules.limitsJson;
    });
  };
  bool changed = before != nullptr && before->entries().size() != now.entries().size();
  for (const CatalogEntry& entry : now.entries()) {
    if (wasSo(entry)) continue;
    changed = true;
    if (entry.loaded)
      log().info("plugin {} {} loaded from {}", entry.instance, entry.descriptor.version,
                 entry.path);
    else if (entry.retiring)
      log().info("plugin {} {} takes no new sessions: {}", entry.instance, entry.descriptor.version,
                 entry.reason);
    else if (!entry.disabled)
      log().warn("plugin {} refused: {}", entry.path, entry.reason);
    else if (before != nullptr)
      log().info("plugin {} is {}", entry.instance, entry.reason);
  }
  return changed;
}

}  // namespace hearth::host
