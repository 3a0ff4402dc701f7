// Which plugins have crashed the host, and which of them it does without because of that.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "plugin/CrashNote.h"

namespace hearth::host {

/// Of the last run, for those who take up what it has left.
struct LastCrash {
  std::string text;  ///< CrashReport::summary()
  std::string plugin;
  std::int64_t session = -1;
  std::uint64_t statement = 0;  ///< the plugin's number
  int ofSession = 0;            ///< how often that session has crashed the host
};

/// Keeps, in a folder, a file NAME.json for each plugin that has crashed the host: its last
/// crashes, and whether it is in quarantine. It is where a crash came while the host was coming up,
/// or where there were too many of them. A file's removal forgets all that; so does a plugin whose
/// .so is another one than that which crashed. The files are read anew at each question, so that
/// both count at once. Thread-safe once the constructor and take() are through.
class PluginCrashes {
 public:
  struct Options {
    int limit = 3;  ///< so many within `window`; 0: never
    std::chrono::milliseconds window{std::chrono::minutes(10)};
  };
  struct Entry {
    std::string plugin, version, path, file, quarantine;
    std::vector<std::string> kinds;
    bool ownThread = false;  ///< of no instance that is known: it counts for all of its .so
    std::int64_t time = 0;   ///< of the last one, and so on
    std::string summary, signal, slot, session, note;
  };

  PluginCrashes(std::filesystem::path folder, Options options);

  /// Reads the note that the last run may have left in `file`, logs it and keeps it. Nothing where
  /// there is none; never throws.
  std::optional<LastCrash> take(const std::filesystem::path& file);

  /// Of the instance's last crash, also where its .so has been replaced.
  std::optional<Entry> last(const std::string& instance) const;
  /// Why the instance may not be made of that .so; empty where it may.
  std::string barred(const std::string& instance, const std::string& path) const;
  /// Likewise why nobody offers a kind; empty where no plugin in quarantine did.
  std::string whyNoKind(const std::string& kind) const;
  /// Forgets the instance's crashes: false where there are none.
  bool release(const std::string& instance);

 private:
  std::filesystem::path fileOf(const std::string& instance) const;
  std::vector<Entry> all() const;
  LastCrash keep(const CrashReport& report, const std::string& note);

  const std::filesystem::path folder_;
  const Options options_;
};

}  // namespace hearth::host
