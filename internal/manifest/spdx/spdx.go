// Package spdx reads SPDX licence expressions, such as "Apache-2.0 OR (MIT AND BSD-3-Clause)". It knows
// the grammar of SPDX 2.3, annex D, and the identifiers in use among published packages.
package spdx

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/mcphub/mcphub/internal/lazyregexp"
)

//go:embed ids.txt
var ids string

var known = func() map[string]string {
	m := map[string]string{}
	for _, id := range strings.Fields(ids) {
		m[strings.ToLower(id)] = id
	}
	return m
}()

var (
	tokenRE = lazyregexp.New(`\(|\)|[A-Za-z0-9.:+-]+`)
	idRE    = lazyregexp.New(`^[A-Za-z0-9.-]+\+?$`)
	refRE   = lazyregexp.New(`^(DocumentRef-[A-Za-z0-9.-]+:)?LicenseRef-[A-Za-z0-9.-]+$`)
)

// Check reads an expression and returns the identifiers in it that are not on the list. The error says
// where the expression itself is wrong; it then is no SPDX at all.
func Check(expr string) (unknown []string, err error) {
	if rest := strings.TrimSpace(tokenRE.ReplaceAllString(expr, "")); rest != "" {
		return nil, fmt.Errorf("%q does not belong in a licence expression", rest)
	}
	p := &parser{tokens: tokenRE.FindAllString(expr, -1)}
	if err := p.or(0); err != nil {
		return nil, err
	}
	if p.at < len(p.tokens) {
		return nil, fmt.Errorf("%q is not expected after %q; join licences with AND or OR", p.tokens[p.at], p.tokens[p.at-1])
	}
	return p.unknown, nil
}

// Nearest returns the listed spelling of an identifier in another case, or "".
func Nearest(id string) string { return known[strings.ToLower(id)] }

type parser struct {
	tokens  []string
	at      int
	unknown []string
}

func (p *parser) next() string {
	if p.at == len(p.tokens) {
		return ""
	}
	p.at++
	return p.tokens[p.at-1]
}

func (p *parser) accept(word string) bool {
	if p.at < len(p.tokens) && p.tokens[p.at] == word {
		p.at++
		return true
	}
	return false
}

func (p *parser) or(depth int) error {
	for {
		if err := p.and(depth); err != nil || !p.accept("OR") {
			return err
		}
	}
}

func (p *parser) and(depth int) error {
	for {
		if err := p.simple(depth); err != nil || !p.accept("AND") {
			return err
		}
	}
}

func (p *parser) simple(depth int) error {
	if depth > 16 {
		return fmt.Errorf("parentheses nest deeper than 16")
	}
	if p.accept("(") {
		if err := p.or(depth + 1); err != nil {
			return err
		}
		if !p.accept(")") {
			return fmt.Errorf("a ( is not closed")
		}
		return nil
	}
	id := p.next()
	switch {
	case id == "":
		return fmt.Errorf("a licence is missing at the end")
	case refRE.MatchString(id):
		return nil
	case !idRE.MatchString(id) || id == "AND" || id == "OR" || id == "WITH":
		return fmt.Errorf("%q is not a licence identifier", id)
	}
	if known[strings.ToLower(strings.TrimSuffix(id, "+"))] == "" {
		p.unknown = append(p.unknown, id)
	}
	if p.accept("WITH") {
		if ex := p.next(); !idRE.MatchString(ex) {
			return fmt.Errorf("an exception is missing after WITH")
		}
	}
	return nil
}
