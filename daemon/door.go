package daemon

import (
	"crypto/rand"
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"

	"pc5d/daemon/auth/cookie"
	"pc5d/daemon/auth/kei"
	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
	"pc5d/daemon/task"
	"pc5d/dataplane"
	"pc5d/dataplane/udp"
	"pc5d/dataplane/underlay"
)

// door answers those who are not known yet. It keeps nothing about them: who brings a cookie back
// gets a machine.
//
// A stranger's datagram is read and answered where it is received, in memory of the door: it is not
// copied, waits nowhere, and costs no allocation, goroutine or timer (T30). Only what has proved an
// address or a key is copied and goes to the queue, where machines are made: that is the costly
// step, and the receiver has packets to carry.
type door struct {
	node    *Node
	queue   task.Queue   // makes machines
	waiting atomic.Int32 // admissions in the queue
	sources *sources

	// Guards the two below. Strangers come to the worker of the first lane, but for those whom the kernel has
	// put together with user data: they come to the worker of another one.
	mu        sync.Mutex
	admission *link.Admission
	talkers   *talkers

	cookies  atomic.Uint64 // strangers that were answered by one
	admitted atomic.Uint64 // machines made
	evicted  atomic.Uint64 // of them, ended by a newer one of the same source
	refused  [obstacles]atomic.Uint64
}

// obstacle is why an admission got no machine.
type obstacle int

const (
	obstacleWaiting  obstacle = iota // too many wait
	obstacleConflict                 // the L2 ID is in use
	obstacleSource                   // its source has begun too many
	obstacleNode                     // all have begun too many
	obstacleHalfOpen                 // too many are unfinished
	obstacleLocal                    // no machine could be made
	obstacleBusy                     // its answer would have had to wait
	obstacles
)

var obstacleNames = [obstacles]string{"overload", "layer_two_id_conflict", "source_rate", "node_rate", "half_open", "local", "unanswered"}

func newDoor(n *Node) (*door, error) {
	jar, err := cookie.New(rand.Reader, n.now())
	if err != nil {
		return nil, err
	}
	var keys [2][32]byte
	for i := range keys {
		rand.Read(keys[i][:]) // never fails: the runtime ends the process instead
	}
	d := &door{node: n, sources: newSources(n.limits, n.now(), keys[0]), talkers: newTalkers(n.limits, n.now(), keys[1])}
	d.admission = link.NewAdmission(link.AdmissionConfig{
		Local: n.cfg.Auth.Local(), Jar: jar, Links: n, Kept: n.kept, Gate: n.cfg.Provisioning.Node.Gate,
		UnderWay: func(from netip.AddrPort, source underlay.LayerTwoID, tag [8]byte) bool {
			return n.halfOpen.runner(conversation{from: from, peer: source, tag: tag}) != nil
		},
	})
	d.queue = n.cfg.Scheduler.NewQueue(func() {})
	return d, nil
}

