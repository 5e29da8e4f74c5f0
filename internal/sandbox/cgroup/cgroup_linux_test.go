package cgroup

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// tree makes directories of a hierarchy, each with what its subtree has.
func tree(t *testing.T, groups map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for dir, has := range groups {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
		for file, text := range map[string]string{"cgroup.subtree_control": has, "cgroup.procs": ""} {
			if err := os.WriteFile(filepath.Join(root, dir, file), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	return root
}

// TestWhere guards: groups are made where the kernel gives them controllers and this person may, and nowhere else.
func TestWhere(t *testing.T) {
	root := tree(t, map[string]string{
		"": "memory pids cpu", "user/app": "memory pids\n", "user/app/term.scope": "", "user/own": "cpu memory io pids", "none": "cpu", "none/x": "",
	})
	for self, want := range map[string]string{
		"0::/\n": "|memory pids cpu", "0::/user/app/term.scope\n": "user/app|memory pids", "3:cpu:/x\n0::/user/own\n": "user/own|memory pids cpu",
		"0::/none/x\n": "", "3:cpu:/x\n": "", "": "", "0::/../../etc\n": "", "0::/gone/away": "",
	} {
		dir, has, err := where(root, self)
		got := ""
		if err == nil {
			got = strings.TrimPrefix(strings.TrimPrefix(dir, root), "/") + "|" + strings.Join(has, " ")
		}
		if got != want || (err != nil) != (want == "") || err != nil && !errors.Is(err, ErrNone) {
			t.Errorf("%q: %q, %v; want %q", self, got, err, want)
		}
	}
}

// TestSweep guards: what is left of a program that was killed is removed, and nothing else.
func TestSweep(t *testing.T) {
	dir := t.TempDir()
	gone := exec.Command("true")
	if err := gone.Run(); err != nil {
		t.Skip(err)
	}
	names := []string{prefix + "1-a", prefix + "x-a", "other"}
	for _, name := range append(names, prefix+strconv.Itoa(gone.ProcessState.Pid())+"-b") {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	sweep(dir)
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, e := range list {
		left = append(left, e.Name())
	}
	if slices.Sort(names); !slices.Equal(left, names) {
		t.Errorf("left are %q", left)
	}
}

// TestGroup guards, where groups are to be had: a process begins in its group, with the limits, and nothing is left of it.
func TestGroup(t *testing.T) {
	dir, _, err := Where()
	if err != nil {
		t.Skip(err)
	}
	g, err := New(Limits{Memory: 64 << 20, Pids: 20, CPUs: 1})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("cat", "/proc/self/cgroup")
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	g.Put(cmd.SysProcAttr)
	out, err := cmd.Output()
	if err != nil || !strings.Contains(string(out), "/"+filepath.Base(g.dir)) {
		t.Errorf("%v: it is in %s", err, out)
	}
	for file, want := range map[string]string{"memory.max": "67108864", "pids.max": "20", "memory.oom.group": "1"} {
		text, err := os.ReadFile(filepath.Join(g.dir, file))
		if err != nil || strings.TrimSpace(string(text)) != want {
			t.Errorf("%s: %q, %v", file, text, err)
		}
	}
	if g.OutOfMemory() {
		t.Error("nothing used memory")
	}
	if err := g.Close(); err != nil {
		t.Error(err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, prefix+"*")); len(left) > 0 {
		t.Errorf("left are %q", left)
	}
}
