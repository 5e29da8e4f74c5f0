package search

import (
	"fmt"
	"testing"
)

func TestWished(t *testing.T) {
	for text, want := range map[string]string{
		"sqlite in docker":                    "sqlite map[package:[oci]]",
		"github in a docker container":        "github map[package:[oci]]",
		"SQLite In Docker, read-only":         "SQLite, read-only map[package:[oci]]",
		"redis written in python":             "redis map[lang:[python]]",
		"remote desktop":                      "remote desktop map[package:[remote]]",
		"hosted payments, nothing to install": "hosted payments map[package:[remote]]",
		"in docker":                           "in docker map[package:[oci]]",
		"postgres":                            "postgres map[]",
		"log in dockerfile":                   "log in dockerfile map[]",
		"remotely":                            "remotely map[]",
		"İ in docker":                         "İ in docker map[]",
		"":                                    " map[]",
	} {
		rest, wish := wished(text)
		if got := fmt.Sprint(rest, " ", wish); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
