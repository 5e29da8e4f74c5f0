// Package bleveindex finds servers by words with Bleve, inside this process.
//
// The fields and the queries are those of package fulltext, whose terms come ready: a query is made of plain
// term look-ups. Nothing is stored, since the records are in SQL. Beside those fields a document has
//
//	rank, by.*   for sorting
package bleveindex
