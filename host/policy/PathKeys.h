// Which keys of Spark's configuration reach files.
#pragma once

#include <string>

namespace hearth::host {

enum class PathShape {
  none,         ///< no path, whatever it looks like
  unknown,      ///< nothing is known of the key: what begins with '/' is a path
  files,        ///< URIs of files and folders, with commas between
  location,     ///< the same, where a scheme may be anything, and words that are no path too
  words,        ///< paths among other words: class paths, commands
  environment,  ///< the value of a variable
  javaOptions
};

/// What the value of a key of `conf` is. Any name of the key will do.
PathShape pathShape(const std::string& key);

}  // namespace hearth::host
