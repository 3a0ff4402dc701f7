// The C++17 face of hearth/plugin.h: derive from hearth::Session, say HEARTH_PLUGIN, done.
//
//     class MySession final : public hearth::Session, public hearth::Interruptible { ... };
//     HEARTH_PLUGIN(MySession, R"({"id":"mine","version":"1.0.0","kinds":["mine"]})")
//
// Nothing of this header crosses the border: it is compiled into the plugin, all of it hidden, and
// turns the C tables into virtual calls and back. So it may change from release to release while a
// built plugin goes on running; only plugin.h is the contract. Errors are exceptions here: throw
// hearth::Error (or anything) from any override, it becomes a status and a text on its way out.
#ifndef HEARTH_PLUGIN_HPP
#define HEARTH_PLUGIN_HPP

#include <hearth/plugin.h>

#include <cstdint>
#include <cstring>
#include <exception>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#pragma GCC visibility push(hidden)

namespace hearth {

/// A refusal with its reason: the status and the text that the other side reads.
class Error : public std::runtime_error {
 public:
  Error(hearth_status code, const std::string& text) : std::runtime_error(text), code_(code) {}
  hearth_status code() const noexcept { return code_; }

 private:
  hearth_status code_;
};

inline std::string_view view(hearth_str text) noexcept {
  return text.ptr == nullptr ? std::string_view() : std::string_view(text.ptr, text.len);
}

inline hearth_str str(std::string_view text) noexcept {
  return {text.data(), text.size()};
}

/// `text`, which is UTF-8, as a JSON string literal with its quotes.
inline std::string quoted(std::string_view text) {
  static const char* const hex = "0123456789abcdef";
  std::string json = "\"";
  json.reserve(text.size() + 2);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      (json += '\\') += c;
    } else if (c == '\n') {
      json += "\\n";
    } else if (c == '\t') {
      json += "\\t";
    } else if (c == '\r') {
      json += "\\r";
    } else if (byte < 0x20) {
      ((json += "\\u00") += hex[byte >> 4]) += hex[byte & 15];
    } else {
      json += c;
    }
  }
  return json += '"';
}

/// Fills the caller's buffer, cut at a character's border so that it stays UTF-8. Returns `code`.
inline hearth_status fail(hearth_error* err, hearth_status code, std::string_view text) noexcept {
  if (err == nullptr) return code;
  err->code = code;
  if (err->capacity == 0 || err->message == nullptr) return code;
  std::size_t length = text.size();
  if (length >= err->capacity) {
    length = err->capacity - 1;
    while (length > 0 && (static_cast<unsigned char>(text[length]) & 0xC0) == 0x80) --length;
  }
  if (length > 0) std::memcpy(err->message, text.data(), length);
  err->message[length] = '\0';
  return code;
}

/// Runs `body`; whatever it throws becomes a status and a text. No exception gets past.
template <class Body>
hearth_status guard(hearth_error* err, Body&& body) noexcept {
  try {
    body();
    return HEARTH_OK;
  } catch (const Error& e) {
    return fail(err, e.code() == HEARTH_OK ? HEARTH_E_INTERNAL : e.code(), e.what());
  } catch (const std::exception& e) {
    return fail(err, HEARTH_E_INTERNAL, e.what());
  } catch (...) {
    return fail(err, HEARTH_E_INTERNAL, "an exception that is no std::exception");
  }
}

/// The host's table, as a value. Copy it freely; it is good until the instance is destroyed.
class Host {
 public:
  explicit Host(const hearth_host* table) noexcept : table_(table) {}
  const hearth_host* table() const noexcept { return table_; }

  /// Any thread. `session` 0: the host's log only.
  void log(hearth_session_h session, std::int32_t level, std::string_view text) const noexcept {
    if (HEARTH_HAS(table_, log)) table_->log(table_->ctx, session, level, str(text));
  }
  /// An extension's table, or null. Any thread.
  const void* extension(const char* id) const noexcept {
    return HEARTH_HAS(table_, extension) ? table_->extension(table_->ctx, id) : nullptr;
  }

 private:
  const hearth_host* table_;
};

