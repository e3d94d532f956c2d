package daemon

import (
	"context"
	"slices"

	"pc5d/daemon/kept"
	"pc5d/daemon/keys"
	"pc5d/daemon/link"
	"pc5d/policy/provision"
)

// keepKeys lets machines use the node's cache. Keys whose peer or pin has left the provisioning end
// here.
func (n *Node) keepKeys() {
	if n.cfg.OpenKept == nil {
		return
	}
	n.store = n.cfg.OpenKept()
	n.kept = keptKeys{n.store}
	n.store.Retain(func(e kept.Entry) bool {
		return slices.ContainsFunc(n.cfg.Provisioning.Links, func(l provision.Link) bool {
			pin := l.Pin
			if p := n.firstUse.pin(l); p != nil {
				pin = p.Key
			}
			return l.Peer == e.Peer && l.Service == e.Service && pin == e.Fingerprint
		})
	})
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
type keptKeys struct{ store *kept.Store }

// For implements link.KeptKeys.
func (k keptKeys) For(peer, service string) (link.KeptKey, bool) {
	e, ok := k.store.ForPeer(peer, service)
	return keptKeyOf(e), ok
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

// Put implements link.KeptKeys.
func (k keptKeys) Put(l link.KeptKey) {
	k.store.Put(kept.Entry{
		ID: l.ID, Peer: l.Peer.Name, Service: l.Service, Fingerprint: l.Peer.Fingerprint, Key: l.Key,
		Made: l.Made, Authenticated: l.Authenticated, CertificateEnd: l.CertificateEnd,
	})
}

func keptKeyOf(e kept.Entry) link.KeptKey {
	return link.KeptKey{
		ID: e.ID, Peer: link.Peer{Name: e.Peer, Fingerprint: e.Fingerprint}, Service: e.Service, Key: e.Key,
		Made: e.Made, Authenticated: e.Authenticated, CertificateEnd: e.CertificateEnd,
	}
}
