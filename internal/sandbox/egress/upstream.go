package egress

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/net/http/httpproxy"
)

// fromEnvironment is the proxy that HTTPS_PROXY and NO_PROXY of mcpm's own environment name for a host, nil for none. This
// machine is never reached through one.
func fromEnvironment() func(*url.URL) (*url.URL, error) {
	return httpproxy.FromEnvironment().ProxyFunc()
}

// through connects to "host:port" by way of another proxy, which looks the name up: only it can say where a company's network
// leads.
func (p *Proxy) through(ctx context.Context, up *url.URL, target string) (net.Conn, error) {
	port := up.Port()
	switch {
	case up.Scheme != "http" && up.Scheme != "https":
		return nil, fmt.Errorf("the proxy %s://%s in the environment is not one of HTTP", up.Scheme, up.Host)
	case port == "":
		port = map[string]string{"http": "80", "https": "443"}[up.Scheme]
	}
	conn, err := p.dial(ctx, "tcp", net.JoinHostPort(up.Hostname(), port))
	if err != nil {
		return nil, fmt.Errorf("the proxy %s in the environment: %w", up.Host, err)
	}
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline)
	}
	if up.Scheme == "https" {
		conn = tls.Client(conn, &tls.Config{ServerName: up.Hostname(), MinVersion: tls.VersionTLS12})
	}
	ask := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: target}, Host: target, Header: http.Header{}}
	if up.User != nil {
		password, _ := up.User.Password()
		ask.Header.Set("Proxy-Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(up.User.Username()+":"+password)))
	}
	if err := ask.Write(conn); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	from := bufio.NewReader(io.LimitReader(conn, maxHeader))
	res, err := http.ReadResponse(from, ask)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	if res.StatusCode != http.StatusOK || from.Buffered() > 0 { // nobody has asked the host anything yet
		return nil, errors.Join(fmt.Errorf("the proxy %s in the environment answered %s for %s", up.Host, res.Status, target), conn.Close())
	}
	return conn, conn.SetDeadline(time.Time{})
}
