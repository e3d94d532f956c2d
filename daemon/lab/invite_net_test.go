//go:build net

package lab_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pc5d/daemon/control"
	"pc5d/daemon/lab"
)

// bare is a host on which nothing is set up yet but the two programs.
type bare struct {
	t           *testing.T
	host        *lab.Host
	dir         string
	pc5d, ctl   string
	process     *lab.Process
	log, output string
}

func newBare(t *testing.T, h *lab.Host, pc5d, ctl string) *bare {
	dir := t.TempDir()
	return &bare{t: t, host: h, dir: dir, pc5d: pc5d, ctl: ctl, log: filepath.Join(dir, "log"), output: filepath.Join(dir, "output")}
}

// try runs pc5ctl on the host, and gives what it prints and what it says beside.
func (b *bare) try(args ...string) (string, error) {
	b.t.Helper()
	out, err := os.Create(b.output)
	if err != nil {
		b.t.Fatal(err)
	}
	defer out.Close()
	p, err := b.host.Start(out, b.ctl, append([]string{"--socket", filepath.Join(b.dir, "s")}, args...)...)
	if err != nil {
		b.t.Fatal(err)
	}
	select {
	case <-p.Done():
	case <-time.After(30 * time.Second):
		b.t.Fatalf("pc5ctl %v does not end", args)
	}
	text, err := os.ReadFile(b.output)
	if err != nil {
		b.t.Fatal(err)
	}
	return string(text), p.Stop(time.Second)
}

// ctlRun runs pc5ctl, which has to succeed.
func (b *bare) ctlRun(args ...string) string {
	b.t.Helper()
	out, err := b.try(args...)
	if err != nil {
		log, _ := os.ReadFile(b.log)
		b.t.Fatalf("pc5ctl %v: %v: %s\n%s", args, err, out, log)
	}
	return out
}

// provision adds to the provisioning.
func (b *bare) provision(words string) {
	b.t.Helper()
	f, err := os.OpenFile(filepath.Join(b.dir, "etc", "pc5d.toml"), os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteString(words)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bare) start() {
	b.t.Helper()
	log, err := os.OpenFile(b.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		b.t.Fatal(err)
	}
	defer log.Close()
	b.process, err = b.host.Start(log, b.pc5d, "--config", filepath.Join(b.dir, "etc", "pc5d.toml"), "--socket", filepath.Join(b.dir, "s"), "--state", filepath.Join(b.dir, "state"))
	if err != nil {
		b.t.Fatal(err)
	}
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if _, err := b.try("status"); err == nil {
			return
		}
		if time.Now().After(end) {
			text, _ := os.ReadFile(b.log)
			b.t.Fatalf("pc5d does not answer: %s", text)
		}
	}
}

func (b *bare) stop() {
	if b.process != nil {
		if err := b.process.Stop(5 * time.Second); err != nil {
			b.t.Error(err)
		}
		b.process = nil
	}
}

func (b *bare) status() control.Status {
	b.t.Helper()
	var s control.Status
	if err := json.NewDecoder(bytes.NewReader([]byte(b.ctlRun("status", "--json")))).Decode(&s); err != nil {
		b.t.Fatal(err)
	}
	return s
}

// token is the line of an output that is one.
func token(t *testing.T, out string) string {
	t.Helper()
	for line := range strings.SplitSeq(out, "\n") {
		if strings.HasPrefix(line, "PC5I") {
			return line
		}
	}
	t.Fatalf("no token in %q", out)
	return ""
}

// newBares makes two hosts where only pc5ctl init and pc5d have run; words are added to the provisioning
// of each in between.
func newBares(t *testing.T, words ...string) (a, b *bare) {
	t.Helper()
	pc5d := build(t)
	ctl := filepath.Join(t.TempDir(), "pc5ctl")
	if out, err := exec.Command("go", "build", "-o", ctl, "pc5d/cmd/pc5ctl").CombinedOutput(); err != nil {
		t.Fatalf("build: %v: %s", err, out)
	}
	l, err := lab.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	a, b = newBare(t, l.A, pc5d, ctl), newBare(t, l.B, pc5d, ctl)
	for i, h := range []*bare{a, b} {
		h.ctlRun("init", h.host.Name, "--dir", filepath.Join(h.dir, "etc"))
		if i < len(words) {
			h.provision(words[i])
		}
		h.start()
		t.Cleanup(h.stop)
	}
	return a, b
}

