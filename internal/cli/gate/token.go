package gate

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
)

const (
	tokenVariable = "MCPM_GATEWAY_TOKEN"
	leastToken    = 16 // characters
)

// token returns what clients have to send: from the environment, else from a file that only its owner reads and that is
// made when it is not there. file is "" for the former.
func (o *gatewayOptions) token() (token, file string, err error) {
	if token := o.Getenv(tokenVariable); token != "" {
		if len(token) < leastToken {
			return "", "", app.Usage("%s has %d characters; a token has at least %d", tokenVariable, len(token), leastToken)
		}
		return token, "", nil
	}
	h, err := o.Store()
	if err != nil {
		return "", "", err
	}
	file = filepath.Join(h.Dir, "gateway-token")
	text, err := install.ReadFile(file, 4<<10)
	if err != nil {
		return "", "", err
	}
	if token := strings.TrimSpace(string(text)); len(token) >= leastToken {
		return token, file, nil
	}
	token = rand.Text()
	if err := os.MkdirAll(h.Dir, 0o700); err != nil {
		return "", "", err
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return "", "", hub.Errorf(hub.Invalid, "%s holds no token", file).WithHint("remove it, and a new one is made")
	}
	if err != nil {
		return "", "", err
	}
	_, err = f.WriteString(token + "\n")
	return token, file, errors.Join(err, f.Close())
}
