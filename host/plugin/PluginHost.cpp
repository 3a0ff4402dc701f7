#include "plugin/PluginHost.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <string_view>

#include "plugin/InterpreterHandles.h"
#include "plugin/PluginCall.h"
#include "support/Log.h"
#include "support/Utf8.h"

namespace hearth::host {

namespace {

constexpr std::size_t maxBlob = 64 * 1024;
constexpr std::size_t longestLine = 64 * 1024;  // of the log

// Text from a plugin is made valid once, here, so that no reply of the host can carry bad UTF-8.
std::string text(const hearth_str& value) {
  if (value.len == 0 || value.ptr == nullptr) return {};
  return repairUtf8(std::string(value.ptr, value.len));
}

hearth_status fail(hearth_error* error, hearth_status code, std::string_view why) {
  if (error) {
    error->code = code;
    if (error->capacity > 0 && error->message) {
      const std::size_t length = std::min<std::size_t>(error->capacity - 1, why.size());
      std::memcpy(error->message, why.data(), length);
      error->message[length] = '\0';
    }
  }
  return code;
}

// No exception of the host may cross into a plugin that was built with another runtime.
template <typename Call>
hearth_status guarded(hearth_error* error, Call call) noexcept {
  try {
    return call();
  } catch (const PluginError& caught) {
    return fail(error, caught.code(), caught.what());
  } catch (const SpawnError& caught) {
    return fail(error, HEARTH_E_IO, caught.what());
  } catch (const std::logic_error& caught) {
    return fail(error, HEARTH_E_STATE, caught.what());
  } catch (const std::exception& caught) {
    return fail(error, HEARTH_E_INTERNAL, caught.what());
  } catch (...) {
    return fail(error, HEARTH_E_INTERNAL, "unknown failure in the host");
  }
}

hearth_status stale(PluginHost& host, hearth_error* error, const char* what) {
  host.misbehaves("a {} handle that is not valid any more", what);
  return fail(error, HEARTH_E_STALE, std::string("the ") + what + " handle is not valid any more");
}

PluginCall callOf(const CatalogEntry& entry, const char* slot) {
  PluginCall call;
  call.instance = entry.instance.c_str();
  call.version = entry.descriptor.version.c_str();
  call.path = entry.path.c_str();
  call.slot = slot;
  return call;
}

hearth_status createInstance(const CatalogEntry& entry, const hearth_host* table, hearth_str config,
                             PluginInstance& instance, hearth_error& error) {
  PluginCall call = callOf(entry, "create");
  call.takingUp = true;
  const PluginCallMark mark(call);
  return entry.table->create(table, config, &instance.self, &error);
}

}  // namespace

struct PluginHost::Calls {
  static PluginHost& host(void* ctx) { return *static_cast<PluginHost*>(ctx); }

  static std::shared_ptr<Interpreter> find(void* ctx, hearth_session_h session, const char* call) {
    auto found = host(ctx).interpreters_.find(session);
    if (!found) log().debug("plugin misbehaving: {} for a session that was released", call);
    return found;
  }

  static const void* extension(void*, const char*) noexcept { return nullptr; }

  static void logLine(void* ctx, hearth_session_h session, std::int32_t level,
                      hearth_str line) noexcept {
    guarded(nullptr, [&] {
      const hearth_str start{line.ptr, std::min<std::size_t>(line.len, longestLine)};
      std::string said = text(start);
      if (line.len > longestLine) said += " [hearth: cut here]";
      if (const auto found = session == 0 ? nullptr : host(ctx).interpreters_.find(session)) {
        found->logLine(level, std::move(said));
        return HEARTH_OK;
      }
      std::uint64_t missed = 0;
      if (!host(ctx).lines_.pass(missed)) return HEARTH_OK;
      if (missed > 0) log().warn("plugin: {} lines are missing here", missed);
      const auto severity = level >= HEARTH_LOG_ERROR  ? spdlog::level::err
                            : level == HEARTH_LOG_WARN ? spdlog::level::warn
                            : level == HEARTH_LOG_INFO ? spdlog::level::info
                                                       : spdlog::level::debug;
      log().log(severity, "plugin: {}", said);
      return HEARTH_OK;
    });
  }

  static void sessionState(void* ctx, hearth_session_h session, std::int32_t state,
                           hearth_str detail) noexcept {
    guarded(nullptr, [&] {
      if (auto found = find(ctx, session, "session_state")) found->postState(state, text(detail));
      return HEARTH_OK;
    });
  }

  static void stmtOutput(void* ctx, hearth_session_h session, std::uint64_t statement,
                         std::int32_t stream, hearth_str printed) noexcept {
    guarded(nullptr, [&] {
      if (auto found = find(ctx, session, "stmt_output"))
        found->postOutput(statement, stream == HEARTH_STDERR ? HEARTH_STDERR : HEARTH_STDOUT,
                          text(printed));
      return HEARTH_OK;
    });
  }

