package udp

import (
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// ListenGroup opens n sockets of one address. User data of one sender, which is an address and a port, reaches one of
// them, in its order; everything else reaches the first. Where the kernel has put datagrams of a sender together it looks
// at the first of them only, so that few others come along. Who receives keeps a P for some milliseconds when more is
// expected (package soon): GOMAXPROCS must have one for each of them, besides those of everybody else.
func ListenGroup(at netip.AddrPort, n int, o Options) ([]*Socket, error) {
	o.unheard = true
	if n <= 1 {
		s, err := Listen(at, o)
		if err != nil {
			return nil, err
		}
		return []*Socket{s}, nil
	}
	alone, err := Listen(at, o) // a port that somebody has, even a group, is not shared with him
	if err != nil {
		return nil, err
	}
	if err := alone.Close(); err != nil {
		return nil, err
	}
	o.shared = true
	group := make([]*Socket, 0, n)
	for range n {
		s, err := Listen(at, o)
		if err != nil {
			return nil, closeAll(group, err)
		}
		group = append(group, s)
		if len(group) > 1 {
			continue
		}
		if err := s.steer(); err != nil { // before anything can reach another one
			return nil, closeAll(group, fmt.Errorf("udp: spread user data over %d sockets: %w", n, err))
		}
		at = netip.AddrPortFrom(at.Addr(), s.local.Port()) // a port that the first one chose
	}
	return group, nil
}

func closeAll(group []*Socket, err error) error {
	for _, s := range group {
		_ = s.Close()
	}
	return err
}

// Where the underlay header has what the group goes by. This package does not know it otherwise.
const (
	octetForm      = 0
	octetLCID      = 7
	record, pdu    = 0x11, 0x10 // version 1
	drb, drbSparse = 4, 5

	bySender = 0xFFFF // no socket has this number: the kernel takes one by addresses and ports
)

// steer tells the kernel which socket of a group gets a datagram. Where the program can not read so far it gives 0,
// the first.
func (s *Socket) steer() error {
	const (
		load  = unix.BPF_LD | unix.BPF_B | unix.BPF_ABS
		equal = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		give  = unix.BPF_RET | unix.BPF_K
	)
	program := []unix.SockFilter{
		{Code: load, K: octetForm},
		{Code: equal, K: record, Jt: 1},
		{Code: equal, K: pdu, Jf: 3},
		{Code: load, K: octetLCID},
		{Code: equal, K: drb, Jt: 2},
		{Code: equal, K: drbSparse, Jt: 1},
		{Code: give, K: 0},
		{Code: give, K: bySender},
	}
	return unix.SetsockoptSockFprog(s.fd, unix.SOL_SOCKET, unix.SO_ATTACH_REUSEPORT_CBPF, &unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]})
}
