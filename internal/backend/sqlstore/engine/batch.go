package sqlstore

import (
	"context"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"
)

// batch collects statements whose answers nobody needs and sends them at once: over a network each
// statement would cost a round trip.
type batch struct {
	tx  bun.Tx
	d   *dialect
	b   []byte
	err error
}

func (s *Store) batch(tx bun.Tx) *batch { return &batch{tx: tx, d: &s.d} }

type appender interface {
	AppendQuery(schema.QueryGen, []byte) ([]byte, error)
}

func (q *batch) add(query appender) {
	if q.err != nil {
		return
	}
	if q.b, q.err = query.AppendQuery(schema.NewQueryGen(q.tx.Dialect()), q.b); q.err == nil {
		q.b = append(q.b, ";\n"...)
	}
}

func (q *batch) addf(text string, args ...any) { q.add(q.tx.NewRaw(text, args...)) }

// events appends to the event log. It must come last: see the package comment.
func (q *batch) events(rows ...eventRow) {
	if len(rows) == 0 {
		return
	}
	if q.d.eventLock != "" {
		q.addf(q.d.eventLock)
	}
	q.add(q.tx.NewInsert().Model(&rows).ExcludeColumn("seq"))
}

// exec sends what was collected.
func (q *batch) exec(ctx context.Context) error {
	if q.err != nil || len(q.b) == 0 {
		return q.err
	}
	_, err := q.tx.Tx.ExecContext(ctx, string(q.b))
	q.b = q.b[:0]
	return err
}
