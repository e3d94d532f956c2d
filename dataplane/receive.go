package dataplane

import (
	"errors"
	"fmt"
	"net/netip"
	"runtime"

	"pc5d/dataplane/record"
	"pc5d/dataplane/suite"
	"pc5d/dataplane/tundev"
	"pc5d/dataplane/udp"
	"pc5d/dataplane/underlay"
)

const (
	// receiveMessages is how many buffers one receive may fill.
	receiveMessages = 16
	// openBatch is how many records are opened together.
	openBatch = 64
	// lead is the room in front of each opened content: the virtio-net header of its first
	// packet reaches into it.
	lead = 64
)

// receiver is the worker from one socket to the TUN devices.
type receiver struct {
	engine   *Engine
	port     Port
	conn     udp.Conn
	activity activity
	messages []udp.Message // made by the first receive
	context  *keyContext   // of the waiting records
	from     netip.AddrPort
	items    [openBatch]suite.Item
	starts   [openBatch]int // of each content in contents
	n        int            // records waiting
	stray    stray          // of this batch
	contents []byte
	used     int // of contents
	run      run
	train    train
	notices  notices
}

func newReceiver(e *Engine, port Port, conn udp.Conn) *receiver {
	return &receiver{
		engine: e, port: port, conn: conn, run: newRun(), train: newTrain(),
		contents: make([]byte, openBatch*(lead+record.ContentLen)+udp.BufferLen),
	}
}

func (r *receiver) work() error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for {
		messages, err := r.wait()
		if err != nil {
			return fmt.Errorf("receive: %w", err)
		}
		r.process(messages)
	}
}

// wait waits for what the socket brings. A megabyte of buffers is for a worker only: an engine that
// somebody else drives has none.
func (r *receiver) wait() ([]udp.Message, error) {
	if r.messages == nil {
		r.messages = udp.NewMessages(receiveMessages)
	}
	n, err := r.conn.Receive(r.messages)
	return r.messages[:n], err
}

// process takes what one receive brought: first the records, then the signalling.
func (r *receiver) process(messages []udp.Message) {
	r.activity.begin()
	table, signalling := r.engine.table.Load(), false
	for i := range messages {
		if messages[i].Cut {
			r.engine.drops.add(DropCut, 1)
			continue
		}
		for d := messages[i].Datagrams(); d.Next(); {
			if !isUserRecord(d.Datagram()) {
				signalling = true
				continue
			}
			r.accept(table, messages[i].From, d.Datagram())
		}
	}
	r.open()
	r.flush()
	r.depart()
	r.activity.end()
	r.notices.tell(&r.engine.config)
	r.tellStray()
	if signalling {
		r.signal(messages)
	}
}

// isUserRecord looks at form and LCID only.
func isUserRecord(datagram []byte) bool {
	h, _, err := underlay.Parse(datagram)
	return err == nil && h.Form == underlay.FormRecord && h.LCID == underlay.DRB
}

// signal hands out what is not a user-plane record.
func (r *receiver) signal(messages []udp.Message) {
	for i := range messages {
		for d := messages[i].Datagrams(); d.Next(); {
			r.hand(messages[i].From, d.Datagram())
		}
	}
}

func (r *receiver) hand(from netip.AddrPort, datagram []byte) {
	if _, _, err := underlay.Parse(datagram); err != nil {
		r.engine.drops.add(DropMalformed, 1)
		return
	}
	if tell := r.engine.config.Signalling; tell != nil && !isUserRecord(datagram) {
		tell(r.port, from, datagram)
	}
}

// stray is a record that no context has.
type stray struct {
	from netip.AddrPort
	h    underlay.Header
}

func (r *receiver) tellStray() {
	if tell := r.engine.config.Stray; tell != nil && r.stray.from.IsValid() {
		tell(r.port, r.stray.from, r.stray.h)
	}
	r.stray = stray{}
}

// accept does the cheap checks and queues a record for opening.
func (r *receiver) accept(t *table, from netip.AddrPort, datagram []byte) {
	h, aad, sealed, err := record.ParseHeader(datagram)
	if err != nil {
		r.engine.drops.add(DropMalformed, 1)
		return
	}
	k := t.contexts[newContextWord(h.Destination, h.Source, h.Session)]
	if k == nil {
		r.engine.drops.add(DropUnknownContext, 1)
		r.stray = stray{from, h.Header}
		return
	}
	if k != r.context || from != r.from || r.n == openBatch || r.used+lead+len(sealed) > len(r.contents) {
		r.open()
		r.context, r.from = k, from
	}
	start := r.used + lead
	r.items[r.n] = suite.Item{Count: uint64(h.Count), AAD: aad, Text: sealed, Dst: r.contents[start : start : start+len(sealed)]}
	r.starts[r.n] = start
	r.used = (start + len(sealed) + lead - 1) &^ (lead - 1)
	r.n++
}

// open opens the waiting records and delivers what is authentic; without integrity, all.
func (r *receiver) open() {
	if r.n == 0 {
		r.context = nil
		return
	}
	k := r.context
	arrived := k.arriving(r.from)
	exhausting := k.receive.open(r.items[:r.n], &k.link.drops)
	var got delivered
	for i := range r.items[:r.n] {
		if r.items[i].OK {
			got.records++
			r.deliver(k, r.items[i].Dst, r.starts[i], &got)
		}
	}
	if got.records > 0 {
		k.link.received.add(got.packets, got.octets, got.records)
		if k.receive.authentic() {
			k.link.verified.Add(uint64(got.records))
			r.notices.arrived(k, arrived, r.items[:r.n])
		}
	}
	if k.receive.deliver(got.octets) || exhausting {
		r.notices.exhaust(k)
	}
	r.n, r.used, r.context = 0, 0, nil
}

type delivered struct{ packets, octets, records int }

// deliver writes the packets of one record that opened, which starts at contents[start].
func (r *receiver) deliver(k *keyContext, content []byte, start int, got *delivered) {
	frames := record.NewFrames(content)
	for frames.Next() {
		switch frames.Type() {
		case record.FrameSegment:
			r.depart()
			r.slice(k, &frames)
		case record.FramePacket:
			r.flush() // packets stay in their order
			r.packet(k, &frames, start, got)
		}
	}
	if frames.Err() != nil {
		k.link.drops.add(DropBadFrame, 1)
	}
}

// packet writes the packet of the current frame of a record that starts at contents[start].
func (r *receiver) packet(k *keyContext, frames *record.Frames, start int, got *delivered) {
	packet := frames.Payload()
	if reason, ok := k.filter.judge(packet); !ok {
		k.link.drops.add(reason, 1)
		return
	}
	var h tundev.Header
	if frames.Flags()&record.PartialChecksum != 0 {
		var ok bool
		if h, ok = partial(packet); !ok {
			k.link.drops.add(DropInnerMalformed, 1)
			return
		}
		if r.couple(k, packet) {
			return
		}
	}
	r.depart()
	// The header goes over the frame header and over what is delivered already.
	at := start + frames.Offset()
	out := r.contents[at-tundev.HeaderLen : at+len(packet)]
	h.Put(out)
	if _, err := k.link.device.Write(out); err != nil {
		k.link.drops.add(deviceDrop(err), 1)
		return
	}
	got.packets++
	got.octets += len(packet)
}

func deviceDrop(err error) Drop {
	if errors.Is(err, tundev.ErrAgain) {
		return DropDeviceFull
	}
	return DropDeviceFailed
}
