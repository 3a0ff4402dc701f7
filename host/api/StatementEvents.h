// A statement as server-sent events, and what it printed as plain text: bodies made while sent.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "http/BodyStream.h"
#include "session/SessionManager.h"

namespace hearth::host {

/// `output` {"stream","from","text"}, `display` (a MIME bundle), `progress` {"progress"}, `state`
/// {"id","state"}, each with an id to resume behind; the last event is `state` with the statement's
/// whole view. Format: the WHATWG HTML standard, "Server-sent events".
class StatementEvents : public BodyStream {
 public:
  /// `manager` outlives the stream. Throws Refusal where the statement is not there.
  StatementEvents(SessionManager& manager, SessionView view, std::int64_t statement,
                  StatementOutput::Position start);

  Next read(std::string& out, std::size_t most, std::function<void()> wake) override;
  std::string keepAlive() const override { return ": \n\n"; }

 private:
  void event(std::string& out, const char* name, const std::string& json) const;

  SessionManager& manager_;
  const SessionView view_;
  const std::int64_t statement_;
  std::shared_ptr<StatementOutput> output_;
  StatementOutput::Position position_;
  std::string shownState_;
  double shownProgress_ = 0;
  std::shared_ptr<std::atomic<bool>> waiting_ = std::make_shared<std::atomic<bool>>(false);
};

/// One stream of a statement's text, from a byte on, until the statement has ended.
class PrintedText : public BodyStream {
 public:
  PrintedText(std::shared_ptr<StatementOutput> output, int stream, std::uint64_t from);

  Next read(std::string& out, std::size_t most, std::function<void()> wake) override;
  std::string keepAlive() const override { return {}; }

 private:
  std::shared_ptr<StatementOutput> output_;
  const int stream_;
  std::uint64_t from_;
  std::shared_ptr<std::atomic<bool>> waiting_ = std::make_shared<std::atomic<bool>>(false);
};

/// What the statement shows, live or as stored. Throws Refusal where the statement is not there.
std::shared_ptr<StatementOutput> outputOf(const SessionManager& manager, const SessionView& view,
                                          std::int64_t statement);

}  // namespace hearth::host
