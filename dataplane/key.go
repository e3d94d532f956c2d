package dataplane

import (
	"net/netip"
	"sync"

	"pc5d/dataplane/record"
	"pc5d/dataplane/suite"
	"pc5d/dataplane/udp"
	"pc5d/dataplane/underlay"
)

// outlet is under which name, where to and how long the records of a context leave. It never changes, it
// is only replaced.
type outlet struct {
	id   ContextID
	port Port
	conn udp.Conn
	to   netip.AddrPort
	path Path

	refusal refusal // not a part of what never changes
}

// header is the underlay header of a record.
func (o *outlet) header(channel underlay.LCID) underlay.Header {
	return underlay.Header{Form: underlay.FormRecord, Destination: o.id.Peer, Source: o.id.Local, LCID: channel}
}

func newOutlet(id ContextID, port Port, conn udp.Conn, to netip.AddrPort, path Path) *outlet {
	return &outlet{id: id, port: port, conn: conn, to: to, path: path}
}

// sendKey is a key with what it may still do: whoever seals reserves here first.
type sendKey struct {
	suite  suite.Suite
	limits Limits

	// Guards the three below: a COUNT is taken together with the outlet it is for, so that none
	// from before a move leaves under the name after it, nor the other way round. The order of
	// locks is Engine.mu, then this one.
	mu      sync.Mutex
	used    usage
	counter *record.Counter
	outlet  *outlet
}

// grant is what a batch may use: none where records is 0, and then for good.
type grant struct {
	outlet     *outlet
	first      record.Count
	records    int
	exhausting bool // the key is at a soft limit
}

// reserve takes COUNTs for a batch of so many records, blocks and inner octets.
func (k *sendKey) reserve(records, blocks, octets int) grant {
	k.mu.Lock()
	defer k.mu.Unlock()
	g := grant{outlet: k.outlet}
	k.used.blocks += uint64(blocks)
	if k.used.blocks <= k.limits.HardBlocks {
		g.first, g.records = k.counter.Reserve(records)
	}
	if g.records > 0 {
		k.used.records += uint64(g.records)
		k.used.octets += uint64(octets)
	}
	k.used.next = record.Count(k.counter.Used())
	g.exhausting = k.limits.reached(&k.used)
	return g
}

// move replaces the outlet and moves the COUNT forward.
func (k *sendKey) move(to *outlet, skip uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.counter.Skip(skip)
	k.outlet = to
}

// way is the outlet of now.
func (k *sendKey) way() *outlet {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.outlet
}

// receiveKey is a key with the COUNTs that it has seen.
type receiveKey struct {
	suite  suite.Suite
	limits Limits
	mode   suite.Mode

	// Guards what is below, and is held from the check to the commit of a batch: records of one
	// context may arrive at several sockets. Uncontended otherwise.
	mu     sync.Mutex
	used   usage
	window *record.Window // nil in the modes without integrity: anybody could move it
	next   uint64         // standard form: RX_NEXT where there is no window
	doubt  doubt          // standard form
}

// authentic tells whether what opens is the peer's.
func (k *receiveKey) authentic() bool { return k.window != nil }

// open opens a batch, each COUNT once: OK tells which items are authentic and fresh, the others
// are counted. Without integrity it opens all, and COUNT stands for nothing. It reports whether the key is at a soft limit.
func (k *receiveKey) open(items []suite.Item, drops *dropped) (exhausting bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.authentic() {
		k.openLocked(items, drops)
		return k.limits.reached(&k.used)
	}
	from := 0
	for i := range items {
		if v := k.window.Check(record.Count(items[i].Count)); v != record.Fresh {
			k.openLocked(items[from:i], drops)
			items[i].OK = false
			drops.add(replayDrop(v), 1)
			from = i + 1
		}
	}
	k.openLocked(items[from:], drops)
	k.used.next = k.window.Next()
	return k.limits.reached(&k.used)
}

func (k *receiveKey) openLocked(items []suite.Item, drops *dropped) {
	k.suite.Open(items)
	for i := range items {
		it := &items[i]
		if !it.OK {
			k.used.failures++
			drops.add(DropUnverified, 1)
			continue
		}
		k.used.records++
		k.used.blocks += uint64(blocksOf(len(it.Dst)))
		if !k.authentic() {
			continue
		}
		// Only now: COUNTs may repeat within the batch.
		if v := k.window.Commit(record.Count(it.Count)); v != record.Fresh {
			it.OK = false
			drops.add(replayDrop(v), 1)
		}
	}
}

// deliver counts inner octets, which are known after a batch was opened. It reports whether the
// key is at a soft limit.
func (k *receiveKey) deliver(octets int) (exhausting bool) {
	if k.limits.Octets == noLimit {
		return false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.used.octets += uint64(octets)
	return k.limits.reached(&k.used)
}

func replayDrop(v record.Verdict) Drop {
	if v == record.Old {
		return DropTooOld
	}
	return DropReplayed
}
