package daemon_test

import (
	"testing"
	"time"

	"pc5d/daemon/link"
)

const privatePort = "[link.signalling]\nciphering = \"required\"\n[link.privacy]\nupdate = \"1h\"\nport = true\n"

// TestPortsOfUpdatesInTurn changes identifiers and ports at the word of one end, then of the
// other, and so on: each end follows the other's port before the old one is closed.
func TestPortsOfUpdatesInTurn(t *testing.T) {
	a, b := newSites(t, privatePort, func(timers *link.Timers) {
		timers.RekeyMin, timers.Grace = 5*time.Millisecond, 100*time.Millisecond
	})
	if state := a.up(); state != "established" {
		t.Fatal(state)
	}
	for round, s := range []*site{a, b, a, a, b, b, a} {
		if state := s.word(s.node.Update); state != "established" {
			t.Fatalf("update %d: %s", round, state)
		}
		time.Sleep(300 * time.Millisecond) // the old port is closed
		if !a.reaches(2*time.Second) || !b.reaches(2*time.Second) {
			t.Fatalf("update %d: no packet gets through", round)
		}
	}
	if n := a.ended.Load() + b.ended.Load(); n > 0 {
		t.Errorf("the link was lost %d times", n)
	}
}

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
