package gate

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/granted"
	"github.com/mcphub/mcphub/internal/cli/guarded"
	"github.com/mcphub/mcphub/internal/cli/signin"
	"github.com/mcphub/mcphub/internal/cli/typed"

	"github.com/mcphub/mcphub/internal/gateway"
	"github.com/mcphub/mcphub/internal/gateway/aggregate"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
)

// members are the servers of a project, as they are now.
type members struct {
	o       *gatewayOptions
	project install.Project
	only    []hub.Name // nil for all
	now     []aggregate.Member
	seen    string // of the files it was read from

	ctx    context.Context // of the gateway
	shared map[hub.Name]bool
	once   map[string]*aggregate.Shared // by name and stamp

	guards    *guarded.Guards
	launching sync.Mutex // settings and keychains are for one at a time
}

func newMembers(ctx context.Context, o *gatewayOptions) (*members, error) {
	h, err := o.Store()
	if err != nil {
		return nil, err
	}
	m := &members{o: o, ctx: ctx, project: h.Global(), guards: guarded.New(o.App), once: map[string]*aggregate.Shared{}}
	if !o.global {
		m.project = install.FindProject(o.Dir)
	}
	refs, err := typed.AllInstalled(o.App, o.args, o.global)
	if err != nil {
		return nil, err
	}
	for _, r := range refs {
		if r.Given {
			return nil, app.Usage("gateway starts the locked version; %s names one", r.Name)
		}
		if _, err := o.Find(r.Name, o.global); err != nil {
			return nil, err
		}
		m.only = append(m.only, r.Name)
	}
	if m.shared, err = m.sharedNames(); err != nil {
		return nil, err
	}
	m.seen = m.files()
	if m.now, err = m.read(); err != nil {
		return nil, err
	}
	if len(m.now) == 0 {
		scope := ""
		if o.global {
			scope = " -g"
		}
		return nil, hub.Errorf(hub.NotFound, "no servers are installed here, so there is nothing to serve").WithHint("mcpm install%s NAME, or mcpm search WORDS", scope)
	}
	return m, nil
}

// sharedNames are the servers that --shared names; nil for every server.
func (m *members) sharedNames() (map[hub.Name]bool, error) {
	out := map[hub.Name]bool{}
	for _, text := range m.o.shared {
		if text == "all" {
			return nil, nil
		}
		refs, err := typed.AllInstalled(m.o.App, []string{text}, m.o.global)
		if err != nil {
			return nil, err
		}
		for _, r := range refs {
			if m.only != nil && !slices.Contains(m.only, r.Name) {
				return nil, app.Usage("--shared names %s, which this gateway does not serve", r.Name)
			}
			if _, err := m.o.Find(r.Name, m.o.global); err != nil {
				return nil, err
			}
			out[r.Name] = true
		}
	}
	return out, nil
}

// read lists what mcp.json asks for, in the order of the names.
func (m *members) read() ([]aggregate.Member, error) {
	names := m.only
	if names == nil {
		asked, _, err := app.ReadManifest(m.project)
		if err != nil || asked == nil {
			return nil, err
		}
		specs, err := hub.ParseSpecs(asked.DevDependencies, asked.Dependencies)
		if err != nil {
			return nil, err
		}
		for n := range specs {
			names = append(names, n)
		}
		slices.SortFunc(names, app.CompareNames)
	}
	lock, err := install.ReadLock(m.project)
	if err != nil {
		return nil, err
	}
	texts := make([]string, len(names))
	for i, n := range names {
		texts[i] = n.String()
	}
	prefixes := aggregate.Prefixes(texts)
	if len(m.only) == 1 { // there will be no other
		prefixes = nil
	}
	var out []aggregate.Member
	for i, n := range names {
		stamp := "linked"
		if e := lock.Servers[n]; e != nil {
			text, _ := json.Marshal(e) // it was just read from JSON
			stamp = string(text)
		}
		out = append(out, aggregate.Member{
			Name: texts[i], Prefix: prefixes[texts[i]], Stamp: stamp,
			Open: m.opener(n, stamp),
		})
	}
	return out, nil
}