/// guard() for calls that cannot answer: a throw becomes a line in the log.
template <class Body>
void guardEvent(Host host, hearth_session_h session, const char* what, Body&& body) noexcept {
  char text[256];
  hearth_error err{HEARTH_OK, sizeof text, text};
  if (guard(&err, body) == HEARTH_OK) return;
  guard(nullptr, [&] {  // the line itself may run out of memory
    host.log(session, HEARTH_LOG_ERROR,
             std::string("plugin misbehaving: ") + what + " threw: " + text);
  });
}

/// One plugin with one configuration. Derive from it where sessions share something, and name the
/// class in HEARTH_PLUGIN_WITH; sessions run in parallel, so what they share needs a lock.
/// Derived classes have this constructor; throwing from it refuses the instance. [main]
class Instance {
 public:
  Instance(Host host, std::string config) : host_(host), config_(std::move(config)) {}
  virtual ~Instance() = default;
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  Host host() const noexcept { return host_; }
  /// The configuration as a JSON object: every key that has a default or was set, and
  /// "plugin_dir".
  const std::string& config() const noexcept { return config_; }

 private:
  Host host_;
  std::string config_;
};

/// What open() was given (hearth_open), owned.
struct Open {
  std::string sessionId, kind, user, optionsJson, driverJson, recoveryBlob;
};

/// A frame of a driver link; payload is good until the call returns.
struct Frame {
  std::uint8_t type = 0;
  std::uint8_t outcome = 0;
  std::uint64_t statement = 0;
  std::string_view payload;
};

/// One interpreter. The host makes it (open), calls it from one thread at a time, and deletes it
/// after it said HEARTH_CLOSED. The constructor checks options and starts nothing; a throw from
/// it refuses the session, HEARTH_E_INVALID with its text for the client.
///
/// `using hearth::Session::Session;` is all the constructor a simple session needs. One that uses
/// its own Instance class takes a reference to it before the other arguments.
class Session {
 public:
  Session(Host host, hearth_session_h handle, const hearth_open& open, const std::string& config)
      : host_(host), handle_(handle), config_(config) {
    args_.sessionId = view(open.session_id);
    args_.kind = view(open.kind);
    args_.user = view(open.user);
    args_.optionsJson = view(open.options_json);
    args_.driverJson = view(open.driver_json);
    args_.recoveryBlob = view(open.recovery_blob);
  }
  virtual ~Session() = default;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Starts the REPL and returns; state(HEARTH_IDLE) when it is ready.
  virtual void launch() = 0;
  /// Takes the statement (one done() for it follows, now or later) or throws to refuse it.
  virtual void execute(std::uint64_t statement, std::string_view code,
                       std::string_view optionsJson) = 0;
  /// Begins the end (HEARTH_CLOSE_*); state(HEARTH_CLOSED) when it is reached.
  virtual void close(std::int32_t mode) = 0;

  // Events. What they throw is logged, nothing more.
  /// A line of a process spawned with HEARTH_SPAWN_LINES, whole up to 16 MiB; of a longer one what
  /// is beyond comes as lines of its own.
  virtual void onLine(hearth_proc_h, std::int32_t /*stream*/, std::string_view /*line*/) {}
  /// A process has ended; status is -1 where a signal ended it. Its handle ends here.
  virtual void onExit(hearth_proc_h, std::int32_t /*status*/, std::int32_t /*signo*/) {}
  /// An event of a channel (HEARTH_CHAN_*); the frame is empty but for HEARTH_CHAN_FRAME.
  virtual void onFrame(hearth_chan_h, std::int32_t /*event*/, const Frame&) {}
  virtual void onTimer(std::uint64_t /*id*/) {}

  Host host() const noexcept { return host_; }
  hearth_session_h handle() const noexcept { return handle_; }

 protected:
  const Open& args() const noexcept { return args_; }
  const std::string& config() const noexcept { return config_; }

  // Any thread; never fail. -------------------------------------------------------------------

