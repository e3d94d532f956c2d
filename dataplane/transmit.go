package dataplane

import (
	"errors"
	"fmt"
	"runtime"

	"pc5d/dataplane/record"
	"pc5d/dataplane/suite"
	"pc5d/dataplane/tundev"
)

const (
	// batchRecords is when a batch is closed. One record more may follow, for the packet in
	// hand: 45 full records are 64,800 octets, one UDP_SEGMENT send.
	batchRecords = 44
	maxRecords   = batchRecords + 1

	// maxRead is the longest packet that a TUN hands over.
	maxRead = 65535

	// stride separates the contents: room for the header of a read in front of each.
	stride = record.ContentLen + 64
	// base puts the payload of a super-packet over IPv4 with timestamps at a multiple of 64.
	base = 72
	// smallest is the shortest packet: a record with less room left is closed at once.
	smallest = headerLenIPv4

	// downBudget is how many packets one turn drops at a link that is down.
	downBudget = 256
	readyLinks = 64
)

// overrun is how much of the virtio-net header of a read does not fit where the frame header
// will stand, and covers the octets before.
const overrun = tundev.HeaderLen - record.FrameHeaderLen

// transmitter is the worker from all TUN devices to the sockets.
type transmitter struct {
	engine   *Engine
	activity activity
	keys     [readyLinks]uint32
	contents []byte // record i at offset(i)
	sealed   []byte // records one after the other, as they are sent
	items    [maxRecords]suite.Item
	records  [maxRecords]pending
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
	return &transmitter{
		engine:   e,
		contents: make([]byte, offset(maxRecords)+maxRead+tundev.HeaderLen),
		sealed:   make([]byte, maxRecords*(record.Overhead+record.ContentLen)),
	}
}

// offset is where the content of record i starts.
func offset(i int) int { return base + i*stride }

func (t *transmitter) run() error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for {
		n, err := t.engine.config.Poller.Wait(t.keys[:])
		if err != nil {
			return fmt.Errorf("wait for packets: %w", err)
		}
		for _, key := range t.keys[:n] {
			t.engine.Turn(key)
		}
	}
}

// turn moves what waits at one link, at most one batch.
func (t *transmitter) turn(l *Link) {
	k := l.sending.Load()
	if k == nil || l.failed.Load() {
		t.discard(l)
		return
	}
	t.n = 0
	for supers := 0; supers < supersPerTurn && t.room(); {
		n, h, err := t.read(l)
		if err != nil {
			break
		}
		if h.Super() {
			supers++
			t.whole(l, k, h, n)
		} else {
			t.pack(l, h, n)
		}
	}
	t.flush(k)
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

// discard empties the queue of a link that is down.
func (t *transmitter) discard(l *Link) {
	n := 0
	for ; n < downBudget; n++ {
		if _, err := l.device.Read(t.contents); err != nil {
			t.check(l, err)
			break
		}
	}
	if n > 0 {
		l.drops.add(DropLinkDown, n)
	}
}

// check stops watching a device that is gone: it would be readable for ever.
func (t *transmitter) check(l *Link, err error) {
	if errors.Is(err, tundev.ErrAgain) || l.failed.Swap(true) {
		return
	}
	l.drops.add(DropDeviceFailed, 1)
	_ = t.engine.config.Poller.Remove(l.device) // RemoveLink may have done it
	t.engine.config.Log.Error("interface is gone: bring the link down and up again", "link", l.name, "interface", l.device.Name(), "error", err)
}

// room makes a record current that takes at least a small packet. It is false when the batch is
// full; the last record is only for the packet that did not fit the one before.
func (t *transmitter) room() bool {
	if t.n == 0 {
		t.begin()
	}
	if record.ContentLen-t.records[t.n-1].length < record.FrameHeaderLen+smallest {
		if t.n >= batchRecords {
			return false
		}
		t.finish(t.n - 1)
		t.begin()
	}
	return t.n <= batchRecords
}

func (t *transmitter) begin() {
	t.records[t.n] = pending{}
	t.n++
}

// next is where the next frame of the current record goes.
func (t *transmitter) next() int { return offset(t.n-1) + t.records[t.n-1].length }

// read reads one packet to where its payload belongs in the current record, and gives its
// length and what is left to do with it.
func (t *transmitter) read(l *Link) (int, tundev.Header, error) {
	from := t.next() - overrun
	saved := [overrun]byte(t.contents[from:])
	n, err := l.device.Read(t.contents[from : from+tundev.HeaderLen+maxRead])
	h := tundev.ReadHeader(t.contents[from:])
	copy(t.contents[from:], saved[:])
	if err != nil {
		t.check(l, err)
		return 0, h, err
	}
	return n - tundev.HeaderLen, h, nil
}

// pack makes a frame of the n octets that read left at the end of the current record.
func (t *transmitter) pack(l *Link, h tundev.Header, n int) {
	at := t.next()
	if n < smallest || n > record.MaxPacket {
		reason := DropTooBig
		if n < smallest {
			reason = DropInnerMalformed
		}
		l.drops.add(reason, 1)
		return
	}
	if manyfold(t.contents[at+record.FrameHeaderLen:][:n]) {
		l.drops.add(DropInnerDestination, 1)
		return
	}
	flags, ok := leave(h, t.contents[at+record.FrameHeaderLen:][:n])
	if !ok {
		l.drops.add(DropInnerMalformed, 1)
		return
	}
	if t.records[t.n-1].length+record.FrameHeaderLen+n > record.ContentLen {
		t.begin()
		packet := t.contents[at+record.FrameHeaderLen:][:n]
		at = t.next()
		copy(t.contents[at+record.FrameHeaderLen:], packet)
		t.finish(t.n - 2) // its padding comes where the packet was
	}
	record.PutPacketHeader(t.contents[at:], flags, n)
	r := &t.records[t.n-1]
	r.length += record.FrameHeaderLen + n
	r.packets++
	r.octets += n
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
		aad := record.Header{Header: g.outlet.header, Session: g.outlet.id.Session, Count: count}.AppendTo(t.sealed[used:used])
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
