// Package weaviate finds servers by meaning with Weaviate 1.32 and later, over its REST and GraphQL interfaces.
// Several hubs may share one collection.
//
// A server is one object for each of its vectors, or a single one without a vector when it has none, so that
// counting the first parts counts the servers. Put writes the new objects before it removes those it does not
// replace; a server is found all the while. What is asked for is an alias, Name_vSCHEMA; the collection behind
// it carries the time of its making, and Rebuild moves the alias. The alias is looked up here, since GraphQL
// filters know collections alone (Weaviate 1.35).
//
// A collection must index at once: ASYNC_INDEXING of the engine has to be off for what was put to be found.
package weaviate
