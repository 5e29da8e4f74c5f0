package sqlstore

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
)

// list is a column of strings: a JSON array, or empty text for none. A filter looks for the element as it
// is written, quotes and all (see element), so it needs no table of its own.
type list []string

// Value implements driver.Valuer.
func (l list) Value() (driver.Value, error) {
	if len(l) == 0 {
		return "", nil
	}
	b, err := json.Marshal([]string(l))
	return string(b), err
}

// Scan implements sql.Scanner.
func (l *list) Scan(src any) error {
	*l = nil
	return scanJSON(src, (*[]string)(l))
}

// element returns how s is written inside a list.
func element(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic("sqlstore: element: " + err.Error()) // strings always marshal
	}
	return string(b)
}

// tags is a column of dist-tags: a JSON object, or empty text for none.
type tags map[string]string

// Value implements driver.Valuer.
func (t tags) Value() (driver.Value, error) {
	if len(t) == 0 {
		return "", nil
	}
	b, err := json.Marshal(map[string]string(t))
	return string(b), err
}

// Scan implements sql.Scanner.
func (t *tags) Scan(src any) error {
	*t = nil
	return scanJSON(src, (*map[string]string)(t))
}

func scanJSON(src, dest any) error {
	var b []byte
	switch v := src.(type) {
	case string:
		b = []byte(v)
	case []byte:
		b = v
	case nil:
	default:
		return fmt.Errorf("sqlstore: a column holds %T where JSON text is expected", src)
	}
	if len(b) == 0 {
		return nil
	}
	return json.Unmarshal(b, dest)
}
