package daemon

import (
	"context"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"pc5d/daemon/host"
	"pc5d/daemon/kept"
	"pc5d/daemon/keys"
	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
	"pc5d/daemon/task"
	"pc5d/dataplane"
	"pc5d/dataplane/tundev"
	"pc5d/dataplane/udp"
	"pc5d/policy"
	"pc5d/policy/provision"
)

// Config is what a Node is made of; the caller opened it and closes it after Run.
type Config struct {
	Provisioning *provision.Provisioning
	Auth         link.Authentication
	Trust        Trust // nil: who was admitted stays so
	Engine       *dataplane.Engine
	Network      host.Network
	Scheduler    task.Scheduler
	OpenTUN      func(name string, mtu int) (tundev.Device, error)
	OpenPort     func() (udp.Conn, error) // another local UDP port, for privacy
	// OpenKept opens the cache of resumption keys, with the state directory locked; the Node
	// closes it. nil, or none returned: each establishment authenticates in full.
	OpenKept  func() *kept.Store
	PreShared map[string]keys.Secret // by link; the Node keeps and wipes them
	Processor policy.Processor
	StateDir  string
	Timers    link.Timers
	Limits    Limits
	Log       *slog.Logger
	Version   string
	Observe   func(Observation) // nil outside of simulations; called by any queue's tasks
}

// stopLimit bounds the releases of a daemon that stops.
const stopLimit = 1500 * time.Millisecond

// Node is a running pc5d: all links of one host.
type Node struct {
	cfg       Config
	limits    Limits
	log       *slog.Logger // limited
	state     *state
	links     links
	pairing   pairing
	firstUse  firstUses
	demux     *demux
	door      *door
	halfOpen  *halfOpen
	outbound  *outbound
	drops     [32]atomic.Uint64 // by link.Drop
	refused   atomic.Uint64     // full inboxes
	hinter    hinter
	store     *kept.Store // nil: none
	preShared *preShared
	kept      link.KeptKeys // both of them for machines
	reminder  *reminder     // nil: no certificate was issued for this node
	reload    sync.Mutex    // held for one Reload at a time
	serial    atomic.Uint64 // of what happens to runners, so that it has one order

	mu         sync.Mutex // guards the fields below
	runners    []*runner  // in the order of their start
	gatherings []*gathering
	stopping   bool
	ended      chan struct{} // closed by finish
	finish     func()        // stopping, and no runner is left
}

// New opens the state directory, makes the interfaces, and configures the host. On an error
// nothing is left behind but guard routes.
func New(cfg Config) (*Node, error) {
	st, err := openState(cfg.StateDir)
	if err != nil {
		return nil, err
	}
	limits := cfg.Limits.orDefaults()
	n := &Node{
		cfg: cfg, limits: limits, state: st, demux: newDemux(),
		log:      slog.New(newLimited(cfg.Log.Handler(), cfg.Scheduler.Now, limits.LogEvery)),
		halfOpen: newHalfOpen(limits), outbound: newOutbound(limits.Attempts), ended: make(chan struct{}),
	}
	n.links.table.Store(&linkTable{})
	n.finish = sync.OnceFunc(func() { close(n.ended) })
	if err := n.firstUse.read(st.files); err != nil {
		st.close()
		return nil, err
	}
	err = n.keepKeys()
	n.reminder = newReminder(n)
	n.readInvites()
	if err == nil {
		n.door, err = newDoor(n)
	}
	if err == nil {
		err = n.configure()
	}
	if err == nil {
		n.retainKept()
	}
	if err != nil {
		st.close()
		if n.store != nil {
			n.store.Close()
		}
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
	for _, why := range n.cfg.Provisioning.Shadowed {
		n.log.Warn("learnt link left out: the provisioning wins", "clash", why)
	}
	n.links.change.Lock()
	defer n.links.change.Unlock()
	keepers := make([]*keeper, 0, len(n.cfg.Provisioning.Links))
	for _, l := range n.cfg.Provisioning.Links {
		k, err := n.makeLink(l)
		if err != nil {
			return err
		}
		keepers = append(keepers, k)
	}
	n.publishLocked(keepers)
	n.settleInvitesLocked()
	return nil
}

// Run serves until ctx ends, then releases the links. It returns within the release time.
func (n *Node) Run(ctx context.Context) error {
	n.Start()
	<-ctx.Done()
	n.Stop()
	limit := time.NewTimer(stopLimit)
	defer limit.Stop()
	select {
	case <-n.ended:
	case <-limit.C: // timers of the standard are longer than anyone waits for the end of a daemon
	}
	n.Close()
	return nil
}

// Start brings up the links that are wanted.
func (n *Node) Start() {
	for _, k := range n.ordered() {
		k.post(func(*keeper) {})
	}
	n.reminder.start()
}

// Stop releases all links; no new ones are made.
func (n *Node) Stop() {
	n.links.change.Lock()
	n.links.closed = true
	n.links.change.Unlock()
	n.mu.Lock()
	defer n.mu.Unlock()
	n.stopping = true
	for _, k := range n.ordered() {
		k.queue.Post(k.halt)
	}
	for _, g := range n.gatherings {
		g.stop()
	}
	for _, r := range n.runners {
		r.release(pc5s.CauseConnectionNotAvailable)
	}
	n.endedLocked()
}

// Ended is closed when a stopped node has no machine left.
func (n *Node) Ended() <-chan struct{} { return n.ended }

func (n *Node) endedLocked() {
	if n.stopping && len(n.runners) == 0 {
		n.finish()
	}
}

// Close ends the node at once, without a word to its peers: after Ended, or to leave what a
// crash leaves.
func (n *Node) Close() {
	if n.store != nil {
		defer n.store.Close()
	}
	defer n.preShared.wipe()
	n.links.change.Lock()
	defer n.links.change.Unlock()
	n.links.closed = true
	n.door.queue.Close()
	n.reminder.close()
	n.closePairingLocked()
	for _, k := range n.ordered() {
		k.queue.Close()
	}
	n.state.close()
}

func (n *Node) now() time.Time { return n.cfg.Scheduler.Now() }
