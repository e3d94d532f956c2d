package lab

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"
)

const (
	flowBatch  = 64
	flowOctets = 200
	flowTick   = time.Millisecond
	flowBuffer = 64 << 20
	// flowLate bounds the catching up of a sender that did not run in time.
	flowLate = 20
	// flowQuiet is how long nothing comes before the rest counts as lost: longer than a Wire holds packets.
	flowQuiet = 3 * time.Second
)

// Flow is a stream of numbered UDP packets from one host to another, paced.
type Flow struct {
	out, in  net.PacketConn
	to       net.Addr
	rate     int // packets a second
	stop     atomic.Bool
	sent     uint64 // valid when sending is closed
	failed   error  // the same
	sending  chan struct{}
	received chan struct{}
	count    Count
	last     atomic.Int64 // when something came, Unix nanoseconds
	arrived  atomic.Uint64
}

// Count is what became of a flow.
type Count struct {
	Sent, Lost, Doubled uint64
}

// StartFlow starts to send from one host to an address of another.
func (h *Host) StartFlow(to *Host, address netip.Addr, rate int) (*Flow, error) {
	f := &Flow{rate: rate, sending: make(chan struct{}), received: make(chan struct{})}
	var err error
	if f.in, err = to.packetConn(netip.AddrPortFrom(address, 0)); err != nil {
		return nil, fmt.Errorf("flow: %w", err)
	}
	if f.out, err = h.packetConn(netip.AddrPort{}); err != nil {
		f.in.Close()
		return nil, fmt.Errorf("flow: %w", err)
	}
	f.to = f.in.LocalAddr()
	go f.send()
	go f.receive()
	return f, nil
}

// packetConn opens a UDP socket on the host, with large buffers.
func (h *Host) packetConn(at netip.AddrPort) (net.PacketConn, error) {
	if !at.IsValid() {
		at = netip.AddrPortFrom(netip.IPv4Unspecified(), 0)
	}
	var c *net.UDPConn
	err := h.Do(func() (err error) {
		c, err = net.ListenUDP("udp4", net.UDPAddrFromAddrPort(at))
		return err
	})
	if err != nil {
		return nil, err
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	var set error
	err = raw.Control(func(fd uintptr) {
		set = errors.Join(
			unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, flowBuffer),
			unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, flowBuffer))
	})
	if err = errors.Join(err, set); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// send keeps the pace of the whole flow in steps of a tick.
func (f *Flow) send() {
	defer close(f.sending)
	batch := make([]ipv4.Message, flowBatch)
	for i := range batch {
		batch[i] = ipv4.Message{Buffers: [][]byte{make([]byte, flowOctets)}, Addr: f.to}
	}
	conn := ipv4.NewPacketConn(f.out)
	tick := time.NewTicker(flowTick)
	defer tick.Stop()
	step := float64(f.rate) * flowTick.Seconds()
	due, begin := 0.0, time.Now()
	for !f.stop.Load() {
		<-tick.C
		ticks := float64(time.Since(begin)) / float64(flowTick)
		begin = time.Now()
		for due += step * min(ticks, flowLate); due >= 1 && f.failed == nil; {
			n := min(int(due), flowBatch)
			for i := range n {
				binary.BigEndian.PutUint64(batch[i].Buffers[0], f.sent+uint64(i))
			}
			n, err := conn.WriteBatch(batch[:n], 0)
			if err != nil {
				f.failed = err
				return
			}
			f.sent += uint64(n)
			due -= float64(n)
		}
	}
}

// receive counts what comes until the socket is closed.
func (f *Flow) receive() {
	defer close(f.received)
	batch := make([]ipv4.Message, flowBatch)
	for i := range batch {
		batch[i].Buffers = [][]byte{make([]byte, flowOctets)}
	}
	conn := ipv4.NewPacketConn(f.in)
	var seen []bool
	for {
		n, err := conn.ReadBatch(batch, 0)
		if err != nil {
			return
		}
		for _, m := range batch[:n] {
			if m.N < 8 {
				continue
			}
			number := int(binary.BigEndian.Uint64(m.Buffers[0]))
			for len(seen) <= number {
				seen = append(seen, make([]bool, 1<<16)...)
			}
			if seen[number] {
				f.count.Doubled++
				continue
			}
			seen[number] = true
			f.arrived.Add(1)
		}
		f.last.Store(time.Now().UnixNano())
	}
}

// Stop ends the flow when all has come, or nothing comes any more.
func (f *Flow) Stop() (Count, error) {
	f.stop.Store(true)
	<-f.sending
	f.last.Store(time.Now().UnixNano())
	for f.arrived.Load() < f.sent && time.Since(time.Unix(0, f.last.Load())) < flowQuiet {
		time.Sleep(10 * time.Millisecond)
	}
	err := errors.Join(f.failed, f.out.Close(), f.in.Close())
	<-f.received
	f.count.Sent, f.count.Lost = f.sent, f.sent-f.arrived.Load()
	return f.count, err
}

// Queue makes the queue of an interface so many packets long: a machine that is busy otherwise may
// let the daemon wait.
func (h *Host) Queue(device string, packets int) error {
	return h.Do(func() error {
		l, err := netlink.LinkByName(device)
		if err != nil {
			return err
		}
		return netlink.LinkSetTxQLen(l, packets)
	})
}

// Overflows counts what the host's kernel dropped because a buffer was full: of UDP sockets, also
// the daemon's, and the queues of interfaces. Nothing of it is the daemon's choice.
func (h *Host) Overflows() (n uint64, err error) {
	err = h.Do(func() error {
		b, err := os.ReadFile("/proc/thread-self/net/snmp")
		if err != nil {
			return err
		}
		if n, err = bufferErrors(b); err != nil {
			return err
		}
		links, err := netlink.LinkList()
		if err != nil {
			return err
		}
		for _, l := range links {
			if s := l.Attrs().Statistics; s != nil {
				n += s.TxDropped + s.RxDropped
			}
		}
		return nil
	})
	return n, err
}

// bufferErrors finds the full buffers of UDP in the kernel's table: a line of names, then one of
// numbers.
func bufferErrors(snmp []byte) (sum uint64, err error) {
	var names []string
	for line := range bytes.Lines(snmp) {
		fields := strings.Fields(string(line))
		if len(fields) == 0 || fields[0] != "Udp:" {
			continue
		}
		if names == nil {
			names = fields
			continue
		}
		for i, name := range names {
			if name != "RcvbufErrors" && name != "SndbufErrors" || i >= len(fields) {
				continue
			}
			n, err := strconv.ParseUint(fields[i], 10, 64)
			if err != nil {
				return 0, err
			}
			sum += n
		}
		return sum, nil
	}
	return 0, errors.New("no counters of UDP")
}