// TestT41_TwoCommands: pc5ctl invite on one host and pc5ctl join on the other, and packets pass, also
// after a restart of both; nothing of what was written is open to others. Then a second join with the
// token gets nothing, and after pc5ctl unpair nothing is left of the link.
func TestT41_TwoCommands(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Second)
	defer cancel()
	a, b := newBares(t)
	invited := token(t, a.ctlRun("invite", "bob", "--addresses", "10.5.0.1,fd05::1", "--allowed", "10.5.0.2,fd05::2"))
	if out := b.ctlRun("join", invited); !strings.Contains(out, "established alice, pc5-alice") {
		t.Errorf("join says %q", out)
	}
	passes := func(what string) {
		t.Helper()
		for _, to := range []string{"10.5.0.2", "fd05::2"} {
			if _, err := a.host.Ping(netip.MustParseAddr(to), 3*time.Second); err != nil {
				t.Fatalf("%s: %v", what, err)
			}
		}
	}
	passes("after the pairing")
	for _, h := range []*bare{a, b} {
		h.stop()
	}
	for _, h := range []*bare{a, b} {
		h.start()
	}
	for established := false; !established && ctx.Err() == nil; time.Sleep(50 * time.Millisecond) {
		l := a.status().Links
		established = len(l) == 1 && l[0].Learnt && l[0].State == "established"
	}
	passes("after a restart of both")
	err := filepath.WalkDir(filepath.Join(a.dir, "state"), func(path string, d os.DirEntry, err error) error {
		if info, statErr := os.Lstat(path); err == nil && (statErr != nil || info.Mode().Perm()&0o077 != 0) {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if out, err := b.try("join", invited, "--name", "again"); err == nil {
		t.Errorf("joined a second time: %s", out)
	}
	for _, h := range []*bare{a, b} {
		name := h.status().Links[0].Name
		h.ctlRun("unpair", name)
		if s := h.status(); len(s.Links) != 0 || len(s.Invites) != 0 {
			t.Errorf("%s still has %+v", h.host.Name, s.Links)
		}
		if guarded, err := h.host.Guarded(netip.MustParsePrefix("10.5.0.2/32")); guarded || err != nil {
			t.Errorf("%s is still guarded: %v, %v", h.host.Name, guarded, err)
		}
		if left, _ := filepath.Glob(filepath.Join(h.dir, "state", "links.d", "*")); len(left) != 0 {
			t.Errorf("%s keeps %v", h.host.Name, left)
		}
	}
}

// TestT41_AddressesOfTheHost: a token whose addresses mean a neighbour of the joiner, or its own, or have a
// route already, makes no link.
func TestT41_AddressesOfTheHost(t *testing.T) {
	t.Parallel()
	a, b := newBares(t)
	for _, words := range [][]string{{"addr", "add", "192.168.50.2/24", "dev", "lo"}, {"route", "add", "10.6.0.1/32", "dev", "lo"}} {
		p, err := b.host.Start(nil, "ip", words...)
		if err != nil {
			t.Fatal(err)
		}
		<-p.Done()
	}
	for _, at := range []string{"192.168.50.1", "192.168.50.2", "10.6.0.1"} {
		invited := token(t, a.ctlRun("invite", "bob", "--addresses", at, "--allowed", "10.5.0.2"))
		out, err := b.try("join", invited)
		if err == nil || !strings.Contains(out, at+" inside the link is taken on this host") || !strings.Contains(out, " lo") {
			t.Errorf("%s: joined: %s", at, out)
		}
		a.ctlRun("invite", "bob", "--revoke")
	}
	if s := b.status(); len(s.Links) != 0 {
		t.Errorf("links: %+v", s.Links)
	}
}

// TestT41_Automatic: without a single option there are addresses, and they reach the other end.
func TestT41_Automatic(t *testing.T) {
	t.Parallel()
	a, b := newBares(t)
	out := a.ctlRun("invite", "bob")
	b.ctlRun("join", token(t, out))
	var here, there string
	for line := range strings.SplitSeq(out, "\n") {
		if _, err := fmt.Sscanf(line, "It reaches this host at 192.0.2.1:33536. Here: %s there: %s", &here, &there); err == nil {
			break
		}
	}
	to, err := netip.ParseAddr(strings.TrimSuffix(there, "."))
	if err != nil {
		t.Fatalf("no address in %q: %v", out, err)
	}
	if _, err := a.host.Ping(to, 3*time.Second); err != nil {
		t.Error(err)
	}
}

// TestFirstUse: two hosts that know each other's names and addresses pin each other's keys, and status
// says so at both.
func TestFirstUse(t *testing.T) {
	t.Parallel()
	const link = "\n[[link]]\nname = %q\ntrust = \"first-use\"\nendpoint = %q\naddresses = [\"10.5.0.%d/32\"]\nallowed = [\"10.5.0.%d/32\"]\n"
	a, b := newBares(t, fmt.Sprintf(link, "bob", "192.0.2.2", 1, 2), fmt.Sprintf(link, "alice", "192.0.2.1", 2, 1))
	a.ctlRun("up", "bob")
	if _, err := a.host.Ping(netip.MustParseAddr("10.5.0.2"), 3*time.Second); err != nil {
		t.Error(err)
	}
	for _, c := range []struct{ at, peer *bare }{{a, b}, {b, a}} {
		key := strings.TrimSpace(c.peer.ctlRun("key", "fingerprint", filepath.Join(c.peer.dir, "etc", "identity.key")))
		if out := c.at.ctlRun("status"); !strings.Contains(out, "first-use (pinned "+key+" on ") {
			t.Errorf("%s does not show %s: %s", c.at.host.Name, key, out)
		}
	}
}
