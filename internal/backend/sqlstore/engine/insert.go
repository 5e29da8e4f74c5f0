package engine

import (
	"database/sql/driver"
	"fmt"
	"reflect"
	"slices"
	"strconv"

	"github.com/uptrace/bun/schema"
)

// Formats of a value in PostgreSQL's protocol (Bind message).
const (
	asText   = 0
	asBinary = 1
)

// rowValues are the values of a prepared INSERT as PostgreSQL's protocol sends them.
type rowValues struct {
	data    [][]byte
	formats []int16
}

// insertion returns the INSERT of a model's rows with "$1" for each value, and the values. Its text is the same for the
// same number of rows.
func insertion(d schema.Dialect, model any, without []string) (string, *rowValues, error) {
	rows := reflect.Indirect(reflect.ValueOf(model))
	if rows.Kind() != reflect.Slice {
		one := reflect.MakeSlice(reflect.SliceOf(rows.Type()), 0, 1)
		rows = reflect.Append(one, rows)
	}
	table := d.Tables().Get(rows.Type().Elem())
	fields := slices.DeleteFunc(slices.Clone(table.Fields), func(f *schema.Field) bool { return slices.Contains(without, f.Name) })

	text := append([]byte("INSERT INTO "), table.SQLName...)
	for i, f := range fields {
		text = append(text, separator(i)...)
		text = append(text, f.SQLName...)
	}
	text = append(text, ") VALUES "...)
	values := &rowValues{data: make([][]byte, 0, rows.Len()*len(fields)), formats: make([]int16, 0, rows.Len()*len(fields))}
	for r := range rows.Len() {
		if r > 0 {
			text = append(text, ", "...)
		}
		for i, f := range fields {
			if err := values.add(f.Value(rows.Index(r))); err != nil {
				return "", nil, fmt.Errorf("column %s of %s: %w", f.Name, table.Name, err)
			}
			text = append(text, separator(i)...)
			text = strconv.AppendInt(append(text, '$'), int64(len(values.data)), 10)
		}
		text = append(text, ')')
	}
	return string(text), values, nil
}

func separator(i int) string {
	if i == 0 {
		return " ("
	}
	return ", "
}

// add appends a value of one of the types that rows have: text, whole numbers, truth, bytes, and what gives one of them.
func (r *rowValues) add(v reflect.Value) error {
	if from, ok := v.Interface().(driver.Valuer); ok {
		given, err := from.Value()
		if err != nil {
			return err
		}
		v = reflect.ValueOf(given)
	}
	format := int16(asText)
	var data []byte
	switch {
	case v.Kind() == reflect.String:
		data = append([]byte{}, v.String()...) // nil would be NULL
	case v.CanInt():
		data = strconv.AppendInt(nil, v.Int(), 10)
	case v.Kind() == reflect.Bool:
		data = strconv.AppendBool(nil, v.Bool())
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8:
		format = asBinary
		data = append([]byte{}, v.Bytes()...)
	default:
		return fmt.Errorf("a value of type %s is not known here", v.Type())
	}
	r.data, r.formats = append(r.data, data), append(r.formats, format)
	return nil
}