  /// Reports HEARTH_IDLE, ERROR, DEAD or CLOSED; `detailJson` as in hearth_host.session_state.
  void state(std::int32_t state, std::string_view detailJson = {}) const noexcept {
    host_.table()->session_state(ctx(), handle_, state, str(detailJson));
  }
  void output(std::uint64_t statement, std::int32_t stream, std::string_view text) const noexcept {
    if (HEARTH_HAS(host_.table(), stmt_output))
      host_.table()->stmt_output(ctx(), handle_, statement, stream, str(text));
  }
  /// `fraction` of the statement's work that is done, 0 to 1.
  void progress(std::uint64_t statement, double fraction) const noexcept {
    if (HEARTH_HAS(host_.table(), stmt_progress))
      host_.table()->stmt_progress(ctx(), handle_, statement, fraction);
  }
  /// Ends a statement, once (HEARTH_DONE_*).
  void done(std::uint64_t statement, std::int32_t outcome,
            std::string_view bundleJson) const noexcept {
    host_.table()->stmt_done(ctx(), handle_, statement, outcome, str(bundleJson));
  }
  /// Shows a MIME bundle besides the statement's result: a plot, a table.
  void display(std::uint64_t statement, std::string_view bundleJson) const noexcept {
    if (HEARTH_HAS(host_.table(), stmt_display))
      host_.table()->stmt_display(ctx(), handle_, statement, str(bundleJson));
  }
  /// Display number `index`, from 0, has become another bundle; "{}": it is gone.
  void displayChange(std::uint64_t statement, std::uint64_t index,
                     std::string_view bundleJson) const noexcept {
    if (HEARTH_HAS(host_.table(), stmt_display_change))
      host_.table()->stmt_display_change(ctx(), handle_, statement, index, str(bundleJson));
  }
  /// Answers complete(), inspect(), sharedData() or exportDriver().
  void reply(std::uint64_t request, hearth_status status, std::string_view json) const noexcept {
    if (HEARTH_HAS(host_.table(), reply))
      host_.table()->reply(ctx(), handle_, request, status, str(json));
  }
  void log(std::int32_t level, std::string_view text) const noexcept {
    host_.log(handle_, level, text);
  }

// The calls below throw Error with the host's reason, or HEARTH_E_UNSUPPORTED where this host has
// no such call.
#define HEARTH_NEED(slot) need(HEARTH_HAS(host_.table(), slot), #slot)

  // Any thread. -------------------------------------------------------------------------------

  /// Keeps a blob (64 KiB at most) that args().recoveryBlob gives back after a restart.
  void save(std::string_view blob) const {
    HEARTH_NEED(save);
    check([&](hearth_error* e) { return host_.table()->save(ctx(), handle_, str(blob), e); });
  }
  /// Sends a frame, also while the driver is away.
  void send(hearth_chan_h channel, std::uint8_t type, std::uint64_t statement,
            std::string_view payload, std::uint8_t outcome = 0) const {
    HEARTH_NEED(chan_send);
    const hearth_frame frame{type, outcome, 0, 0, statement, str(payload)};
    check([&](hearth_error* e) { return host_.table()->chan_send(ctx(), channel, &frame, e); });
  }

  // Inside a call of the host only. -----------------------------------------------------------

  /// Starts a process. `env` is "NAME=value", over a clean base; `flags` HEARTH_SPAWN_LINES or 0;
  /// `cwd` empty: the session's private folder.
  hearth_proc_h spawn(const std::vector<std::string>& argv,
                      const std::vector<std::string>& env = {}, std::uint32_t flags = 0,
                      std::string_view cwd = {}) const {
    HEARTH_NEED(spawn);
    std::vector<hearth_str> arguments(argv.size());
    for (std::size_t i = 0; i < argv.size(); ++i) arguments[i] = str(argv[i]);
    std::vector<hearth_str> variables(env.size());
    for (std::size_t i = 0; i < env.size(); ++i) variables[i] = str(env[i]);
    const hearth_spawn what{
        sizeof what,      flags,   arguments.data(), arguments.size(), variables.data(),
        variables.size(), str(cwd)};
    hearth_proc_h process = 0;
    check(
        [&](hearth_error* e) { return host_.table()->spawn(ctx(), handle_, &what, &process, e); });
    return process;
  }
  /// The process that an earlier run of the host has spawned for this interpreter, or 0 where it has
  /// ended meanwhile. onExit() is told status -1 and signal 0.
  hearth_proc_h adopt() const {
    HEARTH_NEED(proc_adopt);
    hearth_proc_h process = 0;
    hearth_error error{HEARTH_OK, 0, nullptr};
    const hearth_status status = host_.table()->proc_adopt(ctx(), handle_, &process, &error);
    if (status != HEARTH_OK && status != HEARTH_E_STATE)
      throw Error(status, "the host cannot look for the process");
    return status == HEARTH_OK ? process : 0;
  }
  /// Writes to the stdin of a process spawned with HEARTH_SPAWN_LINES; never blocks.
  void write(hearth_proc_h process, std::string_view bytes) const {
    HEARTH_NEED(proc_write);
    check(
        [&](hearth_error* e) { return host_.table()->proc_write(ctx(), process, str(bytes), e); });
  }
  /// Signals the process group, if anybody is left in it.
  void signal(hearth_proc_h process, std::int32_t signo) const {
    HEARTH_NEED(proc_signal);
    check([&](hearth_error* e) {
      const auto status = host_.table()->proc_signal(ctx(), process, signo, e);
      return status == HEARTH_E_STATE ? static_cast<hearth_status>(HEARTH_OK) : status;
    });
  }
  /// onTimer(the id returned) after `ms`, once.
  std::uint64_t timer(std::uint32_t ms) const {
    HEARTH_NEED(timer);
    const std::uint64_t id = host_.table()->timer(ctx(), handle_, ms);
    if (id == 0) throw Error(HEARTH_E_LIMIT, "the host gave no timer");
    return id;
  }

