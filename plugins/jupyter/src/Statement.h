// One statement in a kernel: what it shows, and how it ends.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "KernelEvents.h"
#include "Wire.h"

namespace hearth::jupyter {

/// Takes the messages of one execute_request in the order in which they come. It has ended once the
/// kernel has both replied and said that it is idle again, whichever it says first.
///
/// Displays are told as they come. The result is what Livy's clients expect, who see nothing else:
/// the last value of each MIME type, of the result or else of a display, and before its text what
/// was printed.
class Statement {
 public:
  Statement(std::uint64_t number, std::string messageId, KernelEvents& events)
      : number_(number), messageId_(std::move(messageId)), events_(events) {}

  std::uint64_t number() const noexcept { return number_; }
  const std::string& messageId() const noexcept { return messageId_; }
  /// The kernel has begun with the code, so that an interrupt finds it running.
  bool underWay() const noexcept { return underWay_; }
  bool replied() const noexcept { return replied_; }
  bool over() const noexcept { return replied_ && idle_; }

  void published(const Message& message);  ///< iopub
  void reply(const Message& message);      ///< execute_reply
  /// The code has asked for input, which statements cannot have: it ends in an error for it.
  void refuseInput(const std::string& prompt);
  /// It was idle long ago, and the message that said so is lost.
  void giveUpIdle() noexcept { idle_ = true; }
  /// Tells the end. `interrupted`: somebody has asked for it.
  void tellEnd(bool interrupted);

 private:
  void show(std::string_view bundle, const std::string& displayId);
  void update(std::string_view bundle, const std::string& displayId);
  void setShown(std::size_t index, std::string_view bundle);
  void clear();
  void clearIfAsked();
  void showResult();
  void fail(std::string_view content);
  std::string data() const;

  std::uint64_t number_;
  std::string messageId_;
  KernelEvents& events_;
  bool underWay_ = false, replied_ = false, idle_ = false;
  bool clearNext_ = false;   // clear_output(wait=True): once there is something to show instead
  std::size_t cleared_ = 0;  // of shown_, gone again
  std::multimap<std::string, std::size_t> displayIds_;  // to their places among them
  std::string status_;
  std::string printed_;             // to stdout, bounded
  std::vector<std::string> shown_;  // displays, bounded; "{}": gone
  std::size_t shownBytes_ = 0;
  std::string result_;   // bundle of the last execute_result
  std::string failure_;  // error bundle
  std::string inputRefusal_;
};

}  // namespace hearth::jupyter
