package egress

import "net"

// Environment are the variables by which programs know of a proxy that listens at an address. Later entries of an environment
// win, so these stand at its end.
func Environment(at net.Addr) []string {
	var out []string
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"} {
		out = append(out, name+"=http://"+at.String())
	}
	return append(out, "NO_PROXY=localhost,127.0.0.1,::1", "no_proxy=localhost,127.0.0.1,::1", "NODE_USE_ENV_PROXY=1")
}
