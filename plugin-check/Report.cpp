#include "Report.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "hearth/plugin.h"
#include "support/Utf8.h"

namespace hearth::check {

namespace json = boost::json;

namespace {

constexpr Outcome outcomes[] = {Outcome::passed, Outcome::failed, Outcome::crashed,
                                Outcome::timedOut, Outcome::skipped};

std::string member(Outcome outcome) {
  std::string word = name(outcome);
  for (char& c : word)
    if (c == ' ') c = '_';
  return word;
}

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(text.size(), width), ' ');
  return text;
}

std::string indented(const std::string& text, const std::string& by) {
  std::string shown;
  for (const char c : text) {
    shown += c;
    if (c == '\n') shown += by;
  }
  return shown;
}

}  // namespace

void Report::begin(const Subject& subject) {
  if (json_) {
    plugins_.push_back(json::object{{"plugin", subject.file.string()}, {"checks", json::array()}});
  } else {
    out_ << subject.file.string() << "\n";
  }
  group_.clear();
  for (int& count : counts_) count = 0;
}

void Report::add(const Check& check, const Result& result, std::chrono::milliseconds took) {
  ++counts_[static_cast<int>(result.outcome)];
  const bool bad = result.outcome != Outcome::passed && result.outcome != Outcome::skipped;
  bad_ = bad_ || bad;
  const std::string saw = host::repairUtf8(result.saw);
  if (json_) {
    json::object entry{{"group", check.group},
                       {"name", check.name},
                       {"rule", check.rule},
                       {"outcome", name(result.outcome)},
                       {"seconds", static_cast<double>(took.count()) / 1000}};
    if (!saw.empty()) entry["saw"] = saw;
    if (bad) entry["do"] = check.remedy;
    plugins_.back().get_object()["checks"].get_array().push_back(std::move(entry));
    return;
  }
  if (group_ != check.group) {
    group_ = check.group;
    out_ << "  " << group_ << "\n";
  }
  const std::string by(16, ' ');
  out_ << "    "
       << padded(bad ? "! " + std::string(name(result.outcome)) : name(result.outcome), 12)
       << check.name;
  if (result.outcome == Outcome::skipped) out_ << ": " << saw;
  out_ << "\n";
  if (bad)
    out_ << by << "rule: " << check.rule << "\n"
         << by << "seen: " << indented(saw, by + "      ") << "\n"
         << by << "do:   " << check.remedy << "\n";
  out_.flush();
}

void Report::end() {
  if (json_) {
    auto& plugin = plugins_.back().get_object();
    for (const Outcome outcome : outcomes)
      plugin[member(outcome)] = counts_[static_cast<int>(outcome)];
    return;
  }
  for (const Outcome outcome : outcomes)
    out_ << (outcome == Outcome::passed ? "  " : ", ") << counts_[static_cast<int>(outcome)] << " "
         << name(outcome);
  out_ << "\n";
}

void Report::finish() {
  if (!json_) return;
  out_ << json::serialize(json::object{
              {"abi", std::to_string(HEARTH_ABI_MAJOR) + "." + std::to_string(HEARTH_ABI_MINOR)},
              {"ok", !bad_},
              {"plugins", std::move(plugins_)}})
       << "\n";
}

void Report::list(std::ostream& out, bool json) {
  json::array all;
  std::string group;
  for (const Check& check : allChecks()) {
    if (json) {
      all.push_back(json::object{{"group", check.group},
                                 {"name", check.name},
                                 {"rule", check.rule},
                                 {"do", check.remedy}});
      continue;
    }
    if (group != check.group) out << (group = check.group) << "\n";
    out << "  " << padded(check.name, 26) << check.rule << "\n";
  }
  if (json) out << json::serialize(all) << "\n";
}

}  // namespace hearth::check
