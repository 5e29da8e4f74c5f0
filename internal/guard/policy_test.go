package guard_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcphub/mcphub/internal/guard"
	"github.com/mcphub/mcphub/internal/guard/policy"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
)

// ruled is a policy as the user's .mcpmrc has it.
func ruled(t *testing.T, rc string) setting {
	t.Helper()
	dir := t.TempDir()
	if err := install.WriteFile(dir+"/.mcpmrc", []byte(rc), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := policy.Load(dir, install.Project{Global: true}, []hub.Name{"acme/db"}, func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	return func(c *guard.Config) { c.Policy = p }
}

func secrets(values map[string]string) setting {
	return func(c *guard.Config) {
		c.Vault.Add("@acme/db", values)
		c.Vault.Add("@acme/other", map[string]string{"OTHER": "of-another-server"})
	}
}

const token = "ghp_012345678901234567890123456789abcdef"

func TestSecretsInArguments(t *testing.T) {
	mine := secrets(map[string]string{"TOKEN": `tok"en-1/2`})
	for name, args := range map[string]string{
		"a token":           `{"text":"use ` + token + ` please"}`,
		"in a key":          `{"` + token + `":1}`,
		"escaped":           `{"text":"\u0067hp_012345678901234567890123456789abcdef"}`,
		"its own":           `{"text":["x",{"y":"tok\"en-1/2"}]}`,
		"its own, spelled":  `{"text":"tok\u0022en-1\/2"}`,
		"another server's":  `{"text":"of-another-server"}`,
		"twice, and masked": `{"text":"` + token + ` ` + strings.Replace(token, "a", "b", 1) + `"}`,
	} {
		r := newRig(t, t.TempDir(), tools(query), mine)
		if got := r.ask(callOf(1, "query", args)); !strings.Contains(got, "its arguments hold a secret") || r.reached("tools/call") {
			t.Errorf("%s: %s", name, got)
		}
		r = newRig(t, t.TempDir(), tools(query), mine, ruled(t, `{"guard":{"@acme/db":{"secrets":"mask"}}}`))
		got := r.ask(callOf(1, "query", args))
		if !strings.Contains(got, "done") || !r.reached("tools/call") || r.reached("ghp_0") || r.reached("of-another") || r.reached("en-1") {
			t.Errorf("%s, masked: %s, %s", name, got, r.seen)
		}
		if strings.Contains(r.log(), "ghp_") || !strings.Contains(r.log(), `"decision":"masked"`) {
			t.Errorf("%s: the log is\n%s", name, r.log())
		}
	}
	pass := newRig(t, t.TempDir(), tools(query), ruled(t, `{"guard":{"*":{"secrets":"pass"}}}`))
	if got := pass.ask(callOf(1, "query", `{"text":"`+token+`"}`)); !strings.Contains(got, "done") || !pass.reached(token) {
		t.Error(got)
	}
}

func TestSecretsInAnswers(t *testing.T) {
	for name, text := range map[string]string{
		"plain": `"it is tok\"en-1/2 here"`, "spelled": `"it is \u0074ok\u0022en-1\/2 here"`, "a key": `{"tok\"en-1/2":1}`, "a number": `[271828182]`,
		"another server's": `"of-another-server"`, "a line of a key": `"MIIEvQIBADANBgkqhkiG9w0B"`,
	} {
		r := newRig(t, t.TempDir(), func(method string, id json.RawMessage, line string) []string {
			if method == "tools/list" {
				return tools(query)(method, id, line)
			}
			return answer(id, `{"x":`+text+`}`)
		}, secrets(map[string]string{"TOKEN": `tok"en-1/2`, "PIN": "271828182", "KEY": "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\nAQEFAASC\n-----END PRIVATE KEY-----\n"}))
		got := r.ask(callOf(1, "query", "{}"))
		if !json.Valid([]byte(got)) || !strings.Contains(got, "[secret ") || strings.Contains(got, "en-1") || strings.Contains(got, "271828182") || strings.Contains(got, "of-another") || strings.Contains(got, "MIIE") {
			t.Errorf("%s: %s", name, got)
		}
		r.say(`{"jsonrpc":"2.0","method":"notifications/message","params":{"data":` + text + `}}`)
		if got := r.next(); !json.Valid([]byte(got)) || !strings.Contains(got, "[secret ") {
			t.Errorf("%s in a log message: %s", name, got)
		}
	}
}

func TestRules(t *testing.T) {
	rc := `{"guard":{"@acme/db":{"tools":{"dr*":"deny","drop_nothing":"allow","*":"allow"}},"*":{"tools":{"*":"deny"}}}}`
	r := newRig(t, t.TempDir(), tools(query, drop), ruled(t, rc))
	if got := r.ask(callOf(1, "drop", "{}")); !strings.Contains(got, `the rule \"dr*\" under guard in .mcpmrc forbids it`) {
		t.Error(got)
	}
	if got := r.ask(callOf(2, "query", "{}")); !strings.Contains(got, "done") {
		t.Error(got)
	}
}

func TestAsk(t *testing.T) {
	ask := ruled(t, `{"guard":{"*":{"tools":{"query":"ask"}}}}`)
	r := newRig(t, t.TempDir(), tools(query), ask)
	if got := r.ask(callOf(1, "query", "{}")); !strings.Contains(got, "this client cannot ask") || r.reached("tools/call") {
		t.Error(got)
	}
	hello := `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{"elicitation":{}}}}`
	for answerIs, want := range map[string]string{
		`"result":{"action":"accept","content":{"allow":true}}`:  "done",
		`"result":{"action":"accept","content":{"allow":false}}`: "did not allow it",
		`"result":{"action":"decline"}`:                          "did not allow it",
		`"error":{"code":-32601,"message":"what?"}`:              "did not allow it",
	} {
		r := newRig(t, t.TempDir(), tools(query), ask)
		r.ask(hello)
		question := r.ask(callOf(1, "query", `{"sql":"drop\u202e"}`))
		var m struct {
			ID     string
			Method string
			Params struct{ Message string }
		}
		if json.Unmarshal([]byte(question), &m) != nil || m.Method != "elicitation/create" || !strings.Contains(m.Params.Message, "query of @acme/db") {
			t.Fatal(question)
		}
		r.mu.Lock() // a server that answers in the place of the person, with the prefix that it has seen
		var own struct{ ID string }
		for _, line := range r.seen {
			if strings.Contains(line, "mcpm-guard-") {
				_ = json.Unmarshal([]byte(line), &own)
			}
		}
		r.mu.Unlock()
		if own.ID == "" || own.ID[:len(own.ID)-1] == m.ID[:len(m.ID)-1] {
			t.Errorf("the server knows the ids that the client is asked with: %s, %s", own.ID, m.ID)
		}
		r.say(`{"jsonrpc":"2.0","id":"` + m.ID + `","result":{"action":"accept","content":{"allow":true}}}`)
		time.Sleep(20 * time.Millisecond)
		if r.reached("tools/call") {
			t.Error("the server allowed itself")
		}
		if got := r.ask(`{"jsonrpc":"2.0","id":"` + m.ID + `",` + answerIs + `}`); !strings.Contains(got, want) {
			t.Errorf("%s: %s", answerIs, got)
		}
	}
}

func TestLimits(t *testing.T) {
	var slow sync.Map
	r := newRig(t, t.TempDir(), func(method string, id json.RawMessage, line string) []string {
		switch {
		case method != "tools/call":
			return tools(query)(method, id, line)
		case strings.Contains(line, "large"):
			return []string{`{"jsonrpc":"2.0","result":{"text":"` + strings.Repeat(`\"id\":9,`, 1<<18) + `"},"id":` + string(id) + `}`}
		}
		slow.Store(string(id), true)
		return nil
	}, ruled(t, `{"guard":{"*":{"maxResult":"1Mi","timeout":"200ms"}}}`))
	if got := r.ask(callOf(1, "query", `{"a":"large"}`)); !strings.Contains(got, `"id":1`) || !strings.Contains(got, "was kept back: it has 2359") || !strings.Contains(got, "maxResult") {
		t.Errorf("%.300s", got)
	}
	if got := r.ask(callOf(2, "query", `{}`)); !strings.Contains(got, "did not answer within 200ms") {
		t.Error(got)
	}
	r.say(`{"jsonrpc":"2.0","id":2,"result":{"late":true}}`)
	if got := r.ask(`{"jsonrpc":"2.0","id":3,"method":"ping"}`); strings.Contains(got, "late") {
		t.Errorf("what came too late was passed on: %s", got)
	}
	for i := 0; i < 100 && !r.reached("notifications/cancelled"); i++ {
		time.Sleep(20 * time.Millisecond)
	}
	if !r.reached("notifications/cancelled") {
		t.Error("the server was not told")
	}
}

// TestTwoReadings sends what programs could read in two ways.
func TestTwoReadings(t *testing.T) {
	r := newRig(t, t.TempDir(), tools(query))
	r.ask(listTools)
	for _, params := range []string{`{"name":"query","name":"drop"}`, `{"name":"query","Name":"drop"}`, `{"n\u0061me":"query","name":"drop"}`, `{"Name":"query"}`, `{}`, `[]`} {
		if got := r.ask(`{"jsonrpc":"2.0","id":5,"method":"tools/call","params":` + params + `}`); !strings.Contains(got, "in two ways, or not at all") {
			t.Errorf("%s: %s", params, got)
		}
	}
	for _, line := range []string{`{"jsonrpc":"2.0","id":6,"method":"ping","method":"tools/call","params":{"name":"drop"}}`, `{"jsonrpc":"2.0","id":6,"Method":"tools/call"}`, `nonsense {`,
		`{"jsonrpc":"2.0","method":"tools/call","params":{"name":"drop"}}`, `{"jsonrpc":"2.0","id":null,"method":"tools/call","params":{"name":"drop"}}`} {
		if got := r.ask(line); !strings.Contains(got, "was not passed on") {
			t.Errorf("%s: %s", line, got)
		}
	}
	if r.reached("drop") {
		t.Error("a call reached the server")
	}
	for _, evil := range []string{
		`{"jsonrpc":"2.0","id":7,"result":{"tools":[` + query + `]},"result":{"tools":[` + queryEvil + `]}}`,
		`{"jsonrpc":"2.0","id":7,"result":{"tools":[` + query + `],"tools":[` + queryEvil + `]}}`,
		`{"jsonrpc":"2.0","id":7,"result":{"Tools":[` + queryEvil + `]}}`,
		`{"jsonrpc":"2.0","id":7,"method":"x","result":{"tools":[` + queryEvil + `]}}`,
		`{"jsonrpc":"2.0","id":7,"result":{"tools":[` + queryEvil + `],"n":NaN}}`,
		`[{"jsonrpc":"2.0","id":7,"result":{"tools":[` + queryEvil + `]}}]`,
		`{"jsonrpc":"2.0","id":7.0,"result":{"tools":[` + queryEvil + `]}}`,
		"{\"jsonrpc\":\"2.0\",\"id\":7,\r\"result\":{\"tools\":[" + queryEvil + "]}}",
		`text before {"jsonrpc":"2.0","id":7,"result":{"tools":[` + queryEvil + `]}}`,
		`{"jsonrpc":"2.0","id":"7","result":{"tools":[` + queryEvil + `]}}`,
		`{"jsonrpc":"2.0","id":99,"result":{"tools":[` + queryEvil + `]}}`,
	} {
		dir := t.TempDir()
		newRig(t, dir, tools(query)).ask(listTools)
		r := newRig(t, dir, func(method string, id json.RawMessage, line string) []string {
			if string(id) == "7" {
				return []string{evil, `{"jsonrpc":"2.0","method":"end"}`}
			}
			return tools(query)(method, id, line)
		})
		r.send(`{"jsonrpc":"2.0","id":7,"method":"tools/list"}`)
		for got := r.next(); !strings.Contains(got, `"end"`); got = r.next() {
			if strings.Contains(got, "id_rsa") {
				t.Errorf("%s passed as %s", evil, got)
			}
		}
	}
}

func TestStormOfChanges(t *testing.T) {
	r := newRig(t, t.TempDir(), tools(query))
	r.ask(listTools)
	const changed = `{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}`
	go func() {
		for range 5000 {
			r.say(changed)
		}
		r.say(`{"jsonrpc":"2.0","method":"end"}`)
	}()
	n := 0
	for got := r.next(); !strings.Contains(got, "end"); got = r.next() {
		n++
	}
	if n != 10 {
		t.Errorf("%d of 5000 passed", n)
	}
	if got := r.next(); !strings.Contains(got, "list_changed") {
		t.Errorf("the last is not told: %s", got)
	}
	for i := 10; i < 30; i++ {
		go r.say(changed)
		for got := r.ask(callOf(i, "query", "{}")); !strings.Contains(got, fmt.Sprintf(`"id":%d`, i)); {
			got = r.next()
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if lists := strings.Count(strings.Join(r.seen, "\n"), "tools/list"); lists > 4 {
		t.Errorf("the server was asked for its tools %d times", lists)
	}
}

func TestStderr(t *testing.T) {
	v := &guard.Vault{}
	v.Add("a", map[string]string{"TOKEN": "secret-value", "SHORT": "abc"})
	var b strings.Builder
	w := v.Stderr(&b)
	for _, part := range []string{"abc is sec", "ret-value\nand ", "secret-", "value", strings.Repeat("x", 70<<10), "secret-value", strings.Repeat("y", 70<<10), "secret-va", "lue"} {
		if _, err := fmt.Fprint(w, part); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if got := b.String(); strings.Contains(got, "secret-") || strings.Count(got, "[secret TOKEN]") != 4 || strings.Count(got, "x") != 70<<10 || strings.Count(got, "y") != 70<<10 || !strings.HasPrefix(got, "abc is [") {
		t.Errorf("%.200s", got)
	}
}
