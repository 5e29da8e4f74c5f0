package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"

	"github.com/mcphub/mcphub/internal/hub"
)

// fail maps an error of the driver to the hub's, by its code and never by its text. Errors that are the
// hub's already, the context's, and nil pass.
func (s *Store) fail(err error) error {
	var known *hub.Error
	switch {
	case err == nil, errors.As(err, &known), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, driver.ErrBadConn), errors.Is(err, sql.ErrConnDone), errors.Is(err, io.ErrUnexpectedEOF):
		return s.down(err)
	}
	f, ok := s.d.fault(err)
	if !ok {
		return fmt.Errorf("sqlstore: %w", err)
	}
	switch f {
	case faultDuplicate:
		return hub.Errorf(hub.Exists, "a record with the same key is there already").WithCause(err)
	case faultDown:
		return s.down(err)
	case faultBusy:
		return hub.Errorf(hub.Unavailable, "the database (%s) is busy with other changes", s.d.name).
			WithHint("try again in a moment").WithCause(err)
	case faultFull:
		return hub.Errorf(hub.Unavailable, "the disk of the database (%s) is full", s.d.name).
			WithHint("free some space; nothing was changed").WithCause(err)
	case faultReadOnly:
		return hub.Errorf(hub.Unavailable, "the database (%s) may not be written", s.d.name).
			WithHint("check the permissions of the database's file or user").WithCause(err)
	}
	return fmt.Errorf("sqlstore: %w", err)
}

func (s *Store) down(err error) error {
	return hub.Errorf(hub.Unavailable, "the database (%s) does not answer", s.d.name).
		WithHint("try again in a moment").WithCause(err)
}

// duplicate reports whether err is a row refused by a unique index.
func (s *Store) duplicate(err error) bool {
	f, _ := s.d.fault(err)
	return f == faultDuplicate
}
