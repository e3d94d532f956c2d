package lab

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Route sends what goes to a prefix to another host of the lab.
func (h *Host) Route(prefix netip.Prefix, via *Host) error {
	return h.Do(func() error {
		to, err := netlink.ParseIPNet(prefix.String())
		if err != nil {
			return err
		}
		return netlink.RouteAdd(&netlink.Route{Dst: to, Gw: via.Address.AsSlice()})
	})
}

// Flood sends UDP datagrams until ctx ends, so many in a second, each from another address of a prefix of
// IPv4, one address after the other; next makes the n-th one. It tells how many it has sent.
func (h *Host) Flood(ctx context.Context, sources netip.Prefix, to netip.AddrPort, rate int, next func(n uint64) []byte) (sent uint64, err error) {
	var fd int
	if err := h.Do(func() (err error) {
		fd, err = unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_RAW)
		return err
	}); err != nil {
		return 0, fmt.Errorf("raw socket: %w", err)
	}
	defer unix.Close(fd)
	target := &unix.SockaddrInet4{Addr: to.Addr().As4()}
	base, hosts := binary.BigEndian.Uint32(sources.Masked().Addr().AsSlice()), uint64(1)<<(32-sources.Bits())-2
	begin := time.Now()
	for ; ctx.Err() == nil; sent++ {
		if ahead := time.Duration(sent)*time.Second/time.Duration(rate) - time.Since(begin); ahead > time.Millisecond {
			time.Sleep(ahead)
		}
		from := netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, base+uint32(1+sent%hosts))))
		if err := unix.Sendto(fd, datagram(netip.AddrPortFrom(from, 33536), to, next(sent)), 0, target); err != nil && err != unix.ENOBUFS {
			return sent, fmt.Errorf("send: %w", err)
		}
	}
	return sent, nil
}

// datagram makes an IPv4 packet with UDP in it. The kernel fills the header's checksum, and UDP over IPv4
// needs none.
func datagram(from, to netip.AddrPort, payload []byte) []byte {
	b := make([]byte, ipv4Len+udpLen, ipv4Len+udpLen+len(payload))
	b[0], b[8], b[9] = 0x45, 64, unix.IPPROTO_UDP
	binary.BigEndian.PutUint16(b[2:], uint16(cap(b)))
	copy(b[12:], from.Addr().AsSlice())
	copy(b[16:], to.Addr().AsSlice())
	binary.BigEndian.PutUint16(b[ipv4Len:], from.Port())
	binary.BigEndian.PutUint16(b[ipv4Len+2:], to.Port())
	binary.BigEndian.PutUint16(b[ipv4Len+4:], uint16(udpLen+len(payload)))
	return append(b, payload...)
}
