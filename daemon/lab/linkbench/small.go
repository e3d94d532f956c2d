package linkbench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"

	"pc5d/daemon/lab"
)

const (
	smallOctets = 64 // of UDP payload
	smallBatch  = 64
	smallBuffer = 16 << 20
	// smallBegin passes before the counting begins.
	smallBegin = 200 * time.Millisecond
)

// flood sends datagrams as fast as sendmmsg takes them, more than any tunnel carries, and counts those
// that arrive. Sender and receiver are the same for every tunnel; neither cuts nor merges packets.
type flood struct {
	out, in *net.UDPConn
	stop    atomic.Bool
	arrived atomic.Uint64
	sending chan error
	ended   chan struct{}
}

// small measures datagrams of 64 octets for some time.
func (t *tunnel) small(ctx context.Context, d time.Duration) (s Sample, err error) {
	f, err := t.startFlood()
	if err != nil {
		return Sample{}, fmt.Errorf("UDP through %s: %w", t.name, err)
	}
	defer func() {
		if e := f.close(); e != nil {
			err = errors.Join(err, fmt.Errorf("UDP through %s: %w", t.name, e))
		}
	}()
	if err := sleep(ctx, smallBegin); err != nil {
		return Sample{}, err
	}
	tx, rx, err := t.daemonTimes()
	if err != nil {
		return Sample{}, err
	}
	begin, before := time.Now(), f.arrived.Load()
	if err := sleep(ctx, d); err != nil {
		return Sample{}, err
	}
	arrived, took := float64(f.arrived.Load()-before), time.Since(begin)
	sender, receiver, err := t.daemonTimes()
	if err != nil {
		return Sample{}, err
	}
	if arrived == 0 {
		return Sample{}, fmt.Errorf("UDP through %s: no datagram arrived", t.name)
	}
	return Sample{
		Packets: arrived / took.Seconds(), Sending: (sender - tx).Seconds() / arrived, Receiving: (receiver - rx).Seconds() / arrived,
	}, nil
}

func (t *tunnel) startFlood() (*flood, error) {
	f := &flood{sending: make(chan error, 1), ended: make(chan struct{})}
	err := t.lab.B.Do(func() (err error) {
		f.in, err = net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(t.inner, 0)))
		return err
	})
	if err != nil {
		return nil, err
	}
	err = t.lab.A.Do(func() (err error) {
		f.out, err = net.DialUDP("udp4", nil, f.in.LocalAddr().(*net.UDPAddr))
		return err
	})
	if err != nil {
		return nil, errors.Join(err, f.in.Close())
	}
	for c, option := range map[*net.UDPConn]int{f.in: unix.SO_RCVBUFFORCE, f.out: unix.SO_SNDBUFFORCE} {
		if err := setBuffer(c, option); err != nil {
			return nil, errors.Join(err, f.in.Close(), f.out.Close())
		}
	}
	go f.receive()
	go f.send()
	return f, nil
}

func setBuffer(c *net.UDPConn, option int) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var set error
	err = raw.Control(func(fd uintptr) { set = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, option, smallBuffer) })
	return errors.Join(err, os.NewSyscallError("setsockopt", set))
}

func messages() []ipv4.Message {
	m := make([]ipv4.Message, smallBatch)
	for i := range m {
		m[i].Buffers = [][]byte{make([]byte, smallOctets)}
	}
	return m
}

// send ends when it is told to, or the socket is closed.
func (f *flood) send() {
	conn, batch := ipv4.NewPacketConn(f.out), messages()
	for !f.stop.Load() {
		if _, err := conn.WriteBatch(batch, 0); err != nil && !errors.Is(err, unix.ENOBUFS) {
			f.sending <- err
			return
		}
	}
	f.sending <- nil
}

func (f *flood) receive() {
	defer close(f.ended)
	conn, batch := ipv4.NewPacketConn(f.in), messages()
	for {
		n, err := conn.ReadBatch(batch, 0)
		if err != nil {
			return
		}
		f.arrived.Add(uint64(n))
	}
}

func (f *flood) close() error {
	f.stop.Store(true)
	err := errors.Join(<-f.sending, f.out.Close(), f.in.Close())
	<-f.ended
	return err
}

// idle measures echoes over a link that carries nothing else.
func (t *tunnel) idle(ctx context.Context, count uint16) (s Sample, err error) {
	if s.Idle, err = t.lab.A.Echoes(ctx, t.inner, echoInterval/2, count); err != nil {
		return Sample{}, fmt.Errorf("ping through %s: %w", t.name, err)
	}
	if percentile(s.Idle, 50) == lab.EchoWait {
		return Sample{}, fmt.Errorf("ping through %s: most echoes are lost", t.name)
	}
	return s, nil
}
