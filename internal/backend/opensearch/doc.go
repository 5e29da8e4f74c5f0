// Package opensearch finds servers by words with OpenSearch 2 and later or Elasticsearch 8 and later, over the
// part of their HTTP interface that both have. Several hubs may share one index.
//
// Documents and queries are made by package fulltext, so that terms, weights and hostile text are treated as in
// the embedded index; the engine splits at spaces and counts. Documents are not stored, since the records are
// in SQL. What is asked for is an alias, NAME-vSCHEMA; the index behind it carries the time of its making, and
// Rebuild moves the alias in one step. A hub of another schema uses another alias and fills it itself.
//
// The suite runs against a cluster of three OpenSearch nodes (scripts/services.sh). Elasticsearch cannot be had
// there: how it introduces itself is tested with a stand-in, the rest is not.
package opensearch
