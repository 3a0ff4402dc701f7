#include "Options.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <fstream>
#include <iterator>

namespace hearth::check {

namespace fs = std::filesystem;

const char* const help =
    "plugin-check holds a plugin of Hearth to the rules of the plugin ABI.\n"
    "\n"
    "usage: plugin-check [OPTIONS] PLUGIN.so...\n"
    "       plugin-check --list [--json]\n"
    "\n"
    "Each check runs in a process of its own and ends as passed, failed, crashed, timed out or\n"
    "skipped. doc/plugin-check.md tells of the quirks file.\n"
    "\n"
    "options:\n"
    "      --quirks FILE       samples of code, configuration and times of the plugin\n"
    "      --config FILE       its configuration, a JSON object, in place of the quirks file's\n"
    "      --with OTHER.so     the leader that a follower joins\n"
    "      --with-quirks FILE  the leader's quirks file\n"
    "      --only NAME[,NAME]  only these checks or groups\n"
    "      --no-launch         skip the checks that start the plugin's REPL\n"
    "      --timeout SECONDS   for each check; default: the quirks file's check_seconds, 120\n"
    "      --in-process        checks run in this process, for debuggers and sanitizers\n"
    "      --json              the report as JSON\n"
    "      --list              show each check with the rule that it holds\n"
    "  -h, --help              this text\n"
    "\n"
    "exit status: 0 no check failed, 1 one did, 2 wrong usage\n";

namespace {

std::vector<std::string> commaList(const std::string& text) {
  std::vector<std::string> words;
  std::size_t begin = 0;
  while (begin <= text.size()) {
    const auto end = std::min(text.find(',', begin), text.size());
    if (end > begin) words.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

bool isNamed(const Check& check, const std::string& word) {
  return word == check.name || word == check.group;
}

boost::json::object readConfig(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw UsageError(file + " cannot be read");
  boost::system::error_code error;
  const auto value = boost::json::parse(std::string(std::istreambuf_iterator<char>(in), {}), error);
  if (error || !value.is_object()) throw UsageError(file + " is not a JSON object");
  return value.get_object();
}

Subject subject(const std::string& file) {
  if (!fs::is_regular_file(file)) throw UsageError(file + " is not a file");
  return {fs::canonical(file), {}};
}

int seconds(const std::string& text) {
  try {
    std::size_t used = 0;
    const int value = std::stoi(text, &used);
    if (used == text.size() && value > 0) return value;
  } catch (const std::exception&) {  // as below
  }
  throw UsageError("--timeout " + text + ": a number of seconds is needed");
}

}  // namespace

bool Options::wants(const Check& check) const {
  return only.empty() || std::any_of(only.begin(), only.end(),
                                     [&](const std::string& word) { return isNamed(check, word); });
}

Options Options::parse(int argc, char** argv) {
  Options options;
  std::string quirks, config, withQuirks;
  for (int i = 1; i < argc; ++i) {
    std::string word = argv[i];
    std::optional<std::string> given;
    const auto equals = word.find('=');
    if (word.rfind("--", 0) == 0 && equals != std::string::npos) {
      given = word.substr(equals + 1);
      word.resize(equals);
    }
    const auto value = [&] {
      if (given) return *given;
      if (++i == argc) throw UsageError(word + " needs a value");
      return std::string(argv[i]);
    };
    const auto file = [&] {
      const std::string path = fs::absolute(value()).string();
      options.passOn.insert(options.passOn.end(), {word, path});
      return path;
    };
    if (word == "--help" || word == "-h")
      options.help = true;
    else if (word == "--list")
      options.list = true;
    else if (word == "--json")
      options.json = true;
    else if (word == "--in-process")
      options.inProcess = true;
    else if (word == "--no-launch") {
      options.launches = false;
      options.passOn.push_back(word);
    } else if (word == "--only")
      options.only = commaList(value());
    else if (word == "--timeout")
      options.timeout = seconds(value());
    else if (word == "--quirks")
      quirks = file();
    else if (word == "--config")
      config = file();
    else if (word == "--with")
      options.leader = subject(file());
    else if (word == "--with-quirks")
      withQuirks = file();
    else if (word == "--run")
      options.run = value();
    else if (word == "--scratch")
      options.scratch = value();
    else if (word.size() > 1 && word[0] == '-')
      throw UsageError("unknown option " + word);
    else
      options.subjects.push_back(subject(word));
  }
  for (Subject& one : options.subjects) {
    if (!quirks.empty()) one.quirks = Quirks::load(quirks);
    if (!config.empty()) one.quirks.config = readConfig(config);
  }
  if (options.leader && !withQuirks.empty()) options.leader->quirks = Quirks::load(withQuirks);
  for (const auto& word : options.only)
    if (std::none_of(allChecks().begin(), allChecks().end(),
                     [&](const Check& check) { return isNamed(check, word); }))
      throw UsageError("no check and no group is called " + word + "; --list shows them");
  if (!options.help && !options.list && options.subjects.empty())
    throw UsageError("a plugin's file is needed");
  return options;
}

}  // namespace hearth::check
