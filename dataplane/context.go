package dataplane

import (
	"fmt"
	"net/netip"
	"sync/atomic"

	"pc5d/dataplane/record"
	"pc5d/dataplane/suite"
	"pc5d/dataplane/underlay"
)

// hardBlocks is where AES-GCM stops under one key (chosen: 2^35 blocks).
const hardBlocks = 1 << 35

// blockLen is the length of a block of AES.
const blockLen = 16

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
	Suite            suite.ID
	SendKey, RecvKey []byte // not kept: the caller wipes them after Install
	SendSalt         [suite.SaltLen]byte
	RecvSalt         [suite.SaltLen]byte
	Sources          []netip.Prefix // inner sources that the peer may use; kept
	Destinations     []netip.Prefix // inner destinations that are ours; kept; empty: any unicast one
}

// String keeps the keys out of logs.
func (c Context) String() string {
	return fmt.Sprintf("context %s %s [redacted]", c.ID, c.Suite)
}

// GoString keeps the keys out of logs.
func (c Context) GoString() string { return c.String() }

// keyContext is an installed Context. What both workers read never changes after it was
// published; window belongs to the receiving worker.
type keyContext struct {
	link    *Link
	id      contextWord
	session uint16
	header  underlay.Header // of the records we send
	to      netip.AddrPort
	send    sendKey
	receive suite.Suite
	window  *record.Window
	filter  innerFilter
}

// sendKey is a key with what it may still do: whoever seals reserves here first.
type sendKey struct {
	suite      suite.Suite
	counter    *record.Counter
	blocks     atomic.Uint64
	blockLimit uint64
}

// spend reserves blocks for a batch; false, for good, when the key has had enough.
func (k *sendKey) spend(blocks int) bool {
	return k.blocks.Add(uint64(blocks)) <= k.blockLimit
}

// contextWord is destination, source and session of a received record in one word.
type contextWord uint64

func newContextWord(destination, source underlay.LayerTwoID, session uint16) contextWord {
	return contextWord(destination)<<40 | contextWord(source)<<16 | contextWord(session)
}

func (id ContextID) word() contextWord { return newContextWord(id.Local, id.Peer, id.Session) }

func newKeyContext(l *Link, c Context) (*keyContext, error) {
	if !c.ID.Local.Assignable() || !c.ID.Peer.Assignable() {
		return nil, fmt.Errorf("dataplane: link %s: local layer-2 IDs %s and %s can not name a link", l.name, c.ID.Local, c.ID.Peer)
	}
	send, err := suite.New(c.Suite, c.SendKey, c.SendSalt)
	if err != nil {
		return nil, fmt.Errorf("dataplane: link %s: %w", l.name, err)
	}
	receive, err := suite.New(c.Suite, c.RecvKey, c.RecvSalt)
	if err != nil {
		return nil, fmt.Errorf("dataplane: link %s: %w", l.name, err)
	}
	k := &keyContext{
		link: l, id: c.ID.word(), session: c.ID.Session, to: c.Endpoint,
		header:  underlay.Header{Form: underlay.FormRecord, Destination: c.ID.Peer, Source: c.ID.Local, LCID: underlay.DRB},
		receive: receive, window: record.NewWindow(record.DefaultWindow),
		filter: innerFilter{sources: c.Sources, destinations: c.Destinations},
	}
	k.send.suite, k.send.counter, k.send.blockLimit = send, record.NewCounter(record.Limit), hardBlocks
	return k, nil
}

func (k *keyContext) wipe() {
	k.send.suite.Wipe()
	k.receive.Wipe()
}
