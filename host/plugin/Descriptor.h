// What a plugin says of itself: its descriptor_json, parsed and checked.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace hearth::host {

/// A descriptor or a configuration that breaks the rules; the text says where and how.
class DescriptorError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A key that a deployment may set in the plugin's configuration.
struct ConfigKey {
  enum class Type { String, Integer, Number, Boolean, Array, Object };

  Type type = Type::String;
  boost::json::value defaultValue;  ///< null: none, the key is absent unless it is set
  std::string doc;
};

/// Immutable once parsed. Values only; any thread.
struct Descriptor {
  std::string id;
  std::string version;
  std::vector<std::string> kinds;              ///< at least one
  std::map<std::string, std::string> aliases;  ///< alias to one of `kinds`
  std::vector<std::string> magics;
  std::vector<std::string> mime;
  std::string leader;  ///< kind of the driver that it joins; empty: it has its own
  int concurrency = 1;
  /// What P is in KIND:P, which then can be asked for in place of each kind; empty: none can.
  std::string kindParameter;
  std::map<std::string, ConfigKey> config;

  /// Throws DescriptorError. Keys that this host does not know are passed over, so that a plugin
  /// built for a newer host loads; a known key of the wrong shape is an error.
  static Descriptor parse(std::string_view json);

  /// `given` over the defaults. Throws DescriptorError for a key that the descriptor does not have,
  /// naming the nearest, and for a value of another type.
  boost::json::object mergeConfig(const boost::json::object& given) const;
};

/// Whether `word` can name a kind, a plugin or an instance: such names become parts of URLs, file
/// names and log lines.
bool isName(std::string_view word);

/// The one of `known` that is spelt most like `word`, as `; did you mean "x"?`, or empty where none
/// is near.
std::string nearestHint(std::string_view word, const std::vector<std::string>& known);

}  // namespace hearth::host
