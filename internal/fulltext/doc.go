// Package fulltext says what of a server is indexed and what a text asks for, in terms of package words, the
// same way for every engine. An engine stores the fields and translates queries; it needs no analyzer and no
// query language that hostile text could reach, and nothing here grows with the text. The fields:
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
package fulltext
