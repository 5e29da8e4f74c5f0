package engine

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"

	"github.com/mcphub/mcphub/internal/hub"
)

// Batch collects statements whose answers nobody needs and sends them at once: over a network each
// statement of its own costs a round trip.
type Batch struct {
	db    bun.IDB
	steps []step
	run   func(ctx context.Context, steps []step) error
	rows  bool // rows go as the values of a prepared statement, not as text
	err   error
}

// step is a statement of a batch: its text, and the values of a prepared one.
type step struct {
	text   string
	values *rowValues // nil when the text says everything
}

// NewBatch returns an empty batch in a transaction.
func NewBatch(tx bun.Tx) *Batch {
	return &Batch{db: tx, run: func(ctx context.Context, steps []step) error {
		_, err := tx.Tx.ExecContext(ctx, joined(steps))
		return err
	}}
}

// joined returns the statements as one text.
func joined(steps []step) string {
	var b strings.Builder
	for _, s := range steps {
		b.WriteString(s.text)
		b.WriteString(";\n")
	}
	return b.String()
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
	b := &Batch{db: db.Write, rows: true, run: db.pipeline}
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
	if text := q.format(query); q.err == nil {
		q.steps = append(q.steps, step{text: text})
	}
}

func (q *Batch) format(query appender) string {
	if q.err != nil {
		return ""
	}
	text, err := query.AppendQuery(schema.NewQueryGen(q.db.Dialect()), nil)
	if err == nil && bytes.Contains(text, nulMarker) {
		err = hub.Errorf(hub.Invalid, "a text holds a zero byte, which no database stores").WithHint("remove it")
	}
	q.err = err
	return string(text)
}

// Insert stores a row, which is a pointer to a model of bun, or rows, which is one to a slice of them. The columns
// in without get their default.
func (q *Batch) Insert(model any, without ...string) {
	if q.err == nil {
		q.steps = append(q.steps, q.insert(model, without))
	}
}

// InsertFirst stores a row before everything else: one that the others point at, whose values they decided.
func (q *Batch) InsertFirst(model any) {
	if q.err == nil {
		q.steps = slices.Insert(q.steps, 0, q.insert(model, nil))
	}
}

func (q *Batch) insert(model any, without []string) step {
	if !q.rows {
		return step{text: q.format(q.db.NewInsert().Model(model).ExcludeColumn(without...))}
	}
	text, values, err := insertion(q.db.Dialect(), model, without)
	q.err = err
	return step{text: text, values: values}
}

// Addf appends a statement with "?" for each argument.
func (q *Batch) Addf(text string, args ...any) {
	if q.rows && len(args) == 0 {
		q.steps = append(q.steps, step{text: text, values: new(rowValues)})
		return
	}
	q.Add(q.db.NewRaw(text, args...))
}

// Exec sends what was collected.
func (q *Batch) Exec(ctx context.Context) error {
	if q.err != nil || len(q.steps) == 0 {
		return q.err
	}
	err := q.run(ctx, q.steps)
	q.steps = nil
	return err
}