  struct Offer {
    hearth_chan_h channel = 0;
    std::string linkFile;  ///< what the driver reads to dial back (doc/link.md)
  };
  /// Leaders: opens the session's driver link.
  Offer offer(std::string_view optionsJson = {}) const {
    HEARTH_NEED(chan_offer);
    hearth_offer offer{};
    offer.struct_size = sizeof offer;
    check([&](hearth_error* e) {
      return host_.table()->chan_offer(ctx(), handle_, str(optionsJson), &offer, e);
    });
    return {offer.channel,
            std::string(offer.link_file, strnlen(offer.link_file, sizeof offer.link_file))};
  }
  /// Followers: a channel on the leader's link; `openJson` names the worker (doc/link.md).
  hearth_chan_h join(std::string_view openJson) const {
    HEARTH_NEED(chan_join);
    hearth_chan_h channel = 0;
    check([&](hearth_error* e) {
      return host_.table()->chan_join(ctx(), handle_, str(openJson), &channel, e);
    });
    return channel;
  }
  /// HEARTH_CHAN_CLOSED follows.
  void closeChannel(hearth_chan_h channel) const noexcept {
    if (HEARTH_HAS(host_.table(), chan_close)) host_.table()->chan_close(ctx(), channel);
  }

#undef HEARTH_NEED

 private:
  void* ctx() const noexcept {
    return host_.table()->ctx;
  }

  static void need(bool there, const char* slot) {
    if (!there) throw Error(HEARTH_E_UNSUPPORTED, std::string("this host has no ") + slot);
  }

  template <class Call>
  static void check(Call&& call) {
    char text[512] = "";
    hearth_error err{HEARTH_OK, sizeof text, text};
    const hearth_status status = call(&err);
    if (status != HEARTH_OK)
      throw Error(status, text[0] != '\0' ? text : "the host gave no reason");
  }

  template <class, class>
  friend class Glue;
  /// Puts the pieces of a long line together again.
  void join(hearth_proc_h process, std::int32_t stream, std::string_view piece) {
    constexpr std::size_t most = 16 << 20;
    const std::int32_t plain = stream & ~HEARTH_LINE_GOES_ON;
    std::string& begun = begun_[{process, plain}];
    if (begun.empty() && plain == stream) {
      begun_.erase({process, plain});
      return onLine(process, plain, piece);
    }
    begun.append(piece);
    if (plain != stream && begun.size() < most) return;
    const std::string line = std::move(begun);
    begun_.erase({process, plain});
    onLine(process, plain, line);
  }

  Host host_;
  hearth_session_h handle_;
  Open args_;
  std::string config_;
  std::map<std::pair<hearth_proc_h, std::int32_t>, std::string> begun_;  // long lines, by stream
};

// Abilities. A session that derives from one, publicly, has it; the others' slots stay empty, and
// that is how the host knows.

class Interruptible {
 public:
  /// Asks the REPL to stop this statement's code; its done() follows when it has stopped.
  virtual void interrupt(std::uint64_t statement) = 0;

 protected:
  ~Interruptible() = default;
};

class Completing {
 public:
  /// `cursor` counts Unicode code points; reply(request, HEARTH_OK, {"candidates":[..]}).
  virtual void complete(std::uint64_t request, std::string_view code, std::uint64_t cursor) = 0;

 protected:
  ~Completing() = default;
};

