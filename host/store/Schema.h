// The tables of the SQLite store and how older ones become today's.
#pragma once

#include <SQLiteCpp/Database.h>

namespace hearth::host {

/// Throws StoreError for a database that a newer Hearth or another program has written. Changes
/// nothing.
void checkOurs(SQLite::Database& database);

/// Brings the database to the newest version, each step in one transaction. Throws
/// SQLite::Exception.
void migrate(SQLite::Database& database);

}  // namespace hearth::host
