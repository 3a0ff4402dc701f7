#include "process/ChildProcess.h"

#include <signal.h>
#include <sys/wait.h>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <utility>

#include "support/Log.h"

namespace hearth::host {

namespace {

namespace asio = boost::asio;
using Error = boost::system::error_code;

constexpr std::size_t maxInputBytes = 8u * 1024 * 1024;
constexpr std::size_t maxUndeliveredBytes = 4u * 1024 * 1024;
/// How long a grandchild that holds the pipes can put off the exit event.
constexpr std::chrono::milliseconds pipeGrace{500};
/// Reads in a row before others get their turn, and those after the grace: above what a pipe holds.
constexpr int readsInARow = 16;

}  // namespace

ChildProcess::ChildProcess(EventLoop& loop, pid_t pid, Fd pidfd, Pipes pipes,
                           EventLoop::Strand strand, Process::Events events)
    : pid_(pid),
      strand_(loop.strand()),
      gate_(std::make_shared<Gate<Process::Events>>(std::move(strand), std::move(events))),
      pidfd_(loop.context(), pidfd.release()),
      in_(loop.context()),
      out_(loop.context(), 1),
      err_(loop.context(), 2),
      grace_(strand_),
      inputOpen_(static_cast<bool>(pipes.in)) {
  if (pipes.in) in_.assign(pipes.in.release());
  for (auto* pair : {&out_, &err_}) {
    Fd& fd = pair == &out_ ? pipes.out : pipes.err;
    if (!fd) continue;
    pair->descriptor.assign(fd.release());
    pair->descriptor.non_blocking(true);
  }
}

void ChildProcess::start() {
  asio::post(strand_, [self = shared_from_this()] {
    self->awaitOutput(self->out_);
    self->awaitOutput(self->err_);
    self->awaitEnd();
  });
}

bool ChildProcess::write(std::string bytes) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!inputOpen_ || reaped_ || inputBytes_ + bytes.size() > maxInputBytes) return false;
    if (bytes.empty()) return true;
    inputBytes_ += bytes.size();
    input_.push_back(std::move(bytes));
  }
  asio::post(strand_, [self = shared_from_this()] { self->pumpInput(); });
  return true;
}

bool ChildProcess::signal(int signo) {
  const std::lock_guard<std::mutex> lock(mutex_);
  // Until it is reaped, the child keeps its pid, and the group its number, from being given again.
  // While its end is told, what it has left in the group does.
  return (!reaped_ || telling_) && ::kill(-pid_, signo) == 0;
}

void ChildProcess::forget() {
  asio::post(strand_, [self = shared_from_this()] {
    self->forgotten_ = true;
    self->pumpInput();
  });
  gate_->shut();
}

void ChildProcess::awaitOutput(Stream& stream) {
  if (!stream.descriptor.is_open() || held_) return;
  // Waiting and reading apart: all reads are on the strand, so none is under way at finish().
  stream.descriptor.async_wait(
      Descriptor::wait_read,
      asio::bind_executor(strand_, [self = shared_from_this(), &stream](const Error& error) {
        if (!error) self->readOutput(stream);
      }));
}

void ChildProcess::readOutput(Stream& stream) {
  for (int i = 0; i < readsInARow && !held_; ++i)
    if (!readSome(stream)) break;
  awaitOutput(stream);
}

/// False when there is nothing to read now, or ever.
bool ChildProcess::readSome(Stream& stream) {
  if (!stream.descriptor.is_open()) return false;
  Error error;
  const std::size_t bytes = stream.descriptor.read_some(asio::buffer(buffer_), error);
  if (error == asio::error::would_block || error == asio::error::interrupted) return false;
  if (error) {
    endStream(stream);
    return false;
  }
  std::vector<TextLine> lines;
  stream.splitter.feed({buffer_.data(), bytes}, lines);
  tell(stream, std::move(lines));
  return true;
}

void ChildProcess::tell(const Stream& stream, std::vector<TextLine> lines) {
  if (lines.empty()) return;
  std::size_t bytes = 0;
  for (const TextLine& line : lines) bytes += line.text.size() + sizeof line;
  undelivered_ += bytes;
  held_ = held_ || undelivered_ > maxUndeliveredBytes;
  asio::post(gate_->strand(), [self = shared_from_this(), number = stream.number, bytes,
                               taken = std::move(lines)]() mutable {
    // Said also when an event throws.
    const std::shared_ptr<void> done(nullptr, [self, bytes](void*) {
      asio::post(self->strand_, [self, bytes] { self->delivered(bytes); });
    });
    for (TextLine& line : taken)
      self->gate_->run([&](const Process::Events& events) {
        if (events.line) events.line(number, std::move(line));
      });
  });
}