class Inspecting {
 public:
  /// `cursor` counts Unicode code points; reply(request, HEARTH_OK,
  /// {"found":bool,"data":{mime:value}}).
  virtual void inspect(std::uint64_t request, std::string_view code, std::uint64_t cursor,
                       std::int32_t detail) = 0;

 protected:
  ~Inspecting() = default;
};

class DataSharing {
 public:
  /// reply(request, HEARTH_OK, {"items":[{"name","type",..}]}), also while a statement runs.
  virtual void sharedData(std::uint64_t request) = 0;

 protected:
  ~DataSharing() = default;
};

class Resumable {
 public:
  /// A statement of an earlier run of the host, which may run, have ended or never have arrived: one
  /// done() follows: HEARTH_DONE_ERROR where its result cannot be had, LOST where the REPL is gone.
  virtual void resume(std::uint64_t statement, std::string_view code,
                      std::string_view optionsJson) = 0;

 protected:
  ~Resumable() = default;
};

class Leader {
 public:
  /// reply(request, HEARTH_OK, object) with what followers need to join.
  virtual void exportDriver(std::uint64_t request) = 0;

 protected:
  ~Leader() = default;
};

/// The trampolines from the C table to S, each noexcept and guarded. Not for direct use.
template <class S, class I = Instance>
class Glue {
  template <class Ability>
  static constexpr bool is = std::is_base_of_v<Ability, S>;
  template <class Ability>
  static constexpr bool publicly = !is<Ability> || std::is_convertible_v<S*, Ability*>;

  static_assert(std::is_convertible_v<S*, Session*>, "derive publicly from hearth::Session");
  static_assert(std::is_convertible_v<I*, Instance*>, "derive publicly from hearth::Instance");
  static_assert(publicly<Interruptible> && publicly<Completing> && publicly<Leader> &&
                    publicly<Inspecting> && publicly<DataSharing> && publicly<Resumable>,
                "derive publicly from the abilities");

 public:
  static constexpr hearth_plugin table(const char* descriptor) noexcept {
    hearth_plugin t{};
    t.struct_size = sizeof t;
    t.abi_minor = HEARTH_ABI_MINOR;
    t.descriptor_json = descriptor;
    t.create = create;
    t.destroy = destroy;
    t.open = open;
    t.launch = launch;
    t.execute = execute;
    if constexpr (is<Interruptible>) t.interrupt = interrupt;
    if constexpr (is<Completing>) t.complete = complete;
    if constexpr (is<Leader>) t.export_driver = exportDriver;
    t.close = close;
    t.release = release;
    t.on_proc_line = onLine;
    t.on_proc_exit = onExit;
    t.on_chan_frame = onFrame;
    t.on_timer = onTimer;
    if constexpr (is<Inspecting>) t.inspect = inspect;
    if constexpr (is<DataSharing>) t.shared_data = sharedData;
    if constexpr (is<Resumable>) t.resume = resume;
    return t;
  }

 private:
  static I* instance(hearth_instance* p) noexcept { return reinterpret_cast<I*>(p); }
  static S* session(hearth_session* p) noexcept { return reinterpret_cast<S*>(p); }
  static Session& base(hearth_session* p) noexcept { return *session(p); }

  template <class Body>
  static void event(hearth_session* p, const char* what, Body&& body) noexcept {
    guardEvent(base(p).host(), base(p).handle(), what, [&] { body(base(p)); });
  }

  static hearth_status create(const hearth_host* host, hearth_str config, hearth_instance** out,
                              hearth_error* err) noexcept {
    return guard(err, [&] {
      // Without these two a session could not even say how it ended.
      if (!HEARTH_HAS(host, session_state))
        throw Error(HEARTH_E_UNSUPPORTED, "the host's table has no session_state");
      if (!HEARTH_HAS(host, stmt_done))
        throw Error(HEARTH_E_UNSUPPORTED, "the host's table has no stmt_done");
      auto made = std::make_unique<I>(Host(host), std::string(view(config)));
      *out = reinterpret_cast<hearth_instance*>(made.release());
    });
  }
  static void destroy(hearth_instance* p) noexcept { delete instance(p); }

