//go:build linux && (amd64 || arm64)

package sandbox

import (
	"bytes"
	"context"
	"fmt"
	"os"

	"github.com/mcphub/mcphub/internal/sandbox/engine"
)

// emptyTar is an archive of nothing: the blocks of zeros that end one.
const emptyTar = 1024

// TryContainer starts this program with the arguments given, which must have it end by itself, in a container of an image with nothing
// in it, and removes both.
func TryContainer(ctx context.Context, client *engine.Client, args ...string) error {
	if err := Containers(); err != nil {
		return err
	}
	image, err := client.Import(ctx, bytes.NewReader(make([]byte, emptyTar)))
	if err != nil {
		return err
	}
	defer func() { _ = client.RemoveImage(context.WithoutCancel(ctx), image) }()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer null.Close()
	p, err := Start(&Spec{Command: insideStep, Args: args, Container: &Container{Engine: client.Address, Image: image, Server: "mcpm doctor"}}, null, null, null)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, p.Kill)
	defer stop()
	if code, err := p.Wait(); code != 0 || err != nil {
		return fmt.Errorf("a program that does nothing ended with %d in it: %v", code, err)
	}
	return nil
}
