// The half of the border that the host calls: the plugin's table.
#include "Border.h"

#include <sys/resource.h>
#include <time.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "BorderParts.h"

namespace hearth::check {

namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr milliseconds slowCall{200};
constexpr std::size_t mostPlugins = 128;
std::array<Border*, mostPlugins> borders{};
std::size_t borderCount = 0;

char* where = nullptr;
constexpr std::size_t whereSize = 64;
thread_local const void* currentCall = nullptr;

nanoseconds threadTime() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + nanoseconds(now.tv_nsec);
}

long threadWaits() {
  rusage usage{};
  ::getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nvcsw;
}

void say(const char* slot) {
  if (where != nullptr) std::snprintf(where, whereSize, "%s", slot);
}

}  // namespace

Border::Call::Call(Border& border, const char* slot, const Session* session)
    : border_(border),
      slot_(slot),
      session_(session),
      outer_(static_cast<const Call*>(currentCall)),
      began_(std::chrono::steady_clock::now()),
      waits_(threadWaits()),
      cpu_(threadTime()) {
  currentCall = this;
  say(slot);
}

Border::Call::~Call() {
  currentCall = outer_;
  say(outer_ != nullptr ? outer_->slot_ : "");
  const auto took = std::chrono::steady_clock::now() - began_;
  // A machine under load makes any call long: one that neither computed nor slept was not slow.
  if (took > slowCall && (threadTime() - cpu_ > slowCall || threadWaits() != waits_))
    border_.faults_.add(Rule::slow,
                        std::string(slot_) + " took " +
                            std::to_string(std::chrono::duration_cast<milliseconds>(took).count()) +
                            " ms");
}

const Border::Call* Border::Call::current() {
  return static_cast<const Call*>(currentCall);
}

void Border::tellWhere(char* place) {
  where = place;
}

namespace {

/// The caller's error as the plugin gets it: of the size asked for, with a fence behind it.
class LentError {
 public:
  LentError(Border::ErrorRoom room, hearth_error* callers)
      : callers_(callers), capacity_(capacityFor(room)) {
    if (room == Border::ErrorRoom::null) return;
    const std::string filled(capacity_ + fence, mark);
    message_ = std::make_unique<Lent>(filled, "buffer for an error's text");
    const hearth_error error{HEARTH_OK, capacity_, static_cast<char*>(message_->data())};
    error_ = std::make_unique<Lent>(&error, sizeof error, "hearth_error of a call");
  }
  hearth_error* get() const {
    return error_ ? static_cast<hearth_error*>(error_->data()) : nullptr;
  }

  /// Hands the reason on to the caller, and notes what is wrong with it.
  void end(hearth_status status, const char* slot, Faults& faults) const {
    std::string reason;
    if (error_) {
      const char* text = static_cast<const char*>(message_->data());
      for (std::size_t i = capacity_; i < capacity_ + fence; ++i)
        if (text[i] != mark) {
          faults.add(Rule::errorBuffer, std::string(slot) +
                                            " wrote beyond an error's capacity of " +
                                            std::to_string(capacity_));
          break;
        }
      reason.assign(text, strnlen(text, capacity_));
      if (status != HEARTH_OK) judge(reason, slot, faults);
    }
    if (callers_ == nullptr || status == HEARTH_OK) return;
    callers_->code = status;
    if (callers_->capacity > 0)
      std::snprintf(callers_->message, callers_->capacity, "%s", reason.c_str());
  }

 private:
  static constexpr std::size_t fence = 16;
  static constexpr char mark = '\x5A';

  static std::uint32_t capacityFor(Border::ErrorRoom room) {
    return room == Border::ErrorRoom::normal ? 1024 : room == Border::ErrorRoom::one ? 1 : 0;
  }

  void judge(const std::string& reason, const char* slot, Faults& faults) const {
    if (capacity_ == 0) return;
    if (reason.size() == capacity_ && reason.find_first_not_of(mark) != std::string::npos) {
      faults.add(Rule::errorBuffer, std::string(slot) + " did not end its reason with a NUL");
    } else if (capacity_ > 1 && (reason.empty() || reason.size() == capacity_)) {
      faults.add(Rule::noReason, std::string(slot) + " refused and gave no reason");
    } else if (!isUtf8(reason)) {
      faults.add(Rule::text, std::string("the reason of ") + slot + " is not UTF-8");
    }
  }

