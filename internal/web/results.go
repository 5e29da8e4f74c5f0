package web

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/search"
	"github.com/mcphub/mcphub/internal/web/ui"
)

// resultsView is a list of servers with what narrows it: what was searched for, what was browsed, a use or a
// publisher. Everything in it has an address.
type resultsView struct {
	*ui.Frame
	Heading   string
	Lede      string
	Total     int64 // -1 when it is not known
	Notice    string
	Corrected *choice // what was searched instead of what was typed, with the way back
	Facets    []facet
	Chosen    []choice // filters that are on; each link takes it away
	Sorts     []choice
	Related   []choice
	Hits      []hitView
	First     int // number of the first hit
	Previous  string
	Next      string
	Near      []*hub.Server // when nothing was found
}

// choice is a link that may be the current one.
type choice struct {
	Label    string
	URL      string
	Selected bool
}

// facet is one way to narrow a list.
type facet struct {
	Name, Label string
	Values      []facetValue
}

type facetValue struct {
	Value, Label, URL string
	Count             int64 // -1 when it is not known
	Selected          bool
}

// hitView is one server in a list.
type hitView struct {
	*hub.Server
	Why []search.Reason // where it matches, none in lists that were not searched for
}

const (
	pageSize = 20
	maxQuery = 400                      // bytes of what is searched for
	maxPage  = hub.MaxSearch / pageSize // as far as a search shows
)

func address(path string, p url.Values) string {
	if len(p) == 0 {
		return path
	}
	return path + "?" + p.Encode()
}

// turn sets the links to the pages before and after.
func (v *resultsView) turn(path string, params url.Values, page int, more bool) {
	at := func(n int) string {
		if n == 1 {
			return address(path, ui.Kept(params))
		}
		return address(path, ui.With(params, "page", strconv.Itoa(n)))
	}
	if page > 1 {
		v.Previous = at(page - 1)
	}
	if more {
		v.Next = at(page + 1)
	}
}

func pageNumber(p url.Values) int {
	n, err := strconv.Atoi(p.Get("page"))
	if err != nil {
		return 1
	}
	return min(max(n, 1), maxPage)
}

// cleanQuery cuts what is searched for at maxQuery bytes, and drops what is no text.
func cleanQuery(q string) string {
	q = strings.ToValidUTF8(strings.TrimSpace(q), "")
	if len(q) > maxQuery {
		q = strings.ToValidUTF8(q[:maxQuery], "")
	}
	return strings.ReplaceAll(q, "\x00", "")
}
