package aggregate

import (
	"bufio"
	"context"
	"errors"
	"io"
	"sync"
	"time"
)

// ServeLines serves one client on lines, as host applications that start mcpm speak, until in ends, ctx does, or w breaks.
// All servers are gone when it returns.
func (g *Gateway) ServeLines(ctx context.Context, in io.Reader, w io.Writer) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var mu sync.Mutex
	s := g.open(context.WithoutCancel(ctx), func(o out) {
		if len(o.line) == 0 {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		if _, err := w.Write(append(o.line, '\n')); err != nil {
			cancel(err)
		}
	})
	defer s.close()
	ended := make(chan error, 1)
	go func() { ended <- s.readAll(ctx, in) }()
	select {
	case err := <-ended:
		s.settle(ctx)
		return err
	case <-ctx.Done():
		return nil
	}
}

func (s *session) readAll(ctx context.Context, in io.Reader) error {
	br := bufio.NewReaderSize(in, 64<<10)
	for ctx.Err() == nil {
		line, err := readLine(br)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		m, err := decode(line)
		if err != nil {
			s.write(out{line: append([]byte(`{"jsonrpc":"2.0","id":null,"error":`), append(encoded(failed(parseError, "%v", err)), '}')...)})
			continue
		}
		s.handle(m)
	}
	return nil
}

// settleTime is how long answers are waited for after the client said its last.
const settleTime = 30 * time.Second

// settle waits until every request is answered.
func (s *session) settle(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		s.mu.Lock()
		open := len(s.calls) + s.answering
		s.mu.Unlock()
		if open == 0 {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
