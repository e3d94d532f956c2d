package daemon

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"pc5d/daemon/link"
	"pc5d/dataplane/udp"
	"pc5d/policy"
	"pc5d/policy/provision"
)

// TestT38_OneLineASecond: of each reason one line passes in a second, the next one tells how many were
// left out, and one reason does not hide another, nor one link another.
func TestT38_OneLineASecond(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(1000, 0)
	plain := slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})
	log := slog.New(newLimited(plain, func() time.Time { return now }, time.Second))
	lines := func() []string {
		defer out.Reset()
		return strings.Split(strings.TrimSpace(out.String()), "\n")
	}
	for range 1000 {
		log.Warn("establishment failed", "error", "anything")
		log.Debug("dropped", "reason", "malformed")
		log.Debug("dropped", "reason", "not_for_us")
		log.With("link", "alice").Info("link state", "from", "waiting", "to", "establishing")
		log.With("link", "bob").Info("link state", "from", "waiting", "to", "establishing")
		log.With("link", "bob").Info("link state", "from", "establishing", "to", "waiting")
	}
	if got := lines(); len(got) != 6 {
		t.Errorf("%d lines:\n%s", len(got), strings.Join(got, "\n"))
	}
	now = now.Add(time.Second)
	log.Warn("establishment failed", "error", "anything")
	log.Warn("establishment failed", "error", "anything")
	if got := lines(); len(got) != 1 || !strings.HasSuffix(got[0], "left_out=999") {
		t.Errorf("%q", got)
	}
	now = now.Add(time.Hour)
	log.Warn("establishment failed", "error", "anything")
	log.WithGroup("g").Warn("establishment failed")
	if got := lines(); len(got) != 2 || !strings.HasSuffix(got[0], "left_out=1") || strings.Contains(got[1], "left_out") {
		t.Errorf("%q", got)
	}
}

// TestT38_ReasonsAreBounded: what is remembered does not grow, and beyond its bound lines are still
// limited and counted.
func TestT38_ReasonsAreBounded(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(1000, 0)
	h := newLimited(slog.NewTextHandler(&out, nil), func() time.Time { return now }, time.Minute).(*limited)
	log := slog.New(h)
	for n := range 3 * maxReasons {
		log.Info("link state", "to", fmt.Sprint(n))
	}
	if n := strings.Count(out.String(), "\n"); n != maxReasons+1 || len(h.lines.reasons) != maxReasons {
		t.Errorf("%d lines, %d reasons", n, len(h.lines.reasons))
	}
	if h.lines.overflow.left != 2*maxReasons-1 {
		t.Errorf("%d were left out", h.lines.overflow.left)
	}
}

// TestT30_LogAllocatesNothing: a line that is left out costs nothing, whoever causes it.
func TestT30_LogAllocatesNothing(t *testing.T) {
	log := slog.New(newLimited(slog.NewTextHandler(&bytes.Buffer{}, &slog.HandlerOptions{Level: slog.LevelDebug}), func() time.Time { return time.Unix(1000, 0) }, time.Second))
	if n := testing.AllocsPerRun(100, func() {
		log.LogAttrs(t.Context(), slog.LevelDebug, "dropped", slog.String("reason", "malformed"))
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestT38_PeersCannotFloodTheLog: whatever a peer makes a link say again and again, there is one line of
// each reason in a second.
func TestT38_PeersCannotFloodTheLog(t *testing.T) {
	var out bytes.Buffer
	p, err := provision.Parse("bob.toml", fmt.Appendf(nil, "[node]\nname = \"bob\"\nidentity = \"key\"\n[[link]]\nname = \"alice\"\npin = %q\naddresses = [\"10.0.0.1/32\"]\nallowed = [\"10.0.0.2/32\"]\n", policy.Fingerprint{1}))
	if err != nil {
		t.Fatal(err)
	}
	n := newNode(t, p, udp.NewNetwork(), still{}, Limits{}, slog.NewTextHandler(&out, nil))
	k, r := n.keeper("alice"), &runner{node: n, queue: still{}, role: link.RoleB}
	for range 1000 {
		k.authenticated(r, link.Authenticated{Peer: link.Peer{Name: "alice"}})
		k.setState("establishing")
		k.setState("established")
		k.failed(link.ErrTimeout)
		k.released(link.ErrTimeout)
		k.current = r
		k.concluded(r, link.Concluded{Err: link.ErrTimeout})
		k.renamed(r)
		k.moved(r, link.PeerMoved{Endpoint: netip.MustParseAddrPort("192.0.2.1:1")})
		k.current = nil
	}
	if lines := strings.Count(out.String(), "\n"); lines > 20 {
		t.Errorf("%d lines:\n%s", lines, out.String())
	}
}

// TestT38_StrangersChooseNoReason: the text of a refusal quotes what a stranger shows, so it makes no
// reason of its own: neither lines beyond one a second nor memory.
func TestT38_StrangersChooseNoReason(t *testing.T) {
	var out bytes.Buffer
	n := newNode(t, &provision.Provisioning{}, udp.NewNetwork(), still{}, Limits{}, slog.NewTextHandler(&out, nil))
	for i := range 1000 {
		n.refusedStranger(&link.RefusedError{Peer: "bob", Refusal: link.RefusedUnknownAuthority, Reason: fmt.Sprintf("no CA: it names %d", i)})
		n.refusedStranger(&link.RefusedError{Peer: fmt.Sprint(i), Refusal: link.RefusedNotProvisioned, Reason: "no link"})
	}
	if lines := strings.Count(out.String(), "\n"); lines != 2 {
		t.Errorf("%d lines, want 2", lines)
	}
}

// TestT38_ReasonsAgain: reasons of long ago make room for new ones, and what they left out is not lost.
func TestT38_ReasonsAgain(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(1000, 0)
	h := newLimited(slog.NewTextHandler(&out, nil), func() time.Time { return now }, time.Second).(*limited)
	log := slog.New(h)
	for n := range 2 * maxReasons {
		log.Info("old", "to", fmt.Sprint(n))
	}
	log.Info("old", "to", "0")
	now = now.Add(time.Second)
	out.Reset()
	for n := range maxReasons {
		log.Info("new", "to", fmt.Sprint(n))
	}
	if n := strings.Count(out.String(), "\n"); n != maxReasons || len(h.lines.reasons) != maxReasons {
		t.Errorf("%d lines, %d reasons", n, len(h.lines.reasons))
	}
	out.Reset()
	log.Info("one more")
	if want := fmt.Sprintf("left_out=%d", maxReasons); !strings.Contains(out.String(), want) {
		t.Errorf("%q, want %s", out.String(), want)
	}
}
