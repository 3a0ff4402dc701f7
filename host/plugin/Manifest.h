// One file of plugins.d: which plugin, and how this deployment uses it.
#pragma once

#include <boost/json/object.hpp>
#include <filesystem>
#include <map>
#include <string>

#include "plugin/InstanceRules.h"

namespace hearth::host {

/// Read in two steps: which library it is about, as far as that can be made out, so that a manifest
/// with a mistake still keeps its library from being loaded with defaults; then everything,
/// strictly.
struct Manifest {
  std::string name;
  std::string library;
  std::string instance;
  std::string sha256;
  bool enabled = true;
  std::map<std::string, std::string> kinds;
  boost::json::object config;
  InstanceRules rules;

  /// The file's JSON object. Throws LoadError: not trusted, not to be read, not an object.
  static boost::json::object parse(const std::filesystem::path& file);
  void readLibrary(const boost::json::object& object);
  /// Throws LoadError with what is wrong.
  void readAll(const boost::json::object& object);
};

}  // namespace hearth::host
