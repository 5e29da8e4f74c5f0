// Package wire is the JSON on the network, spelled once: the types of /api/v1 as the hub writes and
// mcpm reads them, the table between error kinds and HTTP statuses, and the Go client.
package wire