  static void stmtDisplay(void* ctx, hearth_session_h session, std::uint64_t statement,
                          hearth_str bundle) noexcept {
    guarded(nullptr, [&] {
      if (auto found = find(ctx, session, "stmt_display"))
        found->postDisplay(statement, text(bundle));
      return HEARTH_OK;
    });
  }

  static void stmtDisplayChange(void* ctx, hearth_session_h session, std::uint64_t statement,
                                std::uint64_t index, hearth_str bundle) noexcept {
    guarded(nullptr, [&] {
      if (auto found = find(ctx, session, "stmt_display_change"))
        found->postDisplayChange(statement, index, text(bundle));
      return HEARTH_OK;
    });
  }

  static void stmtProgress(void* ctx, hearth_session_h session, std::uint64_t statement,
                           double fraction) noexcept {
    guarded(nullptr, [&] {
      if (!(fraction >= 0)) fraction = 0;  // also for NaN
      if (auto found = find(ctx, session, "stmt_progress"))
        found->postProgress(statement, std::min(fraction, 1.0));
      return HEARTH_OK;
    });
  }

  static void stmtDone(void* ctx, hearth_session_h session, std::uint64_t statement,
                       std::int32_t outcome, hearth_str bundle) noexcept {
    guarded(nullptr, [&] {
      if (auto found = find(ctx, session, "stmt_done"))
        found->postDone(statement, outcome, text(bundle));
      return HEARTH_OK;
    });
  }

  static void reply(void* ctx, hearth_session_h session, std::uint64_t request,
                    hearth_status status, hearth_str json) noexcept {
    guarded(nullptr, [&] {
      if (auto found = find(ctx, session, "reply")) found->postReply(request, status, text(json));
      return HEARTH_OK;
    });
  }

  static hearth_status save(void* ctx, hearth_session_h session, hearth_str blob,
                            hearth_error* error) noexcept {
    return guarded(error, [&]() -> hearth_status {
      auto found = find(ctx, session, "save");
      if (!found) return stale(host(ctx), error, "session");
      if (blob.len > maxBlob) return fail(error, HEARTH_E_LIMIT, "a blob may have 64 KiB");
      found->postSave(std::string(blob.len == 0 ? "" : blob.ptr, blob.len));
      return HEARTH_OK;
    });
  }

  static hearth_status spawn(void* ctx, hearth_session_h session, const hearth_spawn* what,
                             hearth_proc_h* proc, hearth_error* error) noexcept {
    return guarded(error, [&]() -> hearth_status {
      auto found = find(ctx, session, "spawn");
      if (!found) return stale(host(ctx), error, "session");
      if (!what || !proc || what->argc == 0)
        return fail(error, HEARTH_E_INVALID, "spawn needs a program and a place for its handle");
      *proc = found->spawn(*what);
      return HEARTH_OK;
    });
  }

  static hearth_status procAdopt(void* ctx, hearth_session_h session, hearth_proc_h* proc,
                                 hearth_error* error) noexcept {
    return guarded(error, [&]() -> hearth_status {
      auto found = find(ctx, session, "proc_adopt");
      if (!found) return stale(host(ctx), error, "session");
      if (!proc) return fail(error, HEARTH_E_INVALID, "proc_adopt needs a place for the handle");
      *proc = found->adopt();
      if (*proc == 0) return fail(error, HEARTH_E_STATE, "the process has ended");
      return HEARTH_OK;
    });
  }

  static hearth_status procWrite(void* ctx, hearth_proc_h proc, hearth_str bytes,
                                 hearth_error* error) noexcept {
    return guarded(error, [&]() -> hearth_status {
      const auto found = host(ctx).procs_.find(proc);
      if (!found) return stale(host(ctx), error, "process");
      if (!found->process->write(std::string(bytes.len == 0 ? "" : bytes.ptr, bytes.len)))
        return fail(error, HEARTH_E_LIMIT, "stdin is closed or too much waits to be written");
      return HEARTH_OK;
    });
  }

  static hearth_status procSignal(void* ctx, hearth_proc_h proc, std::int32_t signo,
                                  hearth_error* error) noexcept {
    return guarded(error, [&]() -> hearth_status {
      const auto found = host(ctx).procs_.find(proc);
      if (!found) return stale(host(ctx), error, "process");
      if (!found->process->signal(signo))
        return fail(error, HEARTH_E_STATE, "the process has ended");
      return HEARTH_OK;
    });
  }

  static std::uint64_t timer(void* ctx, hearth_session_h session, std::uint32_t ms) noexcept {
    std::uint64_t id = 0;
    guarded(nullptr, [&] {
      if (auto found = find(ctx, session, "timer")) id = found->startTimer(ms);
      return HEARTH_OK;
    });
    return id;
  }

  static hearth_status chanOffer(void* ctx, hearth_session_h session, hearth_str options,
                                 hearth_offer* offer, hearth_error* error) noexcept {
    return guarded(error, [&]() -> hearth_status {
      auto found = find(ctx, session, "chan_offer");
      if (!found) return stale(host(ctx), error, "session");
      if (!offer || offer->struct_size < sizeof(hearth_offer))
        return fail(error, HEARTH_E_INVALID, "chan_offer needs a hearth_offer with its size");
      found->offerChannel(text(options), *offer);
      return HEARTH_OK;
    });
  }

