// A host for unit tests of one plugin: it starts no process, opens no socket and waits for nothing.
//
//     hearth::kit::FakeHost host;
//     hearth::kit::FakeInstance instance(*hearth_plugin_v1(), host.table());
//     hearth::kit::FakeSession session(instance, host, 1);
//     session.launch();
//     session.execute(1, "6 * 7");
//     // host.dones[0].bundle is what a client would read
//
// FakeHost writes down what the plugin tells it and answers as it is told to; FakeSession makes the
// calls that a real host makes, and plays the processes, channels and timers that the plugin asked
// for. No test framework is needed. In CMake: target_link_libraries(my_tests Hearth::plugin_kit).
// Header only; nothing of it is part of the ABI.
#ifndef HEARTH_KIT_FAKE_HOST_HPP
#define HEARTH_KIT_FAKE_HOST_HPP

#include <hearth/plugin.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace hearth::kit {

inline std::string text(hearth_str s) {
  return s.ptr == nullptr ? std::string() : std::string(s.ptr, s.len);
}
inline hearth_str borrow(const std::string& s) {
  return {s.data(), s.size()};
}

/// What a call that can fail answered.
struct Answer {
  hearth_status status = HEARTH_OK;
  std::string message;
  explicit operator bool() const { return status == HEARTH_OK; }
};

/// Everything a plugin told the host. Calls may come from any thread; read the records when the
/// plugin is at rest. Time stands still until advance().
class FakeHost {
 public:
  struct State {
    hearth_session_h session;
    std::int32_t state;
    std::string detail;
  };
  struct Output {
    hearth_session_h session;
    std::uint64_t statement;
    std::int32_t stream;
    std::string text;
  };
  struct Done {
    hearth_session_h session;
    std::uint64_t statement;
    std::int32_t outcome;
    std::string bundle;
  };
  struct Reply {
    hearth_session_h session;
    std::uint64_t request;
    hearth_status status;
    std::string json;
  };
  struct Line {
    hearth_session_h session;
    std::int32_t level;
    std::string text;
  };
  struct Progress {
    std::uint64_t statement;
    double fraction;
  };
  struct Display {
    std::uint64_t statement;
    std::string bundle;
  };
  struct DisplayChange {
    std::uint64_t statement;
    std::uint64_t index;
    std::string bundle;
  };
  struct Spawn {
    hearth_session_h session;
    hearth_proc_h process;
    std::uint32_t flags;
    std::vector<std::string> argv, env;
    std::string cwd;
  };
  struct Write {
    hearth_proc_h process;
    std::string bytes;
  };
  struct Signal {
    hearth_proc_h process;
    std::int32_t signo;
  };
  struct Channel {
    hearth_session_h session;
    hearth_chan_h channel;
    std::string json;  ///< options of an offer, open_json of a join
    bool joined;
  };
  struct Sent {
    hearth_chan_h channel;
    std::uint8_t type, outcome;
    std::uint64_t statement;
    std::string payload;
  };
  struct Timer {
    hearth_session_h session;
    std::uint64_t id;
    std::uint64_t due;
  };

  std::vector<State> states;
  std::vector<Output> outputs;
  std::vector<Done> dones;
  std::vector<Reply> replies;
  std::vector<Line> lines;
  std::vector<Progress> progresses;
  std::vector<Display> displays;
  std::vector<DisplayChange> displayChanges;
  std::vector<std::string> saved;
  std::vector<Spawn> spawns;
  std::vector<Write> writes;
  std::vector<Signal> signals;
  hearth_proc_h adoptable = 0;  ///< of an earlier run, still there; 0: it has ended
  std::vector<Channel> channels;
  std::vector<Sent> sent;
  std::vector<hearth_chan_h> closedChannels;
  std::vector<Timer> timers;
  std::string linkFile = "/nonexistent/link.json";  ///< what an offer names
  hearth_status refuse = HEARTH_OK;  ///< other than OK: what every call that can fail answers

