package daemon

import (
	"crypto/rand"
	"slices"

	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/underlay"
)

// initiate starts an attempt as UE_A for a keeper, which outbound has entered, as its link says or
// with more demands.
func (n *Node) initiate(k *keeper, l link.Link) (*runner, error) {
	local := n.Reserve()
	cfg := n.machineConfig(local)
	cfg.Invite = n.pairing.secret(k.link.Name)
	m := link.NewInitiator(cfg, l, k.endpoint)
	if err := m.Start(n.now()); err != nil {
		n.demux.remove(local, underlay.Broadcast, nil)
		return nil, err
	}
	r := newRunner(n, m, k)
	r.towards = k.endpoint.Addr()
	n.launch(r)
	return r, nil
}

// launch carries out what the machine has to say so far. A node that stops ends it at once.
func (n *Node) launch(r *runner) {
	local, _ := r.machine.LayerTwoIDs()
	n.demux.add(local, r)
	n.begin(r)
}

// begin lets a runner go on whose own L2 ID leads to it already.
func (n *Node) begin(r *runner) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.runners = append(n.runners, r)
	if n.stopping {
		r.release(pc5s.CauseConnectionNotAvailable)
		return
	}
	r.step(r.recheck)
}

// forget takes an ended runner out of the tables.
func (n *Node) forget(r *runner) {
	local, _ := r.machine.LayerTwoIDs()
	n.demux.remove(local, r.bound, r)
	n.halfOpen.end(n.now(), r.conversation)
	r.arrived()
	if r.gathering != nil {
		r.gathering.leave(r)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.runners = slices.DeleteFunc(n.runners, func(o *runner) bool { return o == r })
	n.endedLocked()
}

func (n *Node) machineConfig(local underlay.LayerTwoID) link.Config {
	return link.Config{Auth: n.cfg.Auth, Links: n, Identifiers: n, Kept: n.kept, Enrolment: enrolment{n}, Local: local, Rand: rand.Reader, Timers: n.cfg.Timers}
}
