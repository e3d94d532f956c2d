package udp

import (
	"encoding/binary"
	"net"
	"net/netip"
	"runtime"
	"strconv"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"pc5d/dataplane/soon"
)

// maxReceive is the most messages of one Receive.
const maxReceive = 64

// receiver is the memory of Receive.
type receiver struct {
	names    [maxReceive]unix.RawSockaddrInet6
	iovecs   [maxReceive]unix.Iovec
	headers  [maxReceive]mmsghdr
	controls [maxReceive][3 * controlSpace]byte
	expected soon.Expectation
	unheard  bool // it may wait without the scheduler of Go
}

// Receive implements Conn. It fills at most 64 messages.
func (s *Socket) Receive(messages []Message, block bool) (int, error) {
	messages = messages[:min(len(messages), maxReceive)]
	if len(messages) == 0 {
		return 0, ErrBatch
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	r := &s.inbox
	r.prepare(messages)
	for {
		if s.closed.Load() {
			return 0, net.ErrClosed
		}
		n, errno := r.receive(s.fd, len(messages), block)
		runtime.KeepAlive(messages)
		if s.closed.Load() {
			return 0, net.ErrClosed
		}
		if errno != 0 {
			if errno == unix.EAGAIN && !block {
				return 0, nil
			}
			if transient(errno) {
				continue
			}
			return 0, errno
		}
		for i := range n {
			r.take(i, &messages[i])
		}
		return n, nil
	}
}

// receive asks the kernel. The scheduler of Go hears of it only where it may take long, and where the socket may keep its P
// (Options.unheard).
func (r *receiver) receive(fd, n int, block bool) (int, unix.Errno) {
	if block && r.unheard {
		if errno := await(fd, r.expected.Left(time.Now())); errno != 0 {
			return 0, errno
		}
	}
	got, _, errno := unix.RawSyscall6(unix.SYS_RECVMMSG, uintptr(fd), uintptr(unsafe.Pointer(&r.headers[0])), uintptr(n), unix.MSG_DONTWAIT, 0, 0)
	if errno == unix.EAGAIN && block {
		got, _, errno = unix.Syscall6(unix.SYS_RECVMMSG, uintptr(fd), uintptr(unsafe.Pointer(&r.headers[0])), uintptr(n), unix.MSG_WAITFORONE, 0, 0)
	}
	if errno == 0 {
		r.expected.Came(time.Now())
	}
	return int(got), errno
}

// await waits a while for something to receive. A signal ends it: unlike a receive, it is never begun again.
func await(fd int, d time.Duration) unix.Errno {
	if d == 0 {
		return 0
	}
	poll, left := unix.PollFd{Fd: int32(fd), Events: unix.POLLIN}, unix.NsecToTimespec(d.Nanoseconds())
	_, _, errno := unix.RawSyscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&poll)), 1, uintptr(unsafe.Pointer(&left)), 0, 0, 0)
	return errno
}

// transient errors are signals and what ICMP said about something sent before.
func transient(errno unix.Errno) bool {
	switch errno {
	case unix.EINTR, unix.EAGAIN, unix.ECONNREFUSED, unix.EHOSTUNREACH, unix.ENETUNREACH, unix.ENETDOWN, unix.EMSGSIZE, unix.EPROTO:
		return true
	}
	return false
}

func (r *receiver) prepare(messages []Message) {
	for i := range messages {
		r.iovecs[i].Base = &messages[i].Buffer[0]
		r.iovecs[i].SetLen(len(messages[i].Buffer))
		h := &r.headers[i].header
		*h = unix.Msghdr{Name: (*byte)(unsafe.Pointer(&r.names[i])), Namelen: unix.SizeofSockaddrInet6, Iov: &r.iovecs[i], Control: &r.controls[i][0]}
		h.SetIovlen(1)
		h.SetControllen(len(r.controls[i]))
	}
}

func (r *receiver) take(i int, m *Message) {
	h := &r.headers[i].header
	n := min(int(r.headers[i].length), len(m.Buffer))
	m.Data = m.Buffer[:n]
	m.Cut = h.Flags&(unix.MSG_TRUNC|unix.MSG_CTRUNC) != 0
	m.Segment, m.Class = readControl(r.controls[i][:min(int(h.Controllen), len(r.controls[i]))])
	m.From = sockaddr(&r.names[i], h.Namelen)
}

// readControl finds the segment size and the traffic class; 0 where there is none.
func readControl(control []byte) (size int, class uint8) {
	for len(control) >= unix.SizeofCmsghdr {
		h := (*unix.Cmsghdr)(unsafe.Pointer(&control[0]))
		if h.Len < unix.SizeofCmsghdr || uint64(h.Len) > uint64(len(control)) {
			break
		}
		data := control[unix.SizeofCmsghdr:h.Len]
		switch {
		case h.Level == unix.IPPROTO_UDP && h.Type == unix.UDP_GRO && len(data) >= 4:
			size = int(int32(binary.NativeEndian.Uint32(data)))
		case h.Level == unix.IPPROTO_IP && h.Type == unix.IP_TOS && len(data) >= 1:
			class = data[0]
		case h.Level == unix.IPPROTO_IPV6 && h.Type == unix.IPV6_TCLASS && len(data) >= 4:
			class = uint8(binary.NativeEndian.Uint32(data))
		}
		next := unix.CmsgSpace(len(data))
		if next >= len(control) {
			break
		}
		control = control[next:]
	}
	return size, class
}

// sockaddr reads the sender's address; the zero AddrPort where the kernel gave none.
func sockaddr(name *unix.RawSockaddrInet6, length uint32) netip.AddrPort {
	switch {
	case name.Family == unix.AF_INET && length >= unix.SizeofSockaddrInet4:
		four := (*unix.RawSockaddrInet4)(unsafe.Pointer(name))
		return netip.AddrPortFrom(netip.AddrFrom4(four.Addr), hostPort(&four.Port))
	case name.Family == unix.AF_INET6 && length >= unix.SizeofSockaddrInet6:
		a := netip.AddrFrom16(name.Addr).Unmap()
		if name.Scope_id != 0 && a.Is6() {
			a = a.WithZone(strconv.Itoa(int(name.Scope_id))) // allocates; link-local senders only
		}
		return netip.AddrPortFrom(a, hostPort(&name.Port))
	}
	return netip.AddrPort{}
}

func hostPort(p *uint16) uint16 { return binary.BigEndian.Uint16((*[2]byte)(unsafe.Pointer(p))[:]) }
