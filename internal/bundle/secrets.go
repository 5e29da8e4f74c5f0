package bundle

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"path"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// Secret is something in a file that looks like a credential.
type Secret struct {
	File     string // path below the root
	Line     int    // 1-based; 0 when the file itself is the secret
	Rule     string // "github-token", "private-key" ...
	Redacted string // the first characters, and how many there are
}

type secretRule struct {
	name string
	hint string // a text every match holds; lines without it are not matched at all
	re   func() *regexp.Regexp
}

// lazily compiles a pattern when it is first used: most runs of mcpm never publish anything.
func lazily(pattern string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
}

// secretRules name what their issuers document as the form of a credential.
var secretRules = []secretRule{
	{"private-key", "PRIVATE KEY", lazily(`-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----`)},
	{"mcphub-key", "mcph_", lazily(`\bmcph_[A-Za-z0-9_-]{20,}`)},
	{"aws-access-key", "A", lazily(`\b(?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16}\b`)},
	{"aws-secret-key", "", lazily(`(?i)aws_?(?:secret|sec)[a-z_]*["']?\s*[:=]\s*["']?([A-Za-z0-9/+]{40})(?:["'\s]|$)`)},
	{"github-token", "gh", lazily(`\bgh[pousr]_[A-Za-z0-9]{36,251}\b`)},
	{"github-token", "github_pat_", lazily(`\bgithub_pat_[A-Za-z0-9_]{22,255}\b`)},
	{"gitlab-token", "glpat-", lazily(`\bglpat-[A-Za-z0-9_-]{20,}`)},
	{"slack-token", "xox", lazily(`\bxox[abeoprs]-[A-Za-z0-9-]{10,}`)},
	{"slack-webhook", "hooks.slack.com", lazily(`hooks\.slack\.com/(?:services|workflows)/T[A-Za-z0-9]+/[A-Za-z0-9]+/[A-Za-z0-9]+`)},
	{"npm-token", "npm_", lazily(`\bnpm_[A-Za-z0-9]{36}\b`)},
	{"npm-token", "_auth", lazily(`_auth(?:Token)?\s*=\s*["']?([A-Za-z0-9+/=_-]{20,})`)},
	{"pypi-token", "pypi-", lazily(`\bpypi-AgE[A-Za-z0-9_-]{50,}`)},
	{"google-key", "AIza", lazily(`\bAIza[0-9A-Za-z_-]{35}`)},
	{"google-secret", "GOCSPX-", lazily(`\bGOCSPX-[A-Za-z0-9_-]{28}`)},
	{"stripe-key", "k_live_", lazily(`\b[sr]k_live_[A-Za-z0-9]{16,}`)},
	{"anthropic-key", "sk-ant-", lazily(`\bsk-ant-[a-z0-9]+-[A-Za-z0-9_-]{32,}`)},
	{"openai-key", "sk-", lazily(`\bsk-(?:[A-Za-z0-9_-]{20,}T3BlbkFJ[A-Za-z0-9_-]{20,}|proj-[A-Za-z0-9_-]{40,}|[A-Za-z0-9]{48})\b`)},
	{"huggingface-token", "hf_", lazily(`\bhf_[A-Za-z]{34}\b`)},
	{"sendgrid-key", "SG.", lazily(`\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}\b`)},
	{"digitalocean-token", "_v1_", lazily(`\bdo[opr]_v1_[a-f0-9]{64}\b`)},
}

// secretFiles are names of files that are credentials as a whole.
var secretFiles = lazily(`(?i)^(\.env(\..*)?|\.netrc|_netrc|\.pypirc|\.git-credentials|id_(rsa|dsa|ecdsa|ed25519)|.*\.(p12|pfx|jks|keystore|ppk))$`)

// exampleRE matches what documentation writes instead of a secret.
var exampleRE = lazily(`(?i)example|x{6,}|0{8,}|\*{4,}|1234567890abcdef|your[_-]`)

// FindSecrets looks for credentials in the listed files below root: private keys, tokens by the form
// their issuers give them, and files that are secrets by name. It finds only what has a known form, so an
// empty answer is no promise. Binary files are judged by name alone.
func FindSecrets(root string, files []File) ([]Secret, error) {
	r, err := os.OpenRoot(root)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var found []Secret
	for _, f := range files {
		if secretFiles().MatchString(path.Base(f.Path)) && !strings.HasSuffix(f.Path, ".example") {
			found = append(found, Secret{File: f.Path, Rule: "secret-file", Redacted: path.Base(f.Path)})
			continue
		}
		src, err := r.Open(f.Path)
		if err != nil {
			return nil, err
		}
		more, err := scan(f.Path, src)
		_ = src.Close() // it was only read
		if err != nil {
			return nil, err
		}
		found = append(found, more...)
	}
	return found, nil
}

func scan(name string, r io.Reader) ([]Secret, error) {
	lines := bufio.NewReaderSize(r, 64<<10)
	if head, _ := lines.Peek(8000); bytes.IndexByte(head, 0) >= 0 {
		return nil, nil
	}
	var found []Secret
	for n := 1; ; {
		line, err := lines.ReadSlice('\n')
		for _, rule := range secretRules {
			if s := rule.find(line); s != "" {
				found = append(found, Secret{File: name, Line: n, Rule: rule.name, Redacted: redact(s)})
			}
		}
		switch {
		case err == nil:
			n++
		case errors.Is(err, bufio.ErrBufferFull): // the rest of a very long line
		case errors.Is(err, io.EOF):
			return found, nil
		default:
			return nil, err
		}
	}
}

// FindSecret returns the first credential of a known form in a text, "" for none. It finds no more than
// FindSecrets does.
func FindSecret(text string) string {
	for _, rule := range secretRules {
		if s := rule.find([]byte(text)); s != "" {
			return s
		}
	}
	return ""
}

func (r secretRule) find(line []byte) string {
	if !bytes.Contains(line, []byte(r.hint)) {
		return ""
	}
	m := r.re().FindSubmatch(line)
	if m == nil {
		return ""
	}
	s := string(m[len(m)-1])
	if r.name != "private-key" && exampleRE().MatchString(s) {
		return ""
	}
	return s
}

// redact shows enough to find the secret again and not enough to use it.
func redact(s string) string {
	if strings.HasPrefix(s, "-----") {
		return s
	}
	keep := min(6, len(s)/4)
	return s[:keep] + "… (" + strconv.Itoa(len(s)) + " characters)"
}