void ChildProcess::delivered(std::size_t bytes) {
  undelivered_ -= bytes;
  if (!held_ || undelivered_ > maxUndeliveredBytes / 2) return;
  held_ = false;
  awaitOutput(out_);
  awaitOutput(err_);
}

void ChildProcess::endStream(Stream& stream) {
  Error ignored;
  stream.descriptor.close(ignored);
  std::vector<TextLine> lines;
  stream.splitter.finish(lines);
  tell(stream, std::move(lines));
  finishIfDone();
}

void ChildProcess::awaitEnd() {
  pidfd_.async_wait(Descriptor::wait_read,
                    asio::bind_executor(strand_, [self = shared_from_this()](const Error& error) {
                      if (!error) self->reap();
                    }));
}

void ChildProcess::reap() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    siginfo_t info{};
    int result = 0;
    do {
      result =
          ::waitid(P_PIDFD, static_cast<id_t>(pidfd_.native_handle()), &info, WEXITED | WNOHANG);
    } while (result != 0 && errno == EINTR);
    if (result == 0 && info.si_pid == 0) return awaitEnd();
    if (result != 0)  // only if someone else reaped it: then nothing is known of its end
      log().error("the end of process {} was lost: {}", pid_,
                  std::system_category().message(errno));
    reaped_ = true;
    const bool exited = result == 0 && info.si_code == CLD_EXITED;
    status_ = exited ? info.si_status : -1;
    signo_ = result == 0 && !exited ? info.si_status : 0;
    inputOpen_ = false;
    input_.clear();
    inputBytes_ = 0;
  }
  ended_ = true;
  Error ignored;
  pidfd_.close(ignored);
  finishIfDone();
  if (finished_) return;
  grace_.expires_after(pipeGrace);
  grace_.async_wait([self = shared_from_this()](const Error& error) {
    if (error || self->finished_) return;
    // What the child itself wrote is in the pipes; what comes later is a grandchild's.
    for (Stream* stream : {&self->out_, &self->err_})
      for (int i = 0; i < readsInARow; ++i)
        if (!self->readSome(*stream)) break;
    self->finish();
  });
}

void ChildProcess::finishIfDone() {
  if (ended_ && !out_.descriptor.is_open() && !err_.descriptor.is_open()) finish();
}

void ChildProcess::finish() {
  if (std::exchange(finished_, true)) return;
  grace_.cancel();
  closeInput();
  for (Stream* stream : {&out_, &err_})
    if (stream->descriptor.is_open()) endStream(*stream);
  asio::post(gate_->strand(), [self = shared_from_this(), status = status_, signo = signo_] {
    self->telling_ = true;
    self->gate_->run([status, signo](const Process::Events& events) {
      if (events.exit) events.exit(status, signo);
    });
    self->telling_ = false;
  });
}

void ChildProcess::pumpInput() {
  if (writing_ || !in_.is_open()) return;
  std::string bytes;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!input_.empty()) {
      bytes = std::move(input_.front());
      input_.pop_front();
    }
  }
  if (bytes.empty()) {
    if (forgotten_) closeInput();
    return;
  }
  writing_ = true;
  auto held = std::make_shared<const std::string>(std::move(bytes));
  asio::async_write(in_, asio::buffer(*held),
                    asio::bind_executor(strand_, [self = shared_from_this(), held](
                                                     const Error& error, std::size_t) {
                      self->writing_ = false;
                      {
                        const std::lock_guard<std::mutex> lock(self->mutex_);
                        if (self->inputOpen_) self->inputBytes_ -= held->size();
                      }
                      if (error) return self->closeInput();
                      self->pumpInput();
                    }));
}

void ChildProcess::closeInput() {
  Error ignored;
  in_.close(ignored);
  const std::lock_guard<std::mutex> lock(mutex_);
  inputOpen_ = false;
  input_.clear();
  inputBytes_ = 0;
}

}  // namespace hearth::host
