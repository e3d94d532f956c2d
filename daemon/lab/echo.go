package lab

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"
)

// EchoWait is how long an echo is waited for; one that is lost counts as having taken so long.
const EchoWait = 500 * time.Millisecond

// echo is a series of echo requests over one raw socket. The requests do not wait for the replies.
type echo struct {
	fd    int
	id    uint16
	to    unix.SockaddrInet4
	begin time.Time
	sent  []atomic.Int64  // by sequence number, nanoseconds since the beginning
	took  []time.Duration // the receiver's until it has ended
	stop  atomic.Bool
	ended chan error
}

// Echoes sends count echo requests to an IPv4 address, one in each interval, and returns what each of
// them took. The receiver blocks on a thread of its own, so that the time is the tunnel's and not
// that of a scheduler.
func (h *Host) Echoes(ctx context.Context, to netip.Addr, interval time.Duration, count uint16) ([]time.Duration, error) {
	e := &echo{
		id: uint16(rand.Uint32()), to: unix.SockaddrInet4{Addr: to.As4()},
		begin: time.Now(), sent: make([]atomic.Int64, count), took: make([]time.Duration, count), ended: make(chan error, 1),
	}
	if err := h.Do(e.open); err != nil {
		return nil, fmt.Errorf("echo %s: %w", to, err)
	}
	defer unix.Close(e.fd)
	for i := range e.took {
		e.took[i] = EchoWait
	}
	go e.receive(time.Now().Add(time.Duration(count)*interval + EchoWait))
	err := e.send(ctx, interval)
	if err != nil {
		e.stop.Store(true)
	}
	if err = errors.Join(err, <-e.ended); err != nil {
		return nil, fmt.Errorf("echo %s: %w", to, err)
	}
	return e.took, nil
}

// open makes the socket. It wakes up now and then to see whether the time is over.
func (e *echo) open() (err error) {
	e.fd, err = unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_ICMP)
	if err != nil {
		return err
	}
	wake := unix.NsecToTimeval(int64(20 * time.Millisecond))
	err = errors.Join(
		unix.SetsockoptTimeval(e.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wake),
		unix.Connect(e.fd, &e.to))
	if err != nil {
		return errors.Join(err, unix.Close(e.fd))
	}
	return nil
}

func (e *echo) send(ctx context.Context, interval time.Duration) error {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for seq := range e.sent {
		b, err := (&icmp.Message{Type: ipv4.ICMPTypeEcho, Body: &icmp.Echo{ID: int(e.id), Seq: seq, Data: make([]byte, 56)}}).Marshal(nil)
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		e.sent[seq].Store(int64(time.Since(e.begin)))
		if err := unix.Send(e.fd, b, 0); err != nil {
			return err
		}
	}
	return nil
}

// receive runs until all have come, or until nothing can come any more.
func (e *echo) receive(end time.Time) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	b := make([]byte, 256)
	for missing := len(e.sent); missing > 0 && !e.stop.Load() && time.Now().Before(end); {
		n, err := unix.Read(e.fd, b)
		now := time.Since(e.begin)
		switch {
		case errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			e.ended <- err
			return
		}
		seq, ok := e.reply(b[:n])
		if !ok || e.took[seq] != EchoWait {
			continue
		}
		e.took[seq] = min(now-time.Duration(e.sent[seq].Load()), EchoWait-1)
		missing--
	}
	e.ended <- nil
}

// reply finds the sequence number of a reply to this series in what a raw socket reads, IP header
// included.
func (e *echo) reply(b []byte) (seq int, ok bool) {
	if len(b) < 20 {
		return 0, false
	}
	header := int(b[0]&15) * 4
	if len(b) < header+8 || b[header] != byte(ipv4.ICMPTypeEchoReply) || binary.BigEndian.Uint16(b[header+4:]) != e.id {
		return 0, false
	}
	seq = int(binary.BigEndian.Uint16(b[header+6:]))
	return seq, seq < len(e.sent)
}
