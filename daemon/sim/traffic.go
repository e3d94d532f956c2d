package sim

import (
	"bytes"
	"encoding/binary"
)

// marker stands in every inner packet, so that a packet in clear shows (C10).
const marker = "pc5d-sim-inner-packet"

const (
	headerIPv4 = 20
	headerIPv6 = 40
	// protocolNumber is for experiments (RFC 3692).
	protocolNumber = 253
	largestPacket  = 1396
	leastMTU       = 1280
)

// Family is the version of an inner packet.
type Family uint8

const (
	IPv4 Family = 4
	IPv6 Family = 6
)

// packet is one inner packet, from its sending on.
type packet struct {
	from      *End
	octets    []byte
	wantsEcho bool
	answers   *packet
	delivered bool
	tooBig    bool // its sender was told
}

// Send sends one numbered inner packet of at least n octets into the link.
func (e *End) Send(f Family, n int) { e.send(&packet{}, f, n) }

// Ping sends a packet that the other host answers, and returns what tells whether it did.
func (e *End) Ping(f Family) (answered func() bool) {
	p := &packet{wantsEcho: true}
	e.send(p, f, 0)
	w := e.Host.world
	return func() bool { return w.watch.echoed[p] }
}

func (e *End) send(p *packet, f Family, n int) {
	w, process := e.Host.world, e.Host.process
	if process == nil {
		return
	}
	d := process.device(e)
	if len(d.waiting) >= deviceQueue {
		return
	}
	w.watch.packets = append(w.watch.packets, p)
	p.from, p.octets = e, e.build(f, n, uint64(len(w.watch.packets)))
	d.waiting = append(d.waiting, p.octets)
	for len(d.waiting) > 0 {
		process.engine.Turn(d.key)
	}
}

// Packets counts the inner packets that were sent, and those that arrived.
func (w *World) Packets() (sent, delivered int) { return len(w.watch.packets), w.watch.deliveries }

// build makes the octets: header, marker, number, filler.
func (e *End) build(f Family, n int, number uint64) []byte {
	header := headerIPv4
	if f == IPv6 {
		header = headerIPv6
	}
	size := min(max(n, header+len(marker)+8), largestPacket)
	b := make([]byte, header, size)
	if f == IPv6 {
		b[0], b[6], b[7] = 0x60, protocolNumber, 64
		binary.BigEndian.PutUint16(b[4:], uint16(size-header))
		copy(b[8:], e.six.AsSlice())
		copy(b[24:], e.Peer.six.AsSlice())
	} else {
		b[0], b[8], b[9] = 0x45, 64, protocolNumber
		binary.BigEndian.PutUint16(b[2:], uint16(size))
		copy(b[12:], e.four.AsSlice())
		copy(b[16:], e.Peer.four.AsSlice())
	}
	b = append(b, marker...)
	b = binary.BigEndian.AppendUint64(b, number)
	for len(b) < size {
		b = append(b, byte(len(b)))
	}
	return b
}

// numberOf reads a packet's number; 0: none of ours.
func numberOf(octets []byte) uint64 {
	i := bytes.Index(octets, []byte(marker))
	if i < 0 || len(octets) < i+len(marker)+8 {
		return 0
	}
	return binary.BigEndian.Uint64(octets[i+len(marker):])
}

// TooBig counts the packets whose sender was told that they are too big.
func (w *World) TooBig() int { return w.watch.tooBig }

// tooBig takes what a link tells its own host: a Packet Too Big, for a packet that was sent into this end
// and does not arrive.
func (w *World) tooBig(e *End, octets []byte) bool {
	const icmp, icmpv6 = 1, 58
	four := octets[0]>>4 == 4 && octets[9] == icmp && octets[headerIPv4] == 3 && octets[headerIPv4+1] == 4
	six := octets[0]>>4 == 6 && octets[6] == icmpv6 && octets[headerIPv6] == 2
	if !four && !six {
		return false
	}
	number := numberOf(octets)
	if number == 0 || number > uint64(len(w.watch.packets)) {
		w.fault("T59: %s is told of a packet that nobody sent: %x", e, octets)
		return true
	}
	p := w.watch.packets[number-1]
	if p.from != e || p.delivered || p.tooBig || len(p.octets) <= leastMTU {
		w.fault("T59: %s is told that packet %d of %s, %d octets, is too big", e, number, p.from, len(p.octets))
	}
	p.tooBig = true
	w.watch.tooBig++
	return true
}

// arrived checks what a link wrote to a host's interface (I2, C7): it was sent into the other
// end of this link, as it is, and it comes once.
func (w *World) arrived(e *End, octets []byte) {
	number := numberOf(octets)
	if number == 0 || number > uint64(len(w.watch.packets)) {
		w.fault("I2: %s got a packet that nobody sent: %x", e, octets)
		return
	}
	p := w.watch.packets[number-1]
	switch {
	case p.from != e.Peer:
		w.fault("I2: %s got packet %d of %s", e, number, p.from)
	case !bytes.Equal(p.octets, octets):
		w.fault("I2: %s got packet %d altered", e, number)
	case p.tooBig:
		w.fault("T59: %s got packet %d, of which its sender was told that it is too big", e, number)
	case p.delivered:
		w.fault("I2: %s got packet %d twice", e, number)
	}
	p.delivered = true
	w.watch.deliveries++
	switch {
	case p.wantsEcho:
		w.After(0, func() { e.send(&packet{answers: p}, Family(octets[0]>>4), 0) })
	case p.answers != nil:
		w.watch.echoed[p.answers] = true
	}
}
