// Jupyter's wire format: signed messages as ZeroMQ frames (messaging protocol 5.3).
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace hearth::jupyter {

/// Frames that are no message of this kernel; the text says why.
class WireError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A message that was received. Content is a JSON object's text, valid and UTF-8; it may be large
/// and is not copied: good as long as the frames are.
struct Message {
  std::string type;
  std::string id;
  std::string parentId;  ///< of the request that it belongs to; empty: none
  std::string_view content;
  std::shared_ptr<const std::string> repaired;  ///< holds content where it had to be put right
};

using Frames = std::vector<std::string>;
using FrameViews = std::vector<std::string_view>;

/// `count` random bytes as hex digits. Throws std::runtime_error where the system has none.
std::string randomHex(std::size_t count);

/// One side of the connection to one kernel: makes and checks messages under the connection's key.
class Wire {
 public:
  explicit Wire(std::string key);

  /// The client's id, which is also the identity of its sockets.
  const std::string& session() const noexcept { return session_; }
  /// A fresh message id.
  std::string nextId();
  /// A request's frames. `parentHeader`: the whole header that is answered, or "{}".
  Frames encode(const std::string& id, std::string_view type, const std::string& content,
                const std::string& parentHeader = "{}") const;
  /// Throws WireError for frames that are not signed by the key, or cannot be read.
  Message decode(const FrameViews& frames) const;
  /// The header of frames that decode() has taken.
  static std::string header(const FrameViews& frames);

 private:
  std::string sign(const std::string_view* parts) const;

  std::string key_;
  std::string session_;
  unsigned long long count_ = 0;
};

/// `json` with what parsers refuse put right: lone surrogates, bytes that are no UTF-8. Kernels let
/// both through when user code prints them.
std::string repairJson(std::string_view json);

}  // namespace hearth::jupyter
