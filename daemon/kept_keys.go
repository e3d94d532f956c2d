package daemon

import (
	"context"
	"slices"

	"pc5d/daemon/kept"
	"pc5d/daemon/keys"
	"pc5d/daemon/link"
	"pc5d/policy"
	"pc5d/policy/provision"
)

// keepKeys lets machines use the node's cache. Keys whose peer or pin has left the provisioning end
// here.
func (n *Node) keepKeys() {
	if n.cfg.OpenKept == nil {
		return
	}
	n.store = n.cfg.OpenKept()
	n.kept = keptKeys{n}
	n.store.Retain(n.retains)
}

// retains tells whether a kept key is still good for a peer as the node trusts it now. A key that
// certificates spoke for needs them to be judged again, and after a restart nobody has them: it
// ends here, so that no change while the daemon was down is missed (T16).
func (n *Node) retains(e kept.Entry) bool {
	peer := link.Peer{Name: e.Peer, Fingerprint: e.Fingerprint}
	provisioned := slices.ContainsFunc(n.cfg.Provisioning.Links, func(l provision.Link) bool {
		if l.Peer != e.Peer || l.Service != e.Service || (l.Trust == policy.TrustCA) == e.CertificateEnd.IsZero() {
			return false
		}
		return l.Trust == policy.TrustCA || l.Pin == e.Fingerprint
	})
	return provisioned && n.admits(peer) == nil
}

// Forget ends kept keys: of a peer, or with no name of all. The next establishment authenticates
// in full.
func (n *Node) Forget(_ context.Context, peer string) (int, error) {
	if n.store == nil {
		return 0, nil
	}
	return n.store.Forget(peer), nil
}

// keptKeys gives the machines the cache of resumption keys.
type keptKeys struct{ *Node }

// For implements link.KeptKeys.
func (k keptKeys) For(peer, service string) (link.KeptKey, bool) {
	e, ok := k.store.ForPeer(peer, service)
	l := keptKeyOf(e)
	return l, ok && k.admits(l.Peer) == nil
}

// ByID implements link.KeptKeys.
func (k keptKeys) ByID(id keys.KNRPID) (link.KeptKey, bool) {
	e, ok := k.store.ByID(id)
	return keptKeyOf(e), ok
}

// Each implements link.KeptKeys.
func (k keptKeys) Each(visit func(link.KeptKey) bool) {
	k.store.Each(func(e kept.Entry) bool { return visit(keptKeyOf(e)) })
}

// Accept implements link.KeptKeys.
func (k keptKeys) Accept(id keys.KNRPID, timestamp uint64) bool { return k.store.Accept(id, timestamp) }

// Take implements link.KeptKeys.
func (k keptKeys) Take(id keys.KNRPID) { k.store.Take(id) }

// Put implements link.KeptKeys. A reload judges what is kept after it has changed what admits, and
// this judges after it has kept, so that one of the two sees a key that comes at the same time.
func (k keptKeys) Put(l link.KeptKey) {
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
