package udp

import (
	"net"
	"net/netip"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Answer implements Conn. Datagrams for a neighbour who is not there stay in the buffer for seconds,
// until nobody has answered for him: who forges such addresses must not stop those who wait for room,
// nor the receiver (T30).
func (s *Socket) Answer(to netip.AddrPort, b []byte, most Share) error {
	if segments(b, len(b)) != 1 {
		return ErrBatch
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed.Load() {
		return net.ErrClosed
	}
	if s.waiting() > s.buffer/int32(most) {
		return ErrBusy
	}
	m := s.senders.Get().(*sender)
	defer s.senders.Put(m)
	if err := m.address(to, s.four); err != nil {
		return err
	}
	return m.answer(s.fd, b)
}

// waiting is how many octets of the send buffer are in use; where the kernel does not tell, none.
func (s *Socket) waiting() (octets int32) {
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(s.fd), unix.SIOCOUTQ, uintptr(unsafe.Pointer(&octets)))
	if errno != 0 {
		return 0
	}
	return octets
}

// sendBuffer is the size of a socket's send buffer.
func sendBuffer(fd int) int32 {
	size, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF)
	if err != nil {
		return socketBuffer
	}
	return int32(size)
}

// answer sends without waiting.
func (m *sender) answer(fd int, b []byte) error {
	m.iovecs[0].Base = &b[0]
	m.iovecs[0].SetLen(len(b))
	message := &m.headers[0].header
	*message = unix.Msghdr{Name: (*byte)(unsafe.Pointer(&m.name)), Namelen: m.nameLen, Iov: &m.iovecs[0]}
	message.SetIovlen(1)
	_, _, errno := unix.Syscall(unix.SYS_SENDMSG, uintptr(fd), uintptr(unsafe.Pointer(message)), unix.MSG_DONTWAIT)
	runtime.KeepAlive(b)
	m.release(1)
	switch errno {
	case 0:
		return nil
	case unix.EAGAIN, unix.ENOBUFS, unix.EINTR:
		return ErrBusy
	}
	return errno
}
