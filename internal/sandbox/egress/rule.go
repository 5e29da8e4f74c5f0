package egress

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Rule lets connections to a host and port pass.
type Rule struct {
	host   string     // in lower case, without a dot at the end; "" for any
	suffix bool       // host is what names end in: "*.example.com" is ".example.com"
	addr   netip.Addr // of a rule that names an address
	port   string     // "*" for any
}

// ParseRule reads "host:port": a name, "*.name" for all names below it, "*" for every name, an address (IPv6 in
// brackets) or localhost; the port is a number or "*". Names are looked up by the proxy, and addresses that are not
// public (private, of this machine, link-local, of cloud metadata) are refused however they were named, unless the rule
// names that very address or localhost. Link-local addresses are always refused.
func ParseRule(text string) (Rule, error) {
	i := strings.LastIndexByte(text, ':')
	if i < 0 {
		return Rule{}, fmt.Errorf("the rule %q has no port; write host:port", text)
	}
	host, port := normal(text[:i]), text[i+1:]
	if n, err := strconv.Atoi(port); port != "*" && (err != nil || n < 1 || n > 65535 || strconv.Itoa(n) != port) {
		return Rule{}, fmt.Errorf("the port of %q is neither a number from 1 to 65535 nor *", text)
	}
	r := Rule{host: host, port: port}
	switch {
	case host == "*":
		r.host, r.suffix = "", true
		return r, nil
	case strings.HasPrefix(host, "*."):
		r.host, r.suffix = host[1:], true
		host = host[2:]
	case strings.HasPrefix(host, "["):
		addr, err := netip.ParseAddr(strings.TrimSuffix(host[1:], "]"))
		if err != nil || !strings.HasSuffix(host, "]") || addr.Zone() != "" {
			return Rule{}, fmt.Errorf("the address of %q is not one", text)
		}
		r.addr = addr.Unmap()
		return r, nil
	}
	if addr, err := netip.ParseAddr(host); err == nil && !r.suffix {
		r.addr = addr.Unmap()
		return r, nil
	}
	if !isName(host) {
		return Rule{}, fmt.Errorf("the host of %q is not a name", text)
	}
	return r, nil
}

// ParseRules reads rules, see ParseRule.
func ParseRules(list []string) ([]Rule, error) {
	out := make([]Rule, len(list))
	for i, text := range list {
		var err error
		if out[i], err = ParseRule(text); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Matches reports whether the rule speaks of a host, as it was asked for, and a port.
func (r Rule) Matches(host, port string) bool {
	if r.port != "*" && r.port != port {
		return false
	}
	if addr, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return r.addr.IsValid() && r.addr == addr.Unmap()
	}
	host = normal(host)
	switch {
	case r.addr.IsValid():
		return false
	case r.suffix:
		return strings.HasSuffix(host, r.host) && len(host) > len(r.host)
	}
	return host == r.host
}

// names reports whether the rule names an address that is not public, or this machine, by itself.
func (r Rule) names(addr netip.Addr) bool {
	return r.addr.IsValid() && r.addr == addr || r.host == "localhost" && !r.suffix && addr.IsLoopback()
}

// normal is how names are compared.
func normal(host string) string { return strings.ToLower(strings.TrimSuffix(host, ".")) }

// isName reports whether a text is a name of a host: labels of letters, digits, '-' and '_'.
func isName(host string) bool {
	if host == "" || len(host) > 253 {
		return false
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range label {
			if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
				return false
			}
		}
	}
	return true
}

// notPublic are the ranges that no name may lead to (IANA's special-purpose registries), beside those that netip knows.
var notPublic = prefixes(
	"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
	"64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fec0::/10",
)

func prefixes(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, text := range list {
		out[i] = netip.MustParsePrefix(text)
	}
	return out
}

// refused says why an address may not be reached by a rule, or "".
func refused(addr netip.Addr, r Rule) string {
	addr = addr.Unmap()
	switch {
	case addr.IsLinkLocalUnicast() || addr.IsLinkLocalMulticast() || addr.IsMulticast() || addr.IsUnspecified():
		return "link-local, metadata and multicast addresses are never reached"
	case r.names(addr):
		return ""
	case addr.IsLoopback():
		return "it is this machine"
	case addr.IsPrivate():
		return "it is in a private network"
	}
	for _, p := range notPublic {
		if p.Contains(addr) {
			return "it is not a public address"
		}
	}
	return ""
}
