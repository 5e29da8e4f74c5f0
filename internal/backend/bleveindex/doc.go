// Package bleveindex finds servers by words with Bleve, inside this process.
//
// It makes the terms itself (words.go) and gives them to Bleve ready, so that a query is made of plain
// term look-ups: no query language that hostile text could reach, and nothing that grows with the text.
// A document has these fields, none of them stored, since the records are in SQL:
//
//	exact    the claim of the whole name and of the part after the slash: a hit comes first
//	prefix   every beginning of the part after the slash: a hit comes second
//	name     words of the name, title, keywords and categories
//	text     words of capabilities and descriptions
//	rank     completeness, installs and ID in one, for sorting when there is no text
//	type, transport, runtime, license, category, scope, mirrored     whole values, for filters
package bleveindex
