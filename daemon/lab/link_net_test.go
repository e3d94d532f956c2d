//go:build net

package lab_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pc5d/daemon/lab"
	"pc5d/policy"
)

// build makes the real pc5d for the tests.
func build(t *testing.T) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("network namespaces and TUN interfaces need root")
	}
	path := filepath.Join(t.TempDir(), "pc5d")
	if out, err := exec.Command("go", "build", "-o", path, "pc5d/cmd/pc5d").CombinedOutput(); err != nil {
		t.Fatalf("build: %v: %s", err, out)
	}
	return path
}

// pair starts two daemons.
func pair(t *testing.T, ctx context.Context, pc5d string, change func(*lab.Pair)) *lab.Pair {
	t.Helper()
	p, err := lab.NewPair(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	change(p)
	for _, n := range []*lab.Node{p.Alice, p.Bob} {
		if err := n.Start(ctx, pc5d); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func up(t *testing.T, ctx context.Context, n *lab.Node) {
	t.Helper()
	s, err := n.Client.Up(ctx, n.Peer.Host.Name, 10*time.Second)
	if err != nil || s.State != "established" {
		t.Fatalf("up: %v, %v: %s", s.State, err, n.Log())
	}
}

// TestT61_KillDuringPing kills one daemon while packets are being sent into the link: none of
// them appears on the underlay, and the killed end comes back with the link.
func TestT61_KillDuringPing(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	pc5d := build(t)
	p := pair(t, ctx, pc5d, func(*lab.Pair) {})
	up(t, ctx, p.Alice)
	for _, victim := range []*lab.Node{p.Alice, p.Bob} {
		if _, err := p.Alice.Host.Ping(p.Bob.Four, 2*time.Second); err != nil {
			t.Fatal(err)
		}
		capture, err := p.Alice.Host.Capture(p.Bob.Four.AsSlice())
		if err != nil {
			t.Fatal(err)
		}
		stop, stopped := make(chan struct{}), make(chan int)
		go func() { stopped <- pings(p, stop) }()
		time.Sleep(200 * time.Millisecond) // some pings before,
		victim.Kill()
		time.Sleep(400 * time.Millisecond) // and some without the daemon
		close(stop)
		sent := <-stopped
		frames, found, lost, err := capture.Stop()
		if err != nil || found != 0 || lost != 0 || frames == 0 || sent < 10 {
			t.Errorf("%s killed: %d of %d frames show an inner address (%d not caught, %d pings, %v)", victim.Host.Name, found, frames, lost, sent, err)
		}
		if err := victim.Start(ctx, pc5d); err != nil {
			t.Fatal(err)
		}
		if !eventually(ctx, func() bool { _, err := p.Alice.Host.Ping(p.Bob.Four, 200*time.Millisecond); return err == nil }) {
			t.Fatalf("%s did not bring the link back: %s", victim.Host.Name, victim.Log())
		}
	}
}

// pings sends echo requests into the link until told to stop, and counts them.
func pings(p *lab.Pair, stop <-chan struct{}) int {
	for n := 0; ; n++ {
		select {
		case <-stop:
			return n
		default:
			p.Alice.Host.Ping(p.Bob.Four, 10*time.Millisecond)
		}
	}
}

func eventually(ctx context.Context, f func() bool) bool {
	for ctx.Err() == nil {
		if f() {
			return true
		}
		time.Sleep(10 * time.Millisecond) // between two looks
	}
	return false
}

// TestWrongPin: the end that refuses names both fingerprints; the other has a hint.
func TestWrongPin(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
	defer cancel()
	wrong := policy.Fingerprint{1}
	p := pair(t, ctx, build(t), func(p *lab.Pair) {
		p.Alice.Pin = wrong
		if err := p.Alice.Provision(); err != nil {
			t.Fatal(err)
		}
	})
	s, err := p.Alice.Client.Up(ctx, "bob", 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if s.State != "failed" || !strings.Contains(s.LastError, wrong.String()) || strings.Count(s.LastError, "SHA256:") != 2 || !strings.Contains(s.LastError, "bob") {
		t.Errorf("state %q, error %q", s.State, s.LastError)
	}
	if _, err := p.Alice.Host.Ping(p.Bob.Four, 300*time.Millisecond); err == nil {
		t.Error("a packet came through")
	}
}

// TestSIGTERM: a daemon that is told to stop releases its links, so that the peer knows at once.
func TestSIGTERM(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	p := pair(t, ctx, build(t), func(*lab.Pair) {})
	up(t, ctx, p.Alice)
	begin := time.Now()
	if err := p.Alice.Stop(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begin); took > 2*time.Second {
		t.Errorf("it took %v", took)
	}
	s, err := p.Bob.Client.Status(ctx)
	if err != nil || s.Links[0].State == "established" || !strings.Contains(s.Links[0].LastError, "released") {
		t.Errorf("bob: %+v, %v", s.Links, err)
	}
}

// TestDemoInterrupted: Ctrl-C at any moment ends the demo with an error and leaves nothing.
func TestDemoInterrupted(t *testing.T) {
	pc5d := build(t)
	pc5ctl := filepath.Join(filepath.Dir(pc5d), "pc5ctl")
	if out, err := exec.Command("go", "build", "-o", pc5ctl, "pc5d/cmd/pc5ctl").CombinedOutput(); err != nil {
		t.Fatalf("build: %v: %s", err, out)
	}
	for _, after := range []time.Duration{50, 150, 300, 600, 1000} {
		tmp := t.TempDir()
		c := exec.Command(pc5ctl, "demo")
		c.Env = append(os.Environ(), "TMPDIR="+tmp)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(after * time.Millisecond) // the moment is the test
		c.Process.Signal(os.Interrupt)
		if err := c.Wait(); err == nil {
			t.Logf("the demo was faster than %v ms", int(after))
		}
		left, err := os.ReadDir(tmp)
		if err != nil || len(left) > 0 {
			t.Errorf("after %v ms: left behind %v, %v", int(after), left, err)
		}
	}
	if out, err := exec.Command("pgrep", "-f", pc5d).Output(); err == nil {
		t.Errorf("processes left behind: %s", out)
	}
}
