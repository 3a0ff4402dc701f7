// Where a local path leads.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

namespace hearth::host {

/// A path that cannot be followed; what() says why.
class PathError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// An absolute path without "//", "." and "..", as text alone.
std::string lexicallyNormal(const std::string& path);

/// An absolute path with its links followed, as the kernel does, also those that lead to nothing
/// yet; what is not there is kept as it is. `looks` counts down, one for each name looked up.
/// Throws PathError where a folder cannot be looked into, for too many links, and when no looks are
/// left.
std::string followed(const std::string& path, std::size_t& looks);

/// Whether a path is the folder or below it; both are normal.
bool isWithin(const std::string& path, const std::string& folder);

/// The links in a folder: their paths. Takes one look for each entry.
std::vector<std::string> linksIn(const std::string& folder, std::size_t& looks);

}  // namespace hearth::host
