package daemon

import (
	"bytes"
	"net/netip"
	"slices"
	"sync"
	"time"

	"pc5d/daemon/keys"
	"pc5d/daemon/task"
)

const (
	invitesFile = "invites.json" // in the state directory
	maxInvites  = 64             // open at a time
)

// openInvite is an invite that nobody has used yet.
type openInvite struct {
	link      string // that a joiner will get
	peer      string // who alone may join; "": anybody who has no link yet
	secret    keys.Secret
	expires   time.Time
	addresses []netip.Addr // of this end
	allowed   []netip.Addr // of the joiner
}

// takenInvite is an invite of another node that this one has taken up and not used yet.
type takenInvite struct {
	link    string
	secret  keys.Secret
	expires time.Time
}

// pairing is what the node knows of invites. They change under links.change; what stands in memory is
// guarded by mu as well, so that machines may look while a change is being written.
type pairing struct {
	mu    sync.RWMutex // taken after links.change; never held over I/O
	open  []*openInvite
	taken []*takenInvite
	queue task.Queue // wakes when the next secret has to be wiped; nil before the first invite
	stale bool       // the file says more than the memory; guarded by links.change
}

// invites tells whether one is open.
func (p *pairing) invites(now time.Time) bool {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return slices.ContainsFunc(p.open, func(i *openInvite) bool { return now.Before(i.expires) })
}

// find finds the open invite whose secret is proved.
func (p *pairing) find(now time.Time, proves func(keys.Secret) bool) *openInvite {
	p.mu.RLock()
	defer p.mu.RUnlock()
	for _, i := range p.open {
		if now.Before(i.expires) && proves(i.secret) {
			return i
		}
	}
	return nil
}

// secret is a copy of the secret that a link's first establishment has to prove; none: it has none.
func (p *pairing) secret(link string) keys.Secret {
	p.mu.RLock()
	defer p.mu.RUnlock()
	for _, i := range p.taken {
		if i.link == link {
			return keys.NewSecret(bytes.Clone(i.secret.Bytes()))
		}
	}
	return keys.Secret{}
}

func (p *pairing) hasTaken(link string) bool {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return slices.ContainsFunc(p.taken, func(i *takenInvite) bool { return i.link == link })
}

// keep ends the invites that the functions do not keep, and wipes their secrets. It tells whether any
// ended.
func (p *pairing) keep(open func(*openInvite) bool, taken func(*takenInvite) bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := len(p.open) + len(p.taken)
	p.open = slices.DeleteFunc(p.open, func(i *openInvite) bool {
		if open(i) {
			return false
		}
		i.secret.Wipe()
		return true
	})
	p.taken = slices.DeleteFunc(p.taken, func(i *takenInvite) bool {
		if taken(i) {
			return false
		}
		i.secret.Wipe()
		return true
	})
	return len(p.open)+len(p.taken) < before
}

// without ends what there is for a link.
func (p *pairing) without(link string) bool {
	return p.keep(func(i *openInvite) bool { return i.link != link }, func(i *takenInvite) bool { return i.link != link })
}

// next is when the first of them expires; zero: there is none.
func (p *pairing) next() time.Time {
	p.mu.RLock()
	defer p.mu.RUnlock()
	var next time.Time
	earlier := func(t time.Time) {
		if next.IsZero() || t.Before(next) {
			next = t
		}
	}
	for _, i := range p.open {
		earlier(i.expires)
	}
	for _, i := range p.taken {
		earlier(i.expires)
	}
	return next
}

// settleInvitesLocked ends what a crash left: an open invite whose link exists was used, because the
// link is written first, also where the provisioning has left that link out; a taken one without a learnt link never began.
func (n *Node) settleInvitesLocked() {
	ended := n.pairing.keep(
		func(i *openInvite) bool { return n.keeper(i.link) == nil && !n.shadowed(i.link) },
		func(i *takenInvite) bool { k := n.keeper(i.link); return k != nil && k.config.Learnt },
	)
	if ended {
		n.saveInvitesLocked()
	}
	n.expireInvitesLocked()
}

// expireInvites runs when an invite's time is over.
func (n *Node) expireInvites() {
	n.links.change.Lock()
	defer n.links.change.Unlock()
	n.expireInvitesLocked()
}

// expireInvitesLocked wipes what has expired, makes the file say the same, and sets the next alarm.
func (n *Node) expireInvitesLocked() {
	now := n.now()
	for _, i := range n.pairing.open {
		if !now.Before(i.expires) {
			n.log.Info("invite expired", "link", i.link)
		}
	}
	for _, i := range n.pairing.taken {
		if k := n.keeper(i.link); k != nil && !now.Before(i.expires) {
			k.post((*keeper).tooLate)
		}
	}
	ended := n.pairing.keep(func(i *openInvite) bool { return now.Before(i.expires) }, func(i *takenInvite) bool { return now.Before(i.expires) })
	if ended || n.pairing.stale {
		n.saveInvitesLocked()
	}
	n.watchInvitesLocked()
}

// saveInvitesLocked writes after something ended. What ended is gone from memory in any case; as long
// as the file says more no link of it may go, or a later start would open its invite again.
func (n *Node) saveInvitesLocked() {
	err := n.writeInvitesLocked()
	if n.pairing.stale = err != nil; err != nil {
		n.log.Error("local: the file of the invites is not up to date", "error", err)
	}
}

// watchInvitesLocked sets the alarm for the next invite that expires.
func (n *Node) watchInvitesLocked() {
	next := n.pairing.next()
	if n.pairing.queue == nil && !next.IsZero() && !n.links.closed {
		n.pairing.queue = n.cfg.Scheduler.NewQueue(n.expireInvites)
	}
	if n.pairing.queue != nil {
		n.pairing.queue.WakeAt(next)
	}
}

// closePairingLocked wipes the secrets of a node that ends; the file keeps them, so that nothing that
// comes later may write it.
func (n *Node) closePairingLocked() {
	if n.pairing.queue != nil {
		n.pairing.queue.Close()
	}
	n.pairing.keep(func(*openInvite) bool { return false }, func(*takenInvite) bool { return false })
	n.pairing.stale = false
}
