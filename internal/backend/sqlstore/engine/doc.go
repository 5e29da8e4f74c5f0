// Package engine opens the databases sqlstore stands on, SQLite and PostgreSQL, and holds everything they do
// differently: how one connects, locks, prepares and names errors. It knows nothing of what is stored.
package engine
