//go:build !linux

package secret

import "context"

// look says that a person may have to answer: macOS asks for leave in a window of its own, and does not tell
// beforehand. What is no keychain at all is found out by using it.
func look(context.Context, func(string) string) (locked bool, err error) { return mayAsk, nil }
