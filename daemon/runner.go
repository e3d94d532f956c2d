package daemon

import (
	"bytes"
	"errors"
	"net/netip"
	"sync/atomic"

	"pc5d/daemon/keys"
	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
	"pc5d/daemon/task"
	"pc5d/dataplane"
	"pc5d/dataplane/underlay"
)

// earlyNotices bounds what an unknown peer makes us remember.
const earlyNotices = 64

// errReplaced ends the machine of a link that another machine took over.
var errReplaced = errors.New("another session took the link over")

// errRemoved ends the machine of a link that was removed while its peer authenticated.
var errRemoved = errors.New("the link was removed")

// runner owns one Machine: everything below queue is touched by its tasks only, unless a field
// says otherwise. It ends when the machine is released.
type runner struct {
	node    *Node
	role    link.Role  // fixed
	nonce   keys.Nonce // fixed: Nonce_1, which settles crossed attempts
	born    uint64     // fixed: when, by Node.serial
	queue   task.Queue
	waiting atomic.Int32 // datagrams in the queue

	machine      *link.Machine
	keeper       *keeper // nil at a responder until the peer is authenticated
	ended        bool
	bound        underlay.LayerTwoID // the peer's L2 ID in the tables
	conversation conversation        // of a responder
	owed         bool                // a responder's: it took one of its source's handshakes
	claimed      *link.Authenticated // of a responder of psk-dhe, until its peer has proved itself
	towards      netip.Addr          // of an attempt that counts as under way there
	gathering    *gathering          // of an answer to a request to everybody, while it shares its L2 ID
	installed    bool                // keys were given to the engine
	path         path                // of user data
	lead         uint64              // when it took the link over, by Node.serial; 0: it has not
	first        link.Name           // of the keys that it took the link over with
	unheard      uint64              // authentic records of the link before these keys
	port         dataplane.Port      // that the link sends from
	former       dataplane.Port      // and the one before, until its name ends
	early        []func(*keeper)     // what the keeper will be told; at most earlyNotices
	dismissed    bool                // the operator wants no link of it; touched by the keeper's tasks only
}

// packet is one signalling datagram. Whoever keeps it copies the octets.
type packet struct {
	from     netip.AddrPort
	datagram []byte
}

func newRunner(n *Node, m *link.Machine, k *keeper) *runner {
	r := &runner{node: n, machine: m, keeper: k, role: m.Role(), nonce: m.Nonce1(), born: n.serial.Add(1)}
	r.queue = n.cfg.Scheduler.NewQueue(r.wake)
	return r
}

// deliver hands a copy of a datagram over; false when too many wait: it comes again by the peer's
// retransmission.
func (r *runner) deliver(p packet) bool {
	if r.waiting.Add(1) > int32(r.node.limits.Inbox) {
		r.waiting.Add(-1)
		return false
	}
	p.datagram = bytes.Clone(p.datagram)
	r.queue.Post(func() {
		r.waiting.Add(-1)
		r.receive(p)
	})
	return true
}

// release asks the machine to end; it may be called by anyone, more than once.
func (r *runner) release(cause pc5s.Cause) {
	r.step(func() { r.machine.Release(r.node.now(), cause) })
}

// abandon asks the machine to end without a message.
func (r *runner) abandon() {
	r.step(func() { r.machine.Abandon(errReplaced) })
}

// readmit hands over a first flight that came again, unless too many wait.
func (r *runner) readmit(a *link.Admitted) {
	if r.waiting.Add(1) > int32(r.node.limits.Inbox) {
		r.waiting.Add(-1)
		r.node.refused.Add(1)
		a.Wipe()
		return
	}
	r.step(func() {
		r.waiting.Add(-1)
		// A handshake that begins again costs what a first one does (T32).
		if r.machine.Restarts(a) && !r.node.door.sources.takeBoth(r.node.now(), a.From.Addr()) {
			r.node.dropped(link.DropRate)
			return
		}
		if err := r.machine.Readmit(r.node.now(), a); err != nil {
			r.node.dropped(err)
		}
	})
}

// step posts a change of the machine.
func (r *runner) step(change func()) {
	r.queue.Post(func() {
		r.listen()
		change()
		r.apply()
	})
}

func (r *runner) receive(p packet) {
	if r.keeper != nil && !r.installed && r.keeper.lead.passed(r) {
		r.machine.Abandon(errReplaced)
	}
	r.listen()
	if err := r.machine.Receive(r.node.now(), p.from, p.datagram); err != nil {
		r.node.dropped(err)
	}
	r.apply()
}

func (r *runner) wake() {
	r.listen()
	now := r.node.now()
	r.machine.Advance(now)
	r.path.advance(now)
	r.apply()
}

// listen tells the machine how many records came so far, before each of its inputs: one that came
// before a question of the machine is no answer to it, nor is one under another session's keys.
func (r *runner) listen() {
	if r.installed {
		r.machine.Heard(r.keeper.plane.Authentic() - r.unheard)
	}
}

// apply carries the machine's effects out, in their order.
func (r *runner) apply() {
	for {
		e, ok := r.machine.Next()
		if !ok {
			break
		}
		r.perform(e)
	}
	if r.machine.State() == link.Released {
		r.end()
		return
	}
	r.steer()
	r.queue.WakeAt(sooner(r.machine.Deadline(), r.path.deadline()))
}

