package resolve_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/resolve"
)

// shelf is a Provider written as text: one line a version, "name version [state [message]] [-> dep range, ...]".
// "name #tag version" sets a tag. Among the dependencies, "!node >=20", "!host cursor" and "!platform linux" are
// requirements.
type shelf struct {
	offers map[hub.Name]*resolve.Offer
	needs  map[string]resolve.Needs

	mu    sync.Mutex
	asked map[string]int // how often, by question
}

func newShelf(t testing.TB, text string) *shelf {
	t.Helper()
	s := &shelf{offers: map[hub.Name]*resolve.Offer{}, needs: map[string]resolve.Needs{}, asked: map[string]int{}}
	for i, line := range strings.Split(strings.TrimSpace(text), "\n") {
		left, right, _ := strings.Cut(line, "->")
		f := strings.Fields(left)
		if len(f) == 0 {
			continue
		}
		name := hub.Name(f[0])
		if s.offers[name] == nil {
			s.offers[name] = &resolve.Offer{Name: name, DistTags: map[string]string{}}
		}
		if tag, ok := strings.CutPrefix(f[1], "#"); ok {
			s.offers[name].DistTags[tag] = f[2]
			continue
		}
		v := resolve.Version{Version: f[1], State: hub.Published, PublishedAt: time.Date(2026, 1, 1, 0, i, 0, 0, time.UTC)}
		if len(f) > 2 {
			v.State, v.Message = hub.State(f[2]), strings.Join(f[3:], " ")
		}
		s.offers[name].Versions = append(s.offers[name].Versions, v)
		n := resolve.Needs{Dependencies: map[string]string{}, Requires: resolve.Requires{Engines: map[string]string{}}}
		for dep := range strings.SplitSeq(right, ",") {
			key, value, ok := strings.Cut(strings.TrimSpace(dep), " ")
			switch {
			case !ok:
			case key == "!host":
				n.Requires.Hosts = append(n.Requires.Hosts, value)
			case key == "!platform":
				n.Requires.Platforms = append(n.Requires.Platforms, value)
			case strings.HasPrefix(key, "!"):
				n.Requires.Engines[key[1:]] = value
			default:
				n.Dependencies[key] = value
			}
		}
		s.needs[f[0]+" "+f[1]] = n
	}
	return s
}

func (s *shelf) count(question string) {
	s.mu.Lock()
	s.asked[question]++
	s.mu.Unlock()
}

func (s *shelf) Offer(_ context.Context, name hub.Name) (*resolve.Offer, error) {
	s.count(string(name))
	if o := s.offers[name]; o != nil {
		return o, nil
	}
	return nil, hub.Errorf(hub.NotFound, "no %s", name)
}

func (s *shelf) Needs(_ context.Context, name hub.Name, version string) (resolve.Needs, error) {
	s.count(string(name) + " " + version)
	return s.needs[string(name)+" "+version], nil
}
