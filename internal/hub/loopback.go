package hub

import (
	"net"
	"net/netip"
	"strings"
)

// Loopback reports whether a host, with or without a port, is the machine that asks: localhost (RFC 6761 6.3) or a loopback
// address.
func Loopback(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}
