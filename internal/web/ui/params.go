package ui

import (
	"net/url"
	"slices"
)

// Kept are the parameters without the place in the list.
func Kept(params url.Values) url.Values {
	out := url.Values{}
	for name, values := range params {
		if name != "page" && name != "after" && len(values) > 0 && values[0] != "" {
			out[name] = slices.Clone(values)
		}
	}
	return out
}

// With sets a parameter, or takes it away when value is empty.
func With(params url.Values, name, value string) url.Values {
	out := Kept(params)
	if out.Set(name, value); value == "" {
		out.Del(name)
	}
	return out
}

// Toggled adds a value to a parameter, or takes it away when it is there.
func Toggled(params url.Values, name, value string) url.Values {
	out := Kept(params)
	if i := slices.Index(out[name], value); i >= 0 {
		out[name] = slices.Delete(out[name], i, i+1)
	} else {
		out[name] = append(out[name], value)
	}
	if len(out[name]) == 0 {
		out.Del(name)
	}
	return out
}
