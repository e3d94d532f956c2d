package udp

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// socketBuffer is what the node asks for in each direction; the kernel gives at most its
// net.core.[rw]mem_max unless the process may override that. Chosen: some ms at 10 Gbit/s.
const socketBuffer = 4 << 20

// Socket is the Linux Conn.
type Socket struct {
	fd      int
	four    bool // AF_INET: no IPv6 on this host, or an IPv4 address was asked for
	local   netip.AddrPort
	segment atomic.Bool
	gro     bool
	buffer  int32 // size of the send buffer
	closed  atomic.Bool
	senders sync.Pool // *sender
	inbox   receiver  // of the goroutine that receives

	// Held for reading over every use of fd, also while blocked in it: Close first wakes the
	// users, then waits for them, so that nobody meets a descriptor of somebody else.
	mu sync.RWMutex
}

// Options are what a socket is opened with.
type Options struct {
	Mark    uint32   // of what it sends, for the host's routing rules (SO_MARK); 0: none
	Without Offloads // left unused although the kernel may have them, to test what stands in
	Log     *slog.Logger
	shared  bool // others of a group have the same address
	unheard bool // Receive may keep its P for a while (package soon)
}

// Listen opens the socket. "[::]" and the zero address listen on both families.
func Listen(at netip.AddrPort, o Options) (*Socket, error) {
	s := &Socket{four: at.Addr().Is4() && !at.Addr().IsUnspecified()}
	s.inbox.unheard = o.unheard
	s.senders.New = func() any { return new(sender) }
	if err := s.open(at, o); err != nil {
		return nil, fmt.Errorf("udp: listen on %s: %w", at, err)
	}
	s.tune(o)
	return s, nil
}

func (s *Socket) open(at netip.AddrPort, o Options) error {
	family := unix.AF_INET6
	if s.four {
		family = unix.AF_INET
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.IPPROTO_UDP)
	if err == unix.EAFNOSUPPORT && at.Addr().IsUnspecified() {
		s.four = true
		fd, err = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.IPPROTO_UDP)
	}
	if err != nil {
		return fmt.Errorf("socket: %w", err)
	}
	s.fd = fd
	if err := errors.Join(s.share(o.shared), s.mark(o.Mark), s.bind(at)); err != nil {
		unix.Close(fd)
		return err
	}
	return nil
}

// mark lets routing rules tell this socket's packets from those that belong into a link (T62): a socket
// without its mark would send into the link what the link itself has sent.
func (s *Socket) mark(mark uint32) error {
	if mark == 0 {
		return nil
	}
	if err := unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_MARK, int(mark)); err != nil {
		return fmt.Errorf("set mark %#x: %w: pc5d needs CAP_NET_ADMIN for node.fwmark", mark, err)
	}
	return nil
}

// share lets others have the address, too.
func (s *Socket) share(shared bool) error {
	if !shared {
		return nil
	}
	if err := unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err != nil {
		return fmt.Errorf("share the port: %w", err)
	}
	return nil
}

func (s *Socket) bind(at netip.AddrPort) error {
	var address unix.Sockaddr = &unix.SockaddrInet4{Port: int(at.Port())}
	switch {
	case s.four && at.Addr().Is4():
		address = &unix.SockaddrInet4{Port: int(at.Port()), Addr: at.Addr().As4()}
	case !s.four:
		six := &unix.SockaddrInet6{Port: int(at.Port())}
		if at.Addr().Is6() {
			six.Addr = at.Addr().As16()
		}
		only := 1
		if at.Addr().IsUnspecified() || !at.IsValid() {
			only = 0
		}
		if err := unix.SetsockoptInt(s.fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, only); err != nil {
			return fmt.Errorf("choose address families: %w", err)
		}
		address = six
	}
	if err := unix.Bind(s.fd, address); err != nil {
		return fmt.Errorf("bind: %w", err)
	}
	bound, err := unix.Getsockname(s.fd)
	if err != nil {
		return fmt.Errorf("read the bound address: %w", err)
	}
	switch b := bound.(type) {
	case *unix.SockaddrInet4:
		s.local = netip.AddrPortFrom(netip.AddrFrom4(b.Addr), uint16(b.Port))
	case *unix.SockaddrInet6:
		s.local = netip.AddrPortFrom(netip.AddrFrom16(b.Addr), uint16(b.Port))
	}
	return nil
}

// tune asks for buffers and offloads; each may be refused.
func (s *Socket) tune(o Options) {
	_ = unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_BROADCAST, 1) // for requests to everybody
	s.probe()
	for _, size := range [...][2]int{{unix.SO_SNDBUFFORCE, unix.SO_SNDBUF}, {unix.SO_RCVBUFFORCE, unix.SO_RCVBUF}} {
		if unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, size[0], socketBuffer) != nil {
			_ = unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, size[1], socketBuffer) // less is fine
		}
	}
	_ = unix.SetsockoptInt(s.fd, unix.IPPROTO_IP, unix.IP_RECVTOS, 1) // without it no mark is seen
	if !s.four {
		_ = unix.SetsockoptInt(s.fd, unix.IPPROTO_IPV6, unix.IPV6_RECVTCLASS, 1)
	}
	s.buffer = sendBuffer(s.fd)
	_, err := unix.GetsockoptInt(s.fd, unix.IPPROTO_UDP, unix.UDP_SEGMENT)
	s.segment.Store(err == nil && !o.Without.Segment)
	s.gro = !o.Without.Coalesce && unix.SetsockoptInt(s.fd, unix.IPPROTO_UDP, unix.UDP_GRO, 1) == nil
	if !s.segment.Load() || !s.gro {
		o.Log.Info("a UDP offload is not in use: more system calls", "udp_segment", s.segment.Load(), "udp_gro", s.gro)
	}
}

// LocalAddr is the bound address.
func (s *Socket) LocalAddr() netip.AddrPort { return s.local }

// Offloads tells what is in use.
func (s *Socket) Offloads() Offloads { return Offloads{Segment: s.segment.Load(), Coalesce: s.gro} }

// Close wakes Receive and frees the descriptor once nobody uses it.
func (s *Socket) Close() error {
	if s.closed.Swap(true) {
		return net.ErrClosed
	}
	// ENOTCONN on a socket without a peer, but a blocked reader wakes up all the same.
	_ = unix.Shutdown(s.fd, unix.SHUT_RD)
	s.mu.Lock()
	defer s.mu.Unlock()
	return unix.Close(s.fd)
}
