// One of Hadoop's configuration files.
#pragma once

#include <map>
#include <string>

namespace hearth::host {

/// Its values, with ${references} to others of the same file resolved.
class HadoopFile {
 public:
  /// Throws std::runtime_error, naming the file, where it cannot be read.
  explicit HadoopFile(const std::string& path);

  std::string text(const std::string& key, const std::string& fallback = {}) const;

 private:
  std::map<std::string, std::string> values_;
};

/// fs.defaultFS by `folder`/core-site.xml; empty where there is no such file, or none in it. Throws
/// std::runtime_error for a file that cannot be read.
std::string defaultFileSystemOf(const std::string& folder);

}  // namespace hearth::host
