package dataplane

import (
	"fmt"
	"net/netip"
	"sync/atomic"

	"pc5d/dataplane/record"
	"pc5d/dataplane/suite"
	"pc5d/dataplane/underlay"
)

// ContextID names a key context: what the header of each of its records says.
type ContextID struct {
	Local, Peer underlay.LayerTwoID
	Session     uint16 // K_NRP-sess ID
}

func (id ContextID) String() string {
	return fmt.Sprintf("%04x %s>%s", id.Session, id.Local, id.Peer)
}

// Context is one key context of a link's user plane.
type Context struct {
	ID               ContextID
	Endpoint         netip.AddrPort
	Port             Port // through which it sends
	Suite            suite.ID
	Mode             suite.Mode
	SendKey, RecvKey []byte // not kept: the caller wipes them after Install
	SendSalt         [suite.SaltLen]byte
	RecvSalt         [suite.SaltLen]byte
	Standard         *suite.Standard // the standard form, with Suite none and the Mode; not kept, wiped like the keys; Direction is of sending
	Sources          []netip.Prefix  // inner sources that the peer may use; kept
	Destinations     []netip.Prefix  // inner destinations that are ours; kept; empty: any unicast one
	Limits           Limits
	CopyDSCP         bool // the datagrams have the DSCP of the packets in them
	Path             Path
}

// String keeps the keys out of logs.
func (c Context) String() string {
	form := c.Suite.String()
	if c.Standard != nil {
		form = "pdcp"
	}
	return fmt.Sprintf("context %s %s %s [redacted]", c.ID, form, c.Mode)
}

// GoString keeps the keys out of logs.
func (c Context) GoString() string { return c.String() }

// keyContext is an installed Context. Workers read it without a lock: what is not said to be
// guarded never changes after it was published.
type keyContext struct {
	link        *Link
	name, other contextWord // other: a second name that opens, or 0; guarded by Engine.mu
	age         uint64      // place in the order of Install; guarded by Engine.mu
	standard    bool        // PDCP PDUs, no records
	copyDSCP    bool
	send        sendKey
	receive     receiveKey
	filter      innerFilter
	told        atomic.Bool // Config.Exhausting was called
}

// contextWord is destination, source and session of a received record in one word.
type contextWord uint64

func newContextWord(destination, source underlay.LayerTwoID, session uint16) contextWord {
	return contextWord(destination)<<40 | contextWord(source)<<16 | contextWord(session)
}

func (id ContextID) word() contextWord { return newContextWord(id.Local, id.Peer, id.Session) }

// admit refuses a name that no context can have.
func (l *Link) admit(id ContextID) error {
	if !id.Local.Assignable() || !id.Peer.Assignable() {
		return fmt.Errorf("dataplane: link %s: local layer-2 IDs %s and %s can not name a link", l.name, id.Local, id.Peer)
	}
	return nil
}

func newKeyContext(l *Link, c Context) (*keyContext, error) {
	if err := l.admit(c.ID); err != nil {
		return nil, err
	}
	path, err := c.Path.orDefault()
	if err != nil {
		return nil, fmt.Errorf("dataplane: link %s: %w", l.name, err)
	}
	send, receive, err := c.suites()
	if err != nil {
		return nil, fmt.Errorf("dataplane: link %s: %w", l.name, err)
	}
	k := &keyContext{link: l, name: c.ID.word(), standard: c.Standard != nil, copyDSCP: c.CopyDSCP, filter: innerFilter{sources: c.Sources, destinations: c.Destinations, excluded: &l.excluded}}
	limits := c.limits()
	k.send.suite, k.send.limits, k.send.counter = send, limits, record.NewCounter(limits.HardCount)
	k.send.outlet = newOutlet(c.ID, c.Port, nil, c.Endpoint, path)
	k.receive.suite, k.receive.limits, k.receive.mode = receive, limits, c.Mode
	if c.Mode.Authentic() {
		k.receive.window = record.NewWindow(record.DefaultWindow)
	}
	return k, nil
}

// is reports whether the context has this name. Engine.mu is held.
func (k *keyContext) is(id ContextID) bool { return id.word() == k.name || id.word() == k.other }

func (k *keyContext) wipe() {
	k.send.suite.Wipe()
	k.receive.suite.Wipe()
}
