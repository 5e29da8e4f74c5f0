package opensearch_test

import (
	"context"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/mcphub/mcphub/internal/backend/opensearch"
	"github.com/mcphub/mcphub/internal/conform/beside"
	"github.com/mcphub/mcphub/internal/hub"
)

// cluster returns the addresses of a real cluster, with commas between.
func cluster(t *testing.T) string {
	t.Helper()
	hosts := strings.ReplaceAll(os.Getenv("MCPHUB_TEST_OPENSEARCH"), "http://", "")
	if hosts == "" {
		if os.Getenv("MCPHUB_TEST_ALL") == "1" {
			t.Fatal("MCPHUB_TEST_OPENSEARCH is not set: run make services")
		}
		t.Skip("MCPHUB_TEST_OPENSEARCH is not set: run make services")
	}
	return hosts
}

// open makes an index of its own, which is removed after the test.
func open(t *testing.T, settings string) *opensearch.Index {
	t.Helper()
	hosts, name := cluster(t), "test-"+uuid.NewString()
	x, err := opensearch.Open("opensearch://" + hosts + "/" + name + settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		x.Close()
		first, _, _ := strings.Cut(hosts, ",")
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		req, _ := http.NewRequestWithContext(ctx, http.MethodDelete, "http://"+first+"/"+name+"-*", nil)
		if res, err := http.DefaultClient.Do(req); err != nil {
			t.Log(err)
		} else {
			res.Body.Close()
		}
	})
	return x
}

func TestIndex(t *testing.T) {
	beside.Index(t, func(t *testing.T) hub.Index { return open(t, "") })
}

func TestShards(t *testing.T) {
	beside.Index(t, func(t *testing.T) hub.Index { return open(t, "?shards=3") })
}
