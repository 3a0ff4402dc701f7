#include "Statement.h"

#include <hearth/json_members.hpp>
#include <hearth/plugin.hpp>
#include <map>
#include <utility>

#include "Text.h"

namespace hearth::jupyter {

namespace {

constexpr std::size_t mostPrinted = 1u << 20;  // in the result; all of it is the host's to keep
constexpr std::size_t mostShown = 16u << 20;

void keep(std::string& kept, std::string_view text) {
  if (kept.size() > mostPrinted) return;
  if (kept.size() + text.size() <= mostPrinted) {
    kept += text;
    return;
  }
  std::size_t room = mostPrinted - kept.size();
  while (room > 0 && (static_cast<unsigned char>(text[room]) & 0xC0) == 0x80) --room;
  kept += text.substr(0, room);
  kept += "\n[the output is cut here, after 1 MiB]\n";
}

}  // namespace

void Statement::published(const Message& message) {
  const std::string_view content = message.content;
  if (message.type == "status") {
    idle_ = idle_ || textMember(content, "execution_state") == "idle";
  } else if (message.type == "execute_input") {
    underWay_ = true;
  } else if (message.type == "stream") {
    clearIfAsked();
    const bool error = textMember(content, "name") == "stderr";
    const std::string text = textMember(content, "text");
    if (!error) keep(printed_, text);
    events_.onOutput(number_, error ? HEARTH_STDERR : HEARTH_STDOUT, text);
  } else if (message.type == "display_data") {
    show(objectMember(content, "data"),
         textMember(objectMember(content, "transient"), "display_id"));
  } else if (message.type == "update_display_data") {
    update(objectMember(content, "data"),
           textMember(objectMember(content, "transient"), "display_id"));
  } else if (message.type == "execute_result") {
    clearIfAsked();
    showResult();
    result_ = objectMember(content, "data");
  } else if (message.type == "error") {
    fail(message.content);
  } else if (message.type == "clear_output") {
    clearNext_ = jsonMember(content, "wait") == "true";
    if (!clearNext_) clear();
  }
  // Others, as comm messages, are about things that a statement does not have.
}

void Statement::reply(const Message& message) {
  replied_ = underWay_ = true;
  status_ = textMember(message.content, "status");
  if (status_ == "error") return fail(message.content);
  // The pager is how help comes; what else kernels ask of a front end here has no use.
  for (const std::string_view page : jsonItems(jsonMember(message.content, "payload")))
    if (textMember(page, "source") == "page") show(objectMember(page, "data"), {});
}

void Statement::refuseInput(const std::string& prompt) {
  inputRefusal_ = errorBundle("StdinNotImplementedError",
                              "the code asked for input" +
                                  (prompt.empty() ? std::string() : " (" + prompt + ")") +
                                  ", and statements have no stdin",
                              {});
}

void Statement::tellEnd(bool interrupted) {
  if (!inputRefusal_.empty() && !interrupted)
    events_.onDone(number_, HEARTH_DONE_ERROR, inputRefusal_);
  else if (status_ == "ok")
    events_.onDone(number_, HEARTH_DONE_OK, data());
  else if (status_ == "error")
    events_.onDone(number_, interrupted ? HEARTH_DONE_CANCELLED : HEARTH_DONE_ERROR, failure_);
  else  // "aborted", or "abort" as some kernels have it: interrupted, also where nobody has asked
    events_.onDone(number_, HEARTH_DONE_CANCELLED, failure_.empty() ? "{}" : failure_);
}

void Statement::show(std::string_view bundle, const std::string& displayId) {
  clearIfAsked();
  if (!displayId.empty()) displayIds_.emplace(displayId, shown_.size());
  shown_.emplace_back("{}");
  setShown(shown_.size() - 1, bundle);
  events_.onDisplay(number_, bundle);
}

// Displays of earlier statements are stored and done with: nothing happens to them.
void Statement::update(std::string_view bundle, const std::string& displayId) {
  const auto [first, last] = displayIds_.equal_range(displayId);
  for (auto entry = first; entry != last; ++entry) {
    setShown(entry->second, bundle);
    events_.onDisplayChanged(number_, entry->second, bundle);
  }
}

void Statement::clear() {
  clearNext_ = false;
  displayIds_.clear();
  result_.clear();
  printed_.clear();
  for (; cleared_ < shown_.size(); ++cleared_) {
    setShown(cleared_, "{}");
    events_.onDisplayChanged(number_, cleared_, "{}");
  }
}

void Statement::setShown(std::size_t index, std::string_view bundle) {
  shownBytes_ -= shown_[index].size();
  shown_[index] = shownBytes_ + bundle.size() > mostShown ? "{}" : bundle;
  shownBytes_ += shown_[index].size();
}

std::string Statement::data() const {
  std::map<std::string_view, std::string_view> members;
  const auto add = [&](std::string_view bundle) {
    for (const JsonMember& member : jsonMembers(bundle)) members.insert(member);
  };
  add(result_);
  for (auto bundle = shown_.rbegin(); bundle != shown_.rend(); ++bundle) add(*bundle);

  std::string text = printed_;
  text.erase(text.find_last_not_of(" \t\r\n") + 1);
  const std::string value = textOf(members["text/plain"]);
  if (!text.empty() && !value.empty()) text += '\n';
  text += value;
  std::string data;
  if (!text.empty() || members.size() == 1) data = "\"text/plain\":" + hearth::quoted(text);
  members.erase("text/plain");
  for (const auto& [mime, json] : members)
    data += (data.empty() ? "\"" : ",\"") + std::string(mime) + "\":" + std::string(json);
  return "{" + data + "}";
}

void Statement::clearIfAsked() {
  if (clearNext_) clear();
}

// Of several results the last is the statement's, those before are shown.
void Statement::showResult() {
  if (!result_.empty()) show(std::exchange(result_, {}), {});
}

void Statement::fail(std::string_view content) {
  std::vector<std::string> lines;
  for (const std::string_view line : jsonItems(jsonMember(content, "traceback")))
    lines.push_back(withoutAnsi(textOf(line)));
  const std::string name = textMember(content, "ename");
  // A reply that says no more than that it failed does not outdo the message that says why.
  if (name.empty() && lines.empty() && !failure_.empty()) return;
  failure_ =
      errorBundle(name.empty() ? "Error" : name, withoutAnsi(textMember(content, "evalue")), lines);
}

}  // namespace hearth::jupyter
