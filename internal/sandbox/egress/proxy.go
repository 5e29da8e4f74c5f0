// Package egress is the only way out of a sandbox: a proxy that lets pass what rules name.
package egress

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"sync"
	"time"
)

const (
	maxConnections = 256
	headerTime     = 10 * time.Second
	dialTime       = 20 * time.Second
	idleTime       = time.Hour // a connection on which nothing passes
	maxHeader      = 64 << 10  // bytes
)

// Proxy is an HTTP proxy (RFC 9110, CONNECT and absolute targets) that lets pass what the rules name. It looks names up
// itself, and what is inside of TLS it does not see.
type Proxy struct {
	rules  []Rule
	hears  Listener
	lookup func(ctx context.Context, host string) ([]netip.Addr, error)
	dial   func(ctx context.Context, network, addr string) (net.Conn, error)
	up     func(*url.URL) (*url.URL, error) // the proxy by which a host is reached, nil for none
	slots  chan struct{}
	plain  *httputil.ReverseProxy
}

// Listener is told what a proxy does, from many goroutines. Either may be nil.
type Listener struct {
	Denied func(Denial)
	Passed func(host, port string) // a connection that the rules let pass, whether it then came about or not
}

// Denial is a connection that was refused.
type Denial struct {
	Host   string // as it was asked for
	Port   string
	Reason string
}

// NoRule is the reason of a denial of what no rule names.
const NoRule = "no rule grants it"

// New returns a proxy with these rules.
func New(rules []Rule, hears Listener) *Proxy {
	if hears.Denied == nil {
		hears.Denied = func(Denial) {}
	}
	if hears.Passed == nil {
		hears.Passed = func(string, string) {}
	}
	dialer := &net.Dialer{Timeout: dialTime}
	p := &Proxy{
		rules: rules, hears: hears, slots: make(chan struct{}, maxConnections), dial: dialer.DialContext, up: fromEnvironment(),
		lookup: func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		},
	}
	p.plain = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.Out.Host = r.In.Host },
		Transport: &http.Transport{
			DialContext:           func(ctx context.Context, _, addr string) (net.Conn, error) { return p.reach(ctx, addr) },
			Proxy:                 nil,
			DisableCompression:    true,
			MaxIdleConns:          32,
			IdleConnTimeout:       30 * time.Second,
			ResponseHeaderTimeout: 2 * time.Minute,
		},
		ErrorLog:     log.New(io.Discard, "", 0),
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) { refuse(w, err) },
	}
	return p
}

// Serve answers on l until it closes.
func (p *Proxy) Serve(l net.Listener) {
	srv := &http.Server{Handler: p, ReadHeaderTimeout: headerTime, IdleTimeout: time.Minute, MaxHeaderBytes: maxHeader, ErrorLog: log.New(io.Discard, "", 0)}
	_ = srv.Serve(l) // it ends with the sandbox
	p.plain.Transport.(*http.Transport).CloseIdleConnections()
}

// ServeHTTP implements http.Handler.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	default:
		http.Error(w, fmt.Sprintf("more than %d connections at once", maxConnections), http.StatusServiceUnavailable)
		return
	}
	switch {
	case r.Method == http.MethodConnect:
		p.tunnel(w, r)
	case r.URL.Scheme == "http" && r.URL.Host != "":
		p.plain.ServeHTTP(w, r)
	default:
		http.Error(w, "this is the proxy of a sandbox: it takes CONNECT and http:// addresses", http.StatusBadRequest)
	}
}

// tunnel passes bytes both ways.
func (p *Proxy) tunnel(w http.ResponseWriter, r *http.Request) {
	far, err := p.reach(r.Context(), r.Host)
	if err != nil {
		refuse(w, err)
		return
	}
	defer far.Close()
	near, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer near.Close()
	if _, err := io.WriteString(near, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return
	}
	var wg sync.WaitGroup
	wg.Go(func() { pass(far, buffered, near) })
	wg.Go(func() { pass(near, far, far) })
	wg.Wait()
}

