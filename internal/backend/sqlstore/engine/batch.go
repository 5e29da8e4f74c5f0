package engine

import (
	"bytes"
	"context"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"

	"github.com/mcphub/mcphub/internal/hub"
)

// Batch collects statements whose answers nobody needs and sends them at once: over a network each
// statement would cost a round trip.
type Batch struct {
	tx  bun.IDB
	run func(ctx context.Context, text string) error
	b   []byte
	err error
}

// NewBatch returns an empty batch in a transaction.
func NewBatch(tx bun.Tx) *Batch {
	return &Batch{tx: tx, run: func(ctx context.Context, text string) error {
		_, err := tx.Tx.ExecContext(ctx, text)
		return err
	}}
}

// Atomic runs the statements that build collects, all or none. build may not read. On PostgreSQL they are
// sent as one message, which is a transaction of its own: begin and commit cost no round trips.
func (db *DB) Atomic(ctx context.Context, build func(db bun.IDB, b *Batch) error) error {
	if !db.OneMessage {
		return db.Tx(ctx, func(tx bun.Tx) error {
			b := NewBatch(tx)
			if err := build(tx, b); err != nil {
				return err
			}
			return b.Exec(ctx)
		})
	}
	b := &Batch{tx: db.Write, run: func(ctx context.Context, text string) error {
		_, err := db.Write.DB.ExecContext(ctx, text)
		return err
	}}
	if err := build(db.Write, b); err != nil {
		return db.Fail(err)
	}
	return db.Fail(b.Exec(ctx))
}

// nulMarker is what bun writes in place of a text with a zero byte.
var nulMarker = []byte("?!(bun: string contains a NUL byte")

type appender interface {
	AppendQuery(schema.QueryGen, []byte) ([]byte, error)
}

// Add appends a query of bun.
func (q *Batch) Add(query appender) {
	if q.err != nil {
		return
	}
	start := len(q.b)
	if q.b, q.err = query.AppendQuery(schema.NewQueryGen(q.tx.Dialect()), q.b); q.err != nil {
		return
	}
	if bytes.Contains(q.b[start:], nulMarker) {
		q.err = hub.Errorf(hub.Invalid, "a text holds a zero byte, which no database stores").WithHint("remove it")
		return
	}
	q.b = append(q.b, ";\n"...)
}

// AddFirst puts a query before all others: a row that the others point at, whose values they decided.
func (q *Batch) AddFirst(query appender) {
	rest := q.b
	q.b = nil
	q.Add(query)
	q.b = append(q.b, rest...)
}

// Addf appends a statement with "?" for each argument.
func (q *Batch) Addf(text string, args ...any) { q.Add(q.tx.NewRaw(text, args...)) }

// Exec sends what was collected.
func (q *Batch) Exec(ctx context.Context) error {
	if q.err != nil || len(q.b) == 0 {
		return q.err
	}
	err := q.run(ctx, string(q.b))
	q.b = q.b[:0]
	return err
}
