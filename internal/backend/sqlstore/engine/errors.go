package engine

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"

	"github.com/mcphub/mcphub/internal/hub"
)

// Fail maps an error of the driver to the hub's, by its code and never by its text. Errors that are the
// hub's already, the context's, and nil pass.
func (db *DB) Fail(err error) error {
	var known *hub.Error
	switch {
	case err == nil, errors.As(err, &known), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, driver.ErrBadConn), errors.Is(err, sql.ErrConnDone), errors.Is(err, io.ErrUnexpectedEOF):
		return db.down(err)
	}
	f, ok := db.fault(err)
	if !ok {
		return fmt.Errorf("sqlstore: %w", err)
	}
	switch f {
	case faultDuplicate:
		return hub.Errorf(hub.Exists, "a record with the same key is there already").WithCause(err)
	case faultText:
		return hub.Errorf(hub.Invalid, "a text is not UTF-8 or holds a zero byte, which the database (%s) does not store", db.Name).
			WithHint("remove it").WithCause(err)
	case faultDown:
		return db.down(err)
	case faultBusy:
		return hub.Errorf(hub.Unavailable, "the database (%s) is busy with other changes", db.Name).
			WithHint("try again in a moment").WithCause(err)
	case faultFull:
		return hub.Errorf(hub.Unavailable, "the disk of the database (%s) is full", db.Name).
			WithHint("free some space; nothing was changed").WithCause(err)
	case faultReadOnly:
		return hub.Errorf(hub.Unavailable, "the database (%s) may not be written", db.Name).
			WithHint("check the permissions of the database's file or user").WithCause(err)
	}
	return fmt.Errorf("sqlstore: %w", err)
}

func (db *DB) down(err error) error {
	return hub.Errorf(hub.Unavailable, "the database (%s) does not answer", db.Name).
		WithHint("try again in a moment").WithCause(err)
}

// Duplicate reports whether err is a row refused by a unique index.
func (db *DB) Duplicate(err error) bool {
	f, _ := db.fault(err)
	return f == faultDuplicate
}

// Refused reports whether err is a row that does not fit: a duplicate, or one that refers to nothing.
func (db *DB) Refused(err error) bool {
	f, _ := db.fault(err)
	return f == faultDuplicate || f == faultOrphan
}
