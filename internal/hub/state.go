package hub

import "slices"

// State is where a version is in its life.
type State string

// The states. A version is submitted -> validating -> scanning -> in_review -> published, or rejected.
// A stage that has nothing to do is passed through, never left out: each transition is one event.
const (
	Submitted   State = "submitted"
	Validating  State = "validating"
	Scanning    State = "scanning"
	InReview    State = "in_review"
	Published   State = "published"
	Rejected    State = "rejected"
	Deprecated  State = "deprecated"  // still resolved; carries a message and perhaps a replacement
	Yanked      State = "yanked"      // lock holders still get it, new resolutions do not
	Quarantined State = "quarantined" // nobody gets it without an explicit override
	Unpublished State = "unpublished" // taken back by its owner within UnpublishWindow
)

var transitions = map[State][]State{
	Submitted:   {Validating, Rejected},
	Validating:  {Scanning, Rejected},
	Scanning:    {InReview, Published, Rejected},
	InReview:    {Published, Rejected},
	Published:   {Deprecated, Yanked, Quarantined, Unpublished},
	Deprecated:  {Published, Deprecated, Yanked, Quarantined, Unpublished},
	Yanked:      {Published, Deprecated, Yanked, Quarantined, Unpublished}, // a leaked secret is first yanked, then taken back
	Quarantined: {Published, Yanked, Unpublished},
}

// CanBecome reports whether the life of a version allows the step from s to next.
func (s State) CanBecome(next State) bool { return slices.Contains(transitions[s], next) }

// Pending reports whether the version is still on its way to published or rejected.
func (s State) Pending() bool {
	return s == Submitted || s == Validating || s == Scanning || s == InReview
}

// Visible reports whether the version was published once and its number can be seen.
func (s State) Visible() bool {
	switch s {
	case Published, Deprecated, Yanked, Quarantined, Unpublished:
		return true
	}
	return false
}

// Resolvable reports whether a new resolution may choose the version.
func (s State) Resolvable() bool { return s == Published || s == Deprecated }

// Fetchable reports whether the bytes are given to somebody who names the exact version.
func (s State) Fetchable() bool { return s.Resolvable() || s == Yanked }

// Status is the official registry's word for a state.
type Status string

// The official statuses.
const (
	StatusActive     Status = "active"
	StatusDeprecated Status = "deprecated"
	StatusDeleted    Status = "deleted"
)

// Status returns the official registry's word: everything withdrawn is "deleted" there.
func (s State) Status() Status {
	switch s {
	case Published:
		return StatusActive
	case Deprecated:
		return StatusDeprecated
	}
	return StatusDeleted
}

// StateOf returns the state an owner asks for with an official status.
func (s Status) StateOf() (State, bool) {
	switch s {
	case StatusActive:
		return Published, true
	case StatusDeprecated:
		return Deprecated, true
	case StatusDeleted:
		return Yanked, true
	}
	return "", false
}