// opener is how a session gets to a server: to one of its own, or to the one that all share.
func (m *members) opener(name hub.Name, stamp string) func(context.Context) (*gateway.Conn, error) {
	if m.shared != nil && !m.shared[name] {
		return func(ctx context.Context) (*gateway.Conn, error) { return m.open(ctx, name) }
	}
	key := name.String() + " " + stamp
	one := m.once[key]
	if one == nil {
		one = &aggregate.Shared{Version: app.Version, Open: func() (*gateway.Conn, error) { return m.bare(m.ctx, name) }}
		m.once[key] = one
	}
	return func(ctx context.Context) (*gateway.Conn, error) {
		_, _, g, err := m.launch(ctx, name) // each client has a guard of its own
		if err != nil {
			return nil, err
		}
		c, err := one.Join(ctx)
		if err == nil && g != nil {
			g.Conn(ctx, c)
		}
		return c, err
	}
}

// bare starts or reaches a server that clients share, without a guard.
func (m *members) bare(ctx context.Context, name hub.Name) (*gateway.Conn, error) {
	in, s, g, err := m.launch(ctx, name)
	if err != nil {
		return nil, err
	}
	return gateway.Open(ctx, s, g.Log(m.log(name)), "mcpm/"+app.Version, signin.Client(m.o.App, in.Project, in.Name, s))
}

func (m *members) log(name hub.Name) io.Writer {
	return &gateway.Lines{Prefix: name.String() + ": ", To: cleaned{m.o.IO.Err}}
}

// open starts or reaches one server.
func (m *members) open(ctx context.Context, name hub.Name) (*gateway.Conn, error) {
	in, s, g, err := m.launch(ctx, name)
	if err != nil {
		return nil, err
	}
	c, err := gateway.Open(ctx, s, g.Log(m.log(name)), "mcpm/"+app.Version, signin.Client(m.o.App, in.Project, in.Name, s))
	if err == nil && g != nil {
		g.Conn(ctx, c)
	}
	return c, err
}

// launch says how a server is started, and what stands in front of it; nothing when the guard is left out.
func (m *members) launch(ctx context.Context, name hub.Name) (*app.Installed, *gateway.Server, *guarded.Guard, error) {
	m.launching.Lock()
	defer m.launching.Unlock()
	in, err := m.o.Find(name, m.o.global)
	if err != nil {
		return nil, nil, nil, err
	}
	confined, err := m.o.confined.For(m.o.App, in)
	if err != nil {
		return nil, nil, nil, err
	}
	l, err := m.o.Launch(in.Project, in.Name, in.Manifest, app.LaunchOptions{
		Bundle: in.Bundle, Locked: in.Locked, AllowHTTP: m.o.allowHTTP, Context: ctx, Confined: confined.On, Contained: confined.Container, Grants: confined.Grants,
	})
	if err != nil {
		return nil, nil, nil, in.Wrap(err)
	}
	if len(l.Missing) > 0 {
		return nil, nil, nil, in.Needs(l.Missing, l.Spec)
	}
	granted.Watch(m.o.App, in, l.Server)
	g, err := m.guards.For(in, l.Key, l.Spec, l.Secrets)
	return in, l.Server, g, err
}

// followEvery is how often the files are looked at.
const followEvery = 2 * time.Second

// follow tells the gateway when mcp.json or the lockfile changed, until ctx ends. What cannot be read is told once, and what
// was there stays.
func (m *members) follow(ctx context.Context, g *aggregate.Gateway) {
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		files := m.files()
		if files == m.seen {
			continue
		}
		m.seen = files
		now, err := m.read()
		if err != nil {
			m.o.IO.Warnf("the servers stay as they were: %v", err)
			continue
		}
		g.SetMembers(now)
	}
}

// files says of what age and size the files are.
func (m *members) files() string {
	text := ""
	for _, path := range []string{m.project.Manifest(), m.project.Lock()} {
		if st, err := os.Stat(path); err == nil {
			text += fmt.Sprint(st.ModTime().UnixNano(), " ", st.Size(), "\n")
		} else {
			text += "none\n"
		}
	}
	return text
}

// cleaned keeps what a server says from moving the cursor of a terminal.
type cleaned struct{ to io.Writer }

func (c cleaned) Write(p []byte) (int, error) {
	_, err := io.WriteString(c.to, app.Clean(string(p[:len(p)-1]))+"\n")
	return len(p), err
}
