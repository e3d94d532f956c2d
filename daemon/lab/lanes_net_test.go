//go:build net

package lab_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pc5d/daemon/lab"
)

// withProcessors is pc5d that believes in so many processors.
func withProcessors(t *testing.T, pc5d string, n int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pc5d")
	script := fmt.Sprintf("#!/bin/sh\nGOMAXPROCS=%d exec %s \"$@\"\n", n, pc5d)
	if err := os.WriteFile(path, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// sockets is how many UDP sockets of a port a process sees in its network.
func sockets(t *testing.T, n *lab.Node, port uint16) (count int) {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/udp6", n.Process().PID()))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(b), fmt.Sprintf(":%04X 0000", port))
}

// TestLanes: with six processors there are three lanes. Nothing is lost while keys and identifiers change, and with
// the identifiers the lane that receives.
func TestLanes(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	p := pair(t, ctx, withProcessors(t, build(t), 6), func(*lab.Pair) {})
	up(t, ctx, p.Alice)
	for _, n := range []*lab.Node{p.Alice, p.Bob} {
		if got := sockets(t, n, 33536); got != 3 {
			t.Errorf("%s has %d sockets", n.Host.Name, got)
		}
	}
	f, err := startBoth(p, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for range 4 {
		if _, err := p.Alice.Client.Update(ctx, "bob", 20*time.Second); err != nil {
			t.Fatalf("%v: %s", err, p.Alice.Log())
		}
	}
	c, err := f.stop()
	if err != nil {
		t.Fatal(err)
	}
	full := overflows(t, p)
	t.Logf("%d packets sent, %d lost; full buffers dropped %d", c.Sent, c.Lost, full)
	if c.Lost > full || c.Doubled > 0 {
		t.Errorf("%d lost, %d twice, and full buffers dropped %d", c.Lost, c.Doubled, full)
	}
	for _, n := range []*lab.Node{p.Alice, p.Bob} {
		if _, err := n.Host.Transfer(n.Peer.Host, n.Peer.Four, 32<<20, []byte("by lanes"), 20*time.Second); err != nil {
			t.Error(err)
		}
	}
}