  static hearth_status open(hearth_instance* p, hearth_session_h handle, const hearth_open* args,
                            hearth_session** out, hearth_error* err) noexcept {
    return guard(err, [&] {
      I& i = *instance(p);
      std::unique_ptr<S> made;
      if constexpr (std::is_constructible_v<S, I&, Host, hearth_session_h, const hearth_open&,
                                            const std::string&>)
        made = std::make_unique<S>(i, i.host(), handle, *args, i.config());
      else
        made = std::make_unique<S>(i.host(), handle, *args, i.config());
      *out = reinterpret_cast<hearth_session*>(made.release());
    });
  }
  static hearth_status launch(hearth_session* p, hearth_error* err) noexcept {
    return guard(err, [&] { base(p).launch(); });
  }
  static hearth_status execute(hearth_session* p, std::uint64_t statement, hearth_str code,
                               hearth_str options, hearth_error* err) noexcept {
    return guard(err, [&] { base(p).execute(statement, view(code), view(options)); });
  }
  static hearth_status interrupt(hearth_session* p, std::uint64_t statement,
                                 hearth_error* err) noexcept {
    return guard(err, [&] { static_cast<Interruptible*>(session(p))->interrupt(statement); });
  }
  static hearth_status complete(hearth_session* p, std::uint64_t request, hearth_str code,
                                std::uint64_t cursor, hearth_error* err) noexcept {
    return guard(
        err, [&] { static_cast<Completing*>(session(p))->complete(request, view(code), cursor); });
  }
  static hearth_status exportDriver(hearth_session* p, std::uint64_t request,
                                    hearth_error* err) noexcept {
    return guard(err, [&] { static_cast<Leader*>(session(p))->exportDriver(request); });
  }
  static hearth_status inspect(hearth_session* p, std::uint64_t request, hearth_str code,
                               std::uint64_t cursor, std::int32_t detail,
                               hearth_error* err) noexcept {
    return guard(err, [&] {
      static_cast<Inspecting*>(session(p))->inspect(request, view(code), cursor, detail);
    });
  }
  static hearth_status sharedData(hearth_session* p, std::uint64_t request,
                                  hearth_error* err) noexcept {
    return guard(err, [&] { static_cast<DataSharing*>(session(p))->sharedData(request); });
  }
  static hearth_status resume(hearth_session* p, std::uint64_t statement, hearth_str code,
                              hearth_str options, hearth_error* err) noexcept {
    return guard(err, [&] {
      static_cast<Resumable*>(session(p))->resume(statement, view(code), view(options));
    });
  }
  static void close(hearth_session* p, std::int32_t mode) noexcept {
    event(p, "close", [&](Session& s) { s.close(mode); });
  }
  static void release(hearth_session* p) noexcept { delete session(p); }

  static void onLine(hearth_session* p, hearth_proc_h process, std::int32_t stream,
                     hearth_str line) noexcept {
    event(p, "onLine", [&](Session& s) { s.join(process, stream, view(line)); });
  }
  static void onExit(hearth_session* p, hearth_proc_h process, std::int32_t status,
                     std::int32_t signo) noexcept {
    event(p, "onExit", [&](Session& s) { s.onExit(process, status, signo); });
  }
  static void onFrame(hearth_session* p, hearth_chan_h channel, std::int32_t what,
                      const hearth_frame* frame) noexcept {
    event(p, "onFrame", [&](Session& s) {
      Frame copy;
      if (frame != nullptr)
        copy = {frame->type, frame->outcome, frame->statement, view(frame->payload)};
      s.onFrame(channel, what, copy);
    });
  }
  static void onTimer(hearth_session* p, std::uint64_t id) noexcept {
    event(p, "onTimer", [&](Session& s) { s.onTimer(id); });
  }
};

}  // namespace hearth

#pragma GCC visibility pop

/// Exports the plugin; once, at global scope. `InstanceClass` derives from hearth::Instance.
#define HEARTH_PLUGIN_WITH(SessionClass, InstanceClass, ...)             \
  extern "C" HEARTH_EXPORT const hearth_plugin* hearth_plugin_v1(void) { \
    static constexpr hearth_plugin table =                               \
        ::hearth::Glue<SessionClass, InstanceClass>::table(__VA_ARGS__); \
    return &table;                                                       \
  }

/// The same where sessions share nothing but their configuration.
#define HEARTH_PLUGIN(SessionClass, ...) \
  HEARTH_PLUGIN_WITH(SessionClass, ::hearth::Instance, __VA_ARGS__)

#endif  // HEARTH_PLUGIN_HPP
