// Batches as JSON, on Livy's face and on /v1.
#pragma once

#include <cstdint>
#include <string>

#include "batch/BatchManager.h"
#include "process/LogFile.h"

namespace hearth::host {

/// Livy's batch view: its fields in its order and no other.
std::string livyBatch(const BatchView& view);
/// Hearth's own: reason and times, place in the queue, the request without its secrets, links.
std::string v1Batch(const BatchView& view);

/// Log lines of a batch, live or ended.
LogFile::Page batchLog(const BatchView& view, std::int64_t from, std::int64_t size);
/// The same between the headings that Livy puts around them, and counted with these.
LogFile::Page livyBatchLog(const BatchView& view, std::int64_t from, std::int64_t size);

}  // namespace hearth::host
