package dataplane

import (
	"errors"

	"pc5d/dataplane/record"
	"pc5d/dataplane/suite"
	"pc5d/dataplane/tundev"
	"pc5d/dataplane/udp"
)

// accept does the cheap checks and queues a record for opening.
func (r *receiver) accept(t *table, m *udp.Message, datagram []byte) {
	h, aad, sealed, err := record.ParseHeader(datagram)
	if err != nil {
		r.engine.drops.add(DropMalformed, 1)
		return
	}
	k := t.contexts[newContextWord(h.Destination, h.Source, h.Session)]
	if k == nil || k.standard {
		r.engine.drops.add(DropUnknownContext, 1)
		r.stray = stray{m.From, h.Header}
		return
	}
	r.enqueue(k, m, suite.Item{Count: uint64(h.Count), AAD: aad, Text: sealed})
}

// enqueue queues what is to be opened.
func (r *receiver) enqueue(k *keyContext, m *udp.Message, it suite.Item) {
	if k != r.context || m.From != r.from || r.n == openBatch || r.used+lead+len(it.Text) > len(r.contents) {
		r.open()
		r.context, r.from = k, m.From
	}
	start := r.used + lead
	it.Dst = r.contents[start : start : start+len(it.Text)]
	r.items[r.n], r.starts[r.n], r.classes[r.n] = it, start, m.Class
	r.used = (start + len(it.Text) + lead - 1) &^ (lead - 1)
	r.n++
}

// open opens the waiting records and delivers what is authentic; without integrity, all.
func (r *receiver) open() {
	if r.n == 0 {
		r.context = nil
		return
	}
	k := r.context
	arrived, exhausting := k.arriving(r.from), false
	if k.standard {
		exhausting = k.receive.openPDUs(r.items[:r.n], &k.filter, r.engine.config.Now, &k.link.drops)
	} else {
		exhausting = k.receive.open(r.items[:r.n], &k.link.drops)
	}
	var got delivered
	for i := range r.items[:r.n] {
		if r.items[i].OK {
			got.records++
			r.class = r.classes[i]
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
	if k.standard {
		r.deliverPDU(k, content, start, got)
		return
	}
	frames := record.NewFrames(content)
	for frames.Next() {
		switch frames.Type() {
		case record.FrameSegment:
			r.depart()
			r.slice(k, &frames)
		case record.FramePacket:
			r.flush() // packets stay in their order
			r.packet(k, &frames, start, got)
		case record.FrameFragment:
			r.flush()
			r.depart()
			r.part(k, &frames, got)
		case record.FrameEcho:
			r.echo(k, &frames, len(content))
		}
	}
	if frames.Err() != nil {
		k.link.drops.add(DropBadFrame, 1)
	}
}

// packet writes the packet of the current frame of a record that starts at contents[start].
func (r *receiver) packet(k *keyContext, frames *record.Frames, start int, got *delivered) {
	packet := frames.Payload()
	if reason, ok := k.admit(packet, r.class); !ok {
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
