package pubgrub

import "math/bits"

// Set is a set of what may become of a package, one bit each: bit 0 is "not in the solution", the others
// are its versions, the preferred one first. With absence as a bit, "needs one of these", "must not be
// one of these" and "if at all, one of these" are all just sets. Sets of one package have the same length.
type Set []uint64

// NewSet returns the empty set for a package with n versions.
func NewSet(n int) Set { return make(Set, (n+64)/64) }

// Put adds version i, counted from 1; 0 is absence.
func (s Set) Put(i int) { s[i>>6] |= 1 << (i & 63) }

// Drop takes version i out.
func (s Set) Drop(i int) { s[i>>6] &^= 1 << (i & 63) }

// Has reports whether version i is in the set.
func (s Set) Has(i int) bool { return s[i>>6]&(1<<(i&63)) != 0 }

// Empty reports whether nothing is in the set.
func (s Set) Empty() bool {
	for _, w := range s {
		if w != 0 {
			return false
		}
	}
	return true
}

// First returns the lowest member, or -1.
func (s Set) First() int {
	for i, w := range s {
		if w != 0 {
			return i<<6 + bits.TrailingZeros64(w)
		}
	}
	return -1
}

// Count returns the number of members.
func (s Set) Count() int {
	n := 0
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

// Within reports whether all of s is in t.
func (s Set) Within(t Set) bool {
	for i, w := range s {
		if w&^t[i] != 0 {
			return false
		}
	}
	return true
}

// Meets reports whether s and t have a member in common.
func (s Set) Meets(t Set) bool {
	for i, w := range s {
		if w&t[i] != 0 {
			return true
		}
	}
	return false
}

// And returns what is in both.
func (s Set) And(t Set) Set {
	out := make(Set, len(s))
	for i, w := range s {
		out[i] = w & t[i]
	}
	return out
}

// Or returns what is in either.
func (s Set) Or(t Set) Set {
	out := make(Set, len(s))
	for i, w := range s {
		out[i] = w | t[i]
	}
	return out
}

// Minus returns what is in s and not in t.
func (s Set) Minus(t Set) Set {
	out := make(Set, len(s))
	for i, w := range s {
		out[i] = w &^ t[i]
	}
	return out
}

// Not returns everything else of a package with n versions.
func (s Set) Not(n int) Set {
	out := All(n)
	for i, w := range s {
		out[i] &^= w
	}
	return out
}

// All returns the set of everything that may become of a package with n versions.
func All(n int) Set {
	out := NewSet(n)
	for i := range out {
		out[i] = ^uint64(0)
	}
	if used := (n + 1) & 63; used != 0 {
		out[len(out)-1] = 1<<used - 1
	}
	return out
}
