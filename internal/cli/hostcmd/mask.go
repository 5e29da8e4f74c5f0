package hostcmd

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/bundle"
	"github.com/mcphub/mcphub/internal/hosts"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest"
)

// mask stands for a secret.
const mask = "********"

// masked returns the text of a host's file with every value of an environment, a header, or of what is called
// or looks like a secret replaced by asterisks. Invalid when one of them would still be readable, as where
// the text spells it in another way than its value: such a text is not to be shown.
func masked(h hosts.Host, text []byte) (string, error) {
	if len(strings.TrimSpace(string(text))) == 0 {
		return string(text), nil
	}
	values, err := secretsIn(h, text)
	if err != nil {
		return "", err
	}
	slices.SortFunc(values, func(a, b string) int { return len(b) - len(a) }) // one may be a part of another
	out := string(text)
	for _, v := range slices.Compact(values) {
		out = hide(out, v, h.Format == hosts.YAML)
	}
	for _, line := range strings.Split(out, "\n") { // comments are in no value
		for s := bundle.FindSecret(line); s != "" && strings.Contains(out, s); s = bundle.FindSecret(line) {
			out, line = strings.ReplaceAll(out, s, mask), strings.ReplaceAll(line, s, mask)
		}
	}
	left, err := secretsIn(h, []byte(out))
	if err != nil || slices.ContainsFunc(left, func(s string) bool { return s != mask }) {
		return "", hub.Errorf(hub.Invalid, "the file cannot be shown without its secrets")
	}
	return out, nil
}

// hide replaces a value. A short one is a part of many words: it goes only where it stands as a value. In YAML
// bare asterisks would be an alias.
func hide(text, value string, yaml bool) string {
	if yaml {
		for _, front := range []string{": ", "- "} {
			for _, end := range []string{"\n", "\r\n"} {
				text = strings.ReplaceAll(text, front+value+end, front+`"`+mask+`"`+end)
			}
			if rest, ok := strings.CutSuffix(text, front+value); ok {
				text = rest + front + `"` + mask + `"`
			}
		}
	}
	spelled := []string{value}
	if q, err := json.Marshal(value); err == nil {
		spelled = append(spelled, strings.Trim(string(q), `"`))
	}
	for _, s := range spelled {
		if len(s) >= 6 {
			text = strings.ReplaceAll(text, s, mask)
			continue
		}
		for _, around := range [][2]string{{`"`, `"`}, {`'`, `'`}, {"=", `"`}, {"=", `'`}, {": ", "\n"}, {"= ", "\n"}, {": ", "\r\n"}} {
			text = strings.ReplaceAll(text, around[0]+s+around[1], around[0]+mask+around[1])
		}
	}
	return text
}

// holders are members whose values are all treated as secrets, however they are called.
var holders = []string{"env", "envs", "environment", "headers", "http_headers"}

func secretsIn(h hosts.Host, text []byte) ([]string, error) {
	raw, err := h.JSON(text)
	if err != nil {
		return nil, err
	}
	var all any
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, err
	}
	var out []string
	collect(all, false, &out)
	return slices.DeleteFunc(out, func(s string) bool { return s == "" }), nil
}

// collect walks a file; held says that whatever is found is a secret.
func collect(v any, held bool, out *[]string) {
	switch v := v.(type) {
	case map[string]any:
		for k, child := range v {
			if strings.HasPrefix(k, "MCPM_") { // ours, and a path
				continue
			}
			collect(child, held || manifest.LooksSecret(k) || slices.Contains(holders, strings.ToLower(k)), out)
		}
	case []any:
		for i, child := range v {
			after := ""
			if i > 0 {
				after, _ = v[i-1].(string)
			}
			collect(child, held || secretFlag(after), out)
		}
	case string:
		if held {
			*out = append(*out, v)
			return
		}
		*out = append(*out, partsOf(v)...)
	}
}

// secretFlag reports whether the argument after this one is a secret.
func secretFlag(arg string) bool {
	return strings.HasPrefix(arg, "-") && !strings.Contains(arg, "=") && manifest.LooksSecret(strings.ReplaceAll(arg, "-", "_"))
}

// MaskArguments returns the arguments of a command with what is secret of them replaced by asterisks.
func MaskArguments(args []string) []string {
	var out []string
	for i, arg := range args {
		if i > 0 && secretFlag(args[i-1]) {
			arg = mask
		}
		for _, part := range partsOf(arg) {
			if part != "" {
				arg = strings.ReplaceAll(arg, part, mask)
			}
		}
		out = append(out, arg)
	}
	return out
}

// partsOf returns what of a plain value is secret: --token=VALUE, KEY=VALUE, the password and the query of an
// address, and whatever has the form of a credential.
func partsOf(v string) []string {
	var out []string
	if name, value, ok := strings.Cut(v, "="); ok && manifest.LooksSecret(strings.ReplaceAll(strings.TrimLeft(name, "-"), "-", "_")) && !strings.Contains(name, "/") {
		out = append(out, value)
	}
	if u, err := url.Parse(v); err == nil && u.Host != "" {
		if p, ok := u.User.Password(); ok {
			out = append(out, p)
		}
		for part := range strings.SplitSeq(u.RawQuery, "&") {
			if _, value, ok := strings.Cut(part, "="); ok {
				out = append(out, value)
			}
		}
	}
	if s := bundle.FindSecret(v); s != "" {
		out = append(out, s)
	}
	return out
}
