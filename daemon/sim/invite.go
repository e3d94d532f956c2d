package sim

import (
	"context"
	"net/netip"

	"pc5d/daemon/control"
)

// ByInvite takes the link out of both provisionings: it has to come by an invite of A.
func (l *Link) ByInvite() {
	l.A.Invited, l.B.Invited = true, true
}

// Invite makes an invite for the end and gives its token.
func (e *End) Invite() (string, error) {
	e.Host.note("invites " + e.Name)
	i, err := e.Host.process.node.Invite(context.Background(), control.InviteRequest{
		Link: e.Name, Endpoint: e.Host.Address, Expires: "1h",
		Addresses: []netip.Addr{e.four, e.six}, Allowed: []netip.Addr{e.Peer.four, e.Peer.six},
	})
	return i.Token, err
}

// Join takes an invite up; what comes of it shows in the status. The error is always one: nobody
// waits for the link.
func (e *End) Join(token string) error {
	e.Host.note("joins " + e.Name)
	at, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := e.Host.process.node.Join(at, token, e.Name)
	return err
}

// OpenInvites counts the invites of a host that are open.
func (h *Host) OpenInvites() int {
	if h.process == nil {
		return 0
	}
	s, err := h.process.node.Status(context.Background())
	if err != nil {
		return 0
	}
	return len(s.Invites)
}
