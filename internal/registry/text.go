package registry

import (
	"errors"
	"fmt"

	"github.com/mcphub/mcphub/internal/hub"
)

// asError returns the hub.Error in err's chain; err must have one.
func asError(err error) *hub.Error {
	var e *hub.Error
	errors.As(err, &e)
	return e
}

// where puts an issue into words: "servers.db.transport: ...".
func where(i hub.Issue) string {
	if i.Path == "" {
		return i.Message
	}
	return i.Path + ": " + i.Message
}

// plural returns "1 version", "2 versions".
func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}
