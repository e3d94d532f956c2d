// Package demo shows a whole link on one machine: two hosts of a lab, two daemons, the messages
// between them, traffic through the link, and the proof that nothing of it stands on the
// underlay. It needs root and the pc5d that stands beside the running program.
package demo

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"pc5d/daemon/control"
	"pc5d/daemon/lab"
)

const (
	limit       = 30 * time.Second
	linkTimeout = 5 * time.Second
	transfer    = 200 << 20
)

// demo is one run.
type demo struct {
	out  io.Writer
	show func(io.Writer, control.Status)
	pair *lab.Pair
}

// Run runs the demo and says on out what it sees, the status of each end by show. It leaves
// nothing behind.
func Run(ctx context.Context, out io.Writer, show func(io.Writer, control.Status)) (err error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	dir, err := os.MkdirTemp("", "pc5-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	pair, err := lab.NewPair(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pair.Close()) }()
	d := &demo{out: out, show: show, pair: pair}
	return d.run(ctx)
}

func (d *demo) run(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	pc5d := filepath.Join(filepath.Dir(self), "pc5d")
	if err := d.pair.Alice.Start(ctx, pc5d); err != nil {
		return err
	}
	if err := d.pair.Bob.Start(ctx, pc5d); err != nil {
		return err
	}
	pattern, err := plaintext()
	if err != nil {
		return err
	}
	capture, err := d.pair.Bob.Host.Capture(pattern)
	if err != nil {
		return err
	}
	s, err := d.pair.Alice.Client.Up(ctx, "bob", linkTimeout)
	if err != nil {
		return err
	}
	if s.State != "established" {
		return fmt.Errorf("link %s is %s: %s %s", s.Name, s.State, s.LastError, s.Hint)
	}
	d.timeline(s)
	if err := d.traffic(ctx, pattern); err != nil {
		return err
	}
	return d.prove(ctx, capture)
}

// plaintext is what is sent inside and must never be seen outside.
func plaintext() ([]byte, error) {
	b := make([]byte, 16)
	if _, err := rand.Read(b); err != nil {
		return nil, err
	}
	return []byte("pc5d demo " + hex.EncodeToString(b)), nil
}

func (d *demo) timeline(s control.LinkStatus) {
	fmt.Fprintf(d.out, "messages, as alice saw them:\n")
	for _, m := range s.Messages {
		arrow := "->"
		if m.Direction == "received" {
			arrow = "<-"
		}
		fmt.Fprintf(d.out, "  %+7.1f ms  %s %-37s %-8s %-19s %4d octets\n",
			float64(m.Time.Sub(s.Messages[0].Time).Microseconds())/1000, arrow, m.Name, m.Bearer, m.Protection, m.Octets)
	}
}

// traffic sends through the link what people send.
func (d *demo) traffic(ctx context.Context, pattern []byte) error {
	a, b := d.pair.Alice, d.pair.Bob
	for _, to := range []netip.Addr{b.Four, b.Six} {
		rtt, err := a.Host.Ping(to, time.Second)
		if err != nil {
			return err
		}
		fmt.Fprintf(d.out, "ping %s: %s\n", to, rtt.Round(time.Microsecond))
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	took, err := a.Host.Transfer(b.Host, b.Four, transfer, pattern, limit/2)
	if err != nil {
		return err
	}
	fmt.Fprintf(d.out, "TCP: %d MB in %s, %.2f Gbit/s, checksums equal\n", transfer>>20, took.Round(time.Millisecond), float64(transfer)*8/took.Seconds()/1e9)
	return nil
}

// prove ends the capture and says what protected the link.
func (d *demo) prove(ctx context.Context, capture *lab.Capture) error {
	frames, found, lost, err := capture.Stop()
	if err != nil {
		return err
	}
	if frames == 0 || found > 0 {
		return fmt.Errorf("the capture of the underlay has %d frames, and %d of them show the plaintext", frames, found)
	}
	fmt.Fprintf(d.out, "underlay: %d frames looked at (%d not caught), 0 with the plaintext sent inside\n", frames, lost)
	var ends []control.Status
	for _, n := range []*lab.Node{d.pair.Alice, d.pair.Bob} {
		s, err := n.Client.Status(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintf(d.out, "\npc5ctl status at %s:\n", s.Node.Name)
		d.show(d.out, s)
		ends = append(ends, s)
	}
	fmt.Fprintln(d.out)
	for _, s := range ends {
		l := s.Links[0]
		if l.State != "established" || l.Protection == nil {
			return fmt.Errorf("link %s of %s is %s: %s", l.Name, s.Node.Name, l.State, l.LastError)
		}
		fmt.Fprintf(d.out, "established %s at %s as %s: signalling %s+%s, %s; user plane %s\n", l.Interface, s.Node.Name, l.Role,
			l.Protection.Signalling.Integrity, l.Protection.Signalling.Ciphering, l.Protection.Signalling.Form, l.Protection.UserPlane.Suite)
	}
	return nil
}
