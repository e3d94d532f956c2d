package authbench

import (
	"pc5d/daemon/kept"
	"pc5d/daemon/keys"
	"pc5d/daemon/link"
)

// keptKeys lets machines use a store, as the daemon does; there are no pre-shared keys here.
type keptKeys struct{ store *kept.Store }

// For implements link.KeptKeys.
func (k keptKeys) For(peer, service string) (link.KeptKey, bool) {
	e, ok := k.store.ForPeer(peer, service)
	return keptKeyOf(e), ok
}

// Peek implements link.KeptKeys.
func (k keptKeys) Peek(id keys.KNRPID, into *link.KeptKey) bool {
	e := kept.Entry{Key: into.Key}
	ok := k.store.Peek(id, &e)
	if ok {
		*into = keptKeyOf(e)
	}
	return ok
}

// PeekAt implements link.KeptKeys.
func (k keptKeys) PeekAt(n int, into *link.KeptKey) bool {
	e := kept.Entry{Key: into.Key}
	ok := k.store.PeekAt(n, &e)
	if ok {
		*into = keptKeyOf(e)
	}
	return ok
}

// Len implements link.KeptKeys.
func (k keptKeys) Len() int { return k.store.Len() }

// Accept implements link.KeptKeys.
func (k keptKeys) Accept(l link.KeptKey, timestamp uint64) bool {
	return k.store.Accept(l.ID, timestamp)
}

// Take implements link.KeptKeys.
func (k keptKeys) Take(l link.KeptKey) bool { return k.store.Take(l.ID) }

// Rename implements link.KeptKeys.
func (k keptKeys) Rename(from, to keys.KNRPID) { k.store.Rename(from, to) }

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
