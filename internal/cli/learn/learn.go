// Package learn turns what a server tried into the permissions that it needs.
package learn

import (
	"maps"
	"net"
	"slices"
	"strings"
	"sync"

	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/sandbox"
	"github.com/mcphub/mcphub/internal/sandbox/egress"
	"github.com/mcphub/mcphub/internal/sandbox/trace"
)

// Recorder keeps what a server tries while it runs. Its methods may be called from many goroutines.
type Recorder struct {
	mu     sync.Mutex
	seen   []trace.Attempt
	hosts  []Host
	cutOff bool
}

// Host is one that was asked for.
type Host struct {
	Host   string `json:"host"` // a name, or an address
	Port   string `json:"port,omitempty"`
	Passed bool   `json:"passed"`           // the proxy let it pass
	Direct bool   `json:"direct,omitempty"` // not through the proxy, which leads nowhere
	Reason string `json:"reason,omitempty"` // why it was refused
}

func (h Host) rule() string { return net.JoinHostPort(h.Host, h.Port) }

// maxHosts is how many are kept.
const maxHosts = 1000

// Into has a sandbox tell the recorder. files is false where the files are not those of this machine, in a container.
func (r *Recorder) Into(spec *sandbox.Spec, own []string, files bool) {
	spec.Learn = &sandbox.Learn{Quiet: own, Passed: func(host, port string) { r.host(Host{Host: host, Port: port, Passed: true}) }}
	if files {
		spec.Learn.Saw = r.saw
	}
	told := spec.Denied
	spec.Denied = func(d egress.Denial) {
		if told != nil {
			told(d)
		}
		r.host(Host{Host: d.Host, Port: d.Port, Reason: d.Reason})
	}
}

func (r *Recorder) saw(a trace.Attempt) {
	switch a.Kind {
	case trace.Connect:
		r.host(Host{Host: a.Host, Port: a.Port, Direct: true})
	case trace.More:
		r.mu.Lock()
		r.cutOff = true
		r.mu.Unlock()
	case trace.Lookup:
		// The connection that follows tells the port, too.
	default:
		r.mu.Lock()
		r.seen = append(r.seen, a) // each comes once, and their number is bounded
		r.mu.Unlock()
	}
}

func (r *Recorder) host(h Host) {
	h.Host = strings.ToLower(strings.TrimSuffix(strings.Trim(h.Host, "[]"), "."))
	r.mu.Lock()
	defer r.mu.Unlock()
	if slices.Contains(r.hosts, h) {
		return
	}
	if len(r.hosts) == maxHosts {
		r.cutOff = true
		return
	}
	r.hosts = append(r.hosts, h)
}

// Learned is what came out.
type Learned struct {
	Name        string               `json:"name"`
	Version     string               `json:"version,omitempty"`
	Permissions manifest.Permissions `json:"permissions"` // the fewest with which all that was tried is allowed
	Hosts       []Host               `json:"hosts"`
	Files       []File               `json:"files"`    // for which the permissions are
	Programs    []string             `json:"programs"` // that it started, beside its own
	Secrets     []string             `json:"secrets"`  // where it wanted to look and keys are kept; never proposed
	Wide        []string             `json:"wide"`     // directories with too much in them to be proposed
	Lost        []string             `json:"lost"`     // what it wrote into its empty home, and is gone
	Unused      []string             `json:"unused"`   // what its mcp.json asks for and it did not try
	Container   bool                 `json:"container,omitempty"`
	CutOff      bool                 `json:"cutOff,omitempty"` // it tried more than was kept
}

// File is a path that was tried.
type File struct {
	Path   string `json:"path"`
	Access string `json:"access"` // read or write
}

// Learned says what the server needs, of what was recorded until now.
func (r *Recorder) Learned(at Place, declared *manifest.Permissions) *Learned {
	r.mu.Lock()
	seen, hosts, cutOff := slices.Clone(r.seen), slices.Clone(r.hosts), r.cutOff
	r.mu.Unlock()
	out := &Learned{Hosts: hosts, CutOff: cutOff, Files: []File{}, Programs: []string{}, Secrets: []string{}, Wide: []string{}, Lost: []string{}, Unused: []string{}}
	if out.Hosts == nil {
		out.Hosts = []Host{}
	}
	needs := at.sort(seen, out)
	p := &out.Permissions
	for _, n := range collapse(at, needs) {
		p.Filesystem = append(p.Filesystem, manifest.PathPermission{Path: at.named(n.Path), Access: n.Access})
	}
	for _, path := range slices.Sorted(maps.Keys(needs)) {
		out.Files = append(out.Files, File{at.named(path), needs[path]})
	}
	if rules := outbound(hosts); len(rules) > 0 {
		p.Network = &manifest.NetworkPermissions{Outbound: rules}
	}
	p.Subprocess = len(out.Programs) > 0
	if declared != nil {
		// What a server reads of its environment, and how much it takes, cannot be seen: that stays as it was.
		p.Environment, p.Secrets, p.Resources = declared.Environment, declared.Secrets, declared.Resources
		out.Unused = unused(at, declared, needs, hosts, out.Programs)
	}
	return out
}

// outbound are the rules for what was asked for, without what no rule could ever let pass.
func outbound(hosts []Host) []string {
	var out []string
	for _, h := range hosts {
		rule := h.rule()
		if _, err := egress.ParseRule(rule); err != nil || h.never() || slices.Contains(out, rule) {
			continue
		}
		out = append(out, rule)
	}
	slices.Sort(out)
	return out
}

// never reports whether no rule for this host would help: what is on this machine is reached through the proxy or not at all, and
// a name that leads to an address which is not public is refused whatever rule it has.
func (h Host) never() bool {
	if h.Direct {
		ip := net.ParseIP(h.Host)
		return ip != nil && (ip.IsLoopback() || ip.IsLinkLocalUnicast() || ip.IsUnspecified())
	}
	if h.Passed || h.Reason == egress.NoRule {
		ip := net.ParseIP(h.Host)
		return ip != nil && ip.IsLinkLocalUnicast()
	}
	return net.ParseIP(h.Host) == nil
}

// unused lists what was asked for and not tried. That it was not does not say that it never is.
func unused(at Place, declared *manifest.Permissions, needs map[string]string, hosts []Host, programs []string) []string {
	out := []string{}
	if declared.Network != nil {
		for _, text := range declared.Network.Outbound {
			rule, err := egress.ParseRule(text)
			if err == nil && !slices.ContainsFunc(hosts, func(h Host) bool { return rule.Matches(h.Host, h.Port) }) {
				out = append(out, "network "+text)
			}
		}
	}
	for _, f := range declared.Filesystem {
		path := at.real(f.Path)
		used := false
		for need, access := range needs {
			used = used || within(need, path) && (access == f.Access || f.Access == "read")
		}
		if !used {
			out = append(out, f.Access+" "+f.Path)
		}
	}
	if declared.Subprocess && len(programs) == 0 {
		out = append(out, "subprocess")
	}
	return out
}