  FakeHost() {
    table_.struct_size = sizeof table_;
    table_.abi_minor = HEARTH_ABI_MINOR;
    table_.ctx = this;
    table_.extension = [](void*, const char*) -> const void* { return nullptr; };
    table_.log = [](void* c, hearth_session_h s, std::int32_t level, hearth_str line) {
      Self self(c);
      self->lines.push_back({s, level, text(line)});
    };
    table_.session_state = [](void* c, hearth_session_h s, std::int32_t state, hearth_str detail) {
      Self self(c);
      self->states.push_back({s, state, text(detail)});
    };
    table_.stmt_output = [](void* c, hearth_session_h s, std::uint64_t statement,
                            std::int32_t stream, hearth_str out) {
      Self self(c);
      self->outputs.push_back({s, statement, stream, text(out)});
    };
    table_.stmt_progress = [](void* c, hearth_session_h, std::uint64_t statement, double fraction) {
      Self self(c);
      self->progresses.push_back({statement, fraction});
    };
    table_.stmt_done = [](void* c, hearth_session_h s, std::uint64_t statement,
                          std::int32_t outcome, hearth_str bundle) {
      Self self(c);
      self->dones.push_back({s, statement, outcome, text(bundle)});
    };
    table_.reply = [](void* c, hearth_session_h s, std::uint64_t request, hearth_status status,
                      hearth_str json) {
      Self self(c);
      self->replies.push_back({s, request, status, text(json)});
    };
    table_.save = [](void* c, hearth_session_h, hearth_str blob, hearth_error* err) {
      Self self(c);
      return self->answer(err, [&] { self->saved.push_back(text(blob)); });
    };
    table_.spawn = [](void* c, hearth_session_h s, const hearth_spawn* what, hearth_proc_h* process,
                      hearth_error* err) {
      Self self(c);
      return self->answer(err, [&] {
        Spawn spawn{s, self->next_++, what->flags, {}, {}, text(what->cwd)};
        for (std::size_t i = 0; i < what->argc; ++i) spawn.argv.push_back(text(what->argv[i]));
        for (std::size_t i = 0; i < what->envc; ++i) spawn.env.push_back(text(what->env[i]));
        *process = spawn.process;
        self->spawns.push_back(std::move(spawn));
      });
    };
    table_.proc_adopt = [](void* c, hearth_session_h, hearth_proc_h* process, hearth_error* err) {
      Self self(c);
      if (self->adoptable == 0) return static_cast<hearth_status>(HEARTH_E_STATE);
      return self->answer(err, [&] { *process = self->adoptable; });
    };
    table_.proc_write = [](void* c, hearth_proc_h process, hearth_str bytes, hearth_error* err) {
      Self self(c);
      return self->answer(err, [&] { self->writes.push_back({process, text(bytes)}); });
    };
    table_.proc_signal = [](void* c, hearth_proc_h process, std::int32_t signo, hearth_error* err) {
      Self self(c);
      return self->answer(err, [&] { self->signals.push_back({process, signo}); });
    };
    table_.timer = [](void* c, hearth_session_h s, std::uint32_t ms) -> std::uint64_t {
      Self self(c);
      if (self->refuse != HEARTH_OK) return 0;
      self->timers.push_back({s, self->next_, self->now_ + ms});
      return self->next_++;
    };
    table_.chan_offer = [](void* c, hearth_session_h s, hearth_str options, hearth_offer* offer,
                           hearth_error* err) {
      Self self(c);
      return self->answer(err, [&] {
        offer->channel = self->next_++;
        const auto length = std::min(self->linkFile.size(), sizeof offer->link_file - 1);
        std::memcpy(offer->link_file, self->linkFile.data(), length);
        offer->link_file[length] = '\0';
        self->channels.push_back({s, offer->channel, text(options), false});
      });
    };
    table_.chan_join = [](void* c, hearth_session_h s, hearth_str open, hearth_chan_h* channel,
                          hearth_error* err) {
      Self self(c);
      return self->answer(err, [&] {
        *channel = self->next_++;
        self->channels.push_back({s, *channel, text(open), true});
      });
    };
    table_.chan_send = [](void* c, hearth_chan_h channel, const hearth_frame* frame,
                          hearth_error* err) {
      Self self(c);
      return self->answer(err, [&] {
        self->sent.push_back(
            {channel, frame->type, frame->outcome, frame->statement, text(frame->payload)});
      });
    };
    table_.chan_close = [](void* c, hearth_chan_h channel) {
      Self self(c);
      self->closedChannels.push_back(channel);
    };
    table_.stmt_display = [](void* c, hearth_session_h, std::uint64_t statement,
                             hearth_str bundle) {
      Self self(c);
      self->displays.push_back({statement, text(bundle)});
    };
    table_.stmt_display_change = [](void* c, hearth_session_h, std::uint64_t statement,
                                    std::uint64_t index, hearth_str bundle) {
      Self self(c);
      self->displayChanges.push_back({statement, index, text(bundle)});
    };
  }
  FakeHost(const FakeHost&) = delete;
  FakeHost& operator=(const FakeHost&) = delete;

