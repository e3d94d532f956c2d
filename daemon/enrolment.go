package daemon

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"pc5d/daemon/auth/invite"
	"pc5d/daemon/keys"
	"pc5d/daemon/link"
	"pc5d/policy/provision"
)

// inviteService is what links by invite are for.
const inviteService = "ip"

// errSpent says that an invite ended between a joiner's proof and its first MAC.
var errSpent = errors.New("the invite was used by another joiner, has expired, or was revoked")

// enrolment lets peers in for the machines (T41). It is judged by what is written down here and now;
// nothing changes before a Pin is called.
type enrolment struct{ node *Node }

// Invites implements link.Enrolment.
func (e enrolment) Invites() bool { return e.node.pairing.invites(e.node.now()) }

// Admit implements link.Enrolment.
func (e enrolment) Admit(peer link.Peer, service string, proves func(keys.Secret) bool) (link.Link, link.Pin, bool) {
	n := e.node
	if n.admits(peer) != nil { // T16: a reload came between; it lets the machine judge again, and that says why
		return link.Link{}, nil, false
	}
	if l, pin, ok := n.firstUseOf(peer, service); ok {
		return l, pin, true
	}
	if proves == nil {
		return link.Link{}, nil, false
	}
	i := n.pairing.find(n.now(), proves)
	if i == nil {
		return n.uninvited(peer, "no open invite is proved: it was used, has expired, was revoked, or the proof is forged")
	}
	switch {
	case i.peer != "" && i.peer != peer.Name:
		return n.uninvited(peer, fmt.Sprintf("the invite is for %q", i.peer))
	case !invite.ValidName(peer.Name):
		return n.uninvited(peer, "its name has characters that are not printable")
	case service != inviteService:
		return n.uninvited(peer, "an invite is for the service "+inviteService)
	}
	l, err := n.invitedLink(i, peer)
	if err != nil {
		return n.uninvited(peer, err.Error())
	}
	made := n.linkOf(l)
	return made, func() error { return n.enrolInvited(i, l) }, true
}

// uninvited is the event of a proof that let nobody in.
func (n *Node) uninvited(peer link.Peer, why string) (link.Link, link.Pin, bool) {
	n.log.Warn("invite refused", "peer", peer.Name, "key", peer.Fingerprint.String(), "why", why)
	return link.Link{}, nil, false
}

// invitedLink is the link that a joiner gets, if it fits beside the links that there are.
func (n *Node) invitedLink(i *openInvite, peer link.Peer) (provision.Link, error) {
	l := provision.Link{
		Name: i.link, Peer: peer.Name, Service: inviteService, Pin: peer.Fingerprint,
		Addresses: hosts(i.addresses), Allowed: hosts(i.allowed),
	}
	return n.learn(l, "Learnt by an invite of this host")
}

// learn reads a link back from the text that will be its file, as the next start does. A name that is
// pinned already, for another service, has that key here, too.
func (n *Node) learn(l provision.Link, how string) (provision.Link, error) {
	if k := n.otherPin(link.Peer{Name: l.Peer, Fingerprint: l.Pin}); k != nil {
		return l, fmt.Errorf("peer %q has another key in link %s: if that is an old one, end that link first", l.Peer, k.link.Name)
	}
	return n.learnBeside(n.provisioned(), l, how)
}

// learnBeside is learn for a node with these links. The file is not there yet, so mistakes are told
// without their places in it.
func (n *Node) learnBeside(links []provision.Link, l provision.Link, how string) (provision.Link, error) {
	l, err := provision.Learn(n.cfg.Provisioning.Node, links, provision.Source{Name: learntFile(l.Name), Data: provision.Text(l, how)})
	diagnostics, ok := errors.AsType[provision.Diagnostics](err)
	if !ok {
		return l, err
	}
	words := make([]string, len(diagnostics))
	for i, d := range diagnostics {
		if words[i] = d.Message; d.Hint != "" {
			words[i] += " (" + d.Hint + ")"
		}
	}
	return l, errors.New(strings.Join(words, "; "))
}

// hosts are prefixes of single addresses.
func hosts(addresses []netip.Addr) []netip.Prefix {
	out := make([]netip.Prefix, len(addresses))
	for i, a := range addresses {
		out[i] = netip.PrefixFrom(a, a.BitLen())
	}
	return out
}

// enrolInvited makes a joiner's link. Its file is what counts: with it the invite is used, without it
// the invite is open, whenever the power goes. Of several joiners at once the first one here wins.
func (n *Node) enrolInvited(i *openInvite, l provision.Link) error {
	n.links.change.Lock()
	defer n.links.change.Unlock()
	why := n.admits(link.Peer{Name: l.Peer, Fingerprint: l.Pin}) // T16: it may have been denied since its proof
	if !slices.Contains(n.pairing.open, i) || !n.now().Before(i.expires) {
		why = errSpent
	}
	if why != nil {
		n.log.Warn("invite refused", "peer", l.Peer, "key", l.Pin.String(), "why", why.Error())
		return why
	}
	l, err := n.learn(l, "Learnt by an invite of this host")
	if err == nil {
		_, err = n.addLocked(l, func() error { return n.writeLearnt(l, "Learnt by an invite of this host") })
	}
	if err != nil {
		n.log.Error("local: the link of a joiner can not be made: its invite stays open", "link", l.Name, "error", err)
		return err
	}
	n.log.Info("invite used", "link", l.Name, "peer", l.Peer, "key", l.Pin.String())
	n.pairing.without(l.Name)
	n.saveInvitesLocked()
	n.watchInvitesLocked()
	return nil
}

// writeLearnt writes a link down. What can not be written for good is taken back, so that no later
// start knows a peer that was turned away.
func (n *Node) writeLearnt(l provision.Link, how string) error {
	err := n.state.files.Write(learntFile(l.Name), provision.Text(l, how))
	if err != nil {
		err = errors.Join(err, n.state.files.Remove(learntFile(l.Name)))
	}
	return err
}

// linkOf is what a machine knows of a provisioned link.
func (n *Node) linkOf(l provision.Link) link.Link {
	return link.Link{
		Name: l.Name, Peer: l.Peer, Service: l.Service, Trust: l.Trust, Pins: n.pinsOf(l),
		Signalling: l.Signalling, UserPlane: l.UserPlane.On(n.cfg.Processor), LinkLocal: n.linkLocal(l.Name),
		Pace: paceOf(l), Authenticate: l.Authentication, PrivateIdentity: l.Privacy.Identity, PrivatePort: l.Privacy.Port,
	}
}
