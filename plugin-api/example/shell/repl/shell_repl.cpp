// Stands between the plugin and bash, so that what users' code prints can never be taken for the
// protocol: bash prints into pipes of its own, and only this program writes to the plugin.
//
// Told by the plugin, one JSON object a line:
//   {"execute": STATEMENT, "code": TEXT}   {"interrupt": STATEMENT}
//   {"complete": REQUEST, "line": TEXT}
// Tells: {"ready": 1}, {"stdout" | "stderr": STATEMENT, "text": TEXT} (statement 0: none runs),
//   {"end" | "incomplete" | "syntax": STATEMENT, "status": TEXT},
//   {"candidates": REQUEST, "found": [..]},
//   {"exit": STATUS}, {"signal": NUMBER}: bash has ended.
// Lines stay short, so that output comes as soon as it is there.
//
// usage: shell_repl BASH RCFILE
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <hearth/json_members.hpp>
#include <hearth/plugin.hpp>  // quoted()
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

constexpr int kAnswers = 251;                  // bash's end of the pipe for answers, see shell.bash
constexpr std::size_t kChunk = 8192;           // six bytes of JSON for each byte, at the worst
constexpr std::size_t kCandidates = 32 << 10;  // bytes of JSON
constexpr auto kPatience = std::chrono::seconds(3);

void tell(const std::string& json) {
  std::string_view rest = json;
  while (!rest.empty()) {
    const ssize_t n = ::write(STDOUT_FILENO, rest.data(), rest.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) std::exit(1);
    rest.remove_prefix(static_cast<std::size_t>(n));
  }
}

/// Makes UTF-8 of bytes that come in pieces: what is none becomes U+FFFD, a character that is not
/// whole yet waits for the next piece.
class Utf8 {
 public:
  std::string take(std::string_view bytes) {
    rest_ += bytes;
    return convert(false);
  }
  std::string finish() { return convert(true); }

 private:
  std::string convert(bool last) {
    std::string text;
    std::size_t at = 0;
    while (at < rest_.size()) {
      const std::size_t length = character(at);
      if (length == kMore && !last) break;
      if (length == kBad || length == kMore) {
        text += "\xEF\xBF\xBD";
        ++at;
      } else {
        text.append(rest_, at, length);
        at += length;
      }
    }
    rest_.erase(0, at);
    return text;
  }

  static constexpr std::size_t kBad = 0, kMore = 9;

  std::size_t character(std::size_t at) const {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(rest_[i]); };
    const unsigned first = byte(at);
    if (first < 0x80) return 1;
    if (first < 0xC2 || first > 0xF4) return kBad;
    const std::size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    for (std::size_t i = 1; i < length; ++i) {
      if (at + i == rest_.size()) return kMore;
      unsigned low = 0x80, high = 0xBF;  // the second byte has narrower bounds after some
      if (i == 1 && first == 0xE0) low = 0xA0;
      if (i == 1 && first == 0xED) high = 0x9F;
      if (i == 1 && first == 0xF0) low = 0x90;
      if (i == 1 && first == 0xF4) high = 0x8F;
      if (byte(at + i) < low || byte(at + i) > high) return kBad;
    }
    return length;
  }

  std::string rest_;
};

/// `text` as one word of the shell.
std::string word(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'')
      quoted += "'\\''";
    else
      quoted += c;
  }
  return quoted += '\'';
}

struct Stream {
  const char* name;
  int fd;
  Utf8 text{};
};

class Repl {
 public:
  Repl(const char* bash, const char* rcfile) { start(bash, rcfile); }

  [[noreturn]] void run() {
    std::string told;
    while (true) {
      pollfd fds[] = {{STDIN_FILENO, POLLIN, 0},
                      {answers_, POLLIN, 0},
                      {out_.fd, POLLIN, 0},
                      {err_.fd, POLLIN, 0},
                      {commands_, static_cast<short>(toShell_.empty() ? 0 : POLLOUT), 0}};
      ::poll(fds, 5, 100);
      if (fds[0].revents != 0) readTold(told);
      if (fds[2].revents != 0) pump(out_, kChunk);
      if (fds[3].revents != 0) pump(err_, kChunk);
      if (fds[1].revents != 0) readAnswers();
      if ((fds[4].revents & POLLERR) != 0)
        commands_ = -1;  // bash has ended, or has become something else; poll passes over -1
      else if (fds[4].revents != 0)
        writeCommands();
      // Code that does not care about SIGINT. An interactive bash itself ignores SIGTERM.
      if (interrupted_ && std::chrono::steady_clock::now() - since_ > kPatience) {
        interrupted_ = false;
        ::kill(0, SIGTERM);
      }
      watchShell();
    }
  }

