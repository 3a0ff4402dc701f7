// A session as server-sent events: a body made while it is sent.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "http/BodyStream.h"
#include "session/SessionManager.h"

namespace hearth::host {

/// `state` {"state","reason","since"}, `statement` {"id","kind","state","outcome"}, `log`
/// {"from","lines"}, each with an id to resume behind; `missed` {"events"} where too much has
/// happened since. The last event is `state` with the session's whole view. A client costs the
/// memory of one piece, and no thread.
class SessionEvents : public BodyStream {
 public:
  /// How many events and lines of the log were had. Text form: "EVENTS-LINES".
  struct Position {
    std::uint64_t events = 0, lines = 0;
    std::string text() const;
    static std::optional<Position> parse(const std::string& text);
  };

  /// `manager` outlives the stream.
  SessionEvents(SessionManager& manager, SessionView view, Position start);

  Next read(std::string& out, std::size_t most, std::function<void()> wake) override;
  std::string keepAlive() const override { return ": \n\n"; }

 private:
  void event(std::string& out, const char* name, const std::string& json) const;
  /// Whether there was something.
  bool readEntry(std::string& out);
  bool readLog(std::string& out, bool closed);

  const SessionView view_;
  std::shared_ptr<LogFile> storedLog_;  // of a session that has ended
  std::shared_ptr<void> watch_;
  Position position_;
  std::shared_ptr<std::atomic<bool>> waiting_ = std::make_shared<std::atomic<bool>>(false);
};

}  // namespace hearth::host
