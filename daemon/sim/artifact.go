package sim

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net/netip"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// WriteDiagram writes the datagrams as a sequence diagram, one column a host; ~ marks forged
// ones.
func (w *World) WriteDiagram(out io.Writer) error {
	const width = 24
	b := bufio.NewWriter(out)
	column := func(a netip.AddrPort) int {
		for i, h := range w.Hosts {
			if h.Address == a {
				return i
			}
		}
		return -1
	}
	fmt.Fprintf(b, "%12s ", "seconds")
	for _, h := range w.Hosts {
		fmt.Fprintf(b, "%-*s", width, h.Name)
	}
	fmt.Fprintln(b)
	for _, d := range w.Network.recorded {
		line := make([]byte, width*(len(w.Hosts)-1)+1)
		for i := range line {
			line[i] = ' '
			if i%width == 0 {
				line[i] = '|'
			}
		}
		draw(line, column(d.From)*width, column(d.To)*width, d.Forged)
		fmt.Fprintf(b, "%12.6f %s  %s\n", d.At.Seconds(), line, Describe(d.Octets))
	}
	return b.Flush()
}

// draw draws an arrow between two columns.
func draw(line []byte, from, to int, forged bool) {
	if from < 0 || to < 0 || from == to {
		return
	}
	shaft := byte('-')
	if forged {
		shaft = '~'
	}
	for i := min(from, to) + 1; i < max(from, to); i++ {
		line[i] = shaft
	}
	if from < to {
		line[to-1] = '>'
	} else {
		line[to+1] = '<'
	}
}

// WriteCapture writes the datagrams as pcapng, raw IP.
func (w *World) WriteCapture(out io.Writer) error {
	ng, err := pcapgo.NewNgWriter(out, layers.LinkTypeRaw)
	if err != nil {
		return err
	}
	for _, d := range w.Network.recorded {
		b := rawIP(d)
		info := gopacket.CaptureInfo{Timestamp: epoch.Add(d.At), CaptureLength: len(b), Length: len(b)}
		if err := ng.WritePacket(info, b); err != nil {
			return err
		}
	}
	return ng.Flush()
}

// rawIP puts IPv4 and UDP headers in front of a datagram; no checksum of UDP.
func rawIP(d Datagram) []byte {
	const header = headerIPv4 + 8
	b := make([]byte, header, header+len(d.Octets))
	b[0], b[8], b[9] = 0x45, 64, 17
	binary.BigEndian.PutUint16(b[2:], uint16(header+len(d.Octets)))
	copy(b[12:], d.From.Addr().AsSlice())
	copy(b[16:], d.To.Addr().AsSlice())
	binary.BigEndian.PutUint16(b[10:], ^checksum(b[:headerIPv4]))
	binary.BigEndian.PutUint16(b[20:], d.From.Port())
	binary.BigEndian.PutUint16(b[22:], d.To.Port())
	binary.BigEndian.PutUint16(b[24:], uint16(8+len(d.Octets)))
	return append(b, d.Octets...)
}

// checksum is the ones' complement sum of 16-bit words.
func checksum(b []byte) uint16 {
	sum := uint32(0)
	for i := 0; i < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	for sum > 0xFFFF {
		sum = sum&0xFFFF + sum>>16
	}
	return uint16(sum)
}