  hearth_error* callers_;
  std::uint32_t capacity_;
  std::unique_ptr<Lent> message_, error_;
};

}  // namespace

/// The functions behind the plugin, as the host sees it.
struct Border::PluginCalls {
  static Instance& at(hearth_instance* self) { return *reinterpret_cast<Instance*>(self); }
  static Session& at(hearth_session* self) { return *reinterpret_cast<Session*>(self); }
  static Border& of(hearth_session* self) { return at(self).instance.border; }
  static const hearth_plugin& theirs(hearth_session* self) { return of(self).theirs_; }

  template <class Body>
  static hearth_status refusable(Border& border, const char* slot, const Session* session,
                                 hearth_error* err, Body body) {
    const LentError lent(border.errorRoom_, err);
    hearth_status status = HEARTH_E_INTERNAL;
    try {
      const Call call(border, slot, session);
      status = body(lent.get());
    } catch (...) {
      border.faults_.add(Rule::throwing, std::string(slot) + " threw an exception");
    }
    if (status < HEARTH_OK || status > HEARTH_E_INTERNAL)
      border.faults_.add(Rule::status, std::string(slot) + " gave the status " +
                                           std::to_string(status) + ", which is none");
    lent.end(status, slot, border.faults_);
    return status;
  }
  template <class Body>
  static hearth_status refusable(hearth_session* self, const char* slot, hearth_error* err,
                                 Body body) {
    return refusable(of(self), slot, &at(self), err,
                     [&](hearth_error* lent) { return body(at(self).theirs, lent); });
  }
  template <class Body>
  static void event(Border& border, const char* slot, const Session* session, Body body) {
    try {
      const Call call(border, slot, session);
      body();
    } catch (...) {
      border.faults_.add(Rule::throwing, std::string(slot) + " threw an exception");
    }
  }

  template <std::size_t N>
  static hearth_status createAt(const hearth_host* host, hearth_str config, hearth_instance** out,
                                hearth_error* err) {
    return create(*borders[N], host, config, out, err);
  }
  template <std::size_t N>
  static const void* extensionAt(const char* id) {
    return borders[N]->theirs_.extension(id);
  }

  /// create() and extension() are told no object that would say whose they are.
  struct Entry {
    decltype(hearth_plugin::create) create;
    decltype(hearth_plugin::extension) extension;
  };
  template <std::size_t... N>
  static std::array<Entry, sizeof...(N)> entries(std::index_sequence<N...>) {
    return {{Entry{createAt<N>, extensionAt<N>}...}};
  }

  static hearth_status create(Border& border, const hearth_host* host, hearth_str config,
                              hearth_instance** out, hearth_error* err) {
    auto made = std::make_unique<Instance>(border, *host);
    Instance& instance = *made;
    {
      const std::lock_guard<std::mutex> lock(border.mutex_);
      border.instances_.push_back(std::move(made));
    }
    const Lent json({config.ptr, config.len}, "config_json of create");
    const hearth_status status = refusable(border, "create", nullptr, err, [&](hearth_error* lent) {
      const auto* table = static_cast<const hearth_host*>(instance.hostTable->data());
      return border.theirs_.create(table, json.text(), &instance.theirs, lent);
    });
    if (status == HEARTH_OK) {
      *out = reinterpret_cast<hearth_instance*>(&instance);
    } else {
      const std::lock_guard<std::mutex> lock(instance.mutex);
      instance.destroyed = true;
    }
    return status;
  }

  static void destroy(hearth_instance* self) {
    Instance& instance = at(self);
    event(instance.border, "destroy", nullptr,
          [&] { instance.border.theirs_.destroy(instance.theirs); });
    const std::lock_guard<std::mutex> lock(instance.mutex);
    instance.destroyed = true;
    // The table stays: whoever calls late is to be seen, not to crash.
  }

