package oci

import (
	"io"
	"net/http"
	"time"
)

// moving puts off the time limits of a connection while bytes move over it: the server's own are for a whole request,
// and too short for a layer over a slow line, while one that stands still must not hold its connection.
type moving struct {
	control *http.ResponseController
	now     func() time.Time
	end     time.Time // no byte counts after it
	next    time.Time // when to put it off again
	set     func(*http.ResponseController, time.Time) error
}

func (s *Service) moves(w http.ResponseWriter, set func(*http.ResponseController, time.Time) error) *moving {
	now := time.Now() // connections know no other clock
	m := &moving{control: http.NewResponseController(w), now: time.Now, end: now.Add(maxTransfer), set: set}
	m.touch()
	return m
}

func (m *moving) touch() {
	now := m.now()
	if now.Before(m.next) {
		return
	}
	m.next = now.Add(idleRenewal)
	till := now.Add(idle)
	if till.After(m.end) {
		till = m.end
	}
	_ = m.set(m.control, till) // a connection without deadlines, as in tests, keeps what it has
}

// body is what a request sends, at most max bytes of it.
func (s *Service) body(w http.ResponseWriter, r *http.Request, max int64) io.Reader {
	m := s.moves(w, (*http.ResponseController).SetReadDeadline)
	_ = m.control.SetWriteDeadline(m.end.Add(idle)) // the answer comes after the body
	return &movingReader{from: http.MaxBytesReader(w, r.Body, max), moving: m}
}

type movingReader struct {
	from io.Reader
	*moving
}

// Read reads on, and puts the time limit off.
func (r *movingReader) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	if n > 0 {
		r.touch()
	}
	return n, err
}

// movingWriter is an answer whose time limit is put off while it is taken.
type movingWriter struct {
	http.ResponseWriter
	*moving
}

// Write sends on, and puts the time limit off.
func (w *movingWriter) Write(p []byte) (int, error) {
	n, err := w.ResponseWriter.Write(p)
	if n > 0 {
		w.touch()
	}
	return n, err
}
