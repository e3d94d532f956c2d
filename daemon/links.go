package daemon

import (
	"crypto/sha256"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"pc5d/daemon/control"
	"pc5d/daemon/host"
	"pc5d/daemon/link"
	"pc5d/policy"
	"pc5d/policy/provision"
)

// links are the links of a node. They change while it runs: by an invite, and by an operator's word.
type links struct {
	table  atomic.Pointer[linkTable]
	change sync.Mutex // held over a whole change with its I/O, because changes come one at a time; readers never take it
	closed bool       // guarded by change: nothing is added any more
}

// linkTable is never changed, only replaced.
type linkTable struct {
	byName map[string]*keeper
	sorted []*keeper // nothing that happens may depend on the order of a map
}

var errClosed = errors.New("pc5d is stopping: no link is added any more")

// keeper finds a link by its name; nil: there is none.
func (n *Node) keeper(name string) *keeper { return n.links.table.Load().byName[name] }

// ordered are the keepers by name.
func (n *Node) ordered() []*keeper { return n.links.table.Load().sorted }

// publishLocked makes exactly these the node's links.
func (n *Node) publishLocked(keepers []*keeper) {
	t := &linkTable{byName: make(map[string]*keeper, len(keepers)), sorted: slices.Clone(keepers)}
	for _, k := range keepers {
		t.byName[k.link.Name] = k
	}
	slices.SortFunc(t.sorted, func(a, b *keeper) int { return strings.Compare(a.link.Name, b.link.Name) })
	excludeSources(t.sorted)
	n.links.table.Store(t)
}

// guardLocked guards the protected prefixes of all links, and of one more that is about to come.
func (n *Node) guardLocked(more ...netip.Prefix) error {
	protected := slices.Clone(more)
	for _, k := range n.ordered() {
		protected = append(protected, k.config.Allowed...)
	}
	return n.cfg.Network.Guard(protected)
}

// provisioned are the links as they are provisioned now.
func (n *Node) provisioned() []provision.Link {
	var out []provision.Link
	for _, k := range n.ordered() {
		out = append(out, k.config)
	}
	return out
}

// addLocked adds a link while the node runs: guard, interface, then commit, which makes it outlive the
// process, and only then it can be found. Whatever fails undoes what was done.
func (n *Node) addLocked(l provision.Link, commit func() error) (*keeper, error) {
	if n.links.closed {
		return nil, errClosed
	}
	if err := n.guardLocked(l.Allowed...); err != nil {
		return nil, err
	}
	k, err := n.makeLink(l)
	if err == nil {
		if err = commit(); err == nil {
			n.publishLocked(append(slices.Clone(n.ordered()), k))
			return k, nil
		}
		n.unmake(k)
	}
	return nil, errors.Join(err, n.guardLocked())
}

// unmake takes back what makeLink made.
func (n *Node) unmake(k *keeper) {
	k.queue.Close()
	if err := n.cfg.Engine.RemoveLink(k.plane); err != nil {
		k.log.Error("local: interface stays", "error", err)
	}
}

// removeLocked takes a link out: nobody finds it any more, its peer hears that it ends, and when that
// is over interface and guard go and done is closed.
func (n *Node) removeLocked(k *keeper, done chan<- struct{}) {
	n.publishLocked(slices.DeleteFunc(slices.Clone(n.ordered()), func(o *keeper) bool { return o == k }))
	k.post(func(k *keeper) {
		if err := k.down(); err != nil {
			k.log.Warn("the link is remembered as wanted", "error", err)
		}
		k.halted = true
		k.settled = append(k.settled, func() {
			n.unmake(k)
			n.links.change.Lock()
			defer n.links.change.Unlock()
			if err := n.guardLocked(); err != nil {
				k.log.Error("local: guard routes stay", "error", err)
			}
			if n.store != nil {
				n.store.Forget(k.link.Peer) // also what the last session kept
			}
			k.log.Info("link removed", "peer", k.link.Peer)
			close(done)
		})
	})
}

// makeLink makes the interface of a provisioned link, configures the host, and gives the link a
// keeper. The interface stays while the node has the link, whatever the link's state.
func (n *Node) makeLink(l provision.Link) (*keeper, error) {
	dev, err := n.cfg.OpenTUN(l.Interface(), l.MTU)
	if err != nil {
		return nil, err
	}
	plane, err := n.cfg.Engine.AddLink(l.Name, dev)
	if err != nil {
		dev.Close()
		return nil, err
	}
	machine := n.linkOf(l)
	err = n.cfg.Network.Configure(host.Interface{
		Name: l.Interface(), MTU: l.MTU, Addresses: l.Addresses, LinkLocal: machine.LinkLocal, Routes: l.Allowed,
	})
	if err != nil {
		return nil, errors.Join(err, n.cfg.Engine.RemoveLink(plane))
	}
	down := control.LinkStatus{
		Name: l.Name, Interface: l.Interface(), Peer: l.Peer, Service: l.Service, State: "down", Learnt: l.Learnt, Trust: l.Trust.String(), Addresses: l.Addresses, Allowed: l.Allowed,
	}
	k := &keeper{
		node: n, config: l, plane: plane, log: n.log.With("link", l.Name),
		link:     machine,
		endpoint: l.Endpoint, status: down,
	}
	if l.Trust == policy.TrustFirstUse {
		k.pinned.Store(n.firstUse.pin(l))
	}
	k.trusted()
	k.view = newView(k.status)
	k.queue = n.cfg.Scheduler.NewQueue(k.wake)
	k.wanted = n.pairing.hasTaken(l.Name) // and was never up
	if last, ok := n.state.wanted(l.Name); ok {
		k.wanted = true
		if !k.endpoint.IsValid() {
			k.endpoint = last
		}
	}
	return k, nil
}

// pinsOf are the fingerprints that stand for the peer; none where certificates decide.
func (n *Node) pinsOf(l provision.Link) []policy.Fingerprint {
	switch l.Trust {
	case policy.TrustPin:
		return []policy.Fingerprint{l.Pin}
	case policy.TrustPSK:
		if fp, ok := n.preShared.pin(l.Peer, l.Service); ok {
			return []policy.Fingerprint{fp}
		}
	}
	return nil
}

// linkLocal is this end's link-local IPv6 address in a link: the same after each start,
// different for each link.
func (n *Node) linkLocal(name string) netip.Addr {
	fp := n.cfg.Auth.Local().Fingerprint
	sum := sha256.Sum256(append(append([]byte("pc5d link-local"), fp[:]...), name...))
	a := [16]byte{0: 0xfe, 1: 0x80}
	copy(a[8:], sum[:8])
	return netip.AddrFrom16(a)
}

// Lookup finds the link of an authenticated peer. It judges once more, so that a kept key opens nothing
// that its peer's certificates would not open at this moment (T16).
func (n *Node) Lookup(peer link.Peer, service string) (link.Link, bool) {
	for _, k := range n.ordered() {
		if l := k.provisioned(); l.Service == service && l.Admits(peer) && n.admits(peer) == nil {
			return l, true
		}
	}
	return link.Link{}, false
}

// Pinned are the keys that are pinned for a name now.
func (n *Node) Pinned(name string) []policy.Fingerprint {
	var pins []policy.Fingerprint
	for _, k := range n.ordered() {
		if k.link.Peer == name && k.link.Trust != policy.TrustPSK {
			pins = append(pins, k.provisioned().Pins...)
		}
	}
	return pins
}
