// What both faces do with batches, apart from how the answer looks.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "batch/BatchManager.h"
#include "http/Message.h"

namespace hearth::host {

/// Handlers get the exchange back and write the answer themselves; refusals are answered here. All
/// callbacks run in guarded(). Used on any thread.
class BatchCalls {
 public:
  enum class Face { livy, v1 };
  using Show = std::function<void(const ExchangePtr&, const BatchView&)>;
  using ShowCreated = std::function<void(const ExchangePtr&, const BatchView&, bool replayed)>;
  using Plain = std::function<void(const ExchangePtr&)>;

  struct Limits {
    std::chrono::milliseconds longestWait;  ///< bounds ?wait=
    std::size_t uploadBytes = 64u << 20;    ///< files that come with one request
  };

  BatchCalls(BatchManager& manager, Face face, Limits limits);

  BatchManager& manager() const { return manager_; }
  BatchView find(const std::string& idOrName) const;

  /// From JSON, on /v1 also from a form with files; waits as ?wait= says, until it has ended.
  void create(const ExchangePtr& exchange, ShowCreated show) const;
  void get(const ExchangePtr& exchange, const std::string& id, Show show) const;  ///< likewise
  void end(const ExchangePtr& exchange, const std::string& id, Plain show) const;
  void log(const ExchangePtr& exchange, const std::string& id) const;

 private:
  BatchManager::Post posted(const Request& request) const;
  BatchManager::Post fromForm(const Request& request) const;

  BatchManager& manager_;
  const Face face_;
  const Limits limits_;
};

}  // namespace hearth::host
