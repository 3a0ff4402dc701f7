// What Border's two halves share. Private to them.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "Border.h"
#include "Lent.h"

namespace hearth::check {

/// A hearth_session as the host sees it.
struct Border::Session {
  Session(Instance& of, hearth_session_h given, bool again)
      : instance(of), handle(given), takenUp(again) {}

  Instance& instance;
  hearth_session_h handle;
  bool takenUp;                      ///< frames of an earlier run may come again
  hearth_session* theirs = nullptr;  ///< the plugin's

  std::mutex mutex;  // all below
  bool released = false;
  struct Statement {
    bool open = true;
    bool done = false;
  };
  std::map<std::uint64_t, Statement> statements;
};

/// A hearth_instance as the host sees it, and the plugin's host.
struct Border::Instance {
  Instance(Border& of, const hearth_host& host);

  Border& border;
  const hearth_host& real;
  hearth_instance* theirs = nullptr;
  std::unique_ptr<Lent> hostTable;  ///< as long as the real one says that it is, not a byte longer

  std::mutex mutex;  // all below
  bool destroyed = false;
  std::map<hearth_session_h, std::shared_ptr<Session>> sessions;  // also released ones

  std::shared_ptr<Session> find(hearth_session_h handle);
};

/// A call into the plugin: on which session, since when.
class Border::Call {
 public:
  Call(Border& border, const char* slot, const Session* session);
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  /// The session that this thread's innermost call into a plugin is for, and whether there is one.
  static const Call* current();
  const Session* session() const { return session_; }

 private:
  Border& border_;
  const char* slot_;
  const Session* session_;
  const Call* outer_;
  std::chrono::steady_clock::time_point began_;
  long waits_;  // how often the thread has slept before
  std::chrono::nanoseconds cpu_;
};

bool isUtf8(const std::string& text);
bool isObject(const std::string& json);

}  // namespace hearth::check
