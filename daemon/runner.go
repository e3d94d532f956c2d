package daemon

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"pc5d/daemon/keys"
	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/underlay"
)

// inboxSize bounds what waits for one machine; more is dropped and comes again by the peer's
// retransmission.
const inboxSize = 64

// earlyNotices bounds what an unknown peer makes us remember.
const earlyNotices = 64

// errReplaced ends the machine of a link that another machine took over.
var errReplaced = errors.New("another session took the link over")

// runner is the only goroutine that touches its Machine. It ends when the machine is released.
type runner struct {
	node         *Node
	machine      *link.Machine
	keeper       *keeper // nil at a responder until the peer is authenticated; own goroutine only
	inbox        chan packet
	ending       chan ending // capacity 1
	role         link.Role
	nonce        keys.Nonce // Nonce_1: settles crossing attempts
	done         chan struct{}
	bound        underlay.LayerTwoID // the peer's L2 ID in the tables
	conversation *conversation       // of a responder; read under the demux's lock
	early        []notice            // what happened before the keeper was known; at most earlyNotices
}

// ending asks a machine to end: by a release where the link is established, or silently because
// another machine has taken the link over.
type ending struct {
	cause  pc5s.Cause
	silent error
}

// packet is one signalling datagram; it owns its octets.
type packet struct {
	from     netip.AddrPort
	datagram []byte
}

func newRunner(n *Node, m *link.Machine, k *keeper) *runner {
	return &runner{
		node: n, machine: m, keeper: k, role: m.Role(), nonce: m.Nonce1(),
		inbox: make(chan packet, inboxSize), ending: make(chan ending, 1), done: make(chan struct{}),
	}
}

// deliver hands a datagram over without blocking.
func (r *runner) deliver(p packet) bool {
	select {
	case r.inbox <- p:
		return true
	default:
		return false
	}
}

// release asks the machine to end; it may be called by anyone, more than once.
func (r *runner) release(cause pc5s.Cause) { r.end(ending{cause: cause}) }

// abandon asks the machine to end without a message.
func (r *runner) abandon() { r.end(ending{silent: errReplaced}) }

func (r *runner) end(e ending) {
	select {
	case r.ending <- e:
	default:
	}
}

func (r *runner) run(ctx context.Context) {
	defer close(r.done)
	defer r.node.forget(r)
	stop := ctx.Done()
	for {
		r.apply()
		if r.machine.State() == link.Released {
			return
		}
		timer, wake := alarm(r.machine.Deadline())
		select {
		case <-stop:
			stop = nil
			r.machine.Release(time.Now(), pc5s.CauseConnectionNotAvailable)
		case e := <-r.ending:
			r.stop(e)
		case p := <-r.inbox:
			if err := r.machine.Receive(time.Now(), p.from, p.datagram); err != nil {
				r.node.dropped(err)
			}
		case <-wake:
			r.machine.Advance(time.Now())
		}
		timer.Stop()
	}
}

func (r *runner) stop(e ending) {
	if e.silent != nil {
		r.machine.Abandon(e.silent)
		return
	}
	r.machine.Release(time.Now(), e.cause)
}

// alarm returns a timer for a deadline; the zero time never comes.
func alarm(at time.Time) (*time.Timer, <-chan time.Time) {
	if at.IsZero() {
		return time.NewTimer(0), nil
	}
	t := time.NewTimer(time.Until(at))
	return t, t.C
}

// apply carries the machine's effects out, in their order.
func (r *runner) apply() {
	for {
		e, ok := r.machine.Next()
		if !ok {
			return
		}
		switch e := e.(type) {
		case link.Send:
			r.bind()
			r.node.send(e.To, e.Datagram)
		case link.Authenticated:
			r.node.demux.settle(r)
			r.meet(r.node.keepers[e.Link.Name])
			r.notify(authenticated{runner: r, peer: e.Peer})
		case link.InstallUserPlane:
			r.notify(installed{runner: r, effect: e})
		case link.RemoveUserPlane:
			r.notify(removed{session: e.Session})
		case link.StateChanged:
			r.notify(changed{runner: r, state: e.To, err: r.machine.Failed()})
		case link.Hint:
			r.notify(hinted{err: e.Err})
		case link.Exchanged:
			r.notify(exchanged{at: time.Now(), effect: e})
		}
	}
}

// bind enters the pair of L2 IDs once the peer's is known.
func (r *runner) bind() {
	local, peer := r.machine.LayerTwoIDs()
	if peer != underlay.Broadcast && peer != r.bound {
		r.node.demux.bind(local, peer, r)
		r.bound = peer
	}
}

// meet gives a responder the keeper of the link that its peer turned out to belong to.
func (r *runner) meet(k *keeper) {
	if r.keeper != nil {
		return
	}
	r.keeper = k
	for _, n := range r.early {
		k.notify(n)
	}
	r.early = nil
}

// notify tells the keeper; before it is known, the messages are kept for it.
func (r *runner) notify(n notice) {
	if r.keeper != nil {
		r.keeper.notify(n)
		return
	}
	if c, ok := n.(changed); ok && c.err != nil {
		r.node.log.Warn("establishment failed", "role", r.machine.Role().String(), "error", c.err)
	}
	if len(r.early) < earlyNotices {
		r.early = append(r.early, n)
	}
}