func (r *runner) perform(e link.Effect) {
	r.observe(e)
	switch e := e.(type) {
	case link.Send:
		r.bind()
		r.node.send(r.port, e.To, e.Datagram)
	case link.Authenticated:
		if !r.meet(r.node.keeper(e.Link.Name)) {
			return
		}
		if r.role == link.RoleB && e.Proof != link.ByCertificate {
			r.claimed = &e
			break
		}
		r.met(e)
	case link.InstallUserPlane:
		r.install(e)
	case link.ActivateUserPlane:
		r.activate(e)
	case link.RemoveUserPlane:
		r.node.demux.free(e.Name)
		if r.keeper != nil {
			r.keeper.plane.Retire(planeID(e.Name))
		}
	case link.AddName:
		r.addName(e)
	case link.UseName:
		r.useName(e)
	case link.DropName:
		r.dropName(e.Name)
	case link.PeerMoved:
		r.moved(e)
	case link.WatchPath:
		if r.keeper != nil {
			r.keeper.plane.WatchPath()
		}
	case link.WatchTraffic:
		if r.keeper != nil {
			r.keeper.plane.Arm()
		}
	case link.Agreed:
		if r.claimed != nil {
			r.met(*r.claimed)
		}
		r.arrived()
		if lead := r.lead; lead > 0 { // else it lost, and ends
			r.notify(func(k *keeper) { k.agreed(r, lead, e) })
		}
	case link.Concluded:
		r.notify(func(k *keeper) { k.concluded(r, e) })
	case link.StateChanged:
		if e.To == link.Released && r.lead > 0 {
			r.keeper.lead.leave(r) // before the keeper hears of it
		}
		err := r.machine.Failed()
		r.notify(func(k *keeper) { k.changed(r, e.To, err) })
	case link.Hint:
		r.notify(func(k *keeper) { k.hinted(e.Err) })
	case link.Exchanged:
		at := r.node.now()
		r.notify(func(k *keeper) { k.exchanged(at, e) })
	}
}

// install gives the keys to the engine before anything else happens, so that no packet of the
// peer comes too early, and wipes its copy.
func (r *runner) install(e link.InstallUserPlane) {
	defer e.Wipe()
	if r.keeper == nil {
		return
	}
	c, err := r.keeper.planeContext(e, r.port), error(nil)
	c.Path = r.path.limit(c.Standard != nil)
	if c.Standard != nil {
		defer c.Standard.Wipe()
	}
	if r.installed {
		err = r.keeper.plane.Install(c)
	} else {
		r.installed, r.unheard, r.first = true, r.keeper.plane.Authentic(), e.Name
		err = r.keeper.lead.take(r, c)
	}
	r.check(err)
}

func (r *runner) activate(e link.ActivateUserPlane) {
	switch {
	case r.keeper == nil || e.Name == r.first && r.lead == 0: // it has no link, or lost it, and ends
	case e.Name == r.first:
		r.check(r.keeper.lead.follow(r, planeID(e.Name)))
	default:
		r.check(r.keeper.plane.Activate(planeID(e.Name)))
	}
	if r.keeper != nil && r.lead > 0 {
		r.path.use(e.Name)
	}
}

// check ends a session that lost the link to another one, or whose keys the engine can not use.
func (r *runner) check(err error) {
	switch {
	case errors.Is(err, errReplaced):
		r.machine.Abandon(err)
	case err != nil:
		r.refused(err)
	}
}

// refused ends a link whose keys the engine can not use.
func (r *runner) refused(err error) {
	r.node.log.Error("local: user plane refused the keys", "link", r.keeper.link.Name, "error", err)
	r.machine.Release(r.node.now(), pc5s.CauseLackOfResources)
}

// arrived says that an attempt of this end is under way no more: it is established, or over.
func (r *runner) arrived() {
	if r.towards.IsValid() {
		r.node.outbound.end(r.towards)
		r.towards = netip.Addr{}
	}
}

// end forgets the machine; what still waits in the queue is dropped.
func (r *runner) end() {
	if r.ended {
		return
	}
	r.ended = true
	if r.keeper == nil {
		r.node.refusedStranger(r.machine.Failed())
	}
	r.queue.Close()
	r.node.forget(r)
	r.removePort(r.former)
	r.removePort(r.port)
}

// bind enters the pair of L2 IDs while the peer's is known: it is another one after the handshake
// began again.
func (r *runner) bind() {
	local, peer := r.machine.LayerTwoIDs()
	if peer == r.bound {
		return
	}
	r.node.demux.unbind(local, r.bound, r)
	if peer != underlay.Broadcast {
		r.node.demux.bind(local, peer, r)
	}
	r.bound = peer
}

// meet gives a responder the keeper of the link that its peer turned out to belong to. A link that
// was removed meanwhile has none: the machine ends, and what it has yet to say finds no keeper.
func (r *runner) meet(k *keeper) bool {
	if r.keeper != nil {
		return true
	}
	if k == nil {
		r.machine.Abandon(errRemoved)
		return false
	}
	r.keeper = k
	for _, tell := range r.early {
		k.post(tell)
	}
	r.early = nil
	return true
}

// notify tells the keeper; before it is known, the notices are kept for it.
func (r *runner) notify(tell func(*keeper)) {
	if r.keeper != nil {
		r.keeper.post(tell)
		return
	}
	if len(r.early) < earlyNotices {
		r.early = append(r.early, tell)
	}
}
