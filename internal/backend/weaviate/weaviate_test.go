package weaviate_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/mcphub/mcphub/internal/backend/weaviate"
	"github.com/mcphub/mcphub/internal/conform/beside"
	"github.com/mcphub/mcphub/internal/hub"
)

// open makes a collection of its own in a real engine, which is removed after the test.
func open(t *testing.T) *weaviate.Vectors {
	t.Helper()
	base := os.Getenv("MCPHUB_TEST_WEAVIATE")
	if base == "" {
		if os.Getenv("MCPHUB_TEST_ALL") == "1" {
			t.Fatal("MCPHUB_TEST_WEAVIATE is not set: run make services")
		}
		t.Skip("MCPHUB_TEST_WEAVIATE is not set: run make services")
	}
	name := "test" + strings.ReplaceAll(uuid.NewString(), "-", "")
	x, err := weaviate.Open(strings.Replace(base, "http", "weaviate", 1) + "/" + name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		x.Close()
		remove(t, base, strings.TrimPrefix(x.Name(), "weaviate."))
	})
	return x
}

// remove removes an alias and its collections.
func remove(t *testing.T, base, alias string) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	ask := func(method, path string, out any) {
		req, err := http.NewRequestWithContext(ctx, method, base+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if key, ok := req.URL.User.Password(); ok {
			req.URL.User = nil
			req.Header.Set("Authorization", "Bearer "+key)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Log(err)
			return
		}
		defer res.Body.Close()
		_ = json.NewDecoder(res.Body).Decode(out)
	}
	var all struct{ Classes []struct{ Class string } }
	ask(http.MethodGet, "/v1/schema", &all)
	ask(http.MethodDelete, "/v1/aliases/"+alias, nil)
	for _, c := range all.Classes {
		if strings.HasPrefix(c.Class, alias) {
			ask(http.MethodDelete, "/v1/schema/"+c.Class, nil)
		}
	}
}

func TestVectors(t *testing.T) {
	beside.Vectors(t, func(t *testing.T) hub.Vectors { return open(t) })
}
