// Package conform holds the promises of hub's ports as tests. A backend runs the suites of the ports it
// keeps in a test of a few lines; every subtest is named by the sentence it proves, so that a failure says
// which promise is broken.
//
// A suite is given a function that opens a new, empty backend for each subtest and closes it by
// t.Cleanup.
package conform
