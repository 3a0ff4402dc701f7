// The host's configuration: every key there is, where each value came from.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace hearth::host {

/// A file, variable or argument is wrong; the text names it and the way out.
class SettingsError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct SettingKey {
  enum class Type { text, number, boolean, duration, size };
  const char* name;
  Type type;
  const char* fallback;
  const char* doc;
};

/// Layers, the later wins: defaults, /etc/hearth/hearth.properties, the file of $HEARTH_CONF, the
/// environment (server.port is HEARTH_SERVER_PORT), the command line. Read-only once loaded.
class Settings {
 public:
  struct Value {
    std::string text;
    std::string origin;  ///< "default", a file, a variable or "command line"
  };

  /// All keys, in the order in which they are shown.
  static const std::vector<SettingKey>& keys();

  /// Starts with the defaults.
  Settings();
  /// Reads a properties file. Throws SettingsError where it cannot be read or has an unknown key.
  void loadFile(const std::string& path);
  /// Takes HEARTH_... variables. HEARTH_CONF, HEARTH_HOME and unknown ones are refused or passed over as
  /// documented in docs/operators.md.
  void loadEnvironment(const char* const* environment);
  /// Sets one key; throws SettingsError for an unknown key (naming the nearest) or a bad value.
  void set(const std::string& key, const std::string& value, const std::string& origin);

  const Value& value(const std::string& key) const;
  std::string text(const std::string& key) const { return value(key).text; }
  std::int64_t number(const std::string& key) const;
  bool boolean(const std::string& key) const;
  std::chrono::milliseconds duration(const std::string& key) const;
  std::size_t size(const std::string& key) const;  ///< bytes; "64m" is 64 MiB

 private:
  std::map<std::string, Value> values_;
};

}  // namespace hearth::host
