package daemon

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"pc5d/daemon/auth/cookie"
	"pc5d/daemon/auth/kei"
	"pc5d/daemon/host"
	"pc5d/daemon/link"
	"pc5d/dataplane"
	"pc5d/dataplane/tundev"
	"pc5d/dataplane/underlay"
	"pc5d/policy/provision"
)

// doorSize bounds what waits at the door; more is dropped, the sender repeats.
const doorSize = 256

// Config is what a Node is made of; the caller opened it and closes it after Run.
type Config struct {
	Provisioning *provision.Provisioning
	Auth         link.Authentication
	Engine       *dataplane.Engine
	Network      host.Network
	OpenTUN      func(name string, mtu int) (tundev.Device, error)
	StateDir     string
	Timers       link.Timers
	Log          *slog.Logger
	Version      string
}

// Node is a running pc5d: all links of one host.
type Node struct {
	cfg     Config
	log     *slog.Logger
	state   *state
	keepers map[string]*keeper // fixed after New
	demux   *demux
	door    chan packet
	drops   [32]atomic.Uint64 // by link.Drop
	refused atomic.Uint64     // half-open limit, full inboxes

	runners     sync.WaitGroup
	ctx         context.Context // ends when the node stops; set by Run
	runnersDone chan struct{}
}

// New opens the state directory, makes the interfaces, and configures the host. On an error
// nothing is left behind but guard routes.
func New(cfg Config) (*Node, error) {
	st, err := openState(cfg.StateDir)
	if err != nil {
		return nil, err
	}
	n := &Node{
		cfg: cfg, log: cfg.Log, state: st, keepers: map[string]*keeper{}, demux: newDemux(),
		door: make(chan packet, doorSize), runnersDone: make(chan struct{}),
	}
	if err := n.configure(); err != nil {
		st.close()
		return nil, err
	}
	return n, nil
}

// configure guards the protected prefixes first: whatever fails later, they do not leak (T61).
func (n *Node) configure() error {
	var protected []netip.Prefix
	for _, l := range n.cfg.Provisioning.Links {
		protected = append(protected, l.Allowed...)
	}
	if err := n.cfg.Network.Guard(protected); err != nil {
		return err
	}
	for _, l := range n.cfg.Provisioning.Links {
		if err := n.addLink(l); err != nil {
			return err
		}
	}
	return nil
}

// Run serves until ctx ends, then releases the links. It returns within the release time.
func (n *Node) Run(ctx context.Context) error {
	defer n.state.close()
	n.ctx = ctx
	var keepers sync.WaitGroup
	for _, k := range n.keepers {
		keepers.Go(func() { k.run(ctx) })
	}
	err := n.serveDoor(ctx)
	n.runners.Wait()
	close(n.runnersDone)
	keepers.Wait()
	return err
}

// Receive takes one signalling datagram from the engine, valid during the call only. It never
// blocks.
func (n *Node) Receive(from netip.AddrPort, datagram []byte) {
	h, _, err := underlay.Parse(datagram)
	if err != nil {
		n.dropped(link.DropMalformed)
		return
	}
	p := packet{from: from, datagram: append([]byte(nil), datagram...)}
	if h.Destination == underlay.Broadcast {
		select {
		case n.door <- p:
		default:
			n.refused.Add(1)
		}
		return
	}
	r := n.demux.find(h)
	if r == nil {
		n.dropped(link.DropNotForUs)
		return
	}
	if !r.deliver(p) {
		n.refused.Add(1)
	}
}

// serveDoor answers those who are not known yet, one at a time.
func (n *Node) serveDoor(ctx context.Context) error {
	jar, err := cookie.New(rand.Reader, time.Now())
	if err != nil {
		return err
	}
	admission := link.NewAdmission(n.cfg.Auth.Local(), jar)
	for {
		select {
		case <-ctx.Done():
			return nil
		case p := <-n.door:
			n.knock(ctx, admission, p)
		}
	}
}

func (n *Node) knock(ctx context.Context, admission *link.Admission, p packet) {
	answer, admitted, err := admission.Receive(time.Now(), p.from, p.datagram)
	switch {
	case err != nil:
		n.dropped(err)
	case admitted != nil:
		n.admit(ctx, admitted, p)
	default:
		n.send(p.from, answer)
	}
}

// admit makes a responder, or hands a repeated first response to the one that exists.
func (n *Node) admit(ctx context.Context, admitted *link.Admitted, p packet) {
	c := conversation{from: admitted.From, peer: admitted.Source, tag: kei.Tag(admitted.Request)}
	if r := n.demux.waiting(c); r != nil {
		return // its own timer repeats the answer
	}
	local := n.drawLayerTwo()
	m, err := link.NewResponder(time.Now(), n.machineConfig(local), admitted)
	if err != nil {
		n.log.Error("local: responder", "error", err)
		return
	}
	r := newRunner(n, m, nil)
	r.conversation = &c
	if err := n.demux.admit(c, local, r); err != nil {
		m.Abandon(err)
		n.refused.Add(1)
		return
	}
	n.launch(ctx, r)
}

// initiate starts an attempt as UE_A for a keeper.
func (n *Node) initiate(ctx context.Context, k *keeper) (*runner, error) {
	local := n.drawLayerTwo()
	m := link.NewInitiator(n.machineConfig(local), k.link, k.endpoint)
	if err := m.Start(time.Now()); err != nil {
		return nil, err
	}
	r := newRunner(n, m, k)
	if !n.demux.add(local, r) {
		return nil, errors.New("local: own L2 ID is taken")
	}
	n.launch(ctx, r)
	return r, nil
}

func (n *Node) launch(ctx context.Context, r *runner) {
	n.runners.Go(func() { r.run(ctx) })
}

// forget takes an ended runner out of the tables.
func (n *Node) forget(r *runner) {
	local, peer := r.machine.LayerTwoIDs()
	n.demux.remove(local, peer, r)
}

func (n *Node) machineConfig(local underlay.LayerTwoID) link.Config {
	return link.Config{Auth: n.cfg.Auth, Links: n, Local: local, Rand: rand.Reader, Timers: n.cfg.Timers}
}

// drawLayerTwo draws a random own L2 ID, never 0 and never broadcast.
func (n *Node) drawLayerTwo() underlay.LayerTwoID {
	var b [4]byte
	for {
		rand.Read(b[1:]) // never fails: the runtime ends the process instead
		id := underlay.LayerTwoID(binary.BigEndian.Uint32(b[:]))
		if id != 0 && id != underlay.Broadcast {
			return id
		}
	}
}

// Lookup finds the link of an authenticated peer.
func (n *Node) Lookup(peer link.Peer, service string) (link.Link, bool) {
	for _, k := range n.keepers {
		if k.link.Peer != peer.Name || k.link.Service != service {
			continue
		}
		for _, pin := range k.link.Pins {
			if pin == peer.Fingerprint {
				return k.link, true
			}
		}
	}
	return link.Link{}, false
}

func (n *Node) send(to netip.AddrPort, datagram []byte) {
	if err := n.cfg.Engine.SendSignalling(to, datagram); err != nil {
		n.log.Debug("send", "to", to.String(), "error", err)
	}
}

// dropped counts an input that was dropped.
func (n *Node) dropped(err error) {
	var d link.Drop
	if errors.As(err, &d) {
		n.drops[int(d)%len(n.drops)].Add(1)
	}
	n.log.Debug("dropped", "reason", fmt.Sprint(err))
}
