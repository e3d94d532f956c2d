package lab

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
)

// Underlay is the name of the underlay's interface on both hosts.
const Underlay = "underlay"

// Lab is two hosts and the wire between them.
type Lab struct{ A, B *Host }

// New makes a lab.
func New() (*Lab, error) {
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
	if err := l.join(); err != nil {
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
	l.A.close()
	l.B.close()
}
