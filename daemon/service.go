package daemon

import (
	"context"
	"fmt"
	"sort"
	"time"

	"pc5d/daemon/control"
	"pc5d/daemon/link"
)

// pollInterval is how often Up looks at the link that it waits for.
const pollInterval = 20 * time.Millisecond

// Status returns the state of the node and all its links.
func (n *Node) Status(context.Context) (control.Status, error) {
	local := n.cfg.Auth.Local()
	s := control.Status{
		Version: n.cfg.Version,
		Node:    control.Node{Name: local.Name, Fingerprint: local.Fingerprint.String(), Listen: n.cfg.Provisioning.Node.Listen.String()},
		Drops:   map[string]uint64{},
	}
	for i := range n.drops {
		if c := n.drops[i].Load(); c > 0 {
			s.Drops[link.Drop(i).String()] = c
		}
	}
	if c := n.refused.Load(); c > 0 {
		s.Drops["overload"] = c
	}
	for _, k := range n.keepers {
		s.Links = append(s.Links, k.view())
	}
	sort.Slice(s.Links, func(i, j int) bool { return s.Links[i].Name < s.Links[j].Name })
	return s, nil
}

// Up asks for a link and waits until it is established, has failed for good, or ctx ends.
func (n *Node) Up(ctx context.Context, name string) (control.LinkStatus, error) {
	k, err := n.order(ctx, name, true)
	if err != nil {
		return control.LinkStatus{}, err
	}
	return k.await(ctx, "established", "failed", "down"), nil
}

// Down releases a link and waits until it is down.
func (n *Node) Down(ctx context.Context, name string) (control.LinkStatus, error) {
	k, err := n.order(ctx, name, false)
	if err != nil {
		return control.LinkStatus{}, err
	}
	return k.await(ctx, "down"), nil
}

// order passes the operator's word to a keeper.
func (n *Node) order(ctx context.Context, name string, up bool) (*keeper, error) {
	k := n.keepers[name]
	if k == nil {
		return nil, fmt.Errorf("%w: %q; pc5ctl status lists the links", control.ErrNoLink, name)
	}
	c := command{up: up, done: make(chan error, 1)}
	select {
	case k.commands <- c:
		return k, <-c.done
	case <-n.runnersDone:
		return nil, control.ErrStopping
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// await returns the status once its state is one of those named, or when ctx ends.
func (k *keeper) await(ctx context.Context, states ...string) control.LinkStatus {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		s := k.view()
		for _, want := range states {
			if s.State == want {
				return s
			}
		}
		select {
		case <-ctx.Done():
			return s
		case <-tick.C:
		}
	}
}

// view is the snapshot with the engine's counters as they are now.
func (k *keeper) view() control.LinkStatus {
	s := *k.snapshot.Load()
	c := k.plane.Counters()
	s.RxPackets, s.RxOctets = c.Received.Packets, c.Received.Octets
	s.TxPackets, s.TxOctets = c.Sent.Packets, c.Sent.Octets
	s.Drops = map[string]uint64{}
	for reason, n := range c.Drops.All() {
		if n > 0 {
			s.Drops[reason.String()] = n
		}
	}
	return s
}
