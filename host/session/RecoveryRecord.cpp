#include "session/RecoveryRecord.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>
#include <stdexcept>

namespace hearth::host {

namespace json = boost::json;

namespace {

std::string text(const json::object& object, const char* key) {
  const json::value* const value = object.if_contains(key);
  return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

template <typename Number>
Number number(const json::object& object, const char* key) {
  const json::value* const value = object.if_contains(key);
  boost::system::error_code error;
  const Number found = value ? value->to_number<Number>(error) : Number{};
  return error ? Number{} : found;
}

RecoverableInterpreter interpreter(const json::object& object) {
  RecoverableInterpreter read{
      text(object, "blob"), text(object, "tag"),    number<std::uint16_t>(object, "channel"),
      std::nullopt,         text(object, "plugin"), text(object, "version")};
  if (const json::value* const process = object.if_contains("process");
      process && process->is_object()) {
    const json::object& of = process->get_object();
    read.process =
        ProcessIdentity{number<pid_t>(of, "pid"), text(of, "startTime"), text(of, "bootId")};
  }
  return read;
}

}  // namespace

RecoveryRecord RecoveryRecord::parse(const std::string& text) {
  RecoveryRecord record;
  if (text.empty()) return record;
  boost::system::error_code error;
  const json::value value = json::parse(text, error);
  if (error || !value.is_object()) throw std::invalid_argument("no recovery record: " + text);
  const json::object& object = value.get_object();
  record.run = number<std::uint32_t>(object, "run");
  record.work = hearth::host::text(object, "work");
  const json::value* const all = object.if_contains("interpreters");
  if (!all || !all->is_object()) return record;
  for (const auto& item : all->get_object())
    if (item.value().is_object())
      record.interpreters[item.key()] = interpreter(item.value().get_object());
  return record;
}

std::string RecoveryRecord::json() const {
  json::object all;
  for (const auto& [kind, of] : interpreters) {
    json::object object{{"blob", of.blob}, {"tag", of.tag}, {"channel", of.channel}};
    if (!of.plugin.empty()) {
      object["plugin"] = of.plugin;
      object["version"] = of.version;
    }
    if (of.process)
      object["process"] = {{"pid", of.process->pid},
                           {"startTime", of.process->startTime},
                           {"bootId", of.process->bootId}};
    all[kind] = std::move(object);
  }
  return json::serialize(
      json::object{{"run", run}, {"work", work}, {"interpreters", std::move(all)}});
}

}  // namespace hearth::host
