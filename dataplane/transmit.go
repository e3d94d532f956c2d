package dataplane

import (
	"errors"
	"fmt"
	"runtime"

	"pc5d/dataplane/record"
	"pc5d/dataplane/suite"
	"pc5d/dataplane/tundev"
	"pc5d/dataplane/underlay"
)

const (
	// batchRecords are full of packets or nearly: 44 are 63,360 octets, one UDP_SEGMENT send.
	batchRecords = 44
	// smallest is the shortest packet.
	smallest = headerLenIPv4
	// aloneMost is how many packets may wait, so that each leaves in a record of its own: a lost record then
	// is one lost acknowledgement, and not all of them that a flight of segments got.
	aloneMost = 4

	// downTurns is how many times one turn reads at a link that is down, as often as the ring can.
	downTurns  = 8
	readyLinks = 64
)

// transmitter is the worker from the TUN devices of a lane to the sockets.
type transmitter struct {
	engine   *Engine
	poller   tundev.Poller
	activity activity
	keys     [readyLinks]uint32
	ring     tundev.Ring
	intake   intake
	contents []byte // record i at offset(i); made by the first packet, as sealed
	sealed   []byte // records one after the other, as they are sent
	items    [batchRecords]suite.Item
	records  [batchRecords]pending
	channel  underlay.LCID // of the records
	class    uint8         // traffic class of the datagrams
	path     Path          // of the link whose turn it is
	super    super
	segment  [record.ContentLen]byte // standard form: one of a super-packet
	n        int                     // records begun
	alone    bool                    // each packet begins a record
	fragment uint32                  // identification of the last packet that left in parts
	answer   [tundev.HeaderLen + answerIPv6]byte
	notices  notices
}

func newTransmitter(e *Engine, poller tundev.Poller) *transmitter {
	return &transmitter{engine: e, poller: poller, intake: newIntake()}
}

func (t *transmitter) run() error {
	runtime.LockOSThread() // never unlocked: the thread ends with its policy
	if err := preemptNobody(); err != nil {
		t.engine.config.Log.Info("small packets cost more: each may interrupt its sender", "error", err)
	}
	t.openRing()
	defer t.ring.Close()
	for {
		n, err := t.poller.Wait(t.keys[:], t.intake.queue.next() == nil)
		if err != nil {
			return fmt.Errorf("wait for packets: %w", err)
		}
		t.activity.begin()
		table := t.engine.table.Load()
		for _, key := range t.keys[:n] {
			if l := table.links[key]; l != nil {
				t.take(l)
			}
		}
		t.serve()
		t.activity.end()
		t.notices.tell(&t.engine.config)
		if t.intake.queue.next() == nil && t.intake.moderation.due(t.engine.config.Now()) {
			pause(densePause)
		}
	}
}

// openRing asks for what reads several packets at once; nothing depends on it.
func (t *transmitter) openRing() {
	if t.engine.config.WithoutRing {
		return
	}
	tell := func(err error) {
		t.engine.config.Log.Info("small packets cost more: each is read by a system call of its own", "error", err)
	}
	if err := t.ring.Open(tell); err != nil {
		tell(err)
	}
}

// turn moves what waits at one link.
func (t *transmitter) turn(l *Link) {
	t.take(l)
	for t.serve() {
	}
}

// take reads what waits at one link.
func (t *transmitter) take(l *Link) {
	if l.failed.Load() {
		return
	}
	if l.Up() {
		t.check(l, t.intake.drain(l, &t.ring))
	} else {
		t.check(l, t.intake.discard(l, &t.ring))
	}
}

// check stops watching a device that is gone: it would be readable for ever.
func (t *transmitter) check(l *Link, err error) {
	if err == nil || errors.Is(err, tundev.ErrAgain) || l.failed.Swap(true) {
		return
	}
	l.drops.add(DropDeviceFailed, 1)
	_ = t.poller.Remove(l.device) // RemoveLink may have done it
	t.engine.config.Log.Error("interface is gone: bring the link down and up again", "link", l.name, "interface", l.device.Name(), "error", err)
}

// serve sends what is next: one super-packet, or a batch of packets of one link and one channel. It is
// false where nothing waits.
func (t *transmitter) serve() bool {
	queue := &t.intake.queue
	f := queue.next()
	if f == nil {
		return false
	}
	if t.sealed == nil {
		t.contents = make([]byte, offset(batchRecords))
		t.sealed = make([]byte, chunkRecords*(record.Overhead+record.ContentLen))
	}
	l, super := f.head.link, f.head.header.Super()
	k := l.sending.Load()
	t.alone = !super && l.small <= aloneMost
	t.channel, t.class = queue.channel(f, k), k.class(f.head.packet())
	if k != nil {
		t.path = k.send.way().path
	}
	for f != nil && f.head.link == l && f.head.header.Super() == super && t.channel == queue.channel(f, k) && t.class == k.class(f.head.packet()) {
		if !super && !t.fits(k, f.head.n) {
			break
		}
		w := queue.pop(f)
		if t.channel == underlay.DRB {
			queue.queued(f, w)
		}
		t.forward(k, f, w)
		t.intake.release(w)
		if super {
			break
		}
		f = queue.next()
	}
	t.flush(k)
	return true
}

// forward sends a super-packet, or lets a packet wait in the batch.
func (t *transmitter) forward(k *keyContext, f *flow, w *waiting) {
	lost := f.lost
	f.lost = false
	switch {
	case k == nil:
		w.link.drops.add(DropLinkDown, 1)
	case t.ownFlow(w, k):
		w.link.drops.add(DropOwnFlow, 1)
	case lost && (k.standard || !w.header.Super() || w.header.GSOType == tundev.GSOUDP):
		w.link.drops.add(DropQueueFull, 1)
	case k.standard:
		t.plain(w, k)
	case w.header.GSOType == tundev.GSOUDP:
		t.datagrams(w, k)
	case w.header.Super():
		t.whole(w, k, lost)
	default:
		t.pack(k, w.header, w.packet())
	}
}
