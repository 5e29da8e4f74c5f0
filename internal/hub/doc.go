// Package hub holds the words of the registry and its promises: the domain types, the rules that need
// nothing but their arguments, and the ports (interfaces) that a backend keeps. It is the ground floor:
// it imports nothing else of this module, opens no file and makes no connection.
//
// Where to look: name.go and version.go for identity, state.go for the life of a version, error.go for
// how anything fails, ports_*.go for what a backend must promise. Every sentence in a port's comment is
// a subtest in internal/conform.
package hub
