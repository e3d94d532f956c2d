package daemon

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"pc5d/daemon/auth/invite"
	"pc5d/daemon/control"
	"pc5d/daemon/keys"
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
	if _, err := n.learnBeside(links, l, "Invite"); err != nil {
		return err
	}
	return n.free(l)
}

// free refuses addresses inside a link that mean something on this host already: a token must not lead
// the traffic to a neighbour into a link, nor that of another link's own datagrams (T41, T62).
func (n *Node) free(l provision.Link) error {
	for _, p := range slices.Concat(l.Addresses, l.Allowed) {
		what, err := n.cfg.Network.Taken(p.Addr())
		if err != nil {
			return err
		}
		for _, k := range n.ordered() {
			last, _ := n.state.wanted(k.link.Name)
			if p.Addr() == k.config.Endpoint.Addr() || p.Addr() == last.Addr() {
				what = "the endpoint of link " + k.link.Name
			}
		}
		if what != "" {
			return fmt.Errorf("the address %s inside the link is taken on this host, by %s: the inviter chooses others with --addresses and --allowed", p.Addr(), what)
		}
	}
	return nil
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
	n.watchInvitesLocked()
	if n.pairing.stale = err != nil; err != nil {
		return fmt.Errorf("link %s: revoked, but a restart would open the invite again: %w", name, err)
	}
	return nil
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
