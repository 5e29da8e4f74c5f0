package hub_test

import (
	"testing"

	"github.com/mcphub/mcphub/internal/hub"
)

func TestLoopback(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LocalHost:8080": true, "a.localhost": true, "127.0.0.1": true, "127.8.9.1:80": true, "[::1]:80": true, "::1": true, "[::ffff:127.0.0.1]:1": true,
		"localhost.example": false, "127.0.0.1.example": false, "10.0.0.1": false, "0.0.0.0": false, "example.com:443": false, "": false,
	} {
		if got := hub.Loopback(host); got != want {
			t.Errorf("Loopback(%q) is %v", host, got)
		}
	}
}
