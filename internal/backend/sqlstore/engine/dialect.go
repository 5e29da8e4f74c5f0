package engine

import (
	"context"
	"database/sql"
	"strings"
	"unicode/utf8"

	"github.com/pressly/goose/v3"
)

// Dialect is everything SQLite and PostgreSQL say differently.
type Dialect struct {
	Name      string
	Like      string // operator that ignores the case of ASCII letters
	Contains  string // function (text, part) that is above zero when part is in text
	RowLock   string // end of a SELECT whose rows will be changed
	SkipLock  string // the same, leaving out rows that others hold
	EventLock string // statement before events are inserted, or ""
	SeqReset  string // statement that moves the event sequence behind what was loaded, or ""

	OneMessage bool // several statements sent as one message are one transaction

	goose    goose.Dialect
	words    *strings.Replacer // types in the migrations
	snapshot *sql.TxOptions    // of a transaction that reads everything as it is at one moment

	prepare     func(context.Context, *sql.DB, string) (any, error)
	prepareArgs func() []any
	freshArgs   func() []any // nil where a prepared statement is planned as well
	fault       func(error) (fault, bool)
}

// fault is a driver's error in our words.
type fault int

const (
	faultUnknown   fault = iota
	faultDuplicate       // a unique index refused a row
	faultOrphan          // a row refers to one that is not there, or lacks a value
	faultText            // a text that is not UTF-8 or holds a zero byte
	faultDown            // no connection, or the server goes away
	faultBusy            // another writer did not finish in time
	faultFull            // no space left
	faultReadOnly        // no permission to write
)

// rebind turns "?" into "$1", "$2" ... The queries hold no question mark in quotes.
func rebind(text string) string {
	var b strings.Builder
	n := byte(0)
	for i := range len(text) {
		if text[i] != '?' {
			b.WriteByte(text[i])
			continue
		}
		n++
		b.WriteByte('$')
		if n >= 10 {
			b.WriteByte('0' + n/10)
		}
		b.WriteByte('0' + n%10)
	}
	return b.String()
}

// Storable reports whether all texts among args can be in a database at all: a look-up of one that cannot
// finds nothing, and PostgreSQL need not be asked.
func Storable(args ...any) bool {
	for _, a := range args {
		if s, ok := a.(string); ok && (strings.IndexByte(s, 0) >= 0 || !utf8.ValidString(s)) {
			return false
		}
	}
	return true
}