// receive takes a datagram for the broadcast L2 ID, valid during the call. It is called by the workers that
// receive at the first port. Nothing in it waits.
func (d *door) receive(from netip.AddrPort, datagram []byte) {
	if !answerable(from) {
		d.node.dropped(link.DropMalformed)
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	answer, admitted, err := d.admission.Receive(d.node.now(), from, datagram)
	switch {
	case err != nil:
		d.node.dropped(err)
		if errors.Is(err, link.DropNoCookie) {
			d.node.log.Error("local: strangers are not answered: no random octets for a new cookie secret")
		}
	case admitted == nil || d.wantsCookie(admitted):
		d.answer(from, answer)
		admitted.Wipe()
	default:
		d.post(admitted)
	}
}

// The shares of the socket's buffer that answers may fill: to anybody, and to those who asked seldom.
const (
	shareOfAll   udp.Share = 4
	shareOfQuiet udp.Share = 2
)

// answer sends what needs no state. The receiver does not wait for room: the stranger asks again.
func (d *door) answer(to netip.AddrPort, datagram []byte) {
	err := d.node.cfg.Engine.Answer(to, datagram, shareOfAll)
	if err == udp.ErrBusy && d.talkers.quiet(d.node.now(), to.Addr()) {
		err = d.node.cfg.Engine.Answer(to, datagram, shareOfQuiet)
	}
	if err != nil {
		d.refused[obstacleBusy].Add(1)
		return
	}
	d.cookies.Add(1)
}

// answerable tells whether an answer can reach a sender, and him alone.
func answerable(from netip.AddrPort) bool {
	a := from.Addr()
	return from.Port() != 0 && a.IsValid() && !a.IsUnspecified() && !a.IsMulticast()
}

// wantsCookie tells whether a request that proved a key has to prove its address too: it came before,
// or there is load.
func (d *door) wantsCookie(a *link.Admitted) bool {
	if a.Proved || d.node.halfOpen.runner(conversationWith(a)) != nil {
		return false
	}
	return a.Repeated || d.loaded(a.From.Addr())
}

// loaded tells whether only those who proved their address are let in. Whoever holds a key may write
// anybody's: half of what an address has is for its owner (T32).
func (d *door) loaded(from netip.Addr) bool {
	return d.node.halfOpen.loaded(from) || d.sources.busy(d.node.now(), from)
}

// post hands an admission to the queue.
func (d *door) post(a *link.Admitted) {
	if d.waiting.Add(1) > int32(d.node.limits.Waiting) {
		d.waiting.Add(-1)
		d.refused[obstacleWaiting].Add(1)
		a.Wipe()
		return
	}
	d.queue.Post(func() {
		d.waiting.Add(-1)
		d.admit(a)
	})
}

// conversationWith names the conversation of an admission.
func conversationWith(a *link.Admitted) conversation {
	return conversation{from: a.From, peer: a.Source, tag: kei.Tag(a.Request)}
}

// refuse answers one request in fewer octets than it had.
func (d *door) refuse(a *link.Admitted, why obstacle, cause pc5s.Cause) {
	d.refused[why].Add(1)
	d.node.send(dataplane.Port{}, a.From, a.Refusal(cause))
	a.Wipe()
}

// admit makes a responder, or leaves a repeated first response to the one that exists. The
// limits come before the costly first step of the handshake.
func (d *door) admit(admitted *link.Admitted) {
	n := d.node
	c := conversationWith(admitted)
	if n.halfOpen.known(n.now(), c) {
		if r := n.halfOpen.runner(c); r != nil {
			r.readmit(admitted)
		} else {
			admitted.Wipe()
		}
		return
	}
	// TS 24.554, 7.2.2.5: the L2 ID is another peer's, or one of ours.
	if n.demux.taken(admitted.Source) {
		d.refuse(admitted, obstacleConflict, pc5s.CauseLayer2IDConflict)
		return
	}
	if !admitted.Proved && d.loaded(admitted.From.Addr()) { // others came while it waited
		d.refuse(admitted, obstacleSource, pc5s.CauseCongestion)
		return
	}
	if !d.sources.take(n.now(), admitted.From.Addr()) {
		d.refuse(admitted, obstacleSource, pc5s.CauseCongestion)
		return
	}
	if admitted.Kept == nil && !d.sources.takeTLS(n.now()) {
		d.sources.giveBack(admitted.From.Addr())
		d.refuse(admitted, obstacleNode, pc5s.CauseCongestion)
		return
	}
	evicted, err := n.halfOpen.begin(n.now(), c)
	if err != nil {
		d.refuse(admitted, obstacleHalfOpen, pc5s.CauseCongestion)
		return
	}
	if evicted != nil {
		d.evicted.Add(1)
		evicted.step(func() { evicted.machine.Abandon(errEvicted) })
	}
	d.respond(admitted, c)
}

// errEvicted ends the oldest unfinished establishment of a source that began too many.
var errEvicted = errors.New("the peer's address began newer establishments and finished none")

// respond makes the machine of an admission.
func (d *door) respond(admitted *link.Admitted, c conversation) {
	n := d.node
	local := n.Reserve()
	m, err := link.NewResponder(n.now(), n.machineConfig(local), admitted)
	if err != nil {
		n.demux.remove(local, c.peer, nil)
		n.halfOpen.end(n.now(), c)
		d.refused[obstacleLocal].Add(1)
		n.log.Error("local: responder", "error", err)
		return
	}
	d.admitted.Add(1)
	r := newRunner(n, m, nil)
	r.conversation, r.owed = c, true
	n.halfOpen.attach(c, r)
	n.launch(r)
}

// met says that the peer has proved itself: by its certificate, or, where a key of psk-dhe stands for
// it, by the end of the establishment. Its request is not enough there: somebody may have held it back,
// and under a pre-shared key it can be replayed for ever (T05). Until then a responder is half-open, is
// there for a repeated request, owes what it took of its source's handshakes, and its keeper goes on as
// if nobody had called.
func (r *runner) met(e link.Authenticated) {
	r.claimed = nil
	r.node.halfOpen.end(r.node.now(), r.conversation)
	if r.owed {
		r.owed = false
		r.node.door.sources.giveBack(r.conversation.from.Addr())
	}
	r.notify(func(k *keeper) { k.authenticated(r, e) })
}
