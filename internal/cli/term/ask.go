package term

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	xterm "golang.org/x/term"
)

// Interactive reports whether a person can be asked: both the keyboard and Err are there.
func (t *IO) Interactive() bool { return t.InTTY && t.ErrTTY }

// Choose asks a question with one-letter answers; the first of answers is the safe default, taken for an
// empty answer and at the end of input. The question shows them: "Allow? [y/N/d for details]".
func (t *IO) Choose(ctx context.Context, question, answers string) (byte, error) {
	for {
		fmt.Fprintf(t.Err, "%s ", question)
		text, err := t.line(ctx)
		if err != nil {
			return 0, err
		}
		text = strings.ToLower(strings.TrimSpace(text))
		if text == "" {
			return answers[0], nil
		}
		if i := strings.IndexByte(answers, text[0]); i >= 0 {
			return answers[i], nil
		}
	}
}

// Line asks for a line of text; an empty answer is def.
func (t *IO) Line(ctx context.Context, question, def string) (string, error) {
	if def != "" {
		question += " [" + def + "]"
	}
	fmt.Fprintf(t.Err, "%s: ", question)
	text, err := t.line(ctx)
	if text = strings.TrimSpace(text); text == "" {
		text = def
	}
	return text, err
}

// Secret asks for a line without showing it.
func (t *IO) Secret(ctx context.Context, question string) (string, error) {
	fmt.Fprintf(t.Err, "%s: ", question)
	f, ok := t.In.(*os.File)
	if !ok || !xterm.IsTerminal(int(f.Fd())) {
		text, err := t.line(ctx)
		return strings.TrimRight(text, "\r\n"), err
	}
	state, err := xterm.GetState(int(f.Fd()))
	if err != nil {
		return "", err
	}
	type answer struct {
		text []byte
		err  error
	}
	ch := make(chan answer, 1)
	go func() { text, err := xterm.ReadPassword(int(f.Fd())); ch <- answer{text, err} }()
	select {
	case a := <-ch:
		fmt.Fprintln(t.Err)
		return string(a.text), a.err
	case <-ctx.Done():
		_ = xterm.Restore(int(f.Fd()), state)
		fmt.Fprintln(t.Err)
		return "", ctx.Err()
	}
}

// line reads one line; the end of input counts as an empty one.
func (t *IO) line(ctx context.Context) (string, error) {
	if t.reader == nil {
		t.reader = bufio.NewReader(t.In)
	}
	type answer struct {
		text string
		err  error
	}
	ch := make(chan answer, 1)
	go func() { text, err := t.reader.ReadString('\n'); ch <- answer{text, err} }()
	select {
	case a := <-ch:
		if a.err == io.EOF {
			a.err = nil
			fmt.Fprintln(t.Err)
		}
		return a.text, a.err
	case <-ctx.Done():
		fmt.Fprintln(t.Err)
		return "", ctx.Err()
	}
}

// ReadAll reads what is piped in, for --password-stdin and the like.
func (t *IO) ReadAll(limit int64) (string, error) {
	data, err := io.ReadAll(io.LimitReader(t.In, limit))
	return strings.TrimRight(string(data), "\r\n"), err
}
