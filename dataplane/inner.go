package dataplane

import (
	"encoding/binary"
	"net/netip"
	"sync/atomic"
)

const (
	headerLenIPv4 = 20
	headerLenIPv6 = 40
)

// innerFilter decides which inner packets of the peer reach the interface.
type innerFilter struct {
	sources, destinations []netip.Prefix
	excluded              *atomic.Pointer[[]netip.Prefix] // the link's, see Exclude
}

// Exclude replaces what is not the peer's although it is inside the sources of the link's contexts: more
// specific prefixes of other links, and this host's own addresses. A peer must not speak in their names
// (T57). A source belongs to whoever has the longest prefix for it, and is excluded where both are equal.
func (l *Link) Exclude(prefixes []netip.Prefix) { l.excluded.Store(&prefixes) }

// from tells whether a source is the peer's.
func (f *innerFilter) from(source netip.Addr) bool {
	if !within(f.sources, source) {
		return false
	}
	excluded := f.excluded.Load()
	return excluded == nil || !within(*excluded, source) || longest(f.sources, source) > longest(*excluded, source)
}

// longest is the length of the longest prefix that has an address; -1: none has it.
func longest(prefixes []netip.Prefix, a netip.Addr) int {
	bits := -1
	for _, p := range prefixes {
		if p.Bits() > bits && p.Contains(a) {
			bits = p.Bits()
		}
	}
	return bits
}

// judge is false with the reason where the packet must not pass.
func (f *innerFilter) judge(packet []byte) (Drop, bool) {
	source, destination, ok := innerAddresses(packet)
	if !ok {
		return DropInnerMalformed, false
	}
	if !unicast(source) || !f.from(source) {
		return DropInnerSource, false
	}
	if !unicast(destination) || len(f.destinations) > 0 && !within(f.destinations, destination) {
		return DropInnerDestination, false
	}
	if steers(packet) {
		return DropInnerSteering, false
	}
	return 0, true
}

// innerAddresses reads the addresses of one whole IP packet whose header states its length.
func innerAddresses(p []byte) (source, destination netip.Addr, ok bool) {
	if len(p) < headerLenIPv4 {
		return source, destination, false
	}
	switch p[0] >> 4 {
	case 4:
		header := int(p[0]&0x0f) * 4
		if header < headerLenIPv4 || header > len(p) || int(binary.BigEndian.Uint16(p[2:])) != len(p) {
			return source, destination, false
		}
		return netip.AddrFrom4([4]byte(p[12:16])), netip.AddrFrom4([4]byte(p[16:20])), true
	case 6:
		if len(p) < headerLenIPv6 || int(binary.BigEndian.Uint16(p[4:]))+headerLenIPv6 != len(p) {
			return source, destination, false
		}
		return netip.AddrFrom16([16]byte(p[8:24])), netip.AddrFrom16([16]byte(p[24:40])), true
	}
	return source, destination, false
}

// unicast refuses the addresses that no packet from a peer may carry.
func unicast(a netip.Addr) bool {
	if a.IsUnspecified() || a.IsMulticast() || a.IsLoopback() || a.Is4In6() {
		return false
	}
	return a != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

// manyfold tells whether a packet that leaves goes to a group: no peer lets it in, and the kernel makes such
// packets by itself, as router solicitations, so that an idle link would never be silent.
func manyfold(packet []byte) bool {
	switch packet[0] >> 4 {
	case 4:
		return packet[16]&0xF0 == 0xE0
	case 6:
		return len(packet) >= headerLenIPv6 && packet[24] == 0xFF
	}
	return false
}

func within(prefixes []netip.Prefix, a netip.Addr) bool {
	for _, p := range prefixes {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
