// Echo: a small but complete interpreter without a REPL behind it. It answers every statement with
// the statement's own text; a few words make it end in the other ways that a host must cope with:
//
//   fail          ends in an error
//   throw         is refused: never becomes a running statement
//   print TEXT    prints TEXT, then ends
//   lines N       prints N lines, then ends
//   slow N        runs for N seconds (fractions too), can be interrupted
//   hang          never ends, and ignores interrupt
//   die           the interpreter dies under the statement
#include <charconv>
#include <cstdint>
#include <hearth/plugin.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace {

class EchoSession final : public hearth::Session,
                          public hearth::Interruptible,
                          public hearth::Completing {
 public:
  using hearth::Session::Session;

  void launch() override { state(HEARTH_IDLE); }

  void execute(std::uint64_t stmt, std::string_view code, std::string_view) override {
    if (running_ != 0) throw hearth::Error(HEARTH_E_STATE, "a statement is running");
    if (code == "throw") throw hearth::Error(HEARTH_E_INVALID, "asked to throw");
    if (code == "hang") {
      running_ = stmt;
    } else if (code == "die") {
      done(stmt, HEARTH_DONE_LOST, "{}");
      state(HEARTH_DEAD, R"({"reason":"asked to die"})");
    } else if (code == "fail") {
      done(stmt, HEARTH_DONE_ERROR,
           R"({"ename":"EchoError","evalue":"asked to fail","traceback":[]})");
    } else if (const auto text = argument(code, "print ")) {
      output(stmt, HEARTH_STDOUT, std::string(*text) + "\n");
      echo(stmt, *text);
    } else if (const auto count = argument(code, "lines ")) {
      const auto lines = static_cast<unsigned>(number(*count, 100000));
      for (unsigned i = 1; i <= lines; ++i)
        output(stmt, HEARTH_STDOUT, "line " + std::to_string(i) + "\n");
      echo(stmt, code);
    } else if (const auto seconds = argument(code, "slow ")) {
      // Nothing waits here: the host calls onTimer, and meanwhile this session answers other calls.
      timer_ = timer(static_cast<std::uint32_t>(number(*seconds, 86400) * 1000));
      running_ = stmt;
      code_ = code;
    } else {
      echo(stmt, code);
    }
  }

  void onTimer(std::uint64_t id) override {
    if (id != timer_) return;  // of a statement that was interrupted
    end(HEARTH_DONE_OK, R"({"text/plain":)" + hearth::quoted(code_) + "}");
  }

  void interrupt(std::uint64_t stmt) override {
    if (stmt != running_ || timer_ == 0) return;  // it has ended meanwhile, or it hangs
    end(HEARTH_DONE_CANCELLED, "{}");
  }

  void complete(std::uint64_t request, std::string_view code, std::uint64_t) override {
    const std::string text(code);
    reply(request, HEARTH_OK,
          R"({"candidates":[)" + hearth::quoted(text + "1") + "," + hearth::quoted(text + "2") +
              "]}");
  }

  void close(std::int32_t) override {
    if (running_ != 0) end(HEARTH_DONE_LOST, "{}");
    state(HEARTH_CLOSED);
  }

 private:
  /// What follows `word` in `code`, where `code` begins with it.
  static std::optional<std::string_view> argument(std::string_view code, std::string_view word) {
    if (code.substr(0, word.size()) != word) return std::nullopt;
    return code.substr(word.size());
  }

  static double number(std::string_view text, double most) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || !(value >= 0 && value <= most))
      throw hearth::Error(HEARTH_E_INVALID, "not a number that echo takes: " + std::string(text));
    return value;
  }

  void echo(std::uint64_t stmt, std::string_view text) {
    done(stmt, HEARTH_DONE_OK, R"({"text/plain":)" + hearth::quoted(text) + "}");
  }

  void end(std::int32_t outcome, std::string_view bundle) {
    const std::uint64_t stmt = running_;
    running_ = timer_ = 0;
    done(stmt, outcome, bundle);
  }

  std::uint64_t running_ = 0;  // the statement that has not ended, or 0
  std::uint64_t timer_ = 0;    // its timer, or 0 where it hangs
  std::string code_;
};

}  // namespace

HEARTH_PLUGIN(EchoSession, R"({
  "id": "echo", "version": "1.0.0",
  "kinds": ["echo"], "mime": ["text/plain"]
})")