  static hearth_status chanJoin(void* ctx, hearth_session_h session, hearth_str openJson,
                                hearth_chan_h* chan, hearth_error* error) noexcept {
    return guarded(error, [&]() -> hearth_status {
      auto found = find(ctx, session, "chan_join");
      if (!found) return stale(host(ctx), error, "session");
      if (!chan) return fail(error, HEARTH_E_INVALID, "chan_join needs a place for its handle");
      *chan = found->joinChannel(text(openJson));
      return HEARTH_OK;
    });
  }

  static hearth_status chanSend(void* ctx, hearth_chan_h chan, const hearth_frame* frame,
                                hearth_error* error) noexcept {
    return guarded(error, [&]() -> hearth_status {
      const auto found = host(ctx).chans_.find(chan);
      if (!found) return stale(host(ctx), error, "channel");
      if (!frame) return fail(error, HEARTH_E_INVALID, "chan_send needs a frame");
      if (frame->payload.len > maxFramePayload)
        return fail(error, HEARTH_E_LIMIT, "a frame may have 64 MiB");
      if (!Interpreter::sendOn(*found, *frame))
        return fail(error, HEARTH_E_LIMIT, "too much waits to be sent to the session's driver");
      return HEARTH_OK;
    });
  }

  static void chanClose(void* ctx, hearth_chan_h chan) noexcept {
    guarded(nullptr, [&] {
      const auto found = host(ctx).chans_.find(chan);
      const auto interpreter = found ? found->interpreter.lock() : nullptr;
      if (interpreter) interpreter->closeChannel(chan);
      return HEARTH_OK;
    });
  }
};

PluginHost::PluginHost(PluginCatalog& catalog, Launcher& launcher, LinkServer& links)
    : catalog_(catalog), launcher_(launcher), links_(links), table_{} {
  table_.struct_size = sizeof table_;
  table_.abi_minor = HEARTH_ABI_MINOR;
  table_.ctx = this;
  table_.extension = &Calls::extension;
  table_.log = &Calls::logLine;
  table_.session_state = &Calls::sessionState;
  table_.stmt_output = &Calls::stmtOutput;
  table_.stmt_progress = &Calls::stmtProgress;
  table_.stmt_done = &Calls::stmtDone;
  table_.reply = &Calls::reply;
  table_.save = &Calls::save;
  table_.spawn = &Calls::spawn;
  table_.proc_write = &Calls::procWrite;
  table_.proc_signal = &Calls::procSignal;
  table_.timer = &Calls::timer;
  table_.chan_offer = &Calls::chanOffer;
  table_.chan_join = &Calls::chanJoin;
  table_.chan_send = &Calls::chanSend;
  table_.chan_close = &Calls::chanClose;
  table_.stmt_display = &Calls::stmtDisplay;
  table_.proc_adopt = &Calls::procAdopt;
  table_.stmt_display_change = &Calls::stmtDisplayChange;

  for (CatalogEntry& entry : catalog_.entries()) {
    if (!entry.loaded) {
      if (!entry.disabled) log().warn("plugin {} refused: {}", entry.path, entry.reason);
      continue;
    }
    char why[2048] = "";
    hearth_error error{HEARTH_OK, sizeof why, why};
    auto instance = std::make_unique<PluginInstance>();
    instance->entry = &entry;
    instance->table = entry.table;
    const hearth_str config{entry.configJson.data(), entry.configJson.size()};
    const hearth_status status = createInstance(entry, &table_, config, *instance, error);
    if (status != HEARTH_OK) {
      why[sizeof why - 1] = '\0';
      catalog_.refuse(entry,
                      std::string("create failed: ") +
                          (why[0] != '\0' ? repairUtf8(why) : "status " + std::to_string(status)));
      log().warn("plugin {} refused: {}", entry.path, entry.reason);
      continue;
    }
    log().info("plugin {} {} loaded from {}", entry.instance, entry.descriptor.version, entry.path);
    instances_.push_back(std::move(instance));
  }
}

PluginHost::~PluginHost() {
  for (const auto& instance : instances_) {
    const PluginCall call = callOf(*instance->entry, "destroy");
    const PluginCallMark mark(call);
    instance->table->destroy(instance->self);
  }
}

const PluginInstance* PluginHost::forKind(const std::string& kindOrAlias) const {
  const CatalogEntry* entry = catalog_.find(kindOrAlias);
  for (const auto& instance : instances_)
    if (instance->entry == entry) return instance.get();
  return nullptr;
}

std::string PluginHost::canonicalKind(const std::string& kindOrAlias) const {
  return catalog_.canonicalKind(kindOrAlias);
}

std::string PluginHost::descriptorKind(const std::string& kind) const {
  return catalog_.descriptorKind(kind);
}

std::vector<std::string> PluginHost::kinds() const {
  return catalog_.kinds();
}

}  // namespace hearth::host
