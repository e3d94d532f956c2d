//go:build net

package lab_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"pc5d/daemon/control"
	"pc5d/daemon/lab"
)

// TestR13_Resume: after a full authentication a link comes back in four messages, also when both
// daemons were stopped meanwhile and the keys are kept in files; after pc5ctl forget it needs all.
func TestR13_Resume(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	pc5d := build(t)
	p := pair(t, ctx, pc5d, func(p *lab.Pair) {
		for _, n := range []*lab.Node{p.Alice, p.Bob} {
			n.Own = "kept_keys = \"file\""
			if err := n.Provision(); err != nil {
				t.Fatal(err)
			}
		}
	})
	full := func(what string, want bool) {
		t.Helper()
		s, err := p.Alice.Client.Up(ctx, "bob", 10*time.Second)
		if err != nil || s.State != "established" {
			t.Fatalf("%s: %v, %v", what, s.State, err)
		}
		if authenticated(s) != want {
			t.Errorf("%s: full authentication %v, want %v", what, !want, want)
		}
		if _, err := p.Alice.Host.Ping(p.Bob.Four, time.Second); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if _, err := p.Alice.Client.Down(ctx, "bob", 5*time.Second); err != nil {
			t.Error(err)
		}
	}
	restart := func() {
		for _, n := range []*lab.Node{p.Alice, p.Bob} {
			if err := n.Stop(); err != nil {
				t.Fatal(err)
			}
		}
		for _, n := range []*lab.Node{p.Alice, p.Bob} {
			if err := n.Start(ctx, pc5d); err != nil {
				t.Fatal(err)
			}
		}
	}
	full("first", true)
	full("second", false)
	restart()
	full("after a restart", false)
	if n, err := p.Alice.Client.Forget(ctx, "bob"); err != nil || n != 1 {
		t.Errorf("forgotten: %d, %v", n, err)
	}
	full("after forget", true)
}

// authenticated tells whether the last establishment had an authentication.
func authenticated(s control.LinkStatus) bool {
	for i := len(s.Messages) - 1; i >= 0; i-- {
		if name := s.Messages[i].Name; strings.Contains(name, "AUTHENTICATION") {
			return true
		} else if strings.Contains(name, "RELEASE") {
			return false
		}
	}
	return false
}
