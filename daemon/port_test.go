package daemon_test

import (
	"testing"
	"time"

	"pc5d/daemon/link"
)

const privatePort = "[link.signalling]\nciphering = \"required\"\n[link.privacy]\nupdate = \"1h\"\nport = true\n"

// TestPortOfAnUpdateIsNotCalled: when the link has ended, the peer is called where strangers
// may knock, not at the port that an update made for the link alone.
func TestPortOfAnUpdateIsNotCalled(t *testing.T) {
	a, b := newSites(t, privatePort, func(timers *link.Timers) { timers.RekeyMin = 5 * time.Millisecond })
	for _, s := range []*site{a, b} {
		if state := a.up(); state != "established" {
			t.Fatal(state)
		}
		if state := s.word(s.node.Update); state != "established" {
			t.Fatal(state)
		}
		s.down()
		s.peer.down()
	}
	for _, s := range []*site{a, b} {
		if state := s.up(); state != "established" {
			t.Errorf("%s can not call its peer again: %s", s.name, state)
		}
		s.down()
		s.peer.down()
	}
}