  /// Keeps the plugin's calls out while the records are read: for plugins with threads of their own.
  /// Not to be held while the plugin is called.
  std::unique_lock<std::mutex> hold() { return std::unique_lock<std::mutex>(mutex_); }

  /// To be changed before create(): cut by struct_size, or with slots taken out.
  hearth_host& table() { return table_; }

  /// Lets `ms` pass; takes out and returns the session's timers that have run out, earliest first.
  std::vector<Timer> advance(hearth_session_h session, std::uint64_t ms) {
    const std::lock_guard<std::mutex> lock(mutex_);
    now_ += ms;
    std::multimap<std::uint64_t, Timer> due;
    std::vector<Timer> rest;
    for (const auto& timer : timers) {
      if (timer.session == session && timer.due <= now_)
        due.emplace(timer.due, timer);
      else
        rest.push_back(timer);
    }
    timers = std::move(rest);
    std::vector<Timer> result;
    for (const auto& entry : due) result.push_back(entry.second);
    return result;
  }

 private:
  /// The host that a call's ctx names, locked for as long as the call takes.
  class Self {
   public:
    explicit Self(void* ctx) : host_(static_cast<FakeHost*>(ctx)), lock_(host_->mutex_) {}
    FakeHost* operator->() const { return host_; }

   private:
    FakeHost* host_;
    std::lock_guard<std::mutex> lock_;
  };

  template <class Body>
  hearth_status answer(hearth_error* err, Body&& body) {
    if (refuse == HEARTH_OK) {
      body();
      return HEARTH_OK;
    }
    if (err != nullptr) {
      err->code = refuse;
      const std::string why = "the fake host refuses";
      if (err->capacity > 0) {
        const std::size_t length = std::min<std::size_t>(why.size(), err->capacity - 1);
        std::memcpy(err->message, why.data(), length);
        err->message[length] = '\0';
      }
    }
    return refuse;
  }

  std::mutex mutex_;
  hearth_host table_{};
  std::uint64_t next_ = 1000;  // handles and ids
  std::uint64_t now_ = 0;
};

/// A plugin's instance, created and, with it, destroyed.
class FakeInstance {
 public:
  /// Throws std::runtime_error with the plugin's reason where create() refuses.
  FakeInstance(const hearth_plugin& plugin, const hearth_host& host,
               const std::string& config = R"({"plugin_dir":"/nonexistent"})")
      : plugin_(plugin) {
    char why[1024] = "";
    hearth_error err{HEARTH_OK, sizeof why, why};
    if (plugin.create(&host, borrow(config), &self_, &err) != HEARTH_OK)
      throw std::runtime_error(std::string("create failed: ") + why);
  }
  ~FakeInstance() { plugin_.destroy(self_); }
  FakeInstance(const FakeInstance&) = delete;
  FakeInstance& operator=(const FakeInstance&) = delete;

  const hearth_plugin& plugin() const { return plugin_; }
  hearth_instance* self() const { return self_; }

 private:
  const hearth_plugin& plugin_;
  hearth_instance* self_ = nullptr;
};

/// One session of an instance, released with it. Every text is handed over in a buffer that is
/// wiped when the call returns, so that a plugin that keeps a borrowed pointer is found out.
class FakeSession {
 public:
  struct Options {
    std::string sessionId = "1";
    std::string kind = "echo";
    std::string user;
    std::string optionsJson = "{}";
    std::string driverJson;
    std::string recoveryBlob;
  };

