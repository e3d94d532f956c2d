package dataplane

import (
	"fmt"
	"net/netip"
	"runtime"

	"pc5d/dataplane/record"
	"pc5d/dataplane/suite"
	"pc5d/dataplane/udp"
	"pc5d/dataplane/underlay"
)

const (
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
	inbox    inbox
	context  *keyContext // of the waiting records
	from     netip.AddrPort
	items    [openBatch]suite.Item
	starts   [openBatch]int   // of each content in contents
	classes  [openBatch]uint8 // traffic class of each datagram
	class    uint8            // of the one in hand
	n        int              // records waiting
	stray    stray            // of this batch
	contents []byte
	used     int // of contents
	run      run
	few      bool // the batch in hand is small
	train    train
	parts    reassembly
	notices  notices

	lost       bool // one record is to be dropped
	signalling bool // some of the messages are
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
		if err := r.step(); err != nil {
			return fmt.Errorf("receive: %w", err)
		}
	}
}

// step takes what the socket has, and opens a part of what waits.
func (r *receiver) step() error {
	if r.inbox.ring == nil {
		part := 1
		if r.port != (Port{}) {
			part = addedPart
		}
		r.inbox.open(part)
	}
	for more := true; more; {
		messages, err := r.inbox.receive(r.conn)
		if err != nil {
			return err
		}
		r.activity.begin()
		r.overtake(messages)
		r.activity.end()
		r.inbox.keep(messages)
		more = len(messages) > 0 && len(messages) == len(r.inbox.blanks)
	}
	r.activity.begin()
	batch := r.inbox.next()
	r.lost = r.inbox.thin()
	r.queued(batch)
	r.end(batch)
	r.inbox.release()
	return nil
}

// process takes what one receive brought, all of it.
func (r *receiver) process(messages []udp.Message) {
	r.activity.begin()
	r.overtake(messages)
	r.queued(messages)
	r.end(messages)
}

// overtake opens the records that may.
func (r *receiver) overtake(messages []udp.Message) {
	table := r.engine.table.Load()
	for i := range messages {
		for d := messages[i].Datagrams(); d.Next(); {
			if kindOf(d.Datagram()) == sparseRecord {
				r.accept(table, &messages[i], d.Datagram())
			}
		}
	}
	r.open()
	r.flush() // a peer may send slices here, too: no link may be touched after the batch
	r.depart()
}

// queued opens the others.
func (r *receiver) queued(messages []udp.Message) {
	table, octets := r.engine.table.Load(), 0
	for i := range messages {
		octets += len(messages[i].Data)
	}
	r.few = octets < fewOctets
	for i := range messages {
		if messages[i].Cut {
			r.engine.drops.add(DropCut, 1)
			continue
		}
		for d := messages[i].Datagrams(); d.Next(); {
			switch kind := kindOf(d.Datagram()); {
			case kind == signalling:
				r.signalling = true
			case kind == sparseRecord:
			case r.lost:
				r.lost = false
				r.engine.drops.add(DropQueueFull, 1)
			case kind == userPDU:
				r.acceptPDU(table, &messages[i], d.Datagram())
			default:
				r.accept(table, &messages[i], d.Datagram())
			}
		}
	}
	r.open()
	r.flush()
	r.depart()
}

// end tells what there is to tell, and hands out the signalling.
func (r *receiver) end(messages []udp.Message) {
	r.activity.end()
	r.notices.tell(&r.engine.config)
	r.tellStray()
	if r.signalling {
		r.signalling = false
		r.signal(messages)
	}
}

// kind is what a receiver does with a datagram.
type kind uint8

const (
	signalling kind = iota // everything but user data
	userRecord
	sparseRecord // overtakes
	userPDU
)

// kindOf looks at version, form and LCID only.
func kindOf(datagram []byte) kind {
	form, channel, ok := underlay.Peek(datagram)
	switch {
	case !ok:
	case form == underlay.FormRecord && channel == underlay.DRB:
		return userRecord
	case form == underlay.FormRecord && channel == underlay.DRBSparse:
		return sparseRecord
	case form == underlay.FormPDCP && channel == underlay.DRB:
		return userPDU
	}
	return signalling
}

// signal hands out what is no user data.
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
	if tell := r.engine.config.Signalling; tell != nil && kindOf(datagram) == signalling {
		tell(r.port, from, datagram)
	}
}

// stray is a record or PDU that no context has.
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
