package daemon

import (
	"net/netip"
	"time"

	"pc5d/daemon/control"
	"pc5d/daemon/link"
	"pc5d/dataplane"
	"pc5d/dataplane/suite"
)

// planeContext turns a machine's keys into a key context of the engine. The inner sources that
// the peer may use are its allowed prefixes and its own link-local address.
func (k *keeper) planeContext(e link.InstallUserPlane) dataplane.Context {
	sources := append([]netip.Prefix(nil), k.config.Allowed...)
	if e.PeerLinkLocal.IsLinkLocalUnicast() && e.PeerLinkLocal.Is6() {
		sources = append(sources, netip.PrefixFrom(e.PeerLinkLocal, 128))
	}
	destinations := []netip.Prefix{netip.PrefixFrom(k.link.LinkLocal, 128)}
	for _, a := range k.config.Addresses {
		destinations = append(destinations, netip.PrefixFrom(a.Addr(), a.Addr().BitLen()))
	}
	return dataplane.Context{
		Session: uint16(e.Session), Local: e.Local, Peer: e.Peer, Endpoint: e.Endpoint, Suite: e.Suite,
		SendKey: e.Send.Key.Bytes(), SendSalt: e.Send.Salt, RecvKey: e.Receive.Key.Bytes(), RecvSalt: e.Receive.Salt,
		Sources: sources, Destinations: destinations,
	}
}

// setState changes the word that people see; every change is one log line.
func (k *keeper) setState(s string) {
	if k.status.State != s {
		k.log.Info("link state", "from", k.status.State, "to", s)
		k.status.Since = time.Now()
	}
	k.status.State = s
	if s != "established" {
		k.status.Protection = nil
	}
	k.publish()
}

// established writes down what was agreed.
func (k *keeper) established(role link.Role, e link.InstallUserPlane) {
	a := e.Agreement
	form := "pdcp"
	if a.Suite != suite.None {
		form = a.Suite.String() + " record"
	}
	k.status.Role, k.status.Endpoint, k.status.LastError, k.status.Hint = role.String(), e.Endpoint.String(), "", ""
	k.setState("established")
	k.status.Protection = &control.Protection{
		Signalling: control.Signalling{Integrity: a.Integrity.String(), Ciphering: a.Ciphering.String(), Form: form},
		UserPlane:  control.UserPlane{Integrity: a.UserPlane.Integrity, Ciphering: a.UserPlane.Ciphering, Suite: a.Suite.String()},
	}
	k.log.Info("link established", "role", role.String(), "endpoint", k.status.Endpoint, "user_plane", a.Suite.String())
	k.publish()
}

// exchanged adds a message to the timeline.
func (k *keeper) exchanged(n exchanged) {
	direction := "received"
	if n.effect.Sent {
		direction = "sent"
	}
	k.status.Messages = append(k.status.Messages, control.Message{
		Time: n.at, Direction: direction, Name: n.effect.Message.String(), Bearer: n.effect.Bearer.String(),
		Protection: n.effect.Protection, Octets: n.effect.Octets,
	})
	if extra := len(k.status.Messages) - timelineSize; extra > 0 {
		k.status.Messages = k.status.Messages[extra:]
	}
	k.publish()
}

// publish replaces the snapshot; its slices are never changed afterwards.
func (k *keeper) publish() {
	s := k.status
	s.Messages = append([]control.Message(nil), s.Messages...)
	k.snapshot.Store(&s)
}
