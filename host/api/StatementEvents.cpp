#include "api/StatementEvents.h"

#include <hearth/plugin.h>

#include <utility>

#include "api/EventText.h"
#include "api/Views.h"
#include "support/JsonWriter.h"

namespace hearth::host {

namespace {

constexpr std::size_t pieceBytes = 16 * 1024;

// At most one wake is registered at a time: the connection may ask again before it comes.
BodyStream::Next waitFor(StatementOutput& output, std::uint64_t seen,
                         const std::shared_ptr<std::atomic<bool>>& waiting,
                         std::function<void()> wake) {
  if (!waiting->exchange(true))
    output.wait(seen, [waiting, wake = std::move(wake)] {
      *waiting = false;
      wake();
    });
  return BodyStream::Next::wait;
}

}  // namespace

std::shared_ptr<StatementOutput> outputOf(const SessionManager& manager, const SessionView& view,
                                          std::int64_t statement) {
  if (view.live)
    if (auto output = view.live->output(statement)) return output;
  const auto row = manager.statement(view, statement);
  return std::make_shared<StatementOutput>(view.row.folder + "/output", *row);
}

StatementEvents::StatementEvents(SessionManager& manager, SessionView view, std::int64_t statement,
                                 StatementOutput::Position start)
    : manager_(manager),
      view_(std::move(view)),
      statement_(statement),
      output_(outputOf(manager_, view_, statement)),
      position_(start) {}

void StatementEvents::event(std::string& out, const char* name, const std::string& json) const {
  appendEvent(out, position_.text(), name, json);
}

BodyStream::Next StatementEvents::read(std::string& out, std::size_t most,
                                       std::function<void()> wake) {
  // In this order: what comes after is told by the next version.
  const std::uint64_t seen = output_->version();
  const bool closed = output_->closed();
  while (out.size() < most) {
    const auto piece = output_->next(position_, pieceBytes);
    if (!piece) break;
    if (piece->isDisplay) {
      if (piece->text.empty()) continue;
      if (piece->isChange)
        event(out, "display_change",
              "{\"index\":" + std::to_string(piece->index) + ",\"data\":" + piece->text + "}");
      else
        event(out, "display", piece->text);
      continue;
    }
    JsonWriter json;
    json.beginObject();
    json.key("stream").string(piece->stream == HEARTH_STDERR ? "stderr" : "stdout");
    json.key("from").integer(static_cast<std::int64_t>(piece->from));
    json.key("text").string(piece->text);
    json.endObject();
    event(out, "output", json.take());
  }
  if (out.size() >= most) return Next::more;
  if (closed) {
    event(out, "state", v1Statement(*manager_.statement(view_, statement_)));
    return Next::end;
  }
  const Session::Standing now = view_.live->standing(statement_);
  if (now.progress != shownProgress_) {
    shownProgress_ = now.progress;
    event(out, "progress",
          JsonWriter().beginObject().key("progress").number(now.progress).endObject().take());
  }
  if (now.state != shownState_ && !now.state.empty()) {
    shownState_ = now.state;
    event(out, "state",
          JsonWriter()
              .beginObject()
              .key("id")
              .integer(statement_)
              .key("state")
              .string(now.state)
              .endObject()
              .take());
  }
  if (!out.empty()) return Next::more;
  return waitFor(*output_, seen, waiting_, std::move(wake));
}

PrintedText::PrintedText(std::shared_ptr<StatementOutput> output, int stream, std::uint64_t from)
    : output_(std::move(output)), stream_(stream), from_(from) {}

BodyStream::Next PrintedText::read(std::string& out, std::size_t most, std::function<void()> wake) {
  const std::uint64_t seen = output_->version();
  const bool closed = output_->closed();
  const StatementOutput::Page page = output_->read(stream_, from_, most);
  if (!page.text.empty()) {
    from_ = page.from + page.text.size();
    out += page.text;
    return Next::more;
  }
  if (closed) return Next::end;
  return waitFor(*output_, seen, waiting_, std::move(wake));
}

}  // namespace hearth::host
