// The check of one request's paths.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "policy/PathKeys.h"
#include "policy/PathRules.h"

namespace hearth::host {

/// `place`, a field or key, is what a refusal names. All throw PolicyRefusal. Looks at so many
/// files, for all values together, and no more. Not thread-safe.
class PathCheck {
 public:
  explicit PathCheck(const PathRules::Options& options);

  void value(const std::string& place, PathShape shape, const std::string& text);
  /// One file or folder, by path or URI.
  void file(const std::string& place, const std::string& item);
  /// A file system that another class is put in the place of may be the local one.
  void fileSystem(const std::string& key, const std::string& value);

 private:
  void scheme(const std::string& place, const std::string& item, const std::string& name) const;
  void location(const std::string& place, const std::string& item);
  void uri(const std::string& place, const std::string& item, const std::string& rest);
  void path(const std::string& place, const std::string& item, const std::string& path);
  void reading(const std::string& path, bool hasComma);
  void inside(const std::string& path);
  void word(const std::string& place, const std::string& text, bool classPath);
  void words(const std::string& place, const std::string& text, bool classPath);
  void embedded(const std::string& place, const std::string& text);
  void javaOptions(const std::string& place, const std::string& text);
  void environment(const std::string& place, const std::string& text);

  const PathRules::Options& options_;
  std::size_t looks_ = 20000;
  std::vector<std::string> folders_, closed_;
};

}  // namespace hearth::host
