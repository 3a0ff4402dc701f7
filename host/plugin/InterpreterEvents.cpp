// Interpreter: what a plugin tells of its session, on any thread, and how the owner hears of it.
#include <optional>
#include <string>
#include <utility>

#include "plugin/Interpreter.h"
#include "plugin/PluginHost.h"
#include "plugin/PluginLogLevel.h"
#include "support/JsonCheck.h"
#include "support/JsonWriter.h"
#include "support/Log.h"

namespace hearth::host {

namespace {

using Kind = PluginEvent::Kind;

PluginEvent eventOf(Kind kind, std::uint64_t statement, std::string text = {}) {
  PluginEvent event;
  event.kind = kind;
  event.statement = statement;
  event.text = std::move(text);
  return event;
}

}  // namespace

// Events reach the owner through the strand, so that a plugin that calls the host while it holds a
// lock of its own is never called back on that stack.
void Interpreter::post(PluginEvent event) {
  switch (inbox_.put(std::move(event))) {
    case EventInbox::Put::queued:
      EventLoop::post(services_.strand, [self = shared_from_this()] { self->takeEvent(); });
      return;
    case EventInbox::Put::joined:
      return;
    case EventInbox::Put::dropped:
      host_.misbehaves("{}: more than the host can take, in session {}", pluginName(),
                       services_.sessionId);
  }
}

void Interpreter::takeEvent() {
  std::optional<PluginEvent> event = inbox_.take();
  if (event && !released_) give(std::move(*event));
}

void Interpreter::give(PluginEvent event) {
  const bool isOpen = open_.count(event.statement) != 0;
  switch (event.kind) {
    case Kind::state:
      return owner_.onState(*this, event.number, std::move(event.text));
    case Kind::output:
      if (!isOpen) return;
      if (event.lost > 0) {
        log().warn(
            "plugin misbehaving: {} printed faster than the host could take: {} bytes of "
            "session {} are dropped",
            pluginName(), event.lost, services_.sessionId);
        event.text = "\n[hearth: " + std::to_string(event.lost) +
                     " bytes are missing here: they came faster than the host could take them]\n";
      }
      return owner_.onOutput(*this, event.statement, event.number, std::move(event.text),
                             event.frame);
    case Kind::display:
    case Kind::change:
      if (!isOpen) return;
      if (const std::string why = whyNoJsonObject(event.text); !why.empty()) {
        host_.misbehaves("{} shows what is not JSON in session {}: {}", pluginName(),
                         services_.sessionId, why);
        return;
      }
      if (event.kind == Kind::display)
        owner_.onDisplay(*this, event.statement, std::move(event.text), event.frame);
      else
        owner_.onDisplayChange(*this, event.statement, event.index, std::move(event.text),
                               event.frame);
      return;
    case Kind::progress:
      if (isOpen) owner_.onProgress(*this, event.statement, event.fraction);
      return;
    case Kind::done:
      return finishStatement(event.statement, event.number, std::move(event.text));
    case Kind::reply:
      return owner_.onReply(*this, event.statement, event.number, std::move(event.text));
    case Kind::save:
      return owner_.onSave(*this, std::move(event.text));
    case Kind::other:
      return event.act();
  }
}

void Interpreter::postState(std::int32_t state, std::string detail) {
  PluginEvent event = eventOf(Kind::state, 0, std::move(detail));
  event.number = state;
  post(std::move(event));
}

void Interpreter::postOutput(std::uint64_t statement, int stream, std::string text) {
  PluginEvent event = eventOf(Kind::output, statement, std::move(text));
  event.number = stream;
  event.frame = frameNow();
  post(std::move(event));
}

void Interpreter::postDisplay(std::uint64_t statement, std::string bundle) {
  PluginEvent event = eventOf(Kind::display, statement, std::move(bundle));
  event.frame = frameNow();
  post(std::move(event));
}

void Interpreter::postDisplayChange(std::uint64_t statement, std::uint64_t index,
                                    std::string bundle) {
  PluginEvent event = eventOf(Kind::change, statement, std::move(bundle));
  event.index = index;
  event.frame = frameNow();
  post(std::move(event));
}

void Interpreter::postProgress(std::uint64_t statement, double fraction) {
  PluginEvent event = eventOf(Kind::progress, statement);
  event.fraction = fraction;
  post(std::move(event));
}

void Interpreter::postDone(std::uint64_t statement, std::int32_t outcome, std::string bundle) {
  PluginEvent event = eventOf(Kind::done, statement, std::move(bundle));
  event.number = outcome;
  post(std::move(event));
}

void Interpreter::finishStatement(std::uint64_t statement, std::int32_t outcome,
                                  std::string bundle) {
  if (open_.erase(statement) == 0) {
    // A driver that was taken up repeats what the run before had stored, but not acknowledged.
    if (!takenUp_)
      host_.misbehaves("{} ended statement {} of session {}, which is not running", pluginName(),
                       statement, services_.sessionId);
    return;
  }
  // It is served as it came, in the middle of an answer that has to stay JSON.
  if (!bundle.empty()) {
    if (const std::string why = whyNoJsonObject(bundle); !why.empty()) {
      host_.misbehaves("{} gave statement {} of session {} a result that is not JSON: {}",
                       pluginName(), statement, services_.sessionId, why);
      if (outcome == HEARTH_DONE_OK) outcome = HEARTH_DONE_ERROR;
      bundle = "{\"ename\":\"PluginError\",\"evalue\":" +
               jsonQuoted("the plugin " + pluginName() +
                          " gave a result that cannot be served, as it is not JSON: " + why) +
               ",\"traceback\":[]}";
    }
  }
  owner_.onDone(*this, statement, outcome, std::move(bundle));
}

void Interpreter::postReply(std::uint64_t request, hearth_status status, std::string json) {
  PluginEvent event = eventOf(Kind::reply, request, std::move(json));
  event.number = status;
  post(std::move(event));
}

void Interpreter::postSave(std::string blob) {
  post(eventOf(Kind::save, 0, std::move(blob)));
}

void Interpreter::logLine(std::int32_t level, std::string line) {
  std::uint64_t missed = 0;
  if (!logLimit_.pass(missed)) return;
  if (missed > 0) {
    const std::string gap = std::to_string(missed) +
                            " lines of the plugin are missing here: they " +
                            "came faster than the host takes them";
    log().warn("session {}: {}: {}", services_.sessionId, pluginName(), gap);
    services_.log->append("hearth: " + gap);
  }
  log().line(pluginLogLevel(level), "session {}: {}: {}", services_.sessionId, pluginName(), line);
  if (level >= HEARTH_LOG_INFO) services_.log->append(line);
}

}  // namespace hearth::host
