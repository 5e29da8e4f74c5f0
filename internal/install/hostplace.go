package install

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/mcphub/mcphub/internal/hosts"
	"github.com/mcphub/mcphub/internal/hub"
)

// place finds the entry for a server, or a free name for one: the server's own, then with its scope,
// then with the project's directory. One that is to the letter what mcpm writes is its own.
func (f *fileRecord) place(h hosts.Host, p Project, name hub.Name, have map[string]json.RawMessage, value json.RawMessage) (key, action string) {
	for k, e := range f.Entries {
		if e.Server == name && e.Project == p.valuesKey() {
			if !runsServer(h, have[k], name) {
				return k, "kept"
			}
			// what a person or the host added to ours, a switch that is off, is theirs
			if merged, err := hosts.Merge(h, have[k], value); err == nil && sameJSON(have[k], merged) {
				return k, "unchanged"
			}
			return k, "updated"
		}
	}
	scoped := name.Base()
	if !name.IsAlias() { // which has no scope
		scoped = strings.ReplaceAll(name.Scope(), ".", "-") + "-" + name.Base()
	}
	names := []string{name.Base(), scoped}
	if !p.Global {
		names = append(names, name.Base()+"-"+filepath.Base(p.Dir), scoped+"-"+filepath.Base(p.Dir))
	}
	for _, k := range names {
		if _, taken := have[k]; !taken {
			return k, "added"
		}
		if _, known := f.Entries[k]; !known && sameJSON(have[k], value) {
			return k, "unchanged" // an mcpm that was killed wrote it, and not that it did
		}
	}
	for i := 2; ; i++ {
		k := fmt.Sprintf("%s-%d", scoped, i)
		if _, taken := have[k]; !taken {
			return k, "added"
		}
	}
}

func (r *Registrar) entry(p Project, name hub.Name, more ...string) hosts.Entry {
	e := hosts.RunEntry(r.Command, name.String())
	if !p.Global {
		e.Args = append(e.Args, "-C", p.Dir)
	}
	e.Args = append(e.Args, more...)
	e.Env = r.EnvVars
	return e
}

// words returns what an entry of ours has after the server and its project: arguments for the server, and
// which of its entries it is. They stay when the entry is written anew.
func (f *fileRecord) words(h hosts.Host, p Project, name hub.Name, have map[string]json.RawMessage) []string {
	for k, e := range f.Entries {
		if e.Server != name || e.Project != p.valuesKey() || !runsServer(h, have[k], name) {
			continue
		}
		rest := hosts.Runs(h, have[k])[3:]
		if len(rest) > 1 && rest[0] == "-C" {
			rest = rest[2:]
		}
		return rest
	}
	return nil
}

// runsServer reports whether an entry still is one of ours: it runs the server through mcpm, whatever a
// person added to it.
func runsServer(h hosts.Host, value json.RawMessage, name hub.Name) bool {
	line := hosts.Runs(h, value)
	return len(line) >= 3 && line[1] == "run" && line[2] == name.String()
}

// sameJSON compares values: the order of members means nothing.
func sameJSON(a, b json.RawMessage) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}

// shortHash names a path in a file name.
func shortHash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:6])
}
