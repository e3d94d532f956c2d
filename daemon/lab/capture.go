package lab

import (
	"bytes"
	"errors"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// Capture looks at every frame on a host's underlay.
type Capture struct {
	fd      int
	pattern []byte
	frames  atomic.Uint64
	found   atomic.Uint64
	ended   chan struct{}
	stop    atomic.Bool
}

const captureBuffer = 64 << 20

// Capture starts to count frames, and those that contain the pattern.
func (h *Host) Capture(pattern []byte) (*Capture, error) {
	c := &Capture{pattern: bytes.Clone(pattern), ended: make(chan struct{})}
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
		if bytes.Contains(b[:n], c.pattern) {
			c.found.Add(1)
		}
	}
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
