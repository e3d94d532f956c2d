package dataplane

import (
	"net/netip"

	"pc5d/dataplane/record"
	"pc5d/dataplane/suite"
)

// arrival is where a batch of records came from, which are all of one context.
type arrival struct {
	from    netip.AddrPort
	strange bool         // the context sends elsewhere
	next    record.Count // the context's before them
}

// arriving looks at the address of a batch before it is opened. Only the context that sends is watched:
// another one has no address, or a former one.
func (k *keyContext) arriving(from netip.AddrPort) arrival {
	a := arrival{from: from}
	l := k.link
	if !l.pathWatched.Load() || !k.receive.authentic() || l.sending.Load() != k || k.send.way().to == from {
		return a
	}
	a.strange, a.next = true, k.receive.reached()
	return a
}

// reached is the COUNT after the highest one that verified.
func (k *receiveKey) reached() record.Count {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.window.Next()
}

// arrived tells of an address from which an authentic record came that was ahead of all before: what is
// old, replayed or forged says nothing about where the peer is (T53, T58). A batch tells of one link: others
// stay watched.
func (n *notices) arrived(k *keyContext, a arrival, items []suite.Item) {
	if n.elsewhere.context != nil || !a.strange || k.receive.reached() == a.next || !k.link.pathWatched.CompareAndSwap(true, false) {
		return
	}
	octets := 0
	for i := range items {
		if items[i].OK {
			octets += len(items[i].AAD) + len(items[i].Text)
		}
	}
	n.elsewhere = elsewhere{k, a.from, octets}
}

// elsewhere is a peer that was heard at another address.
type elsewhere struct {
	context *keyContext
	from    netip.AddrPort
	octets  int
}

// WatchPath asks for one Config.Elsewhere.
func (l *Link) WatchPath() { l.pathWatched.Store(true) }
