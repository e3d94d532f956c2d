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

// errReplaced ends the machine of a link that another machine took over.
var errReplaced = errors.New("another session took the link over")

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
