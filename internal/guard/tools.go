package guard

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/mcphub/mcphub/internal/guard/audit"
	"github.com/mcphub/mcphub/internal/guard/pins"
)

const (
	listTime  = 30 * time.Second // for all pages
	maxPages  = 200
	maxTools  = 5000
	listPause = time.Second // between two listings of its own
	watchTime = 2 * time.Second
)

func (g *Guard) isKnown() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.known && !g.listedAt.IsZero() && time.Since(g.listedAt) < listPause {
		return true // a server that says all the time that its tools changed is not asked all the time
	}
	return g.known
}

// verdict says why a tool is not to be used, "" when it may be.
func (g *Guard) verdict(tool string) string {
	if g.Pins == nil {
		return ""
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if reason := g.blocked[tool]; reason != "" {
		return reason
	}
	if !g.there[tool] {
		return "the server does not list it"
	}
	return ""
}

// list asks the server for all its tools, and judges them.
func (g *Guard) list(ctx context.Context) error {
	g.listing.Lock()
	defer g.listing.Unlock()
	if g.isKnown() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, listTime)
	defer cancel()
	g.mu.Lock()
	before := g.changes
	g.mu.Unlock()
	raw, err := g.pages(ctx)
	if err == nil {
		_, err = g.judge(raw, true)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if err == nil {
		g.known, g.listedAt = g.changes == before, time.Now()
	}
	return err
}

// pages asks for one page after the other.
func (g *Guard) pages(ctx context.Context) ([]json.RawMessage, error) {
	var all []json.RawMessage
	params := map[string]any{}
	g.mu.Lock()
	if g.intro != nil {
		params["_meta"] = g.intro
	}
	g.mu.Unlock()
	for range maxPages {
		e, err := g.call(ctx, &g.server, g.toServer, "tools/list", params)
		if err != nil {
			return nil, err
		}
		var failed struct {
			Error *struct {
				Code    int    `json:"code"`
				Message string `json:"message"`
			} `json:"error"`
		}
		if json.Unmarshal(e.line, &failed) == nil && failed.Error != nil {
			if failed.Error.Code == methodNotFound {
				return all, nil // a server without tools
			}
			return nil, fmt.Errorf("tools/list failed: %.200s", visible(failed.Error.Message))
		}
		_, _, tools, next, err := toolsIn(e.line)
		if err != nil {
			return nil, fmt.Errorf("tools/list: %w", err)
		}
		if all = append(all, tools...); len(all) > maxTools {
			return nil, fmt.Errorf("it lists more than %d tools", maxTools)
		}
		if next == "" {
			return all, nil
		}
		params["cursor"] = next
	}
	return nil, fmt.Errorf("its list of tools has more than %d pages", maxPages)
}

const methodNotFound = -32601

// judge compares definitions with those that are trusted, and returns why each that is not to be used is not, by its place.
func (g *Guard) judge(raw []json.RawMessage, complete bool) (map[int]string, error) {
	bad := map[int]string{}
	byName := map[string]string{} // the digest of each name
	named := make([]string, len(raw))
	twice := map[string]bool{}
	var readable []pins.Tool
	for i, r := range raw {
		t, err := pins.Read(r)
		if err != nil {
			bad[i] = err.Error()
			named[i] = nameOf(r)
			continue
		}
		named[i] = t.Name
		if d, seen := byName[t.Name]; seen && d != t.Digest {
			twice[t.Name] = true
		}
		byName[t.Name] = t.Digest
		readable = append(readable, t)
	}
	readable = deleteNamed(readable, twice)
	blocked, first, err := g.Pins.Judge(readable, complete, time.Now())
	if err != nil {
		return nil, err
	}
	for name := range twice {
		blocked[name] = "it is listed twice, and not alike"
	}
	for i, reason := range bad {
		if blocked[named[i]] == "" {
			blocked[named[i]] = reason
		}
	}
	for i, name := range named {
		if blocked[name] != "" {
			bad[i] = blocked[name]
		}
	}
	g.remember(named, blocked, complete)
	if first {
		g.note(audit.Entry{Decision: audit.Recorded, Reason: fmt.Sprintf("tools seen for the first time: %d", len(named)), Direction: "list"})
	}
	return bad, nil
}

func deleteNamed(tools []pins.Tool, names map[string]bool) []pins.Tool {
	if len(names) == 0 {
		return tools
	}
	var out []pins.Tool
	for _, t := range tools {
		if !names[t.Name] {
			out = append(out, t)
		}
	}
	return out
}

// nameOf is the name in a definition that cannot be read well, "" when there is none.
func nameOf(raw []byte) string {
	var t map[string]json.RawMessage
	var name string
	if json.Unmarshal(raw, &t) == nil {
		_ = json.Unmarshal(t["name"], &name) // it need not be a text
	}
	return name
}

// remember keeps what was judged, and tells of what is blocked now and was not before.
func (g *Guard) remember(named []string, blocked map[string]string, complete bool) {
	g.mu.Lock()
	if complete {
		g.there = map[string]bool{}
	}
	var fresh []string
	for _, name := range named {
		g.there[name] = true
		reason := blocked[name]
		if reason != "" && g.blocked[name] != reason {
			fresh = append(fresh, name)
		}
		if delete(g.blocked, name); reason != "" {
			g.blocked[name] = reason
		}
	}
	watch := len(g.blocked) > 0 && !g.watching
	g.watching = g.watching || watch
	g.mu.Unlock()
	for _, name := range fresh {
		g.note(audit.Entry{Tool: name, Decision: audit.Blocked, Reason: blocked[name], Direction: "list"})
		g.once("%s: the tool %s is blocked: %s. To look at it and accept it: %s", g.Server, visible(name), blocked[name], g.Accept)
	}
	if watch {
		go g.watch(g.Pins.Trusted())
	}
}

// listed passes the answer to tools/list on without the tools that are not to be used.
func (g *Guard) listed(e *envelope, r *request) error {
	top, result, tools, next, err := toolsIn(e.line)
	if err != nil && top != nil && len(top["error"]) > 0 {
		return g.deliver(e, r)
	}
	if err == nil && len(tools) > maxTools {
		err = fmt.Errorf("it lists more than %d tools", maxTools)
	}
	if err != nil {
		g.refuse(r, len(e.line), "the tools cannot be compared: "+err.Error(), "")
		return nil
	}
	whole := r.whole && next == ""
	pass := func() error {
		bad, err := g.judge(tools, whole)
		if err != nil {
			g.refuse(r, len(e.line), "the tools cannot be compared: "+err.Error(), "")
			return nil
		}
		if whole {
			g.mu.Lock()
			g.known, g.listedAt = g.changes == r.before, time.Now()
			g.mu.Unlock()
		}
		if len(bad) > 0 {
			e.line = without(top, result, tools, bad)
		}
		return g.deliver(e, r)
	}
	if whole || g.isSettled() {
		return pass()
	}
	// What is recorded as seen first has to be all there is, and a client need not ask for every page. Asking for them takes
	// answers that this goroutine reads.
	go func() {
		if err := g.list(context.Background()); err != nil {
			g.refuse(r, len(e.line), "the tools cannot be compared: "+err.Error(), "")
			return
		}
		_ = pass() // a client that is gone is noticed where it is read
	}()
	return nil
}

// isSettled reports whether a tool that is new is not trusted: the publisher declared all, or they were seen once.
func (g *Guard) isSettled() bool {
	g.mu.Lock()
	settled := g.settled
	g.mu.Unlock()
	if settled {
		return true
	}
	if !g.Pins.Closed() {
		if f, err := g.Pins.Read(); err != nil || !f.Complete {
			return false
		}
	}
	g.mu.Lock()
	g.settled = true
	g.mu.Unlock()
	return true
}

// without writes the answer to tools/list anew, without some of the tools.
func without(top, result map[string]json.RawMessage, tools []json.RawMessage, bad map[int]string) []byte {
	kept := []json.RawMessage{}
	for i, t := range tools {
		if bad[i] == "" {
			kept = append(kept, t)
		}
	}
	result["tools"] = encoded(kept)
	top["result"] = encoded(result)
	return encoded(top)
}

// watch tells the client that the tools changed when a person accepted some.
func (g *Guard) watch(trusted string) {
	tick := time.NewTicker(watchTime)
	defer tick.Stop()
	stamp := "" // the file may have changed since trusted was read, before this began
	for {
		select {
		case <-g.done:
			return
		case <-tick.C:
		}
		now := g.Pins.Stamp()
		if now == stamp {
			continue
		}
		stamp = now
		if now := g.Pins.Trusted(); now != trusted {
			trusted = now
			g.mu.Lock()
			g.known, g.listedAt = false, time.Time{}
			g.mu.Unlock()
			if err := g.client.line([]byte(`{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}`)); errors.Is(err, errGone) {
				return
			}
		}
	}
}
