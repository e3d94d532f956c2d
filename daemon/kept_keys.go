package daemon

import (
	"context"
	"slices"

	"pc5d/daemon/kept"
	"pc5d/daemon/keys"
	"pc5d/daemon/link"
	"pc5d/policy"
)

// keepKeys lets machines use the node's keys for psk-dhe.
func (n *Node) keepKeys() error {
	var err error
	if n.preShared, err = openPreShared(n.cfg.Provisioning.Links, n.cfg.PreShared, uint64(n.now().UnixNano())); err != nil {
		return err
	}
	if n.cfg.OpenKept != nil {
		n.store = n.cfg.OpenKept()
	}
	n.kept = keptKeys{n}
	return nil
}

// retainKept ends the kept keys whose peer has left the links, or is not trusted as before.
func (n *Node) retainKept() {
	if n.store != nil {
		n.store.Retain(n.retains)
	}
}

// retains tells whether a kept key is still good for a peer as the node trusts it now. A key that
// certificates spoke for needs them to be judged again, and after a restart nobody has them: it
// ends here, so that no change while the daemon was down is missed (T16).
func (n *Node) retains(e kept.Entry) bool {
	peer := link.Peer{Name: e.Peer, Fingerprint: e.Fingerprint}
	provisioned := slices.ContainsFunc(n.ordered(), func(k *keeper) bool {
		l := k.provisioned()
		return l.Service == e.Service && l.Admits(peer) && l.Trust != policy.TrustPSK && (l.Trust == policy.TrustCA) == !e.CertificateEnd.IsZero()
	})
	return provisioned && n.admits(peer) == nil
}

// Forget ends kept keys: of a peer, or with no name of all. The next establishment authenticates
// in full, and so does one under way: an attempt took its key out of the store before it sent it, and
// each keeper makes its attempts in its own tasks, so one that is posted now misses none of them.
func (n *Node) Forget(_ context.Context, peer string) (int, error) {
	if n.store == nil {
		return 0, nil
	}
	ended := n.store.Forget(peer)
	for _, k := range n.ordered() {
		k.post(func(k *keeper) { k.forget(peer) })
	}
	return ended, nil
}

func (k *keeper) forget(peer string) {
	for _, r := range k.attempts {
		r.step(func() { r.machine.Forget(k.node.now(), peer) })
	}
}

// keptKeys gives the machines the pre-shared keys and the cache of resumption keys, where there is one.
type keptKeys struct{ *Node }

// For implements link.KeptKeys.
func (k keptKeys) For(peer, service string) (link.KeptKey, bool) {
	if found, ok := k.preShared.find(peer, service); ok {
		return found, true
	}
	if k.store == nil {
		return link.KeptKey{}, false
	}
	e, ok := k.store.ForPeer(peer, service)
	l := keptKeyOf(e)
	if ok && k.admits(l.Peer) != nil {
		l.Key.Wipe()
		return link.KeptKey{}, false
	}
	return l, ok
}

// Peek implements link.KeptKeys.
func (k keptKeys) Peek(id keys.KNRPID, into *link.KeptKey) bool {
	e := kept.Entry{Key: into.Key}
	ok := k.store != nil && k.store.Peek(id, &e)
	if ok {
		*into = keptKeyOf(e)
	}
	return ok
}

// PeekAt implements link.KeptKeys: the pre-shared keys come first.
func (k keptKeys) PeekAt(n int, into *link.KeptKey) bool {
	if k.preShared.copyTo(n, into) {
		return true
	}
	e := kept.Entry{Key: into.Key}
	ok := k.store != nil && k.store.PeekAt(n-k.preShared.len(), &e)
	if ok {
		*into = keptKeyOf(e)
	}
	return ok
}

// Len implements link.KeptKeys.
func (k keptKeys) Len() int {
	n := k.preShared.len()
	if k.store != nil {
		n += k.store.Len()
	}
	return n
}

// Accept implements link.KeptKeys.
func (k keptKeys) Accept(l link.KeptKey, timestamp uint64) bool {
	if l.PreShared {
		return k.preShared.accept(l.Peer.Fingerprint, timestamp)
	}
	return k.store.Accept(l.ID, timestamp)
}

// Take implements link.KeptKeys.
func (k keptKeys) Take(l link.KeptKey) bool {
	return l.PreShared || k.store != nil && k.store.Take(l.ID)
}

// Rename implements link.KeptKeys.
func (k keptKeys) Rename(from, to keys.KNRPID) {
	if k.store != nil {
		k.store.Rename(from, to)
	}
}

// Put implements link.KeptKeys. A reload judges what is kept after it has changed what admits, and
// this judges after it has kept, so that one of the two sees a key that comes at the same time.
func (k keptKeys) Put(l link.KeptKey) {
	if k.store == nil || k.preShared.stands(l.Peer.Name, l.Service) {
		return
	}
	k.store.Put(kept.Entry{
		ID: l.ID, Peer: l.Peer.Name, Service: l.Service, Fingerprint: l.Peer.Fingerprint, Key: l.Key,
		Made: l.Made, Authenticated: l.Authenticated, CertificateEnd: l.CertificateEnd,
	})
	if k.admits(l.Peer) != nil {
		k.store.Retain(k.retains)
	}
}

func keptKeyOf(e kept.Entry) link.KeptKey {
	return link.KeptKey{
		ID: e.ID, Peer: link.Peer{Name: e.Peer, Fingerprint: e.Fingerprint}, Service: e.Service, Key: e.Key,
		Made: e.Made, Authenticated: e.Authenticated, CertificateEnd: e.CertificateEnd,
	}
}
