package udp

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mmsghdr is struct mmsghdr of sendmmsg and recvmmsg.
type mmsghdr struct {
	header unix.Msghdr
	length uint32
	_      [4]byte
}

// sender is the memory of one send; pooled, so that sending allocates nothing.
type sender struct {
	name    unix.RawSockaddrInet6 // also holds a RawSockaddrInet4
	nameLen uint32
	iovecs  [MaxSegments]unix.Iovec
	headers [MaxSegments]mmsghdr
	control [2 * controlSpace]byte
	used    int  // octets of control
	six     bool // the endpoint has an IPv6 address
}

// controlSpace is the room for one control message: CmsgSpace of 1 to 8 octets.
const controlSpace = 24

// Send implements Conn.
func (s *Socket) Send(to netip.AddrPort, b []byte, size int, class uint8) error {
	n := segments(b, size)
	if n == 0 {
		return ErrBatch
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed.Load() {
		return net.ErrClosed
	}
	m := s.senders.Get().(*sender)
	defer s.senders.Put(m)
	if err := m.address(to, s.four); err != nil {
		return err
	}
	m.used = 0
	if class != 0 {
		m.classify(class)
	}
	if n > 1 && s.segment.Load() {
		err := m.segmented(s.fd, b, size)
		switch {
		case err == nil:
			return nil
		case err == unix.EIO:
			s.segment.Store(false) // the device can not checksum; it never will
		case err != unix.EINVAL && err != unix.EMSGSIZE:
			return err
		}
		// EINVAL, EMSGSIZE: a segment is longer than the device takes, but the last may fit.
	}
	return m.oneByOne(s.fd, b, size, n)
}

// address sets the endpoint.
func (m *sender) address(to netip.AddrPort, four bool) error {
	if !to.IsValid() || to.Port() == 0 {
		return errors.New("udp: the endpoint has no address or no port")
	}
	m.six = to.Addr().Is6() && !to.Addr().Is4In6()
	var port uint16 // as memory: network order
	binary.BigEndian.PutUint16((*[2]byte)(unsafe.Pointer(&port))[:], to.Port())
	if four {
		if a := to.Addr().Unmap(); a.Is4() {
			*(*unix.RawSockaddrInet4)(unsafe.Pointer(&m.name)) = unix.RawSockaddrInet4{Family: unix.AF_INET, Port: port, Addr: a.As4()}
			m.nameLen = unix.SizeofSockaddrInet4
			return nil
		}
		return errors.New("udp: an IPv6 endpoint on an IPv4 socket: listen on [::]")
	}
	m.name = unix.RawSockaddrInet6{Family: unix.AF_INET6, Port: port, Addr: to.Addr().As16(), Scope_id: scope(to.Addr().Zone())}
	m.nameLen = unix.SizeofSockaddrInet6
	return nil
}

// segmented sends all with one UDP_SEGMENT call.
func (m *sender) segmented(fd int, b []byte, size int) error {
	binary.NativeEndian.PutUint16(m.append(unix.IPPROTO_UDP, unix.UDP_SEGMENT, 2), uint16(size))
	message := &m.headers[0].header
	*message = unix.Msghdr{Name: (*byte)(unsafe.Pointer(&m.name)), Namelen: m.nameLen, Iov: &m.iovecs[0], Control: &m.control[0]}
	message.SetIovlen(1)
	message.SetControllen(m.used)
	m.iovecs[0].Base = &b[0]
	m.iovecs[0].SetLen(len(b))
	// The scheduler of Go need not hear of what does not block.
	_, _, errno := unix.RawSyscall(unix.SYS_SENDMSG, uintptr(fd), uintptr(unsafe.Pointer(message)), unix.MSG_DONTWAIT)
	for wait := errno == unix.EAGAIN; wait || errno == unix.EINTR; wait = false {
		_, _, errno = unix.Syscall(unix.SYS_SENDMSG, uintptr(fd), uintptr(unsafe.Pointer(message)), 0)
	}
	runtime.KeepAlive(b)
	m.release(1)
	m.used -= controlSpace // of the segment size
	if errno != 0 {
		return errno
	}
	return nil
}

// classify lets the datagrams have a traffic class.
func (m *sender) classify(class uint8) {
	level, kind := int32(unix.IPPROTO_IP), int32(unix.IP_TOS)
	if m.six {
		level, kind = unix.IPPROTO_IPV6, unix.IPV6_TCLASS
	}
	binary.NativeEndian.PutUint32(m.append(level, kind, 4), uint32(class))
}

// append begins a control message of so many octets, and gives them.
func (m *sender) append(level, kind int32, n int) []byte {
	room := m.control[m.used : m.used+controlSpace]
	h := (*unix.Cmsghdr)(unsafe.Pointer(&room[0]))
	h.Level, h.Type = level, kind
	h.SetLen(unix.CmsgLen(n))
	m.used += controlSpace
	return room[unix.CmsgLen(0):]
}

// oneByOne sends with sendmmsg. A datagram that the kernel refuses does not stop the ones
// behind it; the first error is reported.
func (m *sender) oneByOne(fd int, b []byte, size, n int) error {
	for i := range n {
		d := b[i*size : min((i+1)*size, len(b))]
		m.iovecs[i].Base = &d[0]
		m.iovecs[i].SetLen(len(d))
		m.headers[i].header = unix.Msghdr{Name: (*byte)(unsafe.Pointer(&m.name)), Namelen: m.nameLen, Iov: &m.iovecs[i]}
		m.headers[i].header.SetIovlen(1)
		if m.used > 0 {
			m.headers[i].header.Control = &m.control[0]
			m.headers[i].header.SetControllen(m.used)
		}
	}
	var first error
	for sent := 0; sent < n; {
		done, _, errno := unix.Syscall6(unix.SYS_SENDMMSG, uintptr(fd), uintptr(unsafe.Pointer(&m.headers[sent])), uintptr(n-sent), 0, 0, 0)
		switch {
		case errno == unix.EINTR:
		case errno != 0:
			if first == nil {
				first = errno
			}
			sent++
		default:
			sent += int(done)
		}
	}
	runtime.KeepAlive(b)
	m.release(n)
	if first == unix.EMSGSIZE {
		return ErrTooLong
	}
	return first
}

// release drops the pointers into the caller's memory.
func (m *sender) release(n int) { clear(m.iovecs[:n]) }

// scope is the interface index of a zone; link-local endpoints are rare, so nothing is cached.
func scope(zone string) uint32 {
	if zone == "" {
		return 0
	}
	var index uint32
	for _, r := range zone {
		if r < '0' || r > '9' {
			i, err := net.InterfaceByName(zone)
			if err != nil {
				return 0
			}
			return uint32(i.Index)
		}
		index = index*10 + uint32(r-'0')
	}
	return index
}
