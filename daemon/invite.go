package daemon

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"pc5d/daemon/auth/invite"
	"pc5d/daemon/control"
	"pc5d/daemon/keys"
	"pc5d/daemon/pc5s"
	"pc5d/policy/provision"
)

// Invites live so long (chosen).
const (
	minInvite = time.Minute
	maxInvite = 7 * 24 * time.Hour
)

// Invite makes an invite and gives its token.
func (n *Node) Invite(_ context.Context, r control.InviteRequest) (control.Invite, error) {
	n.links.change.Lock()
	defer n.links.change.Unlock()
	n.expireInvitesLocked()
	i, t, err := n.newInviteLocked(r)
	if err != nil {
		return control.Invite{}, err
	}
	text, err := t.Text()
	if err != nil {
		i.secret.Wipe()
		return control.Invite{}, err
	}
	n.pairing.mu.Lock()
	n.pairing.open = append(n.pairing.open, i)
	n.pairing.mu.Unlock()
	if err := n.writeInvitesLocked(); err != nil {
		n.pairing.without(i.link)
		return control.Invite{}, err
	}
	n.watchInvitesLocked()
	n.log.Info("invite made", "link", i.link, "peer", i.peer, "expires", i.expires)
	return control.Invite{Link: i.link, Token: text, Expires: i.expires, Endpoint: t.Endpoint.String(), Addresses: words(i.addresses), Allowed: words(i.allowed)}, nil
}

// newInviteLocked makes an invite that fits beside all links and all other open invites.
func (n *Node) newInviteLocked(r control.InviteRequest) (*openInvite, invite.Token, error) {
	wrong := func(err error) (*openInvite, invite.Token, error) { return nil, invite.Token{}, err }
	life, err := time.ParseDuration(r.Expires)
	switch {
	case n.links.closed:
		return wrong(control.ErrStopping)
	case err != nil || life < minInvite || life > maxInvite:
		return wrong(fmt.Errorf("an invite expires after %s to %s, not %q", minInvite, maxInvite, r.Expires))
	case len(n.pairing.open) >= maxInvites:
		return wrong(fmt.Errorf("%d invites are open: wait for one to be used, or pc5ctl invite --revoke LINK", maxInvites))
	case r.Peer != "" && !invite.ValidName(r.Peer):
		return wrong(fmt.Errorf("the peer %q is no name of printable characters", r.Peer))
	}
	secret := make([]byte, invite.SecretLen)
	rand.Read(secret) // never fails: the runtime ends the process instead
	i := &openInvite{link: r.Link, peer: r.Peer, secret: keys.NewSecret(secret), expires: n.now().Add(life).Truncate(time.Second).UTC(), addresses: r.Addresses, allowed: r.Allowed}
	if len(i.addresses) == 0 && len(i.allowed) == 0 {
		ours, theirs, err := invite.Addresses(i.secret)
		if err != nil {
			return wrong(err)
		}
		i.addresses, i.allowed = []netip.Addr{ours}, []netip.Addr{theirs}
	}
	if err := n.fits(i); err != nil {
		return wrong(err)
	}
	local := n.cfg.Auth.Local()
	return i, invite.Token{Name: local.Name, Key: local.Fingerprint, Endpoint: r.Endpoint, Secret: i.secret, Expires: i.expires, Inviter: i.addresses, Joiner: i.allowed}, nil
}

// fits tells whether a joiner could get the link of an invite, whatever its name, if all other open
// invites are used before.
func (n *Node) fits(i *openInvite) error {
	if n.shadowed(i.link) {
		return errShadowed(i.link)
	}
	links := n.provisioned()
	for _, o := range n.pairing.open {
		if o.link == i.link {
			return fmt.Errorf("an invite for link %s is open: pc5ctl invite --revoke %s, or choose another name", i.link, i.link)
		}
		links = append(links, provision.Link{Name: o.link, Peer: joinerOf(o), Service: inviteService, Allowed: hosts(o.allowed)})
	}
	l := provision.Link{Name: i.link, Peer: joinerOf(i), Service: inviteService, Addresses: hosts(i.addresses), Allowed: hosts(i.allowed)}
	_, err := n.learnBeside(links, l, "Invite")
	return err
}

// joinerOf names who will join: where that is open, a name that no link has.
func joinerOf(i *openInvite) string {
	if i.peer != "" {
		return i.peer
	}
	return "the joiner of " + i.link
}

// Revoke ends an open invite.
func (n *Node) Revoke(_ context.Context, name string) error {
	n.links.change.Lock()
	defer n.links.change.Unlock()
	if !slices.ContainsFunc(n.pairing.open, func(i *openInvite) bool { return i.link == name }) {
		return fmt.Errorf("no invite for link %q is open; pc5ctl status lists them", name)
	}
	n.pairing.without(name)
	n.log.Info("invite revoked", "link", name)
	err := n.writeInvitesLocked()
	n.pairing.stale = err != nil
	n.watchInvitesLocked()
	return err
}

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
	local := n.cfg.Auth.Local()
	switch {
	case n.links.closed:
		return control.ErrStopping
	case !n.now().Before(t.Expires):
		return fmt.Errorf("the token expired at %s by this host's clock: ask for a new one, or compare the clocks", t.Expires.UTC().Format(time.RFC3339))
	case t.Key == local.Fingerprint:
		return errors.New("the token is an invite of this node itself: run pc5ctl join on the other host")
	}
	if n.shadowed(name) {
		return errShadowed(name)
	}
	if slices.ContainsFunc(n.pairing.open, func(i *openInvite) bool { return i.link == name }) {
		return fmt.Errorf("an invite of this host for a link %s is open: pc5ctl invite --revoke %s, or choose another name with --name", name, name)
	}
	const how = "Learnt by joining with a token"
	l, err := n.learn(provision.Link{
		Name: name, Peer: t.Name, Service: inviteService, Pin: t.Key, Endpoint: t.Endpoint, Addresses: hosts(t.Joiner), Allowed: hosts(t.Inviter),
	}, how)
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

func words(addresses []netip.Addr) []string {
	out := make([]string, len(addresses))
	for i, a := range addresses {
		out[i] = a.String()
	}
	return out
}

// openInvites lists them without their secrets.
func (n *Node) openInvites() []control.OpenInvite {
	n.pairing.mu.RLock()
	defer n.pairing.mu.RUnlock()
	out := make([]control.OpenInvite, len(n.pairing.open))
	for i, o := range n.pairing.open {
		out[i] = control.OpenInvite{Link: o.link, Peer: o.peer, Expires: o.expires}
	}
	slices.SortFunc(out, func(a, b control.OpenInvite) int { return strings.Compare(a.Link, b.Link) })
	return out
}
