package web_test

import (
	"fmt"
	"net/http/httptest"
	"testing"
)

// BenchmarkPages draws pages that are not kept: each has an address of its own.
func BenchmarkPages(b *testing.B) {
	s := filled(b)
	for _, target := range []string{"/?page=%d", "/search?q=db&scope=acme&from=%d", "/servers?from=%d", "/servers/@acme/db?from=%d", "/servers/@acme/db/capabilities?from=%d"} {
		b.Run(target, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				r := httptest.NewRequestWithContext(b.Context(), "GET", fmt.Sprintf(target, i), nil)
				r.Header.Set("Accept-Encoding", "gzip")
				s.handler.ServeHTTP(httptest.NewRecorder(), r)
			}
		})
	}
}