// pass copies until one side ends or nothing came for idleTime, and says so to the other.
func pass(to net.Conn, from io.Reader, conn net.Conn) {
	buf := make([]byte, 32<<10)
	for {
		_ = conn.SetReadDeadline(time.Now().Add(idleTime))
		n, err := from.Read(buf)
		if n > 0 {
			_ = to.SetWriteDeadline(time.Now().Add(idleTime))
			if _, werr := to.Write(buf[:n]); werr != nil {
				_ = conn.Close()
				return
			}
		}
		if err != nil {
			if half, ok := to.(interface{ CloseWrite() error }); ok && errors.Is(err, io.EOF) {
				_ = half.CloseWrite()
			} else {
				_ = to.Close()
			}
			return
		}
	}
}

// deniedError is a refusal by the rules.
type deniedError struct{ Denial }

func (e *deniedError) Error() string {
	return fmt.Sprintf("%s was refused: %s", net.JoinHostPort(e.Host, e.Port), e.Reason)
}

func refuse(w http.ResponseWriter, err error) {
	var d *deniedError
	if errors.As(err, &d) {
		http.Error(w, "the sandbox lets nothing pass that was not granted: "+err.Error(), http.StatusForbidden)
		return
	}
	http.Error(w, "the sandbox's proxy did not reach it: "+err.Error(), http.StatusBadGateway)
}

// reach connects to "host:port" when a rule lets it: the address that is dialled is the one that was checked.
func (p *Proxy) reach(ctx context.Context, target string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(target)
	if err != nil {
		host, port = target, "80"
	}
	deny := func(reason string) error {
		d := Denial{Host: host, Port: port, Reason: reason}
		p.hears.Denied(d)
		return &deniedError{d}
	}
	var by []Rule
	for _, r := range p.rules {
		if r.Matches(host, port) {
			by = append(by, r)
		}
	}
	if len(by) == 0 {
		return nil, deny(NoRule)
	}
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	if conn, err := p.upstream(ctx, host, port, by); conn != nil || err != nil {
		return conn, err
	}
	addrs, err := p.addresses(ctx, host)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", host, err)
	}
	reason, failed := "it has no address", error(nil)
	for _, addr := range addrs {
		if reason = refusedByAll(addr, by); reason != "" {
			continue
		}
		p.hears.Passed(host, port)
		conn, err := p.dial(ctx, "tcp", net.JoinHostPort(addr.String(), port))
		if err == nil {
			return conn, nil
		}
		failed = err
	}
	if failed != nil {
		return nil, failed
	}
	return nil, deny(reason)
}

// upstream reaches a host by way of the proxy that is configured for it; neither a connection nor an error where there is none.
// An address is held to the rules here as well, a name is looked up there.
func (p *Proxy) upstream(ctx context.Context, host, port string, by []Rule) (net.Conn, error) {
	target := net.JoinHostPort(host, port)
	up, err := p.up(&url.URL{Scheme: "https", Host: target})
	if err != nil || up == nil {
		return nil, err
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		if reason := refusedByAll(addr.Unmap(), by); reason != "" {
			d := Denial{Host: host, Port: port, Reason: reason}
			p.hears.Denied(d)
			return nil, &deniedError{d}
		}
	}
	p.hears.Passed(host, port)
	return p.through(ctx, up, target)
}

func (p *Proxy) addresses(ctx context.Context, host string) ([]netip.Addr, error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{addr.Unmap()}, nil
	}
	list, err := p.lookup(ctx, host)
	for i := range list {
		list[i] = list[i].Unmap()
	}
	return list, err
}

// refusedByAll says why none of the rules lets an address be reached, or "".
func refusedByAll(addr netip.Addr, rules []Rule) string {
	reason := ""
	for _, r := range rules {
		if reason = refused(addr, r); reason == "" {
			return ""
		}
	}
	return reason
}
