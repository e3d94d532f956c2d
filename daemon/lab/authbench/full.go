package authbench

import (
	"crypto/tls"
	"fmt"
	"time"

	"pc5d/daemon/link"
	"pc5d/dataplane/underlay"
)

// full is two nodes that authenticate each other in full.
type full struct{ a, b *end }

func newFull(groups []tls.CurveID) (*full, error) {
	a, err := newEnd("alice", "192.0.2.1:33536", groups)
	if err != nil {
		return nil, err
	}
	b, err := newEnd("bob", "192.0.2.2:33536", groups)
	if err != nil {
		return nil, err
	}
	a.knows(b)
	b.knows(a)
	return &full{a: a, b: b}, nil
}

// establish makes one link, and forgets it: an established machine has no helper that would have to
// be ended. A forgets the key that it kept of the one before, so that it has to authenticate; B has to
// replace its own.
func (f *full) establish() error {
	f.a.store.Forget(f.b.name)
	c, err := f.begin()
	if err != nil {
		return err
	}
	for len(c.sent) > 0 && err == nil {
		err = c.step()
	}
	if err == nil && (c.b == nil || c.a.State() != link.Established || c.b.State() != link.Established) {
		err = fmt.Errorf("full authentication made no link: a is %v (%v)", c.a.State(), c.a.Failed())
	}
	if err != nil {
		abandon(c.a, c.b)
	}
	return err
}

func (f *full) close() {
	f.a.close()
	f.b.close()
}

// conversation is one establishment under way, over a network that loses nothing.
type conversation struct {
	f    *full
	a, b *link.Machine
	sent []datagram
}

type datagram struct {
	fromA  bool
	octets []byte
}

func (f *full) begin() (*conversation, error) {
	a, sent, err := f.a.initiate(f.b)
	c := &conversation{f: f, a: a, sent: make([]datagram, 0, 32)}
	c.send(true, sent...)
	return c, err
}

func (c *conversation) send(fromA bool, datagrams ...[]byte) {
	for _, d := range datagrams {
		c.sent = append(c.sent, datagram{fromA, d})
	}
}

// step delivers the oldest datagram.
func (c *conversation) step() error {
	d := c.sent[0]
	c.sent = c.sent[1:]
	if !d.fromA {
		return c.deliver(c.a, c.f.b, d)
	}
	if h, _, err := underlay.Parse(d.octets); err != nil || h.Destination != underlay.Broadcast {
		return c.deliver(c.b, c.f.a, d)
	}
	m, answer, err := c.f.b.admit(c.f.a, d.octets)
	if err != nil {
		return err
	}
	if m == nil {
		c.send(false, answer)
		return nil
	}
	c.b = m
	c.send(false, drain(m)...)
	return nil
}

func (c *conversation) deliver(to *link.Machine, from *end, d datagram) error {
	if err := to.Receive(time.Now(), from.address, d.octets); err != nil {
		return fmt.Errorf("datagram of %s: %w", from.name, err)
	}
	c.send(!d.fromA, drain(to)...)
	return nil
}
