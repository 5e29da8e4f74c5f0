package image_test

import (
	"strings"
	"testing"

	"github.com/mcphub/mcphub/internal/source/image"
)

func TestIn(t *testing.T) {
	for line, want := range map[string]string{
		"docker run -i --rm a/b:1": "a/b:1",
		"docker run -it --rm -e A -e B=2 -v /x:/y --network none a/b:1 run": "a/b:1",
		"podman run --rm --init -p8080:80 --env=A a/b --tty":                "a/b",
		"docker run --name x --mount type=bind,src=/a,dst=/b a/b@sha256:0":  "a/b@sha256:0",
		"docker run -- a/b":  "a/b",
		"docker run -i":      "",
		"docker run -e":      "",
		"docker pull a/b":    "",
		"npx -y a":           "",
		"docker":             "",
		"docker run --rm --": "",
	} {
		words := strings.Fields(line)
		at, ok := image.In(words[0], words[1:])
		got := ""
		if ok {
			got = words[1:][at]
		}
		if got != want {
			t.Errorf("%s starts %q, want %q", line, got, want)
		}
	}
}
