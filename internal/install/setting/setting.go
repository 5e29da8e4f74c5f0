// Package setting says which values the keys of .mcpmrc take.
package setting

import (
	"net/url"
	"slices"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/lazyregexp"
)

// Registry checks the address of a hub. from is the file or variable that it came from.
func Registry(value, from, key string) (string, error) {
	value = strings.TrimRight(value, "/")
	u, err := url.Parse(value)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", hub.Errorf(hub.Invalid, "%s: %s %q is not an http or https URL", from, key, value).
			WithHint("write it like https://hub.example.com")
	}
	return value, nil
}

// OneOf checks a value of which only these are taken.
func OneOf(value, from, key string, allowed ...string) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	return hub.Errorf(hub.Invalid, "%s: %s %q is none of %s", from, key, value, strings.Join(allowed, ", "))
}

var byDigest = lazyregexp.New(`^([a-z0-9][A-Za-z0-9._:/-]*@)?sha256:[0-9a-f]{64}$`)

// Image checks the name of a container image, which must say which bytes it stands for: a tag may stand for others tomorrow.
func Image(value, from, key string) error {
	if byDigest.MatchString(value) && !strings.Contains(value, "..") && !strings.Contains(value, "//") {
		return nil
	}
	return hub.Errorf(hub.Invalid, "%s: %s %q does not name an image by its digest", from, key, value).
		WithHint("write NAME@sha256:DIGEST; docker image ls --digests shows those that are here")
}
