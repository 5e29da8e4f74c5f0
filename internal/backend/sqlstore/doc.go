// Package sqlstore keeps the hub's records in SQL: SQLite in a file by default, PostgreSQL at scale. There
// is one body of queries; what the two databases say differently is a value of type dialect.
//
// How it is built:
//
//   - Times are stored as whole microseconds since 1970 in UTC, so that order and "strictly after" are
//     the same on both databases. Everything a caller stores is cut to the microsecond.
//   - Text that is ordered or compared is ordered by bytes (BINARY on SQLite, COLLATE "C" on PostgreSQL).
//   - A write is one transaction. Statements whose answer nobody needs are sent together (see engine.Batch).
//   - Events are appended last in a transaction, on PostgreSQL under an advisory lock that is held until
//     commit: sequence numbers become visible in order, so a follower misses none.
//   - SQLite has one connection that writes and a few that only read.
package sqlstore
