package daemon

import (
	"crypto/rand"
	"sync/atomic"

	"pc5d/daemon/auth/cookie"
	"pc5d/daemon/auth/kei"
	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
	"pc5d/daemon/task"
	"pc5d/dataplane"
)

// doorSize bounds what waits at the door; more is dropped, the sender repeats.
const doorSize = 256

// door answers those who are not known yet, one at a time. It keeps nothing about them: who
// brings a cookie back gets a machine.
type door struct {
	node      *Node
	queue     task.Queue
	waiting   atomic.Int32
	admission *link.Admission // touched by the queue's tasks only
}

func newDoor(n *Node) (*door, error) {
	jar, err := cookie.New(rand.Reader, n.now())
	if err != nil {
		return nil, err
	}
	d := &door{node: n, admission: link.NewAdmission(link.AdmissionConfig{
		Local: n.cfg.Auth.Local(), Jar: jar, Links: n, Kept: n.kept, Gate: n.cfg.Provisioning.Node.Gate,
	})}
	d.queue = n.cfg.Scheduler.NewQueue(func() {})
	return d, nil
}

// deliver hands a datagram over; false when too many wait.
func (d *door) deliver(p packet) bool {
	if d.waiting.Add(1) > doorSize {
		d.waiting.Add(-1)
		return false
	}
	d.queue.Post(func() {
		d.waiting.Add(-1)
		d.receive(p)
	})
	return true
}

func (d *door) receive(p packet) {
	answer, admitted, err := d.admission.Receive(d.node.now(), p.from, p.datagram)
	switch {
	case err != nil:
		d.node.dropped(err)
	case admitted == nil:
		d.node.send(dataplane.Port{}, p.from, answer)
	case admitted.Repeated && !d.underWay(admitted):
		admitted.Wipe()
		d.node.send(dataplane.Port{}, p.from, answer)
	default:
		d.admit(admitted)
	}
}

// underWay tells whether a conversation has its machine.
func (d *door) underWay(a *link.Admitted) bool {
	return d.node.halfOpen.runner(conversationWith(a)) != nil
}

// conversationWith names the conversation of an admission.
func conversationWith(a *link.Admitted) conversation {
	return conversation{from: a.From, peer: a.Source, tag: kei.Tag(a.Request)}
}

// refuse answers one request whose address is proved, in fewer octets than it had.
func (d *door) refuse(a *link.Admitted, cause pc5s.Cause) {
	a.Wipe()
	d.node.refused.Add(1)
	d.node.send(dataplane.Port{}, a.From, a.Refusal(cause))
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
		d.refuse(admitted, pc5s.CauseLayer2IDConflict)
		return
	}
	if err := n.halfOpen.begin(c); err != nil {
		d.refuse(admitted, pc5s.CauseCongestion)
		return
	}
	local := n.Reserve()
	m, err := link.NewResponder(n.now(), n.machineConfig(local), admitted)
	if err != nil {
		n.demux.remove(local, c.peer, nil)
		n.halfOpen.end(n.now(), c)
		n.log.Error("local: responder", "error", err)
		return
	}
	r := newRunner(n, m, nil)
	r.conversation = c
	n.halfOpen.attach(c, r)
	n.launch(r)
}
