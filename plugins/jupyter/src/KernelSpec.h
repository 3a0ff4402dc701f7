// Installed Jupyter kernels: where they are looked for, and what their kernel.json says.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace hearth::jupyter {

/// What a kernel.json says.
struct KernelSpec {
  std::string name;
  std::string folder;  ///< absolute, holds the kernel.json
  std::vector<std::string> argv;
  std::vector<std::pair<std::string, std::string>> env;
  std::string displayName, language;
  bool interruptByMessage = false;

  /// Throws std::runtime_error, with the file's name, for one that cannot be started.
  static KernelSpec read(const std::string& name, const std::string& folder);

  /// argv with {connection_file}, {resource_dir} and {prefix} filled in. A bare "python" is the one
  /// of the environment that the kernel is installed in, where that has one.
  std::vector<std::string> command(const std::string& connectionFile) const;
  /// "NAME=value", with $NAME and ${NAME} taken from `environment`; others are left as they are.
  std::vector<std::string> variables(const std::map<std::string, std::string>& environment) const;

 private:
  std::string prefix() const;
};

/// The folders that kernelspecs are looked for in, first come first served.
class KernelSpecs {
 public:
  /// `more` before those that jupyter_client has: JUPYTER_PATH, JUPYTER_DATA_DIR or
  /// ~/.local/share/jupyter, /usr/local/share/jupyter and /usr/share/jupyter.
  KernelSpecs(const std::vector<std::string>& more,
              const std::map<std::string, std::string>& environment);
  /// These folders alone; each has kernels/NAME/kernel.json in it.
  explicit KernelSpecs(std::vector<std::string> folders) : folders_(std::move(folders)) {}

  /// Names, lower case as Jupyter has them, to the kernels' folders.
  std::map<std::string, std::string> installed() const;
  /// Throws std::runtime_error where there is none of that name, naming those installed.
  KernelSpec find(const std::string& name) const;

 private:
  std::vector<std::string> folders_;
};

}  // namespace hearth::jupyter
