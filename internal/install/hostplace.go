package install

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/mcphub/mcphub/internal/hosts"
	"github.com/mcphub/mcphub/internal/hub"
)

func (r *Registrar) entry(p Project, name hub.Name, more ...string) hosts.Entry {
	e := hosts.RunEntry(r.Command, name.String())
	if !p.Global {
		e.Args = append(e.Args, "-C", p.Dir)
	}
	e.Args = append(e.Args, more...)
	e.Env = r.EnvVars
	return e
}

// shortHash names a path in a file name.
func shortHash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:6])
}
