package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// result is what the load runs on one program measured together.
type result struct {
	times    []time.Duration // of each answer
	took     time.Duration
	errors   int
	received int // bytes of all bodies
}

// add joins what another run on the same program measured.
func (r *result) add(other result) {
	r.times = append(r.times, other.times...)
	r.took, r.errors, r.received = r.took+other.took, r.errors+other.errors, r.received+other.received
}

func (r *result) perSecond() float64 { return float64(len(r.times)) / r.took.Seconds() }

// bytes is the size of one answer's body, on average.
func (r *result) bytes() int { return r.received / len(r.times) }

// at returns the time within which the share q of all answers came. It sorts the times.
func (r *result) at(q float64) time.Duration {
	slices.Sort(r.times)
	return r.times[min(len(r.times)-1, int(q*float64(len(r.times))))]
}

// What programs and browsers take.
const (
	acceptJSON = "Accept: application/json"
	acceptPage = "Accept: text/html\r\nAccept-Encoding: gzip"
)

// load sends GET requests over so many kept connections for a time: each sends the next path as soon as
// the answer to the last is whole. It speaks plain HTTP/1.1 itself, so that the generator costs little
// beside the server that shares its processors. accept are the lines of the header that say what it takes.
func load(ctx context.Context, addr string, paths []string, accept string, connections int, d time.Duration) (result, error) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	requests := make([][]byte, len(paths))
	for i, p := range paths {
		requests[i] = []byte("GET " + p + " HTTP/1.1\r\nHost: localhost\r\n" + accept + "\r\n\r\n")
	}
	var mu sync.Mutex
	var out result
	var wg sync.WaitGroup
	var failed error
	start := time.Now()
	for c := range connections {
		wg.Go(func() {
			times, bad, size, err := one(ctx, addr, requests, c*len(requests)/connections)
			mu.Lock()
			defer mu.Unlock()
			out.add(result{times: times, errors: bad, received: size})
			if err != nil && failed == nil {
				failed = err
			}
		})
	}
	wg.Wait()
	out.took = time.Since(start)
	if failed != nil || len(out.times) == 0 {
		return out, fmt.Errorf("load on %s: %d answers: %w", paths[0], len(out.times), failed)
	}
	return out, nil
}

// one is a single connection's loop.
func one(ctx context.Context, addr string, requests [][]byte, next int) (times []time.Duration, bad, size int, err error) {
	conn, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		return nil, 0, 0, err
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline.Add(5 * time.Second)); err != nil {
			return nil, 0, 0, err
		}
	}
	r := bufio.NewReaderSize(conn, 64<<10)
	for ctx.Err() == nil {
		began := time.Now()
		if _, err := conn.Write(requests[next%len(requests)]); err != nil {
			return times, bad, size, err
		}
		next++
		ok, n, err := answer(r)
		if err != nil {
			return times, bad, size, err
		}
		times = append(times, time.Since(began))
		size += n
		if !ok {
			bad++
		}
	}
	return times, bad, size, nil
}

// answer reads one response: whether its status is 200, and the size of its body.
func answer(r *bufio.Reader) (ok bool, size int, err error) {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return false, 0, err
	}
	ok = strings.HasPrefix(string(line), "HTTP/1.1 200")
	length, chunked := -1, false
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return false, 0, err
		}
		if len(line) <= 2 {
			break
		}
		name, value, _ := strings.Cut(string(line), ":")
		switch {
		case strings.EqualFold(name, "Content-Length"):
			if length, err = strconv.Atoi(strings.TrimSpace(value)); err != nil {
				return false, 0, err
			}
		case strings.EqualFold(name, "Transfer-Encoding"):
			chunked = strings.Contains(value, "chunked")
		}
	}
	if chunked {
		size, err = skipChunks(r)
		return ok, size, err
	}
	if length < 0 {
		return false, 0, errors.New("an answer without a length")
	}
	_, err = r.Discard(length)
	return ok, length, err
}

func skipChunks(r *bufio.Reader) (size int, err error) {
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return size, err
		}
		n, err := strconv.ParseInt(strings.TrimSpace(string(line)), 16, 32)
		if err != nil {
			return size, err
		}
		if _, err := io.CopyN(io.Discard, r, n+2); err != nil {
			return size, err
		}
		if n == 0 {
			return size, nil
		}
		size += int(n)
	}
}
