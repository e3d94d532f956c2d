package lab

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// wireQueue is the packets that may wait for the Wire: a train of one send is 45, and whoever forwards
	// them is a process like the daemons.
	wireQueue = 20_000
	wireMTU   = 65535 // longest packet of any MTU
)

// Wire is an underlay in place of the veth pair: each host has a TUN interface, and this process carries
// the packets between the two, each by itself, as a network does that loses, doubles and reorders them.
// Addresses and ports stay as they are. It carries some hundred Mbit/s.
type Wire struct {
	ends       [2]*os.File
	impairment atomic.Pointer[Impairment]
	running    sync.WaitGroup

	mu      sync.Mutex // guards the field below
	carried [2]Carried // from the first host, from the second
}

// newWire makes the two interfaces. What happens to a packet is decided by the seed, the direction, and how
// many packets came before it since the last Impair.
func newWire(a, b *Host, seed uint64) (*Wire, error) {
	w := &Wire{}
	w.impairment.Store(&Impairment{})
	for i, h := range []*Host{a, b} {
		err := h.Do(func() (err error) {
			w.ends[i], err = openWire(Underlay)
			return err
		})
		if err == nil {
			err = h.Queue(Underlay, wireQueue)
		}
		if err != nil {
			w.close()
			return nil, fmt.Errorf("wire: %w", err)
		}
	}
	for i := range w.ends {
		w.running.Go(func() { w.carry(i, seed) })
	}
	return w, nil
}

// openWire makes a TUN interface without virtio-net headers: the kernel cuts every super-packet.
func openWire(name string) (*os.File, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	request, err := unix.NewIfreq(name)
	if err == nil {
		request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, request)
	}
	if err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	return os.NewFile(uintptr(fd), name), nil
}

// Impair changes what happens to packets from the next one on. What is held leaves first.
func (w *Wire) Impair(i Impairment) error {
	if err := i.check(); err != nil {
		return err
	}
	w.impairment.Store(&i)
	return nil
}

// Carried counts the packets since the last Impair took effect, from the first host and from the second.
func (w *Wire) Carried() [2]Carried {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.carried
}

// carry moves the packets of one direction until the Wire is closed.
func (w *Wire) carry(from int, seed uint64) {
	in, out := w.ends[from], w.ends[1-from]
	put := func(packet []byte) {
		_, _ = out.Write(packet) // an interface that is down loses it
	}
	fresh := func(i *Impairment) *shuffle { return newShuffle(*i, rand.New(rand.NewPCG(seed, uint64(from))), put) }
	impairment := w.impairment.Load()
	s, wake, packet := fresh(impairment), time.Time{}, make([]byte, wireMTU)
	for {
		if s.wake() != wake {
			wake = s.wake()
			if in.SetReadDeadline(wake) != nil {
				return
			}
		}
		n, err := in.Read(packet)
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return
		}
		if i := w.impairment.Load(); i != impairment {
			s.release()
			impairment, s = i, fresh(i)
		}
		now := time.Now()
		if err == nil {
			s.take(packet[:n], now)
		}
		s.expire(now)
		w.mu.Lock()
		w.carried[from] = s.done
		w.mu.Unlock()
	}
}

// close ends the carriers, then the interfaces.
func (w *Wire) close() {
	for _, end := range w.ends {
		if end != nil {
			end.Close()
		}
	}
	w.running.Wait()
}
