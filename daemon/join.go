package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"pc5d/daemon/auth/invite"
	"pc5d/daemon/control"
	"pc5d/daemon/pc5s"
	"pc5d/policy/provision"
)

// Join takes an invite of another node up: the link is there when it returns, and is established with
// the proof as soon as the inviter answers, now or after a restart.
func (n *Node) Join(ctx context.Context, token, name string) (control.LinkStatus, error) {
	t, err := invite.Parse(token)
	if err != nil {
		return control.LinkStatus{}, err
	}
	if name == "" {
		if name = linkNameFrom(t.Name); name == "" {
			return control.LinkStatus{}, fmt.Errorf("the inviter's name %q makes no link name: choose one with --name", t.Name)
		}
	}
	if err := n.join(t, name); err != nil {
		return control.LinkStatus{}, err
	}
	return n.Up(ctx, name)
}

// join writes first the secret, then the link: a link without the secret could not be established.
func (n *Node) join(t invite.Token, name string) error {
	n.links.change.Lock()
	defer n.links.change.Unlock()
	if err := n.mayJoinLocked(t, name); err != nil {
		return err
	}
	const how = "Learnt by joining with a token"
	l, err := n.learn(provision.Link{
		Name: name, Peer: t.Name, Service: inviteService, Pin: t.Key, Endpoint: t.Endpoint, Addresses: hosts(t.Joiner), Allowed: hosts(t.Inviter),
	}, how)
	if err == nil {
		err = n.free(l)
	}
	if err != nil {
		return err
	}
	n.pairing.mu.Lock()
	n.pairing.taken = append(n.pairing.taken, &takenInvite{link: name, secret: t.Secret, expires: t.Expires})
	n.pairing.mu.Unlock()
	if err = n.writeInvitesLocked(); err == nil {
		_, err = n.addLocked(l, func() error { return n.writeLearnt(l, how) })
	}
	if err != nil {
		n.pairing.without(name)
		n.saveInvitesLocked()
		return err
	}
	n.watchInvitesLocked()
	n.log.Info("invite taken up", "link", name, "peer", t.Name, "key", t.Key.String())
	return nil
}

// mayJoinLocked tells what stands against a token that is good in itself.
func (n *Node) mayJoinLocked(t invite.Token, name string) error {
	paired := n.pairedWith(t)
	switch {
	case n.links.closed:
		return control.ErrStopping
	case !n.now().Before(t.Expires):
		return fmt.Errorf("the token expired at %s by this host's clock: ask for a new one, or compare the clocks", t.Expires.UTC().Format(time.RFC3339))
	case t.Key == n.cfg.Auth.Local().Fingerprint:
		return errors.New("the token is an invite of this node itself: run pc5ctl join on the other host")
	case paired != nil:
		return fmt.Errorf("this host is paired with %q already, by link %s: pc5ctl up %s, or pc5ctl unpair %s first", t.Name, paired.link.Name, paired.link.Name, paired.link.Name)
	case slices.ContainsFunc(n.pairing.open, func(i *openInvite) bool { return i.link == name }):
		return fmt.Errorf("an invite of this host for a link %s is open: pc5ctl invite --revoke %s, or choose another name with --name", name, name)
	case n.shadowed(name):
		return errShadowed(name)
	}
	return nil
}

// pairedWith finds the link that a token would make once more; nil: there is none.
func (n *Node) pairedWith(t invite.Token) *keeper {
	i := slices.IndexFunc(n.ordered(), func(k *keeper) bool {
		return k.config.Learnt && k.config.Peer == t.Name && k.config.Pin == t.Key && k.config.Service == inviteService
	})
	if i < 0 {
		return nil
	}
	return n.ordered()[i]
}

// joined follows a link that is established: its secret has served.
func (n *Node) joined(name string) {
	if n.pairing.hasTaken(name) {
		n.served(name)
	}
}

// served ends a secret. One that another change has ended meanwhile stays as that left it: a node that
// closes wipes it and keeps it in the file.
func (n *Node) served(name string) {
	n.links.change.Lock()
	defer n.links.change.Unlock()
	if !n.pairing.without(name) {
		return
	}
	n.saveInvitesLocked()
	n.watchInvitesLocked()
}

// tooLate gives a link up whose token expired before it was established once.
func (k *keeper) tooLate() {
	if k.current != nil {
		return
	}
	k.wanted, k.retryAt = false, time.Time{}
	k.status.LastError = fmt.Sprintf("the token expired before the inviter let this node in: pc5ctl unpair %s, and ask for a new one", k.link.Name)
	k.log.Warn("invite taken up in vain: it expired")
	for _, r := range k.attempts {
		r.dismissed = true
		r.release(pc5s.CauseNoLongerNeeded)
	}
	if k.idle() {
		k.setState("down")
	}
	k.publish()
}

// linkNameFrom makes a link's name of a peer's; "" where nothing is left.
func linkNameFrom(peer string) string {
	const most = 11
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune("_.-", r) {
			return r
		}
		return -1
	}, strings.ToLower(peer))
	for before := ""; name != before; {
		before, name = name, strings.TrimPrefix(strings.TrimLeft(name, "_.-"), "g-")
	}
	return name[:min(len(name), most)]
}
