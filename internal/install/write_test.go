package install

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/mcphub/mcphub/internal/hub"
)

// What cannot be written is named, not the temporary file beside it, and with what to do.
func TestWriteError(t *testing.T) {
	for _, c := range []struct {
		err  error
		kind hub.Kind
		want string
	}{
		{&fs.PathError{Op: "open", Path: "/p/.mcp.json.123.tmp", Err: syscall.EACCES}, hub.Forbidden, "/p/mcp.json cannot be written: permission denied"},
		{&fs.PathError{Op: "open", Path: "/p/.mcp.json.123.tmp", Err: syscall.EROFS}, hub.Forbidden, "/p/mcp.json cannot be written: read-only file system"},
		{&os.LinkError{Op: "rename", Old: "/p/.mcp.json.123.tmp", New: "/p/mcp.json", Err: syscall.EPERM}, hub.Forbidden, "/p/mcp.json cannot be written: operation not permitted"},
		{&fs.PathError{Op: "mkdir", Path: "/p", Err: syscall.ENOTDIR}, hub.Invalid, "/p/mcp.json cannot be written: part of that path is a file"},
	} {
		err := writeError("/p/mcp.json", c.err)
		if hub.KindOf(err) != c.kind || err.Error() != c.want {
			t.Errorf("%v became %v: %v", c.err, hub.KindOf(err), err)
		}
		if he := err.(*hub.Error); c.kind == hub.Forbidden && !strings.Contains(he.Hint, "write in /p,") {
			t.Errorf("hint %q", he.Hint)
		}
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(filepath.Join(dir, "file", "mcp.json"), nil, 0o644); hub.KindOf(err) != hub.Invalid || !strings.Contains(err.Error(), "part of that path is a file") {
		t.Error(err)
	}
}
