// Package jobs bounds a process of Windows: a job object limits what it and all that it starts use together and ends them with
// whoever started them, and a restricted token takes its privileges. What it may read, write, reach and start is not confined
// by that.
package jobs
