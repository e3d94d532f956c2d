package lab

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
)

// Underlay is the name of the underlay's interface on both hosts.
const Underlay = "underlay"

// Lab is two hosts and what joins them.
type Lab struct {
	A, B *Host
	Wire *Wire // nil: a veth pair
}

// New makes a lab with a veth pair, which loses and reorders nothing.
func New() (*Lab, error) { return newLab((*Lab).join) }

// NewOverWire makes a lab with a Wire.
func NewOverWire(seed uint64) (*Lab, error) {
	return newLab(func(l *Lab) (err error) {
		if l.Wire, err = newWire(l.A, l.B, seed); err != nil {
			return err
		}
		return errors.Join(l.A.up(Underlay), l.B.up(Underlay))
	})
}

func newLab(join func(*Lab) error) (*Lab, error) {
	a, err := newHost("alice", netip.MustParseAddr("192.0.2.1"))
	if err != nil {
		return nil, err
	}
	b, err := newHost("bob", netip.MustParseAddr("192.0.2.2"))
	if err != nil {
		a.close()
		return nil, err
	}
	l := &Lab{A: a, B: b}
	if err := join(l); err != nil {
		l.Close()
		return nil, fmt.Errorf("underlay: %w", err)
	}
	return l, nil
}

// join makes the veth pair inside the first host and gives one end to the second.
func (l *Lab) join() error {
	err := l.A.Do(func() error {
		return netlink.LinkAdd(&netlink.Veth{
			LinkAttrs: netlink.LinkAttrs{Name: Underlay}, PeerName: Underlay, PeerNamespace: netlink.NsFd(int(l.B.ns)),
		})
	})
	if err != nil {
		return err
	}
	return errors.Join(l.A.up(Underlay), l.B.up(Underlay))
}

// Close ends both hosts with everything in them.
func (l *Lab) Close() {
	if l.Wire != nil {
		l.Wire.close()
	}
	l.A.close()
	l.B.close()
}
