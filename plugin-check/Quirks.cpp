#include "Quirks.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <fstream>
#include <functional>
#include <iterator>

#include "plugin/Descriptor.h"

namespace hearth::check {

namespace json = boost::json;

namespace {

constexpr const char* sampleNames[] = {"ok",         "output",     "error",   "refused", "slow",
                                       "incomplete", "completion", "inspect", "kept",    "recall"};

std::string textOf(const json::value& value, const std::string& where) {
  if (!value.is_string()) throw QuirksError(where + " is not a text");
  return std::string(value.get_string());
}

const json::object& objectOf(const json::value& value, const std::string& where) {
  if (!value.is_object()) throw QuirksError(where + " is not an object");
  return value.get_object();
}

std::int64_t numberOf(const json::value& value, const std::string& where) {
  if (!value.is_int64() || value.get_int64() < 1 || value.get_int64() > 86400000)
    throw QuirksError(where + " is not a whole number from 1 on");
  return value.get_int64();
}

std::vector<std::string> textsOf(const json::value& value, const std::string& where) {
  if (!value.is_array()) throw QuirksError(where + " is not an array");
  std::vector<std::string> texts;
  for (const auto& item : value.get_array()) texts.push_back(textOf(item, where + "'s item"));
  return texts;
}

Sample sampleOf(const json::value& value, const std::string& where) {
  Sample sample;
  for (const auto& member : objectOf(value, where)) {
    if (member.key() == "code")
      sample.code = textOf(member.value(), where + ".code");
    else if (member.key() == "expect")
      sample.expect = textOf(member.value(), where + ".expect");
    else
      throw QuirksError(where + " has an unknown member \"" + std::string(member.key()) + '"');
  }
  return sample;
}

std::map<std::string, Sample> samplesOf(const json::value& value) {
  const std::vector<std::string> known(std::begin(sampleNames), std::end(sampleNames));
  std::map<std::string, Sample> samples;
  for (const auto& member : objectOf(value, "samples")) {
    const std::string name(member.key());
    if (std::find(known.begin(), known.end(), name) == known.end())
      throw QuirksError("samples has an unknown member \"" + name + '"' +
                        host::nearestHint(name, known));
    samples[name] = sampleOf(member.value(), "samples." + name);
  }
  return samples;
}

}  // namespace

Quirks Quirks::parse(const std::string& text) {
  boost::system::error_code error;
  const json::value parsed = json::parse(text, error);
  if (error || !parsed.is_object()) throw QuirksError("is not a JSON object: " + error.message());
  Quirks quirks;
  using Read = std::function<void(const json::value&)>;
  const auto seconds = [](std::chrono::seconds& into, const char* name) -> Read {
    return [&into, name](const json::value& v) { into = std::chrono::seconds(numberOf(v, name)); };
  };
  const std::map<std::string, Read> members = {
      {"kind", [&](const json::value& v) { quirks.kind = textOf(v, "kind"); }},
      {"parameter", [&](const json::value& v) { quirks.parameter = textOf(v, "parameter"); }},
      {"config", [&](const json::value& v) { quirks.config = objectOf(v, "config"); }},
      {"driver", [&](const json::value& v) { quirks.driver = objectOf(v, "driver"); }},
      {"request", [&](const json::value& v) { quirks.request = objectOf(v, "request"); }},
      {"samples", [&](const json::value& v) { quirks.samples = samplesOf(v); }},
      {"needed", [&](const json::value& v) { quirks.needed = textsOf(v, "needed"); }},
      {"needs_environment",
       [&](const json::value& v) { quirks.needsEnvironment = textsOf(v, "needs_environment"); }},
      {"skip",
       [&](const json::value& v) {
         for (const auto& member : objectOf(v, "skip"))
           quirks.skip[std::string(member.key())] = textOf(member.value(), "skip's reason");
       }},
      {"launch_seconds", seconds(quirks.launchTime, "launch_seconds")},
      {"statement_seconds", seconds(quirks.statementTime, "statement_seconds")},
      {"close_seconds", seconds(quirks.closeTime, "close_seconds")},
      {"check_seconds", seconds(quirks.checkTime, "check_seconds")},
      {"load_ms",
       [&](const json::value& v) {
         quirks.loadTime = std::chrono::milliseconds(numberOf(v, "load_ms"));
       }},
      {"parallel",
       [&](const json::value& v) { quirks.parallel = static_cast<int>(numberOf(v, "parallel")); }}};
  std::vector<std::string> known;
  for (const auto& member : members) known.push_back(member.first);
  for (const auto& member : parsed.get_object()) {
    const std::string name(member.key());
    const auto read = members.find(name);
    if (read == members.end())
      throw QuirksError("has an unknown member \"" + name + '"' + host::nearestHint(name, known));
    read->second(member.value());
  }
  return quirks;
}

Quirks Quirks::load(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw QuirksError(file.string() + " cannot be read");
  try {
    return parse(std::string(std::istreambuf_iterator<char>(in), {}));
  } catch (const QuirksError& error) {
    throw QuirksError(file.string() + " " + error.what());
  }
}

const Sample* Quirks::sample(const std::string& name) const {
  const auto found = samples.find(name);
  return found == samples.end() ? nullptr : &found->second;
}

}  // namespace hearth::check
