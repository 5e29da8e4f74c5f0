//go:build !linux

// Package bubble says to bubblewrap (bwrap) what a process in a sandbox sees. It is of Linux.
package bubble
