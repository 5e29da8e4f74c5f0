//go:build linux && (amd64 || arm64)

package sandbox

import (
	"errors"
	"slices"
	"testing"
)

// TestWaive guards that what cannot be enforced is refused, with its name, until that very name is waived.
func TestWaive(t *testing.T) {
	s := &Spec{}
	err := s.cannot("no means", Unenforced("windows")...)
	lacks, ok := errors.AsType[*UnenforcedError](err)
	if !ok || !errors.Is(err, ErrUnsupported) || !slices.Equal(lacks.Aspects, []string{Files, Network, Programs}) {
		t.Fatalf("without a waiver it says %v", err)
	}
	s.Waive = []string{Files, Programs, Resources}
	if lacks, ok = errors.AsType[*UnenforcedError](s.cannot("no means", Unenforced("windows")...)); !ok || !slices.Equal(lacks.Aspects, []string{Network}) {
		t.Errorf("with all waived but one it says %v", lacks)
	}
	s.Waive = append(s.Waive, Network)
	if err := s.cannot("no means", Aspects...); err != nil {
		t.Errorf("with all waived it says %v", err)
	}
	if len(Unenforced("linux")) != 0 || !slices.Equal(Unenforced("darwin"), []string{Resources}) || !slices.Equal(Unenforced("plan9"), Aspects) {
		t.Error("what a system cannot enforce is not what it was")
	}
	bad := &Spec{Command: "/bin/true", Home: "/home/x", Waive: []string{"everything"}}
	if err := bad.check(); err == nil {
		t.Error("a waiver of what there is not is taken")
	}
	engine := &setup{Spec: Spec{Container: &Container{}}}
	says := []string{"Your kernel does not support pids limit capabilities"}
	if err := notLimited(engine, says); !errors.Is(err, ErrUnsupported) {
		t.Errorf("of an engine that bounds no processes it says %v", err)
	}
	engine.Waive = []string{Resources}
	if err := notLimited(engine, says); err != nil {
		t.Errorf("with limits waived it says %v", err)
	}
	for want, st := range map[bool][]setup{
		true:  {{Spec: Spec{Waive: []string{Programs}}}, {Spec: Spec{Container: &Container{}, Subprocess: true}}},
		false: {{}, {Spec: Spec{Subprocess: true}}, {Spec: Spec{Container: &Container{}}}, {Spec: Spec{Waive: []string{Resources}}}},
	} {
		for i := range st {
			if err := withoutLandlock(&st[i]); (err == nil) != want || err != nil && !errors.Is(err, ErrUnsupported) {
				t.Errorf("without Landlock %+v says %v", st[i].Spec, err)
			}
		}
	}
}
