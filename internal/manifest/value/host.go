package value

import (
	"strconv"
	"strings"

	"github.com/mcphub/mcphub/internal/lazyregexp"
)

var (
	hostRE = lazyregexp.New(`^(\*|(\*\.)?([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)*[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)$`)
	ip6RE  = lazyregexp.New(`^\[[0-9a-fA-F:.]+\]$`)
)

// BadHostPort says what is wrong with a pattern "host:port", or "".
func BadHostPort(pattern string) string {
	i := strings.LastIndex(pattern, ":")
	if i < 0 || strings.Contains(pattern, "://") {
		return "write host:port, such as api.example.com:443"
	}
	host, port := pattern[:i], pattern[i+1:]
	if !hostRE.MatchString(host) && !ip6RE.MatchString(host) {
		return "the host may start with *. and holds letters, digits, '-' and '.'"
	}
	if n, err := strconv.Atoi(port); port != "*" && (err != nil || n < 1 || n > 65535) {
		return "the port is a number from 1 to 65535, or *"
	}
	return ""
}
