package daemon

import (
	"crypto/sha256"
	"net/netip"

	"pc5d/daemon/control"
	"pc5d/daemon/host"
	"pc5d/daemon/link"
	"pc5d/policy"
	"pc5d/policy/provision"
)

// addLink makes the interface of a provisioned link, configures the host, and gives the link a
// keeper. The interface stays while the daemon runs, whatever the link's state.
func (n *Node) addLink(l provision.Link) error {
	dev, err := n.cfg.OpenTUN(l.Interface(), l.MTU)
	if err != nil {
		return err
	}
	plane, err := n.cfg.Engine.AddLink(l.Name, dev)
	if err != nil {
		dev.Close()
		return err
	}
	local := n.linkLocal(l.Name)
	err = n.cfg.Network.Configure(host.Interface{
		Name: l.Interface(), MTU: l.MTU, Addresses: l.Addresses, LinkLocal: local, Routes: l.Allowed,
	})
	if err != nil {
		return err
	}
	down := control.LinkStatus{Name: l.Name, Interface: l.Interface(), Peer: l.Peer, Service: l.Service, Trust: l.Trust.String(), State: "down"}
	k := &keeper{
		node: n, config: l, plane: plane, log: n.log.With("link", l.Name),
		link: link.Link{
			Name: l.Name, Peer: l.Peer, Service: l.Service, Trust: l.Trust, Pins: n.pinsOf(l),
			Signalling: l.Signalling, UserPlane: l.UserPlane, LinkLocal: local,
			Pace: paceOf(l), Authenticate: l.Authentication, PrivateIdentity: l.Privacy.Identity, PrivatePort: l.Privacy.Port,
		},
		endpoint: l.Endpoint, status: down, view: newView(down),
	}
	k.queue = n.cfg.Scheduler.NewQueue(k.wake)
	if last, ok := n.state.wanted(l.Name); ok {
		k.wanted = true
		if !k.endpoint.IsValid() {
			k.endpoint = last
		}
	}
	n.keepers[l.Name] = k
	return nil
}

// pinsOf are the fingerprints that stand for the peer; none where certificates decide.
func (n *Node) pinsOf(l provision.Link) []policy.Fingerprint {
	switch l.Trust {
	case policy.TrustPin:
		return []policy.Fingerprint{l.Pin}
	case policy.TrustPSK:
		if fp, ok := n.preShared.pin(l.Peer, l.Service); ok {
			return []policy.Fingerprint{fp}
		}
	}
	return nil
}

// linkLocal is this end's link-local IPv6 address in a link: the same after each start,
// different for each link.
func (n *Node) linkLocal(name string) netip.Addr {
	fp := n.cfg.Auth.Local().Fingerprint
	sum := sha256.Sum256(append(append([]byte("pc5d link-local"), fp[:]...), name...))
	a := [16]byte{0: 0xfe, 1: 0x80}
	copy(a[8:], sum[:8])
	return netip.AddrFrom16(a)
}
