package sim

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	"pc5d/daemon"
	"pc5d/daemon/kept"
	"pc5d/dataplane"
	"pc5d/dataplane/record"
	"pc5d/dataplane/tundev"
	"pc5d/dataplane/udp"
	"pc5d/dataplane/underlay"
	"pc5d/policy/provision"
)

// stopPoll is how often a daemon that stops is asked whether it has.
const stopPoll = 20 * time.Millisecond

// process is one run of a daemon: everything that a crash takes away.
type process struct {
	host         *Host
	provisioning *provision.Provisioning
	scheduler    *scheduler
	node         *daemon.Node
	store        *kept.Store
	engine       *dataplane.Engine
	conn         *conn
	devices      []*device
	handshakes   []*handshake
	message      [1]udp.Message
	stopping     bool
	over         bool
	speaker      *life // the machine that is about to send
}

func newProcess(h *Host) (*process, error) {
	provisioning, err := h.provisioning()
	if err != nil {
		return nil, err
	}
	p := &process{host: h, provisioning: provisioning, scheduler: &scheduler{world: h.world}}
	p.conn = &conn{process: p}
	log := slog.New(slog.DiscardHandler)
	if h.world.Trace.Logs {
		log = slog.New(slog.NewTextHandler(logWriter{h}, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: withoutTime}))
	}
	p.engine = dataplane.New(dataplane.Config{
		Conn: p.conn, Poller: poller{}, Log: log,
		Signalling: func(port dataplane.Port, from netip.AddrPort, datagram []byte) { p.node.Receive(port, from, datagram) },
		Stray:      func(port dataplane.Port, from netip.AddrPort, h underlay.Header) { p.node.Stray(port, from, h) },
		Stirred:    func(link string) { p.node.Stirred(link) },
		Sending:    func(link string) { p.node.Sending(link) },
		Echoed:     func(link string, token record.Token) { p.node.Echoed(link, token) },
		TooLong:    func(link string) { p.node.TooLong(link) },
		Exhausting: func(link string, id dataplane.ContextID) { p.node.Exhausting(link, id) },
		Elsewhere: func(link string, id dataplane.ContextID, from netip.AddrPort, octets int) {
			p.node.Elsewhere(link, id, from, octets)
		},
		Now: func() time.Time { return h.world.now },
	})
	p.node, err = daemon.New(daemon.Config{
		Provisioning: provisioning, Engine: p.engine, Scheduler: p.scheduler, Network: &hostNetwork{}, StateDir: h.stateDir(),
		Auth:      &authentication{h.authentication(h.newIdentity(h.Name)), p},
		OpenKept:  func() *kept.Store { p.store = h.openKept(); return p.store },
		PreShared: h.preShared(),
		OpenTUN:   p.openTUN, Timers: h.Timers, Log: log, Version: "sim",
		// Thousands of these daemons live at once; no world has as many addresses as the tables of a real one hold.
		Limits:  daemon.Limits{Sources: 1024, Talkers: 256},
		Observe: func(o daemon.Observation) { h.world.observe(p, o) },
	})
	if err != nil {
		p.scheduler.kill()
		return nil, err
	}
	return p, nil
}

// withoutTime keeps the real clock out of a trace.
func withoutTime(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

func (p *process) receive(d Datagram) {
	p.host.world.received(p, d)
	p.message[0] = udp.Message{Data: d.Octets, Segment: len(d.Octets), From: d.From}
	p.engine.Process(dataplane.Port{}, p.message[:])
}

// stop waits for the node's own end.
func (p *process) stop() {
	p.stopping = true
	p.node.Stop()
	p.awaitEnd()
}

func (p *process) awaitEnd() {
	select {
	case <-p.node.Ended():
		p.end()
	default:
		p.host.world.After(stopPoll, func() {
			if !p.over {
				p.awaitEnd()
			}
		})
	}
}

// end takes away what dies with a process.
func (p *process) end() {
	p.over = true
	p.conn.closed = true
	p.node.Close()
	p.scheduler.kill()
	for _, h := range p.handshakes {
		h.Handshake.Close() // its helper goroutine would stay
	}
	p.host.process = nil
	p.host.world.ended(p)
}

func (p *process) openTUN(name string, mtu int) (tundev.Device, error) {
	for _, e := range p.host.Ends {
		if "pc5-"+e.Name == name {
			d := &device{name: name, mtu: mtu, end: e}
			p.devices = append(p.devices, d)
			return d, nil
		}
	}
	return nil, fmt.Errorf("no link has the interface %s", name)
}

// device is the interface of a link.
func (p *process) device(e *End) *device {
	for _, d := range p.devices {
		if d.end == e {
			return d
		}
	}
	return nil
}

// order passes an operator's word on. It does not wait: nobody runs the queues meanwhile, and
// the answer shows in the status.
func (e *End) order(word string) {
	p := e.Host.process
	if p == nil {
		return
	}
	e.Host.note(word + " " + e.Name)
	at, cancel := context.WithCancel(context.Background())
	cancel()
	switch word {
	case "up":
		p.node.Up(at, e.Name) // the error is that at has ended
	case "down":
		p.node.Down(at, e.Name)
	case "rekey":
		p.node.Rekey(at, e.Name)
	case "update":
		p.node.Update(at, e.Name)
	}
}
