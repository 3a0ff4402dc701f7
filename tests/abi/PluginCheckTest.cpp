// plugin-check finds what it says it finds: each planted defect by the check that is meant for it.
#include <sys/wait.h>

#include <array>
#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace {

namespace json = boost::json;

struct Ran {
  int status = -1;
  std::string out;
};

Ran run(const std::string& arguments) {
  const std::string command = HEARTH_TEST_PLUGIN_CHECK " " + arguments + " 2>&1";
  FILE* pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  Ran ran;
  std::array<char, 4096> piece{};
  while (const std::size_t size = std::fread(piece.data(), 1, piece.size(), pipe))
    ran.out.append(piece.data(), size);
  const int status = ::pclose(pipe);
  ran.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return ran;
}

std::string defect(const std::string& name) {
  return std::string(HEARTH_TEST_DEFECTS) + "/" + name + ".so";
}

struct Planted {
  const char* defect;
  const char* check;
  const char* outcome;
  const char* word;  ///< in what was seen
};

using Planting = std::vector<Planted>;
const Planting inFile = {
    {"exported_symbol", "file-exports", "failed", "healthy_helper"},
    {"unique_symbol", "file-no-unique", "failed", "Shared"},
    {"needed_library", "file-needed", "failed", "libfmt"},
    {"exec_stack", "file-no-exec-stack", "failed", "executable stack"},
    {"text_relocation", "file-no-text-relocations", "failed", "relocations in its code"},
    {"undefined_symbol", "file-loads", "failed", "hearth_defect_nowhere"},
    {"slow_load", "file-load-time", "failed", "loading took"},
    {"moving_table", "table-entry", "failed", "another table"},
    {"wrong_size", "table-size", "failed", "struct_size is 3"},
    {"missing_slot", "table-slots", "failed", "release"},
    {"bad_descriptor", "table-descriptor", "failed", "kinds"},
    {"any_extension", "table-extension", "failed", "not null"},
    {"beyond_first", "table-first-host", "failed", "over the end of the host's table"},
    {"no_has", "table-bare-host", "crashed", "in execute"},
    {"beyond_table", "table-later-host", "crashed", "in launch"},
};
const Planting inSessions = {
    {"starts_in_open", "open-release", "failed", "before launch"},
    {"never_idle", "launch-idle", "failed", "no state"},
    {"never_closed", "close-opened", "failed", "CLOSED was not reported"},
    {"never_closed", "close-launching", "failed", "CLOSED was not reported"},
    {"never_closed", "close-idle", "failed", "CLOSED was not reported"},
    {"never_closed", "close-running", "failed", "CLOSED was not reported"},
    {"never_closed", "kill-opened", "failed", "CLOSED was not reported"},
    {"never_closed", "kill-launching", "failed", "CLOSED was not reported"},
    {"never_closed", "kill-running", "failed", "CLOSED was not reported"},
    {"late_call", "release-early", "failed", "it called session_state after"},
    {"late_call", "no-late-call", "failed", "after its release"},
    {"global_instance", "two-instances", "failed", "once is enough"},
    {"global_session", "parallel-sessions", "failed", ""},
    {"own_thread", "session-thread", "failed", "timer"},
    {"slow_call", "calls-return", "failed", "execute took"},
};
const Planting inStatements = {
    {"forgets", "recover", "failed", "what is this?"},
    {"double_done", "one-done", "failed", "twice"},
    {"no_done", "one-done", "failed", "no stmt_done"},
    {"crashes", "one-done", "crashed", "in execute"},
    {"hangs", "one-done", "timed out", "in execute"},
    {"exits", "one-done", "crashed", "in execute"},
    {"output_after_done", "output-before-done", "failed", "after its stmt_done"},
    {"bad_bundle", "valid-values", "failed", "no JSON object"},
    {"error_is_the_end", "error-sample", "failed", "it has failed"},
    {"refused_and_done", "refused-sample", "failed", "then refused it"},
    {"no_reason", "refused-sample", "failed", "no reason"},
    {"incomplete_is_fine", "incomplete-sample", "failed", "not incomplete"},
    {"ignores_interrupt", "interrupt-slow", "failed", "ran on"},
    {"no_candidates", "completion-sample", "failed", "candidates"},
    {"no_inspection", "inspection-sample", "failed", "found"},
    {"throws", "no-exception", "failed", "threw"},
};
const Planting underHostileHosts = {
    {"ignores_refusal", "spawn-refused", "failed", "neither DEAD nor ERROR"},
    {"ignores_exit", "process-exits", "failed", "neither DEAD nor ERROR"},
    {"trusts_lines", "garbage-lines", "crashed", "in on_proc_line"},
    {"down_is_the_end", "channel-dies", "failed", "twice"},
    {"trusts_frames", "garbage-frames", "crashed", "in on_chan_frame"},
    {"trusts_save", "save-fails", "crashed", "in launch"},
    {"any_timer", "timer-late", "failed", "ended statement"},
};
const Planting inMemory = {
    {"kept_code", "memory-borrows-fake", "failed", "code of execute"},
    {"kept_options", "memory-borrows-fake", "failed", "options_json of open"},
    {"kept_error", "memory-borrows-fake", "failed", "hearth_error"},
    {"kept_code", "memory-borrows", "failed", "code of execute"},
    {"error_capacity", "error-capacity-one", "failed",
     "over the end of the buffer for an error's text"},
    {"error_always_nul", "error-capacity-zero", "failed", "capacity of 0"},
    {"error_unasked", "error-null", "crashed", "in "},
    {"no_reason", "error-capacity-normal", "failed", "no reason"},
};
const Planting inProcess = {
    {"thread_left", "residue-opened", "failed", "thread left"},
    {"descriptor_leak", "residue-opened", "failed", "/dev/null"},
    {"descriptor_leak_late", "residue-lived", "failed", "/dev/null"},
    {"child_left", "residue-opened", "failed", "(sleep)"},
    {"temp_file", "residue-opened", "failed", "file left"},
    {"changed_locale", "residue-opened", "failed", "locale changed"},
    {"changed_cwd", "residue-opened", "failed", "working directory changed"},
    {"changed_umask", "residue-opened", "failed", "umask changed"},
    {"signal_handler", "residue-opened", "failed", "Terminated"},
};

