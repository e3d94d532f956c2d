package lab

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// Capture looks at every frame on a host's underlay.
type Capture struct {
	fd      int
	pattern []byte
	keeping bool
	frames  atomic.Uint64
	found   atomic.Uint64
	ended   chan struct{}
	stop    atomic.Bool

	mu        sync.Mutex // guards the field below
	datagrams []Datagram
}

// Datagram is one UDP datagram over IPv4 as an observer sees it.
type Datagram struct {
	From, To netip.AddrPort
	Payload  []byte
}

const captureBuffer = 64 << 20

// Capture starts to count frames, and those that contain the pattern.
func (h *Host) Capture(pattern []byte) (*Capture, error) {
	return h.capture(&Capture{pattern: bytes.Clone(pattern), ended: make(chan struct{})})
}

// Record starts to keep the UDP datagrams. Several that the kernel hands over as one are kept as
// one: it is for traffic that is not fast enough for that.
func (h *Host) Record() (*Capture, error) {
	return h.capture(&Capture{keeping: true, ended: make(chan struct{})})
}

func (h *Host) capture(c *Capture) (*Capture, error) {
	err := h.Do(func() error {
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, int(htons(unix.ETH_P_ALL)))
		if err != nil {
			return err
		}
		c.fd = fd
		timeout := unix.Timeval{Usec: 50_000}
		return errors.Join(
			unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, captureBuffer),
			unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &timeout))
	})
	if err != nil {
		return nil, err
	}
	go c.run()
	return c, nil
}

func htons(v uint16) uint16 { return v<<8 | v>>8 }

func (c *Capture) run() {
	defer close(c.ended)
	b := make([]byte, 1<<17)
	for {
		n, from, err := unix.Recvfrom(c.fd, b, 0)
		if err != nil {
			if c.stop.Load() || err != unix.EAGAIN && err != unix.EINTR {
				return
			}
			continue
		}
		link, ok := from.(*unix.SockaddrLinklayer)
		if !ok || link.Hatype != unix.ARPHRD_ETHER { // the TUN carries the plaintext, as it must
			continue
		}
		c.frames.Add(1)
		if c.keeping {
			c.keep(b[:n])
			continue
		}
		if bytes.Contains(b[:n], c.pattern) {
			c.found.Add(1)
		}
	}
}

func (c *Capture) keep(frame []byte) {
	d, ok := parseFrame(frame)
	if !ok {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.datagrams = append(c.datagrams, d)
}

const (
	ethernetLen = 14
	ipv4Len     = 20
	udpLen      = 8
)

// parseFrame finds the datagram in an Ethernet frame: IPv4 without fragments.
func parseFrame(b []byte) (Datagram, bool) {
	if len(b) < ethernetLen+ipv4Len || binary.BigEndian.Uint16(b[12:]) != unix.ETH_P_IP {
		return Datagram{}, false
	}
	ip := b[ethernetLen:]
	header, total := int(ip[0]&0x0f)*4, int(binary.BigEndian.Uint16(ip[2:]))
	const fragment = 0x3fff // offset, or more to come
	if ip[9] != unix.IPPROTO_UDP || binary.BigEndian.Uint16(ip[6:])&fragment != 0 || header < ipv4Len || total < header+udpLen || total > len(ip) {
		return Datagram{}, false
	}
	udp := ip[header:total]
	return Datagram{
		From:    netip.AddrPortFrom(netip.AddrFrom4([4]byte(ip[12:16])), binary.BigEndian.Uint16(udp)),
		To:      netip.AddrPortFrom(netip.AddrFrom4([4]byte(ip[16:20])), binary.BigEndian.Uint16(udp[2:])),
		Payload: bytes.Clone(udp[udpLen:]),
	}, true
}

// Datagrams are those of a Record so far, in the order of their arrival.
func (c *Capture) Datagrams() []Datagram {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.datagrams[:len(c.datagrams):len(c.datagrams)]
}

// Stop ends the capture. It returns the frames seen, those with the pattern in them, and the
// frames that the kernel could not hand over.
func (c *Capture) Stop() (frames, found, lost uint64, err error) {
	c.stop.Store(true)
	<-c.ended
	stats, err := unix.GetsockoptTpacketStats(c.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err == nil {
		lost = uint64(stats.Drops)
	}
	return c.frames.Load(), c.found.Load(), lost, errors.Join(err, unix.Close(c.fd))
}
