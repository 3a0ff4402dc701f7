#include "plugin/PluginRegistry.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <future>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plugin/LimitedCall.h"
#include "plugin/PluginCall.h"
#include "support/Log.h"
#include "support/Utf8.h"

namespace hearth::host {

namespace {

/// Sessions of the run before end where their plugin is not there: it has more time then.
constexpr int patienceAtStart = 12;

PluginCall callOf(const CatalogEntry& entry, const char* slot) {
  PluginCall call;
  call.instance = entry.instance.c_str();
  call.version = entry.descriptor.version.c_str();
  call.path = entry.path.c_str();
  call.slot = slot;
  return call;
}

}  // namespace

/// An instance in the making.
struct PluginRegistry::Creation {
  Creation(const CatalogEntry& of, const hearth_host& host)
      : entry(std::make_shared<const CatalogEntry>(of)), table(host) {}

  void run() {
    PluginCall call = callOf(*entry, "create");
    call.takingUp = true;
    const PluginCallMark mark(call);
    const hearth_str config{entry->configJson.data(), entry->configJson.size()};
    hearth_error error{HEARTH_OK, sizeof why, why};
    try {
      status = entry->table->create(&table, config, &self, &error);
    } catch (...) {
      status = HEARTH_E_INTERNAL;
      std::snprintf(why, sizeof why, "an exception has left it");
    }
  }

  /// Of one that has returned. Throws LoadError.
  std::unique_ptr<PluginInstance> take() {
    if (status != HEARTH_OK) {
      why[sizeof why - 1] = '\0';
      throw LoadError("create failed: " +
                      (why[0] != '\0' ? repairUtf8(why) : "status " + std::to_string(status)));
    }
    auto made = std::make_unique<PluginInstance>();
    made->entry = entry;
    made->table = entry->table;
    made->self = self;
    return made;
  }

  const std::shared_ptr<const CatalogEntry> entry;
  const hearth_host& table;
  hearth_instance* self = nullptr;
  hearth_status status = HEARTH_OK;
  char why[2048] = "";
  std::optional<LimitedCall> call;
};

/// Instances that are to be destroyed, and what is told to the registry's thread from others.
/// Outlives the registry where somebody holds an instance for longer; then nobody destroys it.
struct PluginRegistry::Ends : std::enable_shared_from_this<Ends> {
  explicit Ends(std::chrono::milliseconds limit) : limit(limit) {}

  const std::chrono::milliseconds limit;
  std::mutex mutex;
  std::vector<std::unique_ptr<PluginInstance>> due;
  std::optional<EventLoop::Strand> strand;  // while somebody serves it
  std::function<void()> lookAgain;
  bool created = false;  // late, and nobody was there to be told

  std::atomic<int> overdue{0};  // destroys that are not waited for

  void add(PluginInstance* instance) {
    const std::lock_guard<std::mutex> lock(mutex);
    due.emplace_back(instance);
    if (strand) EventLoop::post(*strand, [self = shared_from_this()] { self->run(); });
  }

  void createdLate() {
    const std::lock_guard<std::mutex> lock(mutex);
    created = true;
    if (strand) EventLoop::post(*strand, lookAgain);
  }

  void run() {
    std::vector<std::unique_ptr<PluginInstance>> now;
    {
      const std::lock_guard<std::mutex> lock(mutex);
      now.swap(due);
    }
    for (auto& instance : now) destroy(std::move(instance));
  }

  void destroy(std::shared_ptr<PluginInstance> instance) {
    const CatalogEntry& entry = *instance->entry;
    const LimitedCall call([instance] {
      const PluginCall mine = callOf(*instance->entry, "destroy");
      const PluginCallMark mark(mine);
      instance->table->destroy(instance->self);
    });
    if (call.wait(limit)) {
      log().info("plugin {} {} of {} is gone: nobody uses it any more", entry.instance,
                 entry.descriptor.version, entry.path);
      return;
    }
    log().error("plugin {} {} of {} does not return from destroy: it is not waited for",
                entry.instance, entry.descriptor.version, entry.path);
    ++overdue;
    call.afterwards([self = shared_from_this(), instance] {
      log().warn("plugin {} has returned from destroy", instance->entry->instance);
      --self->overdue;
    });
  }
};

PluginRegistry::PluginRegistry(PluginFolders folders, const hearth_host& table)
    : folders_(std::move(folders)),
      table_(table),
      ends_(std::make_shared<Ends>(folders_.callLimit)) {
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
  const std::lock_guard<std::mutex> lock(ends_->mutex);
  ends_->strand = strand;
  ends_->lookAgain = [this] { look(true); };
  EventLoop::post(strand, [this] { watch_->start(); });
  if (ends_->created) EventLoop::post(strand, ends_->lookAgain);
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
  return ends_->overdue == 0 &&
         std::all_of(overdue_.begin(), overdue_.end(),
                     [](const auto& creation) { return creation->call->returned(); });
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
  dropUnwanted(*now);
  if (now->libraryFolders() != covered) cover(now->libraryFolders());
  if (changed && changed_) changed_();
}

PluginInstancePtr PluginRegistry::own(std::unique_ptr<PluginInstance> instance) const {
  return PluginInstancePtr(instance.release(),
                           [ends = ends_](PluginInstance* gone) { ends->add(gone); });
}

PluginInstancePtr PluginRegistry::create(const CatalogEntry& entry) {
  const auto late = std::find_if(overdue_.begin(), overdue_.end(), [&](const auto& creation) {
    return creation->entry->isSameInstance(entry);
  });
  std::shared_ptr<Creation> creation;
  const bool begun = late != overdue_.end();
  if (begun) {
    creation = *late;
    overdue_.erase(late);
  } else {
    creation = begin(entry);
  }
  if (creation->call->returned()) return own(creation->take());
  overdue_.push_back(creation);
  if (!begun) creation->call->afterwards([ends = ends_] { ends->createdLate(); });
  throw LoadError("create does not return: it is served as soon as it has");
}

/// A new one, which has had its time.
std::shared_ptr<PluginRegistry::Creation> PluginRegistry::begin(const CatalogEntry& entry) {
  auto creation = std::make_shared<Creation>(entry, table_);
  creation->call.emplace([creation] { creation->run(); });
  if (!creation->call->wait(folders_.callLimit) && !catalog()) {
    log().warn("plugin {} has not returned from create yet: the start waits for it",
               entry.instance);
    creation->call->wait(folders_.callLimit * (patienceAtStart - 1));
  }
  return creation;
}

/// Those that were created late and that no entry is for any more.
void PluginRegistry::dropUnwanted(const PluginCatalog& now) {
  const auto unwanted = std::partition(overdue_.begin(), overdue_.end(), [&](const auto& creation) {
    const auto& all = now.entries();
    return !creation->call->returned() ||
           std::any_of(all.begin(), all.end(), [&](const CatalogEntry& entry) {
             return entry.createFailed && entry.isSameInstance(*creation->entry);
           });
  });
  for (auto one = unwanted; one != overdue_.end(); ++one)
    if ((*one)->status == HEARTH_OK) own((*one)->take()).reset();
  overdue_.erase(unwanted, overdue_.end());
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
