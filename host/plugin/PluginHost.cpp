#include "plugin/PluginHost.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <string_view>
#include <utility>

#include "plugin/InterpreterHandles.h"
#include "plugin/PluginLogLevel.h"
#include "support/Log.h"
#include "support/Utf8.h"

namespace hearth::host {

namespace {

constexpr std::size_t maxBlob = 64 * 1024;
constexpr std::size_t longestLine = 64 * 1024;  // of the log

// Lengths as of ABI 1.0, which a plugin's structures have at least, also where later ones are
// longer.
constexpr std::size_t spawnSize = offsetof(hearth_spawn, cwd) + sizeof(hearth_str);
constexpr std::size_t offerSize =
    offsetof(hearth_offer, link_file) + sizeof(hearth_offer::link_file);

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
      log().line(pluginLogLevel(level), "plugin: {}", said);
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
      if (!what || !proc || what->struct_size < spawnSize || what->argc == 0)
        return fail(
            error, HEARTH_E_INVALID,
            "spawn needs a hearth_spawn with its size and a program, and a place for its handle");
      if ((what->flags & ~std::uint32_t{HEARTH_SPAWN_LINES | HEARTH_SPAWN_PROTOCOL}) != 0)
        return fail(error, HEARTH_E_UNSUPPORTED, "this host does not know all of spawn's flags");
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
      if (!offer || offer->struct_size < offerSize)
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

hearth_host PluginHost::makeTable() {
  hearth_host table{};
  table.struct_size = sizeof table_;
  table.abi_minor = HEARTH_ABI_MINOR;
  table.ctx = this;
  table.extension = &Calls::extension;
  table.log = &Calls::logLine;
  table.session_state = &Calls::sessionState;
  table.stmt_output = &Calls::stmtOutput;
  table.stmt_progress = &Calls::stmtProgress;
  table.stmt_done = &Calls::stmtDone;
  table.reply = &Calls::reply;
  table.save = &Calls::save;
  table.spawn = &Calls::spawn;
  table.proc_write = &Calls::procWrite;
  table.proc_signal = &Calls::procSignal;
  table.timer = &Calls::timer;
  table.chan_offer = &Calls::chanOffer;
  table.chan_join = &Calls::chanJoin;
  table.chan_send = &Calls::chanSend;
  table.chan_close = &Calls::chanClose;
  table.stmt_display = &Calls::stmtDisplay;
  table.proc_adopt = &Calls::procAdopt;
  table.stmt_display_change = &Calls::stmtDisplayChange;
  return table;
}

PluginHost::PluginHost(PluginFolders folders, Launcher& launcher, LinkServer& links)
    : launcher_(launcher),
      links_(links),
      table_(makeTable()),
      registry_(std::move(folders), table_) {}

PluginInstancePtr PluginHost::forKind(const std::string& kindOrAlias) const {
  const auto now = catalog();
  const CatalogEntry* const entry = now->find(kindOrAlias);
  return entry == nullptr ? nullptr : entry->live;
}

namespace {

struct Held {
  Held(PluginInstancePtr of, InstanceLedger::Lease part)
      : instance(std::move(of)), lease(std::move(part)) {
    ++instance->sessions;
  }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  ~Held() { --instance->sessions; }

  const PluginInstancePtr instance;
  const InstanceLedger::Lease lease;
};

}  // namespace

PluginHost::Hold PluginHost::hold(const PluginInstancePtr& instance, const std::string& user) {
  // The limits of today: the instance may be older than its manifest.
  const std::string& name = instance->entry->instance;
  const InstanceRules* rules = &instance->entry->rules;
  const auto now = catalog();
  for (const CatalogEntry& entry : now->entries())
    if (entry.loaded && entry.instance == name) rules = &entry.rules;
  return std::make_shared<Held>(instance, ledger_.take(name, user, *rules));
}

PluginHost::Hold PluginHost::holdAnyway(const PluginInstancePtr& instance,
                                        const std::string& user) {
  return std::make_shared<Held>(instance, ledger_.occupy(instance->entry->instance, user));
}

}  // namespace hearth::host
