// The half of the border that the plugin calls: the host's table.
#include <boost/json/parse.hpp>
#include <cstddef>

#include "BorderParts.h"
#include "support/Utf8.h"

namespace hearth::check {

namespace {

std::string copy(hearth_str text) {
  return text.len == 0 || text.ptr == nullptr ? std::string() : std::string(text.ptr, text.len);
}

std::string shown(const std::string& text) {
  constexpr std::size_t most = 80;
  return '"' + host::repairUtf8(text.size() <= most ? text : text.substr(0, most) + "...") + '"';
}

hearth_status stale(hearth_error* err) {
  if (err != nullptr) {
    err->code = HEARTH_E_STALE;
    if (err->capacity > 0) err->message[0] = '\0';
  }
  return HEARTH_E_STALE;
}

}  // namespace

bool isUtf8(const std::string& text) {
  return host::repairUtf8(text) == text;
}

bool isObject(const std::string& json) {
  boost::system::error_code error;
  const auto value = boost::json::parse(json, error);
  return !error && value.is_object();
}

struct Border::HostCalls {
  static Instance& at(void* ctx) { return *static_cast<Instance*>(ctx); }
  static const hearth_host& real(void* ctx) { return at(ctx).real; }
  static Faults& faults(void* ctx) { return at(ctx).border.faults_; }

  static bool isLate(void* ctx, const char* call) {
    Instance& instance = at(ctx);
    const std::lock_guard<std::mutex> lock(instance.mutex);
    if (instance.destroyed)
      faults(ctx).add(Rule::lateCall, std::string("it called ") + call + " after destroy");
    return instance.destroyed;
  }

  /// Null where the call must not go on.
  static std::shared_ptr<Session> enter(void* ctx, hearth_session_h handle, const char* call) {
    if (isLate(ctx, call)) return nullptr;
    const auto session = at(ctx).find(handle);
    if (!session) {
      faults(ctx).add(Rule::handle, std::string("it called ") + call + " for session handle " +
                                        std::to_string(handle) + ", which it was never given");
      return nullptr;
    }
    const std::lock_guard<std::mutex> lock(session->mutex);
    if (!session->released) return session;
    faults(ctx).add(Rule::lateCall,
                    std::string("it called ") + call + " for a session after its release");
    return nullptr;
  }

  static std::shared_ptr<Session> enterOnSession(void* ctx, hearth_session_h handle,
                                                 const char* call) {
    const auto session = enter(ctx, handle, call);
    if (!session) return nullptr;
    const Call* now = Call::current();
    if (now == nullptr || now->session() != session.get())
      faults(ctx).add(Rule::thread,
                      std::string("it called ") + call + ", which is [session], " +
                          (now == nullptr ? "from a thread that the host did not call on"
                                          : "in a call that is for another session"));
    return session;
  }

  static bool handleCall(void* ctx, const char* call) {
    if (isLate(ctx, call)) return false;
    if (Call::current() == nullptr)
      faults(ctx).add(Rule::thread, std::string("it called ") + call +
                                        ", which is [session], from a thread that the host did "
                                        "not call on");
    return true;
  }

  static void holdText(void* ctx, const std::string& text, const char* what) {
    if (!isUtf8(text))
      faults(ctx).add(Rule::text, std::string(what) + " is not UTF-8: " + shown(text));
  }
  static void holdObject(void* ctx, const std::string& json, const char* what) {
    holdText(ctx, json, what);
    if (!isObject(json))
      faults(ctx).add(Rule::bundle, std::string(what) + " is no JSON object: " + shown(json));
  }

  static bool isRunning(void* ctx, Session& session, std::uint64_t statement, const char* call) {
    const std::lock_guard<std::mutex> lock(session.mutex);
    const auto found = session.statements.find(statement);
    if (found != session.statements.end() && found->second.open) return true;
    if (session.takenUp && found == session.statements.end()) return true;
    faults(ctx).add(Rule::outputOrder,
                    std::string("it called ") + call + " for statement " +
                        std::to_string(statement) +
                        (found == session.statements.end() ? ", which was never given to it"
                                                           : " after its stmt_done"));
    return false;
  }

  static const void* extension(void* ctx, const char* id) {
    return isLate(ctx, "extension") ? nullptr : real(ctx).extension(real(ctx).ctx, id);
  }

  static void log(void* ctx, hearth_session_h handle, std::int32_t level, hearth_str line) {
    if (handle == 0 ? isLate(ctx, "log") : !enter(ctx, handle, "log")) return;
    holdText(ctx, copy(line), "a line of log");
    real(ctx).log(real(ctx).ctx, handle, level, line);
  }

