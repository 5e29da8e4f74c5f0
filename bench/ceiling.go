package main

import (
	"encoding/json"
	"net/http"
	"os"
	"strconv"
)

// ceiling serves fixed bytes by path and query from a bare net/http handler: as fast as this machine and
// this library answer. args are the address and a JSON file of path to body.
func ceiling(args []string) error {
	data, err := os.ReadFile(args[1])
	if err != nil {
		return err
	}
	var bodies map[string]string
	if err := json.Unmarshal(data, &bodies); err != nil {
		return err
	}
	answers := make(map[string][]byte, len(bodies))
	for path, body := range bodies {
		answers[path] = []byte(body)
	}
	return http.ListenAndServe(args[0], http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, ok := answers[r.URL.RequestURI()]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write(body)
	}))
}
