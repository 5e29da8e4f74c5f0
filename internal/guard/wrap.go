package guard

import (
	"context"
	"errors"
	"io"
)

// Wrap puts the guard in front of a server that is spoken to on in and out, and returns what the client speaks to instead.
// It ends with the server, or with ctx.
func (g *Guard) Wrap(ctx context.Context, in io.WriteCloser, out io.ReadCloser) (io.WriteCloser, io.ReadCloser) {
	fromClient, toGuard := io.Pipe()
	fromGuard, toClient := io.Pipe()
	stop := context.AfterFunc(ctx, func() {
		_ = fromClient.CloseWithError(ctx.Err()) // closing a pipe does not fail
		_ = toClient.CloseWithError(ctx.Err())
		g.Close()
	})
	g.client.set(toClient)
	g.server.set(in)
	go func() {
		err := g.Up(fromClient, in)
		_ = fromClient.CloseWithError(errors.Join(err, io.ErrClosedPipe)) // and the other side is told by its next write
		_ = in.Close()
	}()
	go func() {
		err := g.Down(out, toClient)
		if err == nil {
			err = io.EOF
		}
		_ = toClient.CloseWithError(err)
		stop()
		g.Close()
	}()
	return toGuard, fromGuard
}
