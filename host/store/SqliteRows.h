// Rows of the SQLite store: their columns, from a query and into a statement.
#pragma once

#include <SQLiteCpp/Statement.h>

#include <string>

#include "store/Store.h"

namespace hearth::host {

extern const char* const sessionColumns;
extern const char* const statementColumns;
extern const char* const batchColumns;

/// Reads the current row of a query for all columns, in their order. Each throws StoreError for a
/// column of the wrong type.
SessionRow sessionFrom(SQLite::Statement& query);
StatementRow statementFrom(SQLite::Statement& query);
BatchRow batchFrom(SQLite::Statement& query);

/// Insert or replace by key.
std::string insertSession();
std::string insertStatement();
std::string insertBatch();

/// Binds the row to its insert. Texts are not copied: the row outlives the statement's run.
void bind(SQLite::Statement& query, const SessionRow& row);
void bind(SQLite::Statement& query, const StatementRow& row);
void bind(SQLite::Statement& query, const BatchRow& row);

}  // namespace hearth::host