 private:
  void start(const char* bash, const char* rcfile) {
    int in[2], answers[2], out[2], err[2];
    if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(answers, O_CLOEXEC) != 0 ||
        ::pipe2(out, O_CLOEXEC) != 0 || ::pipe2(err, O_CLOEXEC) != 0)
      std::exit(1);
    shell_ = ::fork();
    if (shell_ < 0) std::exit(1);
    if (shell_ == 0) {
      ::dup2(in[0], STDIN_FILENO);
      ::dup2(out[1], STDOUT_FILENO);
      ::dup2(err[1], STDERR_FILENO);
      ::dup2(answers[1], kAnswers);
      // Interactive, as only then SIGINT leads back to the next line with all variables in place.
      // Without "--noediting" it echoes what it reads.
      ::execlp(bash, bash, "--noprofile", "--noediting", "--rcfile", rcfile, "-i", nullptr);
      std::perror(bash);
      ::_exit(127);
    }
    // bash and what it starts are in this program's process group: signals to the group are for
    // them. Only now, as what is ignored at exec stays ignored.
    for (const int signo : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) std::signal(signo, SIG_IGN);
    for (const int fd : {in[0], answers[1], out[1], err[1]}) ::close(fd);
    commands_ = in[1];
    answers_ = answers[0];
    out_.fd = out[0];
    err_.fd = err[0];
    for (const int fd : {commands_, answers_}) ::fcntl(fd, F_SETFL, O_NONBLOCK);
  }

  void readTold(std::string& told) {
    char buffer[65536];
    const ssize_t n = ::read(STDIN_FILENO, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) return;
    if (n <= 0) ::kill(0, SIGKILL);  // the host is gone; nobody needs what runs here
    std::size_t from = told.size();
    told.append(buffer, static_cast<std::size_t>(n));
    std::size_t begin = 0;
    for (std::size_t end; (end = told.find('\n', from)) != std::string::npos;) {
      understand(std::string_view(told).substr(begin, end - begin));
      begin = from = end + 1;
    }
    told.erase(0, begin);
  }

  void understand(std::string_view line) {
    const auto members = hearth::jsonMembers(line);
    if (members.empty()) return;
    const auto& [what, value] = members.front();
    const std::string number(value);
    const std::string text = hearth::jsonText(members.back().second);
    if (what == "execute") {
      running_ = number;
      // On one line, so that SIGINT ends all of it. Descriptor 251 and the lines that follow on
      // stdin are not for the statement. Its trace (set -x) ends before __hearth_end.
      toShell_ += "__hearth_code=" + word(text) + "; __hearth_check " + number +
                  " && { __hearth_last " + std::to_string(last_) +
                  "; eval \"$__hearth_code\" </dev/null 251>&-; }; { __hearth_end " + number +
                  " $?; } 2>/dev/null\n";
      toShell_ += broken(number);
    } else if (what == "interrupt" && number == running_) {
      ::kill(0, SIGINT);
      interrupted_ = true;
      since_ = std::chrono::steady_clock::now();
      toShell_ += broken(number);  // should the one before have been hit
    } else if (what == "complete") {
      toShell_ += "{ __hearth_complete " + number + " " + word(text) + "; } 2>/dev/null\n";
    }
  }

  /// The line that ends a statement whose own line SIGINT has broken off; a second end is passed
  /// over.
  static std::string broken(const std::string& statement) {
    return "{ __hearth_end " + statement + " 130; } 2>/dev/null\n";
  }

  void writeCommands() {
    const ssize_t n = ::write(commands_, toShell_.data(), toShell_.size());
    if (n > 0) toShell_.erase(0, static_cast<std::size_t>(n));
  }

  /// Passes on up to `most` bytes; the number that was read.
  std::size_t pump(Stream& stream, std::size_t most) {
    char buffer[kChunk];
    const ssize_t n = ::read(stream.fd, buffer, std::min(most, sizeof buffer));
    if (n < 0 && errno == EINTR) return 0;
    if (n <= 0) {  // nobody has the other end any more; poll passes over -1
      if (stream.fd >= 0) ::close(stream.fd);
      stream.fd = -1;
      return most;
    }
    print(stream, stream.text.take({buffer, static_cast<std::size_t>(n)}));
    return static_cast<std::size_t>(n);
  }

  void print(const Stream& stream, const std::string& text) {
    if (text.empty()) return;
    tell("{\"" + std::string(stream.name) + "\":" + running_ + ",\"text\":" + hearth::quoted(text) +
         "}\n");
  }

  /// Passes on what was printed up to now: what is in the pipes, but not what a background job may
  /// go on to print for ever.
  void drain() {
    for (Stream* stream : {&out_, &err_}) {
      int there = 0;
      if (stream->fd < 0 || ::ioctl(stream->fd, FIONREAD, &there) != 0) continue;
      for (auto left = static_cast<std::size_t>(there); left > 0;) left -= pump(*stream, left);
      print(*stream, stream->text.finish());
    }
  }

  void readAnswers() {
    char buffer[65536];
    const ssize_t n = ::read(answers_, buffer, sizeof buffer);
    if (n < 0) return;
    if (n == 0) {  // bash has ended, which watchShell() sees, or was replaced by `exec`
      ::close(answers_);
      answers_ = -1;
      return;
    }
    answer_.append(buffer, static_cast<std::size_t>(n));
    std::size_t end;
    while ((end = answer_.find(std::string_view("\0\0", 2))) != std::string::npos) {
      std::vector<std::string> fields;
      for (std::size_t at = 0; at <= end;) {
        const std::size_t next = answer_.find('\0', at);
        fields.push_back(answer_.substr(at, next - at));
        at = next + 1;
      }
      answer_.erase(0, end + 2);
      if (fields.size() >= 2) answered(fields);
    }
  }

  void answered(const std::vector<std::string>& fields) {
    const std::string& what = fields[0];
    const std::string& number = fields[1];
    if (what == "candidates") {
      std::string found;
      for (std::size_t i = 2; i < fields.size() && found.size() < kCandidates; ++i) {
        Utf8 text;
        const std::string name = text.take(fields[i]) + text.finish();
        if (name.size() < 4096) found += (found.empty() ? "" : ",") + hearth::quoted(name);
      }
      return tell("{\"candidates\":" + number + ",\"found\":[" + found + "]}\n");
    }
    if (number != running_ || fields.size() < 3) return;  // the statement has ended before
    drain();
    if (number == "0") {
      if (!std::exchange(ready_, true)) tell("{\"ready\":1}\n");
      return;
    }
    if (what == "end") last_ = std::atoi(fields[2].c_str());
    Utf8 text;
    tell("{\"" + what + "\":" + number + ",\"status\":" +
         hearth::quoted(text.take(fields[2].substr(0, kChunk)) + text.finish()) + "}\n");
    running_ = "0";
    interrupted_ = false;
  }

  void watchShell() {
    int status = 0;
    if (::waitpid(shell_, &status, WNOHANG) != shell_) return;
    drain();
    tell(WIFSIGNALED(status) ? "{\"signal\":" + std::to_string(WTERMSIG(status)) + "}\n"
                             : "{\"exit\":" + std::to_string(WEXITSTATUS(status)) + "}\n");
    std::exit(0);
  }

  pid_t shell_ = -1;
  int commands_ = -1, answers_ = -1;
  Stream out_{"stdout", -1}, err_{"stderr", -1};
  std::string toShell_, answer_;
  std::string running_ = "0";  // the statement, as text; "0": none, or the start
  bool ready_ = false;
  int last_ = 0;  // status of the statement before
  bool interrupted_ = false;
  std::chrono::steady_clock::time_point since_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  Repl(argv[1], argv[2]).run();
}
