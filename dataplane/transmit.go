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

	// downBudget is how many packets one turn drops at a link that is down.
	downBudget = 256
	readyLinks = 64
)

// transmitter is the worker from all TUN devices to the sockets.
type transmitter struct {
	engine   *Engine
	activity activity
	keys     [readyLinks]uint32
	intake   intake
	contents []byte // record i at offset(i); made by the first packet, as sealed
	sealed   []byte // records one after the other, as they are sent
	items    [batchRecords]suite.Item
	records  [batchRecords]pending
	channel  underlay.LCID // of the records
	super    super
	n        int // records begun
	notices  notices
}

// pending is one record of the batch.
type pending struct {
	length  int // of the content
	packets int
	octets  int
}

func newTransmitter(e *Engine) *transmitter {
	return &transmitter{engine: e, intake: newIntake()}
}

// offset is where the content of record i starts.
func offset(i int) int { return i * record.ContentLen }

func (t *transmitter) run() error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for {
		n, err := t.engine.config.Poller.Wait(t.keys[:], t.intake.queue.next() == nil)
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
		t.check(l, t.intake.drain(l))
	} else {
		t.check(l, t.intake.discard(l))
	}
}

// check stops watching a device that is gone: it would be readable for ever.
func (t *transmitter) check(l *Link, err error) {
	if err == nil || errors.Is(err, tundev.ErrAgain) || l.failed.Swap(true) {
		return
	}
	l.drops.add(DropDeviceFailed, 1)
	_ = t.engine.config.Poller.Remove(l.device) // RemoveLink may have done it
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
	t.channel = queue.channel(f)
	k := l.sending.Load()
	for f != nil && f.head.link == l && f.head.header.Super() == super && t.channel == queue.channel(f) {
		if !super && !t.room(f.head.n) {
			break
		}
		w := queue.pop(f)
		if t.channel == underlay.DRB {
			queue.queued(f, w.n)
		}
		t.forward(k, f, w)
		t.intake.release(w)
		if super {
			return true
		}
		f = queue.next()
	}
	t.flush(k)
	return true
}

// forward sends a super-packet, or puts a packet into a record.
func (t *transmitter) forward(k *keyContext, f *flow, w *waiting) {
	lost := f.lost
	f.lost = false
	switch {
	case k == nil:
		w.link.drops.add(DropLinkDown, 1)
	case w.header.Super():
		t.whole(w, k, lost)
	case lost:
		w.link.drops.add(DropQueueFull, 1)
	default:
		t.pack(w)
	}
}

// flush sends the packets that wait in records.
func (t *transmitter) flush(k *keyContext) {
	if t.n > 0 && t.records[t.n-1].length == 0 {
		t.n-- // begun for nothing
	}
	if t.n > 0 {
		t.finish(t.n - 1)
		t.protect(k)
	}
	t.n = 0
}

// room makes a record current that takes a packet of n octets. It is false when the batch is full.
func (t *transmitter) room(n int) bool {
	if t.n > 0 && t.records[t.n-1].length+record.FrameHeaderLen+n <= record.ContentLen {
		return true
	}
	if t.n == batchRecords {
		return false
	}
	if t.n > 0 {
		t.finish(t.n - 1)
	}
	t.records[t.n] = pending{}
	t.n++
	return true
}

// pack puts a packet into the current record, which has room for it.
func (t *transmitter) pack(w *waiting) {
	if w.n > record.MaxPacket {
		w.link.drops.add(DropTooBig, 1)
		return
	}
	flags, ok := leave(w.header, w.packet())
	if !ok {
		w.link.drops.add(DropInnerMalformed, 1)
		return
	}
	r := &t.records[t.n-1]
	at := offset(t.n-1) + r.length
	record.PutPacketHeader(t.contents[at:], flags, w.n)
	copy(t.contents[at+record.FrameHeaderLen:], w.packet())
	r.length += record.FrameHeaderLen + w.n
	r.packets++
	r.octets += w.n
}

// finish pads a record.
func (t *transmitter) finish(i int) {
	r := &t.records[i]
	padded := record.PaddedLen(r.length)
	clear(t.contents[offset(i)+r.length : offset(i)+padded])
	r.length = padded
}

// protect seals the batch under one key context and sends it.
func (t *transmitter) protect(k *keyContext) {
	blocks, octets := 0, 0
	for _, r := range t.records[:t.n] {
		blocks += blocksOf(r.length)
		octets += r.octets
	}
	g := k.send.reserve(t.n, blocks, octets)
	if g.exhausting {
		t.notices.exhaust(k)
	}
	t.abandon(k.link, g.records, t.n, DropKeyLimit)
	if g.records > 0 {
		t.seal(k, g)
		t.send(k, g.outlet, g.records)
	}
}

// seal makes the granted records, one after the other.
func (t *transmitter) seal(k *keyContext, g grant) {
	used, tag := 0, k.send.suite.TagLen()
	for i := range g.records {
		length := t.records[i].length
		count := g.first + record.Count(i)
		aad := record.Header{Header: g.outlet.header(t.channel), Session: g.outlet.id.Session, Count: count}.AppendTo(t.sealed[used:used])
		room := t.sealed[used+record.HeaderLen : used+record.HeaderLen+length+tag]
		t.items[i] = suite.Item{Count: uint64(count), AAD: aad, Text: t.contents[offset(i):][:length], Dst: room[:0:len(room)]}
		used += record.HeaderLen + length + tag
	}
	k.send.suite.Seal(t.items[:g.records])
}

// send sends the first n records, each run of equal ones with one call; a shorter one may end
// a run.
func (t *transmitter) send(k *keyContext, out *outlet, n int) {
	l, overhead, from := k.link, record.HeaderLen+k.send.suite.TagLen(), 0
	for i := 0; i < n; {
		j, octets := i+1, overhead+t.records[i].length
		for j < n && t.records[j].length == t.records[i].length {
			octets += overhead + t.records[j].length
			j++
		}
		if j < n && t.records[j].length < t.records[i].length {
			octets += overhead + t.records[j].length
			j++
		}
		if err := out.conn.Send(out.to, t.sealed[from:from+octets], overhead+t.records[i].length); err != nil {
			t.abandon(l, i, j, DropSendFailed)
		} else {
			packets, inner := t.sum(i, j)
			l.sent.add(packets, inner, j-i)
			t.notices.send(l)
		}
		from += octets
		i = j
	}
}

// abandon counts the packets of the records from i up to j as dropped.
func (t *transmitter) abandon(l *Link, i, j int, reason Drop) {
	if packets, _ := t.sum(i, j); packets > 0 {
		l.drops.add(reason, packets)
	}
}

func (t *transmitter) sum(i, j int) (packets, octets int) {
	for _, r := range t.records[i:j] {
		packets += r.packets
		octets += r.octets
	}
	return packets, octets
}