const json::object& checkOf(const json::value& report) {
  return report.at("plugins").at(0).at("checks").at(0).as_object();
}

/// Each defect is found by the check that is meant for it.
void find(const Planting& planted) {
  for (const Planted& one : planted) {
    INFO(one.defect << " by " << one.check);
    const bool hangs = std::string(one.defect) == "hangs";
    const Ran ran = run("--json --only " + std::string(one.check) + (hangs ? " --timeout 2" : "") +
                        " --quirks " HEARTH_TEST_DEFECT_QUIRKS " " + defect(one.defect));
    INFO(ran.out);
    CHECK(ran.status == 1);
    const json::value report = json::parse(ran.out);
    const json::object& check = checkOf(report);
    CHECK(check.at("name").as_string() == one.check);
    CHECK(check.at("outcome").as_string() == one.outcome);
    const json::value* const saw = check.if_contains("saw");
    CHECK_THAT(saw ? std::string(saw->as_string()) : std::string(),
               Catch::Matchers::Contains(one.word));
    CHECK(check.if_contains("do") != nullptr);
  }
}

}  // namespace

TEST_CASE("plugin-check finds what is wrong with a plugin's file and table") {
  find(inFile);
}
TEST_CASE("plugin-check finds what is wrong with a plugin's sessions") {
  find(inSessions);
}
TEST_CASE("plugin-check finds what is wrong with how a plugin treats statements") {
  find(inStatements);
}
TEST_CASE("plugin-check finds plugins that a bad host or process harms") {
  find(underHostileHosts);
}
TEST_CASE("plugin-check finds plugins that keep what they were lent, or write where they may not") {
  find(inMemory);
}
TEST_CASE("plugin-check finds what a plugin leaves behind") {
  find(inProcess);
}

