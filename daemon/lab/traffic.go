package lab

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"time"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// Ping sends one echo request and waits for the reply.
func (h *Host) Ping(to netip.Addr, timeout time.Duration) (time.Duration, error) {
	network, protocol := "ip4:icmp", 1
	var request, reply icmp.Type = ipv4.ICMPTypeEcho, ipv4.ICMPTypeEchoReply
	if to.Is6() {
		network, protocol = "ip6:ipv6-icmp", 58
		request, reply = ipv6.ICMPTypeEchoRequest, ipv6.ICMPTypeEchoReply
	}
	var c *icmp.PacketConn
	err := h.Do(func() (err error) {
		c, err = icmp.ListenPacket(network, "")
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("ping %s: %w", to, err)
	}
	defer c.Close()
	id := os.Getpid() & 0xFFFF
	b, err := (&icmp.Message{Type: request, Body: &icmp.Echo{ID: id, Seq: 1, Data: []byte("pc5d")}}).Marshal(nil)
	if err != nil {
		return 0, err
	}
	start := time.Now()
	if _, err := c.WriteTo(b, &net.IPAddr{IP: to.AsSlice()}); err != nil {
		return 0, fmt.Errorf("ping %s: %w", to, err)
	}
	c.SetReadDeadline(start.Add(timeout))
	for in := make([]byte, 1500); ; {
		n, _, err := c.ReadFrom(in)
		if err != nil {
			return 0, fmt.Errorf("ping %s: no reply in %s: %w", to, timeout, err)
		}
		m, err := icmp.ParseMessage(protocol, in[:n])
		if err != nil || m.Type != reply {
			continue
		}
		if echo, ok := m.Body.(*icmp.Echo); ok && echo.ID == id {
			return time.Since(start), nil
		}
	}
}

// Transfer sends octets from h to another host's address by TCP, the pattern again and again,
// and compares checksums at both ends.
func (h *Host) Transfer(to *Host, address netip.Addr, octets int64, pattern []byte, timeout time.Duration) (time.Duration, error) {
	var l net.Listener
	err := to.Do(func() (err error) {
		l, err = net.Listen("tcp", netip.AddrPortFrom(address, 0).String())
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("transfer: %w", err)
	}
	defer l.Close()
	received := make(chan result, 1)
	go func() { received <- receive(l, timeout) }()
	var c net.Conn
	err = h.Do(func() (err error) {
		c, err = net.DialTimeout("tcp", l.Addr().String(), timeout)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("transfer: %w", err)
	}
	start := time.Now()
	sum, err := send(c, octets, pattern, timeout)
	if err != nil {
		return 0, fmt.Errorf("transfer: %w", err)
	}
	r := <-received
	switch {
	case r.err != nil:
		return 0, fmt.Errorf("transfer: %w", r.err)
	case r.octets != octets || r.sum != sum:
		return 0, fmt.Errorf("transfer: %d octets arrived of %d, or altered", r.octets, octets)
	}
	return time.Since(start), nil
}

type result struct {
	octets int64
	sum    [32]byte
	err    error
}

func receive(l net.Listener, timeout time.Duration) result {
	c, err := l.Accept()
	if err != nil {
		return result{err: err}
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(timeout))
	hash := sha256.New()
	n, err := io.Copy(hash, c)
	return result{octets: n, sum: [32]byte(hash.Sum(nil)), err: err}
}

func send(c net.Conn, octets int64, pattern []byte, timeout time.Duration) (sum [32]byte, err error) {
	c.SetDeadline(time.Now().Add(timeout))
	hash := sha256.New()
	_, err = io.CopyN(io.MultiWriter(c, hash), &repeat{pattern: pattern}, octets)
	err = errors.Join(err, c.Close())
	return [32]byte(hash.Sum(nil)), err
}

// repeat reads a pattern for ever.
type repeat struct {
	pattern []byte
	at      int
}

func (r *repeat) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = r.pattern[r.at]
		r.at = (r.at + 1) % len(r.pattern)
	}
	return len(b), nil
}