  static void sessionState(void* ctx, hearth_session_h handle, std::int32_t state,
                           hearth_str detail) {
    if (!enter(ctx, handle, "session_state")) return;
    const std::string json = copy(detail);
    if (!json.empty()) holdObject(ctx, json, "the detail of session_state");
    if (state < HEARTH_IDLE || state > HEARTH_WAITING)
      faults(ctx).add(Rule::value,
                      "it reported the state " + std::to_string(state) + ", which is none");
    real(ctx).session_state(real(ctx).ctx, handle, state, detail);
  }

  static void stmtOutput(void* ctx, hearth_session_h handle, std::uint64_t statement,
                         std::int32_t stream, hearth_str text) {
    const auto session = enter(ctx, handle, "stmt_output");
    if (!session) return;
    isRunning(ctx, *session, statement, "stmt_output");
    holdText(ctx, copy(text), "what stmt_output got");
    if (stream != HEARTH_STDOUT && stream != HEARTH_STDERR)
      faults(ctx).add(Rule::value, "stmt_output got the stream " + std::to_string(stream));
    real(ctx).stmt_output(real(ctx).ctx, handle, statement, stream, text);
  }

  static void stmtDisplay(void* ctx, hearth_session_h handle, std::uint64_t statement,
                          hearth_str bundle) {
    const auto session = enter(ctx, handle, "stmt_display");
    if (!session) return;
    isRunning(ctx, *session, statement, "stmt_display");
    holdObject(ctx, copy(bundle), "the bundle of stmt_display");
    real(ctx).stmt_display(real(ctx).ctx, handle, statement, bundle);
  }

  static void stmtDisplayChange(void* ctx, hearth_session_h handle, std::uint64_t statement,
                                std::uint64_t index, hearth_str bundle) {
    const auto session = enter(ctx, handle, "stmt_display_change");
    if (!session) return;
    isRunning(ctx, *session, statement, "stmt_display_change");
    holdObject(ctx, copy(bundle), "the bundle of stmt_display_change");
    real(ctx).stmt_display_change(real(ctx).ctx, handle, statement, index, bundle);
  }

  static void stmtProgress(void* ctx, hearth_session_h handle, std::uint64_t statement,
                           double fraction) {
    const auto session = enter(ctx, handle, "stmt_progress");
    if (!session) return;
    isRunning(ctx, *session, statement, "stmt_progress");
    if (!(fraction >= 0 && fraction <= 1))
      faults(ctx).add(Rule::value, "stmt_progress got " + std::to_string(fraction));
    real(ctx).stmt_progress(real(ctx).ctx, handle, statement, fraction);
  }

  static void noteDone(void* ctx, Session& session, std::uint64_t statement) {
    const std::lock_guard<std::mutex> lock(session.mutex);
    const auto found = session.statements.find(statement);
    if (found == session.statements.end()) {
      if (!session.takenUp)
        faults(ctx).add(Rule::oneDone, "it ended statement " + std::to_string(statement) +
                                           ", which was never given to it");
      return;
    }
    if (!found->second.open)
      faults(ctx).add(
          Rule::oneDone,
          found->second.done
              ? "it ended statement " + std::to_string(statement) + " twice"
              : "it ended statement " + std::to_string(statement) + ", which it had refused");
    found->second.open = false;
    found->second.done = true;
  }

  static void stmtDone(void* ctx, hearth_session_h handle, std::uint64_t statement,
                       std::int32_t outcome, hearth_str bundle) {
    const auto session = enter(ctx, handle, "stmt_done");
    if (!session) return;
    noteDone(ctx, *session, statement);
    const std::string json = copy(bundle);
    if (outcome == HEARTH_DONE_OK || outcome == HEARTH_DONE_ERROR || !json.empty())
      holdObject(ctx, json, "the bundle of stmt_done");
    if (outcome < HEARTH_DONE_OK || outcome > HEARTH_DONE_LOST)
      faults(ctx).add(Rule::value, "stmt_done got the outcome " + std::to_string(outcome));
    real(ctx).stmt_done(real(ctx).ctx, handle, statement, outcome, bundle);
  }

  static void reply(void* ctx, hearth_session_h handle, std::uint64_t request, hearth_status status,
                    hearth_str json) {
    if (!enter(ctx, handle, "reply")) return;
    if (status == HEARTH_OK) holdObject(ctx, copy(json), "a reply");
    real(ctx).reply(real(ctx).ctx, handle, request, status, json);
  }

  static hearth_status save(void* ctx, hearth_session_h handle, hearth_str blob,
                            hearth_error* err) {
    if (!enter(ctx, handle, "save")) return stale(err);
    return real(ctx).save(real(ctx).ctx, handle, blob, err);
  }

