#include "app/CommandLine.h"

#include <Poco/Exception.h>
#include <Poco/Util/Option.h>
#include <Poco/Util/OptionException.h>
#include <Poco/Util/OptionProcessor.h>
#include <Poco/Util/OptionSet.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "app/Paths.h"
#include "app/PluginAdd.h"
#include "app/PluginList.h"
#include "app/PluginNew.h"
#include "app/PluginSettings.h"
#include "app/Server.h"
#include "plugin/PluginCrashes.h"
#include "support/Log.h"

namespace hearth::host {

namespace {

using Poco::Util::Option;

constexpr int usageError = 2;

const char* const help =
    "hearth keeps Spark, and any other REPL, warm for many clients over REST.\n"
    "\n"
    "usage: hearth serve [OPTIONS]        serve until SIGTERM\n"
    "       hearth config [OPTIONS]       show each key with its value, where it is from, what it "
    "does\n"
    "       hearth plugin list [OPTIONS]  show the plugins and why one is refused\n"
    "       hearth plugin release NAME [OPTIONS]\n"
    "                                     forget its crashes: it leaves its quarantine\n"
    "       hearth plugin check FILE...   hold plugins to the rules of the ABI; --help has its "
    "options\n"
    "       hearth plugin new NAME        write a working plugin, to be made one's own\n"
    "       hearth plugin add PATH        put a .so, or the folder it is in, into the plugins "
    "folder\n"
    "       hearth --version | --help\n"
    "\n"
    "options:\n"
    "  -c, --config FILE    read this properties file too\n"
    "      --set KEY=VALUE  set a key; may be repeated\n"
    "      --host ADDRESS   server.host\n"
    "  -p, --port PORT      server.port\n"
    "      --data DIR       data.dir\n"
    "      --plugins DIR    plugins.dir\n"
    "      --json           plugin list: as JSON\n"
    "      --server URL     plugin list: ask a running server\n"
    "      --language LANG  plugin new: cpp (default) or c\n"
    "      --dir DIR        plugin new: where to, default ./NAME\n"
    "  -h, --help           this text\n";

class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Arguments {
  std::vector<std::string> words;
  std::vector<std::pair<std::string, std::string>> options;
  std::string value(const std::string& name, const std::string& otherwise) const {
    for (const auto& option : options)
      if (option.first == name) return option.second;
    return otherwise;
  }
  bool has(const std::string& name) const {
    for (const auto& option : options)
      if (option.first == name) return true;
    return false;
  }
};

Arguments parse(int argc, char** argv) {
  Poco::Util::OptionSet known;
  known.addOption(Option("config", "c").argument("FILE"));
  known.addOption(Option("set", "").argument("KEY=VALUE").repeatable(true));
  known.addOption(Option("host", "").argument("ADDRESS"));
  known.addOption(Option("port", "p").argument("PORT"));
  known.addOption(Option("data", "").argument("DIR"));
  known.addOption(Option("plugins", "").argument("DIR"));
  known.addOption(Option("json", ""));
  known.addOption(Option("server", "").argument("URL"));
  known.addOption(Option("language", "").argument("LANG"));
  known.addOption(Option("dir", "").argument("DIR"));
  known.addOption(Option("version", ""));
  known.addOption(Option("help", "h"));
  Poco::Util::OptionProcessor processor(known);
  processor.setUnixStyle(true);
  Arguments found;
  // An option's value may be the next word; the processor asks for it by an empty name.
  for (int i = 1; i < argc; ++i) {
    std::string name, value;
    if (processor.process(argv[i], name, value)) {
      if (!name.empty()) found.options.emplace_back(name, value);
    } else {
      found.words.emplace_back(argv[i]);
    }
  }
  processor.checkRequired();
  return found;
}

Settings load(const Arguments& arguments) {
  Settings settings;
  const std::string system = "/etc/hearth/hearth.properties";
  if (std::filesystem::exists(system)) settings.loadFile(system);
  if (const char* file = std::getenv("HEARTH_CONF"); file && *file) settings.loadFile(file);
  settings.loadEnvironment(environ);
  for (const auto& [name, value] : arguments.options)
    if (name == "config") settings.loadFile(value);
  const std::pair<const char*, const char*> shortcuts[] = {{"host", "server.host"},
                                                           {"port", "server.port"},
                                                           {"data", "data.dir"},
                                                           {"plugins", "plugins.dir"}};
  for (const auto& [name, value] : arguments.options) {
    for (const auto& [option, key] : shortcuts)
      if (name == option) settings.set(key, value, "command line");
    if (name != "set") continue;
    const auto equals = value.find('=');
    if (equals == std::string::npos) throw UsageError("--set " + value + ": KEY=VALUE is needed");
    settings.set(value.substr(0, equals), value.substr(equals + 1), "command line");
  }
  return settings;
}

int showConfig(const Settings& settings) {
  for (const SettingKey& key : Settings::keys()) {
    const Settings::Value& value = settings.value(key.name);
    std::cout << "# " << key.doc << "\n# from: " << value.origin << "\n"
              << key.name << " = " << value.text << "\n\n";
  }
  return 0;
}

/// Becomes plugin-check, which is beside this program. Returns only by throwing.
int checkPlugins(char** arguments) {
  std::string name = (programFolder() / "plugin-check").string();
  *arguments = name.data();
  ::execv(name.c_str(), arguments);
  throw std::runtime_error(name + ": " + std::generic_category().message(errno));
}

int newPlugin(const std::string& name, const Arguments& arguments) {
  const std::string folder = arguments.value("dir", name);
  try {
    writeNewPlugin(name, arguments.value("language", "cpp"), folder);
  } catch (const std::invalid_argument& error) {
    throw UsageError(error.what());
  }
  std::cout << "a plugin for the kind " << name << " is in " << folder
            << "; its README.md says how to build, check and add it\n";
  return 0;
}

int addOne(const std::string& source, const Settings& settings) {
  const auto place = addPlugin(source, pluginsFolder(settings));
  std::cout << place.string() << "\n";
  return 0;
}

int releasePlugin(const Settings& settings, const std::string& name) {
  PluginCrashes crashes(crashFolder(dataFolder(settings)), crashOptions(settings));
  if (!crashes.release(name)) {
    std::cerr << "hearth: no crash of a plugin called '" << name << "' is known in "
              << crashFolder(dataFolder(settings)) << "\n";
    return 1;
  }
  std::cout << "the crashes of " << name
            << " are forgotten; it is loaded at the host's next start\n";
  return 0;
}

int run(int argc, char** argv) {
  // Its options are its own.
  if (argc >= 3 && std::string(argv[1]) == "plugin" && std::string(argv[2]) == "check")
    return checkPlugins(argv + 2);
  const Arguments arguments = parse(argc, argv);
  if (arguments.has("help") || (argc == 2 && std::string(argv[1]) == "help")) {
    std::cout << help;
    return 0;
  }
  if (arguments.has("version")) {
    std::cout << "hearth " << HEARTH_VERSION << "\n";
    return 0;
  }
  const auto& words = arguments.words;
  if (words.empty()) throw UsageError("a command is needed: serve, config or plugin");
  if (words == std::vector<std::string>{"serve"})
    return serve([&arguments] { return load(arguments); });
  if (words == std::vector<std::string>{"config"}) return showConfig(load(arguments));
  if (words == std::vector<std::string>{"plugin", "list"})
    return listPlugins(load(arguments), arguments.value("server", ""), arguments.has("json"));
  if (words.size() == 3 && words[0] == "plugin" && words[1] == "release")
    return releasePlugin(load(arguments), words[2]);
  if (words.size() >= 2 && words[0] == "plugin" && (words[1] == "new" || words[1] == "add")) {
    if (words.size() != 3)
      throw UsageError("plugin " + words[1] + " needs one " +
                       (words[1] == "new" ? "name" : "path"));
    return words[1] == "new" ? newPlugin(words[2], arguments) : addOne(words[2], load(arguments));
  }
  std::string given;
  for (const std::string& word : words) given += (given.empty() ? "" : " ") + word;
  throw UsageError("unknown command '" + given + "'");
}

}  // namespace

int runCommandLine(int argc, char** argv) {
  int status = 1;
  std::string failure;
  try {
    status = run(argc, argv);
  } catch (const UsageError& error) {
    status = usageError;
    failure = std::string(error.what()) + "\nhearth --help shows the usage";
  } catch (const Poco::Util::OptionException& error) {
    status = usageError;
    failure = error.displayText() + "\nhearth --help shows the usage";
  } catch (const SettingsError& error) {
    status = usageError;
    failure = error.what();
  } catch (const Poco::Exception& error) {
    failure = error.displayText();
  } catch (const std::exception& error) {
    failure = error.what();
  }
  stopLog();
  if (!failure.empty()) std::cerr << "hearth: " << failure << "\n";
  return status;
}

}  // namespace hearth::host