  /// Throws std::runtime_error with the plugin's reason where open() refuses.
  FakeSession(const FakeInstance& instance, FakeHost& host, hearth_session_h handle)
      : FakeSession(instance, host, handle, Options()) {}
  FakeSession(const FakeInstance& instance, FakeHost& host, hearth_session_h handle,
              Options options)
      : plugin_(instance.plugin()), host_(host), handle_(handle) {
    hearth_open args{};
    args.struct_size = sizeof args;
    args.session_id = borrow(options.sessionId);
    args.kind = borrow(options.kind);
    args.user = borrow(options.user);
    args.options_json = borrow(options.optionsJson);
    args.driver_json = borrow(options.driverJson);
    args.recovery_blob = borrow(options.recoveryBlob);
    const auto opened = call([&](hearth_error* err) {
      return plugin_.open(instance.self(), handle, &args, &self_, err);
    });
    for (auto* field : {&options.sessionId, &options.kind, &options.user, &options.optionsJson,
                        &options.driverJson, &options.recoveryBlob})
      field->assign(field->size(), '#');
    if (!opened) throw std::runtime_error("open failed: " + opened.message);
  }
  ~FakeSession() { plugin_.release(self_); }
  FakeSession(const FakeSession&) = delete;
  FakeSession& operator=(const FakeSession&) = delete;

  hearth_session* self() const { return self_; }

  Answer launch() {
    return call([&](hearth_error* err) { return plugin_.launch(self_, err); });
  }
  Answer execute(std::uint64_t statement, std::string code, std::string optionsJson = {}) {
    const auto answer = call([&](hearth_error* err) {
      return plugin_.execute(self_, statement, borrow(code), borrow(optionsJson), err);
    });
    code.assign(code.size(), '#');
    optionsJson.assign(optionsJson.size(), '#');
    return answer;
  }
  Answer interrupt(std::uint64_t statement) {
    return call([&](hearth_error* err) { return plugin_.interrupt(self_, statement, err); });
  }
  Answer complete(std::uint64_t request, std::string code, std::uint64_t cursor) {
    const auto answer = call([&](hearth_error* err) {
      return plugin_.complete(self_, request, borrow(code), cursor, err);
    });
    code.assign(code.size(), '#');
    return answer;
  }
  Answer inspect(std::uint64_t request, std::string code, std::uint64_t cursor,
                 std::int32_t detail) {
    const auto answer = call([&](hearth_error* err) {
      return plugin_.inspect(self_, request, borrow(code), cursor, detail, err);
    });
    code.assign(code.size(), '#');
    return answer;
  }
  Answer resume(std::uint64_t statement, std::string code, std::string options = {}) {
    const auto answer = call([&](hearth_error* err) {
      return plugin_.resume(self_, statement, borrow(code), borrow(options), err);
    });
    code.assign(code.size(), '#');
    return answer;
  }
  Answer exportDriver(std::uint64_t request) {
    return call([&](hearth_error* err) { return plugin_.export_driver(self_, request, err); });
  }
  Answer sharedData(std::uint64_t request) {
    return call([&](hearth_error* err) { return plugin_.shared_data(self_, request, err); });
  }
  void close(std::int32_t mode = HEARTH_CLOSE_GRACEFUL) { plugin_.close(self_, mode); }

  void line(hearth_proc_h process, std::int32_t stream, std::string text) {
    plugin_.on_proc_line(self_, process, stream, borrow(text));
    text.assign(text.size(), '#');
  }
  void exit(hearth_proc_h process, std::int32_t status, std::int32_t signo) {
    plugin_.on_proc_exit(self_, process, status, signo);
  }
  void channel(hearth_chan_h channel, std::int32_t event) {
    plugin_.on_chan_frame(self_, channel, event, nullptr);
  }
  void frame(hearth_chan_h channel, std::uint8_t type, std::uint64_t statement, std::string payload,
             std::uint8_t outcome = 0) {
    const hearth_frame frame{type, outcome, 0, 0, statement, borrow(payload)};
    plugin_.on_chan_frame(self_, channel, HEARTH_CHAN_FRAME, &frame);
    payload.assign(payload.size(), '#');
  }
  /// Lets `ms` pass: this session's timers that run out are told to the plugin.
  void advance(std::uint64_t ms) {
    for (const auto& timer : host_.advance(handle_, ms)) plugin_.on_timer(self_, timer.id);
  }

 private:
  static Answer call(const std::function<hearth_status(hearth_error*)>& body) {
    char why[1024] = "";
    hearth_error err{HEARTH_OK, sizeof why, why};
    const hearth_status status = body(&err);
    return {status, why};
  }

  const hearth_plugin& plugin_;
  FakeHost& host_;
  hearth_session_h handle_;
  hearth_session* self_ = nullptr;
};

}  // namespace hearth::kit

#endif  // HEARTH_KIT_FAKE_HOST_HPP