  static hearth_status open(hearth_instance* self, hearth_session_h handle,
                            const hearth_open* given, hearth_session** out, hearth_error* err) {
    Instance& instance = at(self);
    const auto made = std::make_shared<Session>(instance, handle, given->recovery_blob.len > 0);
    {
      const std::lock_guard<std::mutex> lock(instance.mutex);
      instance.sessions[handle] = made;
    }
    const auto view = [](hearth_str text) { return std::string_view(text.ptr, text.len); };
    const Lent sessionId(view(given->session_id), "session_id of open");
    const Lent kind(view(given->kind), "kind of open");
    const Lent user(view(given->user), "user of open");
    const Lent options(view(given->options_json), "options_json of open");
    const Lent driver(view(given->driver_json), "driver_json of open");
    const Lent blob(view(given->recovery_blob), "recovery_blob of open");
    hearth_open args = *given;
    args.session_id = sessionId.text();
    args.kind = kind.text();
    args.user = user.text();
    args.options_json = options.text();
    args.driver_json = driver.text();
    args.recovery_blob = blob.text();
    const Lent lentArgs(&args, sizeof args, "hearth_open of open");
    const hearth_status status =
        refusable(instance.border, "open", made.get(), err, [&](hearth_error* lent) {
          return instance.border.theirs_.open(instance.theirs, handle,
                                              static_cast<const hearth_open*>(lentArgs.data()),
                                              &made->theirs, lent);
        });
    if (status == HEARTH_OK) {
      *out = reinterpret_cast<hearth_session*>(made.get());
    } else {
      const std::lock_guard<std::mutex> lock(made->mutex);
      made->released = true;
    }
    return status;
  }

  static hearth_status launch(hearth_session* self, hearth_error* err) {
    return refusable(self, "launch", err, [&](hearth_session* s, hearth_error* lent) {
      return theirs(self).launch(s, lent);
    });
  }

  template <class Slot>
  static hearth_status give(hearth_session* self, const char* slot, Slot function,
                            std::uint64_t statement, hearth_str code, hearth_str options,
                            hearth_error* err) {
    Session& session = at(self);
    {
      const std::lock_guard<std::mutex> lock(session.mutex);
      session.statements[statement] = {};
    }
    const Lent lentCode({code.ptr, code.len}, "code of execute");
    const Lent lentOptions({options.ptr, options.len}, "options_json of execute");
    const hearth_status status =
        refusable(self, slot, err, [&](hearth_session* s, hearth_error* lent) {
          return function(s, statement, lentCode.text(), lentOptions.text(), lent);
        });
    if (status != HEARTH_OK) {
      const std::lock_guard<std::mutex> lock(session.mutex);
      Session::Statement& refused = session.statements[statement];
      if (refused.done)
        of(self).faults_.add(Rule::oneDone, "it ended statement " + std::to_string(statement) +
                                                " and then refused it");
      refused.open = false;
    }
    return status;
  }
  static hearth_status execute(hearth_session* self, std::uint64_t statement, hearth_str code,
                               hearth_str options, hearth_error* err) {
    return give(self, "execute", theirs(self).execute, statement, code, options, err);
  }
  static hearth_status resume(hearth_session* self, std::uint64_t statement, hearth_str code,
                              hearth_str options, hearth_error* err) {
    return give(self, "resume", theirs(self).resume, statement, code, options, err);
  }

  static hearth_status interrupt(hearth_session* self, std::uint64_t statement, hearth_error* err) {
    return refusable(self, "interrupt", err, [&](hearth_session* s, hearth_error* lent) {
      return theirs(self).interrupt(s, statement, lent);
    });
  }
  static hearth_status complete(hearth_session* self, std::uint64_t request, hearth_str code,
                                std::uint64_t cursor, hearth_error* err) {
    const Lent lentCode({code.ptr, code.len}, "code of complete");
    return refusable(self, "complete", err, [&](hearth_session* s, hearth_error* lent) {
      return theirs(self).complete(s, request, lentCode.text(), cursor, lent);
    });
  }
  static hearth_status inspect(hearth_session* self, std::uint64_t request, hearth_str code,
                               std::uint64_t cursor, std::int32_t detail, hearth_error* err) {
    const Lent lentCode({code.ptr, code.len}, "code of inspect");
    return refusable(self, "inspect", err, [&](hearth_session* s, hearth_error* lent) {
      return theirs(self).inspect(s, request, lentCode.text(), cursor, detail, lent);
    });
  }
  static hearth_status exportDriver(hearth_session* self, std::uint64_t request,
                                    hearth_error* err) {
    return refusable(self, "export_driver", err, [&](hearth_session* s, hearth_error* lent) {
      return theirs(self).export_driver(s, request, lent);
    });
  }
  static hearth_status sharedData(hearth_session* self, std::uint64_t request, hearth_error* err) {
    return refusable(self, "shared_data", err, [&](hearth_session* s, hearth_error* lent) {
      return theirs(self).shared_data(s, request, lent);
    });
  }

