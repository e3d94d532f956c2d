package lab

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// Host is one machine of a lab.
type Host struct {
	Name    string
	Address netip.Addr // on the underlay, IPv4

	ns    netns.NsHandle
	tasks chan task
	ended chan struct{}
}

type task struct {
	do   func() error
	done chan error
}

// newHost makes a namespace and the thread that lives in it.
func newHost(name string, address netip.Addr) (*Host, error) {
	h := &Host{Name: name, Address: address, tasks: make(chan task), ended: make(chan struct{})}
	ready := make(chan error)
	go h.live(ready)
	if err := <-ready; err != nil {
		return nil, fmt.Errorf("network namespace: %w: root is needed", err)
	}
	return h, nil
}

// live runs tasks until there are no more. The thread is never given back: it ends with the
// goroutine, because it is locked to it.
func (h *Host) live(ready chan<- error) {
	defer close(h.ended)
	runtime.LockOSThread()
	var err error
	h.ns, err = netns.New()
	ready <- err
	if err != nil {
		return
	}
	defer h.ns.Close()
	for t := range h.tasks {
		t.done <- t.do()
	}
}

// Do runs f on the host's thread: sockets that it opens belong to the host's network.
func (h *Host) Do(f func() error) error {
	t := task{do: f, done: make(chan error, 1)}
	h.tasks <- t
	return <-t.done
}

// Start starts a process on the host; it is killed when the host's thread ends.
func (h *Host) Start(output *os.File, name string, args ...string) (*Process, error) {
	c := exec.Command(name, args...)
	c.Stdout, c.Stderr = output, output
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if err := h.Do(c.Start); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p := &Process{command: c, done: make(chan struct{})}
	go func() {
		p.err = c.Wait()
		close(p.done)
	}()
	return p, nil
}

// Process is a process of a host.
type Process struct {
	command *exec.Cmd
	done    chan struct{}
	err     error // valid when done is closed
}

// Stop asks the process to end and kills it when it does not within the time.
func (p *Process) Stop(wait time.Duration) error {
	p.command.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
		return p.err
	case <-time.After(wait):
	}
	p.kill()
	return errors.New("it did not end in time and was killed")
}

func (p *Process) kill() {
	p.command.Process.Kill()
	<-p.done
}

// PID is the process's identifier on this machine.
func (p *Process) PID() int { return p.command.Process.Pid }

// Err is why the process ended, once it has.
func (p *Process) Err() error { return p.err }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

func (h *Host) close() {
	close(h.tasks)
	<-h.ended
}

// up configures the host's end of the underlay.
func (h *Host) up(device string) error {
	return h.Do(func() error {
		for _, name := range []string{"lo", device} {
			l, err := netlink.LinkByName(name)
			if err != nil {
				return err
			}
			if err := netlink.LinkSetUp(l); err != nil {
				return err
			}
			if name != device {
				continue
			}
			a, err := netlink.ParseAddr(netip.PrefixFrom(h.Address, 24).String())
			if err != nil {
				return err
			}
			if err := netlink.AddrAdd(l, a); err != nil {
				return err
			}
		}
		return nil
	})
}

// Guarded tells whether a route that lets nothing through stands behind all others to a prefix.
func (h *Host) Guarded(prefix netip.Prefix) (guarded bool, err error) {
	family := netlink.FAMILY_V6
	if prefix.Addr().Is4() {
		family = netlink.FAMILY_V4
	}
	err = h.Do(func() error {
		routes, err := netlink.RouteListFiltered(family, &netlink.Route{Type: unix.RTN_UNREACHABLE}, netlink.RT_FILTER_TYPE)
		guarded = slices.ContainsFunc(routes, func(r netlink.Route) bool {
			return r.Dst != nil && r.Dst.String() == prefix.String()
		})
		return err
	})
	return guarded, err
}
