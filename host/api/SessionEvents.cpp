#include "api/SessionEvents.h"

#include <charconv>
#include <utility>

#include "api/EventText.h"
#include "api/Views.h"
#include "support/JsonWriter.h"

namespace hearth::host {

namespace {

constexpr std::int64_t linesPerEvent = 64;

}  // namespace

std::string SessionEvents::Position::text() const {
  return std::to_string(events) + "-" + std::to_string(lines);
}

std::optional<SessionEvents::Position> SessionEvents::Position::parse(const std::string& text) {
  Position position;
  const char* const end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, position.events);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != '-') return std::nullopt;
  const auto second = std::from_chars(first.ptr + 1, end, position.lines);
  if (second.ec != std::errc() || second.ptr != end || position.lines > INT64_MAX)
    return std::nullopt;
  return position;
}

SessionEvents::SessionEvents(SessionManager& manager, SessionView view, Position start)
    : view_(std::move(view)), position_(start) {
  if (view_.live)
    watch_ = view_.live->followLog(manager.folders());
  else
    storedLog_ = std::make_shared<LogFile>(view_.row.folder + "/session.log");
}

void SessionEvents::event(std::string& out, const char* name, const std::string& json) const {
  appendEvent(out, position_.text(), name, json);
}

bool SessionEvents::readEntry(std::string& out) {
  const SessionJournal& journal = view_.live->journal();
  const auto entry = journal.next(position_.events);
  if (!entry) {
    position_.events = journal.last();  // it may be one from the future
    return false;
  }
  const std::uint64_t missed = entry->number - position_.events - 1;
  if (missed > 0) {
    position_.events += missed;
    event(out, "missed",
          JsonWriter()
              .beginObject()
              .key("events")
              .integer(static_cast<std::int64_t>(missed))
              .endObject()
              .take());
  }
  position_.events = entry->number;
  event(out, entry->name, entry->json);
  return true;
}

bool SessionEvents::readLog(std::string& out, bool closed) {
  LogFile& log = view_.live ? view_.live->log() : *storedLog_;
  LogFile::Page page = log.read(static_cast<std::int64_t>(position_.lines), linesPerEvent);
  // The last line may be half of one as long as there is one who writes.
  const auto all = page.from + static_cast<std::int64_t>(page.lines.size());
  if (!closed && all > page.whole && !page.lines.empty()) page.lines.pop_back();
  if (page.lines.empty()) return false;
  position_.lines = static_cast<std::uint64_t>(page.from) + page.lines.size();
  event(out, "log",
        JsonWriter()
            .beginObject()
            .key("from")
            .integer(page.from)
            .key("lines")
            .strings(page.lines)
            .endObject()
            .take());
  return true;
}

BodyStream::Next SessionEvents::read(std::string& out, std::size_t most,
                                     std::function<void()> wake) {
  // In this order: what comes after is told by the next version.
  const std::uint64_t seen = view_.live ? view_.live->journal().version() : 0;
  const bool closed = !view_.live || view_.live->journal().closed();
  while (out.size() < most) {
    const bool happened = view_.live && readEntry(out);
    const bool logged = readLog(out, closed);
    if (!happened && !logged) break;
  }
  if (out.size() >= most) return Next::more;
  if (closed) {
    event(out, "state", v1Session(view_.live ? SessionView{view_.live->row(), view_.live} : view_));
    return Next::end;
  }
  if (!out.empty()) return Next::more;
  // At most one wake is registered at a time: the connection may ask again before it comes.
  if (!waiting_->exchange(true))
    view_.live->journal().wait(seen, [waiting = waiting_, wake = std::move(wake)] {
      *waiting = false;
      wake();
    });
  return Next::wait;
}

}  // namespace hearth::host
