// Package bleveindex finds servers by words with Bleve, inside this process.
//
// The terms come ready from package words, so that a query is made of plain term look-ups: no query
// language that hostile text could reach, and nothing that grows with the text. A document has these
// fields, none of them stored, since the records are in SQL:
//
//	exact    the claim of the whole name and of the part after the slash: a hit comes first
//	prefix   every beginning of the part after the slash: a hit comes second
//	begin    every beginning of the words of name and title, for suggestions
//	name     words of the name, title, keywords and categories
//	tools    words of tools, resources and prompts and of their inputs
//	input    names of inputs alone
//	text     words of the description
//	readme   words of the readme
//	spell    words of all but the readme as they are written, for corrections
//	f.*      labels, for filters and counts
//	rank, by.*   for sorting
package bleveindex
