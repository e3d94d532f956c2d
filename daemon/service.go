package daemon

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"pc5d/daemon/control"
	"pc5d/daemon/link"
)

// Status returns the state of the node and all its links.
func (n *Node) Status(context.Context) (control.Status, error) {
	local := n.cfg.Auth.Local()
	s := control.Status{
		Version: n.cfg.Version,
		Node:    control.Node{Name: local.Name, Fingerprint: local.Fingerprint.String(), Listen: n.cfg.Provisioning.Node.Listen.String(), CertificateEnd: n.cfg.Auth.CertificateEnd()},
		Invites: n.openInvites(),
		Drops:   map[string]uint64{},
	}
	s.Node.Offloads = control.NodeOffloads(n.cfg.Engine.Offloads())
	for i := range n.drops {
		if c := n.drops[i].Load(); c > 0 {
			s.Drops[link.Drop(i).String()] = c
		}
	}
	s.Strangers = control.Strangers{
		Cookies: n.door.cookies.Load(), Admitted: n.door.admitted.Load(), Evicted: n.door.evicted.Load(), HalfOpen: n.halfOpen.count(),
	}
	if n.store != nil {
		s.KeptKeys = n.store.Len()
	}
	for why := range n.door.refused {
		if c := n.door.refused[why].Load(); c > 0 {
			s.Drops[obstacleNames[why]] = c
		}
	}
	if c := n.refused.Load(); c > 0 {
		s.Drops[obstacleNames[obstacleWaiting]] += c
	}
	plane := n.cfg.Engine.Drops()
	for reason, c := range plane.All() {
		if c > 0 {
			s.Drops[reason.String()] += c // both planes know malformed datagrams
		}
	}
	all := n.ordered()
	s.Links = slices.Grow(s.Links, len(all)) // a status is large, and there may be thousands
	for _, k := range all {
		s.Links = append(s.Links, k.counted(k.seen()))
	}
	return s, nil
}

// Up asks for a link and waits until it is established, has failed for good, or ctx ends.
func (n *Node) Up(ctx context.Context, name string) (control.LinkStatus, error) {
	return n.order(ctx, name, (*keeper).up, "established", "failed", "down")
}

// Down releases a link and waits until it is down.
func (n *Node) Down(ctx context.Context, name string) (control.LinkStatus, error) {
	return n.order(ctx, name, (*keeper).down, "down")
}

// Rekey makes new keys for an established link and waits for them.
func (n *Node) Rekey(ctx context.Context, name string) (control.LinkStatus, error) {
	return n.run(ctx, name, (*link.Machine).Rekey, link.RekeyingA, link.RekeyingB)
}

// Update makes new keys and then new identifiers, and waits for both.
func (n *Node) Update(ctx context.Context, name string) (control.LinkStatus, error) {
	return n.run(ctx, name, (*link.Machine).UpdateIdentifiers, link.UpdateInitiator, link.UpdateTarget)
}

// run asks the machine of an established link for a procedure and waits for its end.
func (n *Node) run(ctx context.Context, name string, ask func(*link.Machine, time.Time) error, procedures ...link.Procedure) (control.LinkStatus, error) {
	k := n.keeper(name)
	if k == nil {
		return control.LinkStatus{}, noLink(name)
	}
	done := make(chan error, 1)
	k.post(func(k *keeper) { k.run(waiter{procedures, done}, ask) })
	select {
	case err := <-done:
		return k.counted(k.seen()), err
	case <-n.ended:
		return control.LinkStatus{}, control.ErrStopping
	case <-ctx.Done():
		return control.LinkStatus{}, control.ErrTooSlow
	}
}

// Solicit asks everybody at an address for the links that are provisioned for a service, and
// returns the state of all links when ctx ends.
func (n *Node) Solicit(ctx context.Context, to netip.AddrPort, service string) (control.Status, error) {
	if err := n.gather(service, to); err != nil {
		return control.Status{}, err
	}
	select {
	case <-ctx.Done():
	case <-n.ended:
		return control.Status{}, control.ErrStopping
	}
	return n.Status(context.WithoutCancel(ctx))
}

func noLink(name string) error {
	return fmt.Errorf("%w: %q; pc5ctl status lists the links", control.ErrNoLink, name)
}

// order passes the operator's word to a keeper and waits for one of the states.
func (n *Node) order(ctx context.Context, name string, word func(*keeper) error, states ...string) (control.LinkStatus, error) {
	k := n.keeper(name)
	if k == nil {
		return control.LinkStatus{}, noLink(name)
	}
	done := make(chan error, 1)
	k.post(func(k *keeper) { done <- word(k) })
	select {
	case err := <-done:
		if err != nil {
			return control.LinkStatus{}, err
		}
	case <-n.ended:
		return control.LinkStatus{}, control.ErrStopping
	case <-ctx.Done():
		return control.LinkStatus{}, ctx.Err()
	}
	return k.await(ctx, states), nil
}

// await returns the status once its state is one of those named, or when ctx ends.
func (k *keeper) await(ctx context.Context, states []string) control.LinkStatus {
	for {
		s, changed := k.view.read()
		if slices.Contains(states, s.State) {
			return k.counted(s)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return k.counted(s)
		case <-k.node.ended:
			return k.counted(s)
		}
	}
}

// seen is the newest status.
func (k *keeper) seen() control.LinkStatus {
	s, _ := k.view.read()
	return s
}

// counted adds the engine's counters as they are now.
func (k *keeper) counted(s control.LinkStatus) control.LinkStatus {
	c := k.plane.Counters()
	s.RxPackets, s.RxOctets = c.Received.Packets, c.Received.Octets
	s.TxPackets, s.TxOctets = c.Sent.Packets, c.Sent.Octets
	s.RxRecords, s.TxRecords = c.Received.Records, c.Sent.Records
	o := k.plane.Offloads()
	s.Offloads = control.LinkOffloads{Header: o.Device.Header, TCP: o.Device.TCP, UDP: o.Device.UDP, TakesTCP: o.TakesTCP, TakesUDP: o.TakesUDP}
	s.Drops = map[string]uint64{}
	for reason, n := range c.Drops.All() {
		if n > 0 {
			s.Drops[reason.String()] = n
		}
	}
	return s
}