  static void close(hearth_session* self, std::int32_t mode) {
    event(of(self), "close", &at(self), [&] { theirs(self).close(at(self).theirs, mode); });
  }
  static void release(hearth_session* self) {
    Session& session = at(self);
    event(of(self), "release", &session, [&] { theirs(self).release(session.theirs); });
    const std::lock_guard<std::mutex> lock(session.mutex);
    session.released = true;
  }

  static void onLine(hearth_session* self, hearth_proc_h proc, std::int32_t stream,
                     hearth_str line) {
    const Lent lent({line.ptr, line.len}, "line of on_proc_line");
    event(of(self), "on_proc_line", &at(self),
          [&] { theirs(self).on_proc_line(at(self).theirs, proc, stream, lent.text()); });
  }
  static void onExit(hearth_session* self, hearth_proc_h proc, std::int32_t status,
                     std::int32_t signo) {
    event(of(self), "on_proc_exit", &at(self),
          [&] { theirs(self).on_proc_exit(at(self).theirs, proc, status, signo); });
  }
  static void onFrame(hearth_session* self, hearth_chan_h chan, std::int32_t what,
                      const hearth_frame* frame) {
    std::unique_ptr<Lent> payload, lent;
    if (frame != nullptr) {
      payload = std::make_unique<Lent>(std::string_view(frame->payload.ptr, frame->payload.len),
                                       "payload of on_chan_frame");
      hearth_frame copy = *frame;
      copy.payload = payload->text();
      lent = std::make_unique<Lent>(&copy, sizeof copy, "frame of on_chan_frame");
    }
    event(of(self), "on_chan_frame", &at(self), [&] {
      theirs(self).on_chan_frame(at(self).theirs, chan, what,
                                 lent ? static_cast<const hearth_frame*>(lent->data()) : nullptr);
    });
  }
  static void onTimer(hearth_session* self, std::uint64_t id) {
    event(of(self), "on_timer", &at(self), [&] { theirs(self).on_timer(at(self).theirs, id); });
  }
};

Border::Border(const hearth_plugin& theirs) : theirs_(theirs), table_(theirs) {
  if (borderCount == mostPlugins) throw std::logic_error("too many plugins in one process");
  const auto entries = PluginCalls::entries(std::make_index_sequence<mostPlugins>());
  table_.create = entries[borderCount].create;
  if (table_.extension != nullptr) table_.extension = entries[borderCount].extension;
  table_.destroy = PluginCalls::destroy;
  table_.open = PluginCalls::open;
  table_.launch = PluginCalls::launch;
  table_.execute = PluginCalls::execute;
  table_.close = PluginCalls::close;
  table_.release = PluginCalls::release;
  // What the plugin does not have, the host must not see.
#define HEARTH_PASS(slot, call) \
  if (table_.slot != nullptr) table_.slot = PluginCalls::call
  HEARTH_PASS(resume, resume);
  HEARTH_PASS(interrupt, interrupt);
  HEARTH_PASS(complete, complete);
  HEARTH_PASS(inspect, inspect);
  HEARTH_PASS(export_driver, exportDriver);
  HEARTH_PASS(shared_data, sharedData);
  HEARTH_PASS(on_proc_line, onLine);
  HEARTH_PASS(on_proc_exit, onExit);
  HEARTH_PASS(on_chan_frame, onFrame);
  HEARTH_PASS(on_timer, onTimer);
#undef HEARTH_PASS
}

Border& Border::make(const hearth_plugin& theirs) {
  auto* made = new Border(theirs);  // for ever: the plugin may call late
  borders[borderCount++] = made;
  return *made;
}

}  // namespace hearth::check