  static hearth_status spawn(void* ctx, hearth_session_h handle, const hearth_spawn* what,
                             hearth_proc_h* proc, hearth_error* err) {
    if (!enterOnSession(ctx, handle, "spawn")) return stale(err);
    ++at(ctx).border.processes_;
    return real(ctx).spawn(real(ctx).ctx, handle, what, proc, err);
  }

  static hearth_status procAdopt(void* ctx, hearth_session_h handle, hearth_proc_h* proc,
                                 hearth_error* err) {
    if (!enterOnSession(ctx, handle, "proc_adopt")) return stale(err);
    return real(ctx).proc_adopt(real(ctx).ctx, handle, proc, err);
  }

  static hearth_status procWrite(void* ctx, hearth_proc_h proc, hearth_str bytes,
                                 hearth_error* err) {
    if (!handleCall(ctx, "proc_write")) return stale(err);
    return real(ctx).proc_write(real(ctx).ctx, proc, bytes, err);
  }

  static hearth_status procSignal(void* ctx, hearth_proc_h proc, std::int32_t signo,
                                  hearth_error* err) {
    if (!handleCall(ctx, "proc_signal")) return stale(err);
    return real(ctx).proc_signal(real(ctx).ctx, proc, signo, err);
  }

  static std::uint64_t timer(void* ctx, hearth_session_h handle, std::uint32_t ms) {
    if (!enterOnSession(ctx, handle, "timer")) return 0;
    return real(ctx).timer(real(ctx).ctx, handle, ms);
  }

  static hearth_status chanOffer(void* ctx, hearth_session_h handle, hearth_str options,
                                 hearth_offer* offer, hearth_error* err) {
    if (!enterOnSession(ctx, handle, "chan_offer")) return stale(err);
    ++at(ctx).border.channels_;
    return real(ctx).chan_offer(real(ctx).ctx, handle, options, offer, err);
  }

  static hearth_status chanJoin(void* ctx, hearth_session_h handle, hearth_str open,
                                hearth_chan_h* chan, hearth_error* err) {
    if (!enterOnSession(ctx, handle, "chan_join")) return stale(err);
    ++at(ctx).border.channels_;
    holdObject(ctx, copy(open), "the opening of chan_join");
    return real(ctx).chan_join(real(ctx).ctx, handle, open, chan, err);
  }

  static hearth_status chanSend(void* ctx, hearth_chan_h chan, const hearth_frame* frame,
                                hearth_error* err) {
    if (isLate(ctx, "chan_send")) return stale(err);
    return real(ctx).chan_send(real(ctx).ctx, chan, frame, err);
  }

  static void chanClose(void* ctx, hearth_chan_h chan) {
    if (handleCall(ctx, "chan_close")) real(ctx).chan_close(real(ctx).ctx, chan);
  }

  /// Puts the functions above in place of the slots that `table`, `size` bytes long, has filled.
  static void replace(hearth_host& table, std::size_t size) {
#define HEARTH_REPLACE(slot, call)                                                      \
  if (size >= offsetof(hearth_host, slot) + sizeof table.slot && table.slot != nullptr) \
  table.slot = call
    HEARTH_REPLACE(extension, extension);
    HEARTH_REPLACE(log, log);
    HEARTH_REPLACE(session_state, sessionState);
    HEARTH_REPLACE(stmt_output, stmtOutput);
    HEARTH_REPLACE(stmt_display, stmtDisplay);
    HEARTH_REPLACE(stmt_display_change, stmtDisplayChange);
    HEARTH_REPLACE(stmt_progress, stmtProgress);
    HEARTH_REPLACE(stmt_done, stmtDone);
    HEARTH_REPLACE(reply, reply);
    HEARTH_REPLACE(save, save);
    HEARTH_REPLACE(spawn, spawn);
    HEARTH_REPLACE(proc_adopt, procAdopt);
    HEARTH_REPLACE(proc_write, procWrite);
    HEARTH_REPLACE(proc_signal, procSignal);
    HEARTH_REPLACE(timer, timer);
    HEARTH_REPLACE(chan_offer, chanOffer);
    HEARTH_REPLACE(chan_join, chanJoin);
    HEARTH_REPLACE(chan_send, chanSend);
    HEARTH_REPLACE(chan_close, chanClose);
#undef HEARTH_REPLACE
  }
};

Border::Instance::Instance(Border& of, const hearth_host& host) : border(of), real(host) {
  hostTable = std::make_unique<Lent>(&host, host.struct_size, "host's table, lent until destroy");
  auto& table = *static_cast<hearth_host*>(hostTable->data());
  table.ctx = this;
  HostCalls::replace(table, host.struct_size);
}

std::shared_ptr<Border::Session> Border::Instance::find(hearth_session_h handle) {
  const std::lock_guard<std::mutex> lock(mutex);
  const auto found = sessions.find(handle);
  return found == sessions.end() ? nullptr : found->second;
}

}  // namespace hearth::check
