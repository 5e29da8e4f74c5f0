package sqlstore

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/uptrace/bun"
)

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }

// encodeRow writes a row as a JSON object of its columns, in their order. Bytes are base64.
func encodeRow(db *bun.DB, row any) ([]byte, error) {
	v := reflect.ValueOf(row).Elem()
	var b bytes.Buffer
	b.WriteByte('{')
	for i, f := range db.Table(v.Type()).Fields {
		if i > 0 {
			b.WriteByte(',')
		}
		value, err := json.Marshal(f.Value(v).Interface())
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", f.Name, err)
		}
		fmt.Fprintf(&b, "%q:%s", f.Name, value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// decodeRow is the inverse of encodeRow. A column the dump does not have stays zero, for it was made by a
// later migration; a column the table does not have is an error.
func decodeRow(db *bun.DB, b []byte, row any) error {
	var values map[string]json.RawMessage
	if err := json.Unmarshal(b, &values); err != nil {
		return err
	}
	v := reflect.ValueOf(row).Elem()
	for _, f := range db.Table(v.Type()).Fields {
		raw, ok := values[f.Name]
		if !ok {
			continue
		}
		delete(values, f.Name)
		field := f.Value(v)
		if err := json.Unmarshal(raw, field.Addr().Interface()); err != nil {
			return fmt.Errorf("column %s: %w", f.Name, err)
		}
		if field.Kind() == reflect.Slice && field.Type().Elem().Kind() == reflect.Uint8 && field.IsNil() {
			field.SetBytes([]byte{})
		}
	}
	for name := range values {
		return fmt.Errorf("there is no column %s", name)
	}
	return nil
}
