package sandbox_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// rootlessScript gives an ordinary user names and ranges of users, in a view of /etc that nobody else has, and starts the tests
// as that user. It runs in a process namespace, with which ends what Podman leaves behind.
const rootlessScript = `set -e
for file in passwd group subuid subgid; do
	touch /etc/$file
	mount --bind "$1/$file" /etc/$file
done
exec setpriv --reuid 12345 --regid 12345 --clear-groups "$1/test" -test.run TestContainer -test.v`

// TestRootless guards: all of it holds in the containers of a Podman that is itself no more than a person, where no control
// group bounds them.
func TestRootless(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("who runs the tests is not root already")
	}
	if raced {
		t.Skip("see TestEscapes")
	}
	for _, program := range []string{"podman", "runc", "newuidmap", "setpriv", "unshare"} {
		if err := lookPath(program); err != nil {
			t.Skip(err)
		}
	}
	dir, err := os.MkdirTemp("", "rootless") // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	copySelf(t, filepath.Join(dir, "test"))
	passwd, _ := os.ReadFile("/etc/passwd")
	group, _ := os.ReadFile("/etc/group")
	for name, text := range map[string]string{
		"passwd": string(passwd) + fmt.Sprintf("rootless:x:12345:12345::%s:/bin/sh\n", dir), "group": string(group) + "rootless:x:12345:\n",
		"subuid": "rootless:1000000:65536\n", "subgid": "rootless:1000000:65536\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, d := range []string{dir, filepath.Join(dir, "run"), filepath.Join(dir, "tmp")} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(d, 12345, 12345); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", rootlessScript, "sh", dir)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "HOME="+dir, "USER=rootless", "MCPM_TEST_ROOTLESS=1", "TMPDIR="+filepath.Join(dir, "tmp"), "XDG_RUNTIME_DIR="+filepath.Join(dir, "run"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestContainerEscapes/podman") {
		t.Errorf("%v\n%s", err, out)
	}
}
