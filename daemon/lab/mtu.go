package lab

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/net/icmp"
	"golang.org/x/sys/unix"
)

// SetMTU changes what the host's end of the underlay sends and takes. What is longer is refused when it is
// sent, and dropped without a word when it comes.
func (h *Host) SetMTU(mtu int) error {
	return h.Do(func() error {
		l, err := netlink.LinkByName(Underlay)
		if err != nil {
			return err
		}
		return netlink.LinkSetMTU(l, mtu)
	})
}

// Strict sends one UDP datagram, an IP packet of so many octets that nobody may cut, to a listener on
// another host, and tells whether it arrived within the time. Where the kernel knows that the path is too
// narrow, mtu is what it knows.
func (h *Host) Strict(to *Host, address netip.Addr, octets int, wait time.Duration) (arrived bool, mtu int, err error) {
	var l net.PacketConn
	err = to.Do(func() (err error) {
		l, err = net.ListenPacket("udp", netip.AddrPortFrom(address, 0).String())
		return err
	})
	if err != nil {
		return false, 0, fmt.Errorf("strict: %w", err)
	}
	defer l.Close()
	var c *net.UDPConn
	err = h.Do(func() error {
		d, err := net.Dial("udp", l.LocalAddr().String())
		if err == nil {
			c = d.(*net.UDPConn)
		}
		return err
	})
	if err != nil {
		return false, 0, fmt.Errorf("strict: %w", err)
	}
	defer c.Close()
	level, discover, known, headers := unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_MTU, 28
	if address.Is6() {
		level, discover, known, headers = unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER, unix.IPV6_MTU, 48
	}
	if err := option(c, func(fd int) error { return unix.SetsockoptInt(fd, level, discover, unix.IP_PMTUDISC_DO) }); err != nil {
		return false, 0, fmt.Errorf("strict: %w", err)
	}
	if _, err := c.Write(make([]byte, octets-headers)); errors.Is(err, syscall.EMSGSIZE) {
		err := option(c, func(fd int) (err error) { mtu, err = unix.GetsockoptInt(fd, level, known); return err })
		return false, mtu, err
	} else if err != nil {
		return false, 0, fmt.Errorf("strict: %w", err)
	}
	l.SetReadDeadline(time.Now().Add(wait))
	n, _, err := l.ReadFrom(make([]byte, octets))
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return false, 0, nil
	}
	return n == octets-headers, 0, err
}

// option does something to a socket.
func option(c syscall.Conn, do func(fd int) error) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) { failed = do(int(fd)) })
	return errors.Join(err, failed)
}

// Forge sends a host a Fragmentation Needed with an MTU, as a router would on the way of its datagrams from
// a port to the same port of another host. Nothing proves it.
func (h *Host) Forge(victim, peer netip.Addr, port uint16, mtu int) error {
	var c *icmp.PacketConn
	err := h.Do(func() (err error) {
		c, err = icmp.ListenPacket("ip4:icmp", "")
		return err
	})
	if err != nil {
		return fmt.Errorf("forge: %w", err)
	}
	defer c.Close()
	cause := make([]byte, 28)
	cause[0], cause[6], cause[8], cause[9] = 0x45, 0x40, 64, unix.IPPROTO_UDP
	binary.BigEndian.PutUint16(cause[2:], 1468)
	copy(cause[12:], victim.AsSlice())
	copy(cause[16:], peer.AsSlice())
	binary.BigEndian.PutUint16(cause[20:], port)
	binary.BigEndian.PutUint16(cause[22:], port)
	binary.BigEndian.PutUint16(cause[24:], 1448)
	m := append([]byte{3, 4, 0, 0, 0, 0, byte(mtu >> 8), byte(mtu)}, cause...)
	sum := uint32(0)
	for i := 0; i < len(m); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(m[i:]))
	}
	for sum > 0xFFFF {
		sum = sum>>16 + sum&0xFFFF
	}
	binary.BigEndian.PutUint16(m[2:], ^uint16(sum))
	_, err = c.WriteTo(m, &net.IPAddr{IP: victim.AsSlice()})
	return err
}