TEST_CASE("plugin-check lets a plugin pass that does everything right") {
  const Ran ran = run("--json --quirks " HEARTH_TEST_DEFECT_QUIRKS " " + defect("healthy"));
  INFO(ran.out);
  REQUIRE(ran.status == 0);
  const json::value report = json::parse(ran.out);
  for (const auto& check : report.at("plugins").at(0).at("checks").as_array()) {
    INFO(check.at("name").as_string());
    const std::string outcome(check.at("outcome").as_string());
    const std::string name(check.at("name").as_string());
    CHECK(outcome == (name == "table-extension" || name == "recover" ? "skipped" : "passed"));
  }
}

TEST_CASE("every check of plugin-check has been seen to fail") {
  const Ran ran = run("--list --json");
  REQUIRE(ran.status == 0);
  std::set<std::string> tried = {
      "table-config",  // tried below
  };
  for (const Planting* planting :
       {&inFile, &inSessions, &inStatements, &underHostileHosts, &inMemory, &inProcess})
    for (const Planted& one : *planting) tried.insert(one.check);
  const json::value checks = json::parse(ran.out);
  for (const auto& check : checks.as_array()) {
    const std::string name(check.at("name").as_string());
    INFO(name);
    CHECK(tried.count(name) == 1);
  }
}

TEST_CASE("plugin-check says what is wrong with how it was called") {
  const auto says = [](const std::string& arguments, const std::string& text) {
    const Ran ran = run(arguments);
    CHECK(ran.status == 2);
    CHECK_THAT(ran.out, Catch::Matchers::Contains(text));
  };
  says("", "a plugin's file is needed");
  says("/nonexistent.so", "/nonexistent.so is not a file");
  says("--only nothing " + defect("healthy"), "called nothing");
  says("--frobnicate " + defect("healthy"), "unknown option --frobnicate");
  says("--timeout soon " + defect("healthy"), "a number of seconds");
  says("--quirks /nonexistent.json " + defect("healthy"), "/nonexistent.json cannot be read");
  const Ran help = run("--help");
  CHECK(help.status == 0);
  CHECK_THAT(help.out, Catch::Matchers::Contains("exit status: 0"));
}

TEST_CASE("plugin-check without samples says what it skips, and checks the rest") {
  const Ran ran = run("--only one-done,table-slots,table-config " + defect("healthy"));
  INFO(ran.out);
  CHECK(ran.status == 0);
  CHECK_THAT(ran.out, Catch::Matchers::Contains("skipped     one-done: no sample \"ok\""));
  CHECK_THAT(ran.out,
             Catch::Matchers::Contains("2 passed, 0 failed, 0 crashed, 0 timed out, 1 skipped"));
}

TEST_CASE("plugin-check holds a configuration against the descriptor") {
  std::string name = "/tmp/plugin-check-config-XXXXXX";
  const int fd = ::mkstemp(name.data());
  REQUIRE(fd >= 0);
  FILE* file = ::fdopen(fd, "w");
  std::fputs(R"({"colour":"blue"})", file);
  std::fclose(file);
  const Ran ran = run("--only table-config --config " + name + " " + defect("healthy"));
  std::remove(name.c_str());
  CHECK(ran.status == 1);
  CHECK_THAT(ran.out, Catch::Matchers::Contains("colour"));
}

TEST_CASE("plugin-check --in-process finds the same in one process") {
  const Ran ran =
      run("--in-process --only tables,one-done --quirks " HEARTH_TEST_DEFECT_QUIRKS " " +
          defect("double_done"));
  INFO(ran.out);
  CHECK(ran.status == 1);
  CHECK_THAT(ran.out, Catch::Matchers::Contains("! failed    one-done"));
  CHECK_THAT(ran.out, Catch::Matchers::Contains("1 failed, 0 crashed"));
}
