//go:build race

package daemon

// raceEnabled: the race detector's own memory counts as the program's.
const raceEnabled = true
