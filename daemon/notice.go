package daemon

import (
	"time"

	"pc5d/daemon/keys"
	"pc5d/daemon/link"
)

// notice is what a runner tells its keeper.
type notice interface{ notice() }

type authenticated struct {
	runner *runner
	peer   link.Peer
}
type installed struct {
	runner *runner
	effect link.InstallUserPlane
}
type removed struct{ session keys.SessionID }
type changed struct {
	runner *runner
	state  link.State
	err    error
}
type hinted struct{ err error }
type exchanged struct {
	at     time.Time
	effect link.Exchanged
}

func (authenticated) notice() {}
func (installed) notice()     {}
func (removed) notice()       {}
func (changed) notice()       {}
func (hinted) notice()        {}
func (exchanged) notice()     {}
