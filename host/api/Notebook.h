// A session's statements as a Jupyter notebook.
#pragma once

#include <cstdint>
#include <string>

#include "http/BodyStream.h"
#include "session/SessionManager.h"

namespace hearth::host {

/// nbformat 4.5 (https://nbformat.readthedocs.io), made cell by cell, so that a session of any
/// length costs the memory of its largest statements.
class Notebook : public BodyStream {
 public:
  /// `manager` outlives it.
  Notebook(const SessionManager& manager, SessionView view);

  Next read(std::string& out, std::size_t most, std::function<void()> wake) override;
  std::string keepAlive() const override { return {}; }

 private:
  const SessionManager& manager_;
  const SessionView view_;
  std::int64_t next_ = 0;
  bool begun_ = false;
};

/// The statement as one code cell.
std::string notebookCell(const StatementRow& row);

}  // namespace hearth::host
