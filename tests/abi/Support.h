// What the tests of this folder share.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

namespace hearth::test {

namespace fs = std::filesystem;

/// A private folder that goes with the object, with "plugins" and "plugins.d" in it.
class Deployment {
 public:
  Deployment() {
    std::string name = (fs::temp_directory_path() / "hearth-abi-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    root_ = fs::canonical(name);
    for (const auto& folder : {plugins(), manifests()}) {
      fs::create_directory(folder);
      fs::permissions(folder, fs::perms(0755));
    }
  }
  ~Deployment() {
    std::error_code ignored;
    fs::remove_all(root_, ignored);
  }
  Deployment(const Deployment&) = delete;
  Deployment& operator=(const Deployment&) = delete;

  const fs::path& root() const { return root_; }
  fs::path plugins() const { return root_ / "plugins"; }
  fs::path manifests() const { return root_ / "plugins.d"; }

  /// Copies a library to plugins/`as`, mode 0644. The copy is a file of its own to the loader.
  fs::path install(const fs::path& library, const std::string& as) {
    const fs::path target = plugins() / as;
    fs::create_directories(target.parent_path());
    fs::permissions(target.parent_path(), fs::perms(0755));
    fs::copy_file(library, target);
    fs::permissions(target, fs::perms(0644));
    return target;
  }
  fs::path manifest(const std::string& name, const std::string& json) {
    return write(manifests() / name, json);
  }
  static fs::path write(const fs::path& file, const std::string& content) {
    std::ofstream(file, std::ios::binary) << content;
    fs::permissions(file, fs::perms(0644));
    return file;
  }

 private:
  fs::path root_;
};

/// A library of tests/abi/broken or tests/abi/plugins.
inline fs::path testPlugin(const std::string& name) {
  return fs::path(HEARTH_TEST_PLUGINS) / (name + ".so");
}
inline fs::path echoCpp() {
  return HEARTH_TEST_ECHO;
}
inline fs::path echoC() {
  return HEARTH_TEST_ECHOC;
}

}  // namespace hearth::test
