package daemon_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pc5d/daemon"
	"pc5d/daemon/task"
	"pc5d/dataplane/udp"
	"pc5d/policy/provision"
)

// first is a link to a peer whose key is not known yet.
func first(name string, peer *station) string {
	return fmt.Sprintf("[[link]]\nname = %q\npeer = %q\ntrust = \"first-use\"\nendpoint = %q\n", name, peer.name, peer.address)
}

// newFirstUse makes two hosts that know each other's names only.
func newFirstUse(t *testing.T) (a, b *station) {
	t.Helper()
	network := udp.NewNetwork()
	a, b = newStation(t, network, "alice", 1), newStation(t, network, "bob", 2)
	a.words, b.words = first("pal", b), first("pal", a)
	a.start()
	b.start()
	return a, b
}

// rekeyed gives a host another key, as an impostor has, or a host that was set up anew.
func (s *station) rekeyed() {
	s.stop()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	s.key = key
	s.start()
}

func (s *station) up(name string) string {
	ctx, cancel := s.within()
	defer cancel()
	status, err := s.node.Up(ctx, name)
	if err != nil {
		return err.Error()
	}
	return status.State
}

// TestFirstUse: the first key of each end is pinned at the other, in both roles, and is still pinned
// after a restart; status says so.
func TestFirstUse(t *testing.T) {
	a, b := newFirstUse(t)
	if l := a.link("pal"); l.Trust != "first-use" || l.Pin != "" {
		t.Errorf("before: %+v", l)
	}
	if state := a.up("pal"); state != "established" {
		t.Fatal(state)
	}
	pinned := func(what string) {
		t.Helper()
		for _, c := range []struct{ at, peer *station }{{a, b}, {b, a}} {
			eventually(t, what+": "+c.at.name+" has pinned its peer", func() bool {
				l := c.at.link("pal")
				return l.Pin == c.peer.fingerprint().String() && !l.Pinned.IsZero()
			})
		}
	}
	pinned("first use")
	a.stop()
	b.stop()
	a.start()
	b.start()
	pinned("after a restart")
	if a.log.count("key pinned at its first use") != 1 || b.log.count("key pinned at its first use") != 1 {
		t.Error("not one event at each end")
	}
	if state := b.up("pal"); state != "established" {
		t.Error(state)
	}
}

// TestT12_FirstUseChangedKey: another key for the name is refused in both roles, named, and never
// pinned instead, until the operator forgets the first one.
func TestT12_FirstUseChangedKey(t *testing.T) {
	a, b := newFirstUse(t)
	if state := a.up("pal"); state != "established" {
		t.Fatal(state)
	}
	genuine := b.fingerprint().String()
	b.rekeyed()
	if state := b.up("pal"); state == "established" {
		t.Error("another key calls and gets the link")
	}
	if a.log.count("peer refused") == 0 || a.log.count(b.fingerprint().String()) == 0 {
		t.Errorf("no event: %s", a.log.out.String())
	}
	if state := a.up("pal"); state == "established" {
		t.Error("another key is called and gets the link")
	}
	if l := a.link("pal"); l.Pin != genuine || !strings.Contains(l.LastError, b.fingerprint().String()) && !strings.Contains(l.Hint, "refused") {
		t.Errorf("%+v", l)
	}
	ctx, cancel := a.within()
	defer cancel()
	if err := a.node.Unpair(ctx, "pal"); err != nil {
		t.Fatal(err)
	}
	if l := a.link("pal"); l == nil || l.Pin != "" {
		t.Errorf("after the operator's word: %+v", l)
	}
	if state := a.up("pal"); state != "established" || a.link("pal").Pin != b.fingerprint().String() {
		t.Errorf("the new key: %s, %+v", state, a.link("pal"))
	}
}

// TestFirstUseOfTwo: of two keys that speak for one name at once one is pinned, and the other gets
// nothing.
func TestFirstUseOfTwo(t *testing.T) {
	network := udp.NewNetwork()
	a := newStation(t, network, "alice", 1)
	one, other := newStation(t, network, "bob", 2), newStation(t, network, "bob", 3)
	a.words = first("pal", one)
	a.start()
	states := make(chan string, 2)
	for _, s := range []*station{one, other} {
		s.words = fmt.Sprintf("[[link]]\nname = \"pal\"\npeer = \"alice\"\npin = %q\nendpoint = %q\n", a.fingerprint(), a.address)
		s.start()
		go func() { states <- s.up("pal") }()
	}
	if x, y := <-states, <-states; (x == "established") == (y == "established") {
		t.Errorf("%s and %s", x, y)
	}
	if n := a.log.count("key pinned at its first use"); n != 1 {
		t.Errorf("%d pinned", n)
	}
}

// TestT72_FirstUseFileDamaged: without its pins a node does not start: it would trust anybody anew.
func TestT72_FirstUseFileDamaged(t *testing.T) {
	a, _ := newFirstUse(t)
	if state := a.up("pal"); state != "established" {
		t.Fatal(state)
	}
	a.stop()
	path := filepath.Join(a.state, "first-use.json")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, damaged := range []string{string(whole[:len(whole)/2]), "", `{"pal":null}`, `{"pal":{"keys":1}}`} {
		if err := os.WriteFile(path, []byte(damaged), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := daemon.New(daemon.Config{Provisioning: &provision.Provisioning{}, StateDir: a.state, Log: slog.New(slog.DiscardHandler), Scheduler: &task.Real{}})
		if err == nil || !strings.Contains(err.Error(), "first-use.json") {
			t.Errorf("%q: %v", damaged, err)
		}
	}
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	a.start()
}

// TestT13_FirstUseAtOnce: both ends start at once, each for the first time: one link remains, the same
// at both ends, and both keys are pinned.
func TestT13_FirstUseAtOnce(t *testing.T) {
	for range 6 {
		a, b := newFirstUse(t)
		states := make(chan string, 2)
		for _, s := range []*station{a, b} {
			go func() { states <- s.up("pal") }()
		}
		if x, y := <-states, <-states; x != "established" || y != "established" {
			t.Errorf("%s and %s", x, y)
		}
		eventually(t, "both ends have one link", func() bool {
			l, m := a.link("pal"), b.link("pal")
			return l.State == "established" && m.State == "established" && l.Role != m.Role && l.Pin == b.fingerprint().String() && m.Pin == a.fingerprint().String()
		})
		a.stop()
		b.stop()
	}
}

// TestFirstUseThenGate: after its first use a peer is called by the pinned key, so that its gate opens.
func TestFirstUseThenGate(t *testing.T) {
	a, b := newFirstUse(t)
	if state := a.up("pal"); state != "established" {
		t.Fatal(state)
	}
	b.stop()
	b.own = "gate = true\n"
	b.words = strings.ReplaceAll(b.words, "endpoint", "# endpoint")
	if err := os.Remove(filepath.Join(b.state, "links.json")); err != nil { // or it would call by itself
		t.Fatal(err)
	}
	b.start()
	a.stop()
	a.start()
	if state := a.up("pal"); state != "established" {
		t.Errorf("%s: %s", state, b.log.out.String())
	}
}
