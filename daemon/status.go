package daemon

import (
	"net/netip"
	"slices"
	"sync"
	"time"

	"pc5d/daemon/control"
	"pc5d/daemon/link"
	"pc5d/dataplane"
	"pc5d/dataplane/suite"
	"pc5d/dataplane/underlay"
	"pc5d/policy"
)

// planeContext turns a machine's keys into a key context of the engine. The inner sources that
// the peer may use are its allowed prefixes and its own link-local address.
func (k *keeper) planeContext(e link.InstallUserPlane, port dataplane.Port) dataplane.Context {
	sources := slices.Clone(k.config.Allowed)
	if e.PeerLinkLocal.IsLinkLocalUnicast() && e.PeerLinkLocal.Is6() {
		sources = append(sources, netip.PrefixFrom(e.PeerLinkLocal, 128))
	}
	destinations := []netip.Prefix{netip.PrefixFrom(k.link.LinkLocal, 128)}
	for _, a := range k.config.Addresses {
		destinations = append(destinations, netip.PrefixFrom(a.Addr(), a.Addr().BitLen()))
	}
	c := dataplane.Context{
		ID: planeID(e.Name), Endpoint: e.Endpoint, Port: port, Suite: e.Suite, Mode: e.Mode,
		SendKey: e.Send.Key.Bytes(), SendSalt: e.Send.Salt, RecvKey: e.Receive.Key.Bytes(), RecvSalt: e.Receive.Salt,
		Sources: sources, Destinations: destinations,
		CopyDSCP: k.config.CopyDSCP,
		Limits:   dataplane.Limits{Records: k.config.Rekey.Packets, Octets: k.config.Rekey.Bytes},
	}
	if e.Suite == suite.None {
		c.Standard = &suite.Standard{
			Ciphering: e.Agreement.Ciphering, Integrity: e.Agreement.Integrity,
			NRPEK: e.NRPEK.Key128(), NRPIK: e.NRPIK.Key128(), Bearer: uint8(underlay.DRB), Direction: e.Direction,
		}
	}
	return c
}

// planeID names a key context of the engine.
func planeID(n link.Name) dataplane.ContextID {
	return dataplane.ContextID{Local: n.Local, Peer: n.Peer, Session: uint16(n.Session)}
}

// setState changes the word that people see; every change is one log line.
func (k *keeper) setState(s string) {
	if k.status.State != s {
		k.log.Info("link state", "from", k.status.State, "to", s)
		k.status.Since = k.node.now()
	}
	k.status.State = s
	if s != "established" {
		k.status.Protection, k.status.Authentication, k.status.Path, k.status.Keys = nil, nil, nil, time.Time{}
	}
	k.publish()
}

// established writes down what was agreed.
func (k *keeper) established(role link.Role, e link.Agreed) {
	k.status.Role, k.status.Endpoint, k.status.LastError, k.status.Hint = role.String(), e.Endpoint.String(), "", ""
	k.counts(e.Agreement.Proof)
	k.setState("established")
	k.protected(e.Agreement)
	peer := e.Agreement.B
	if role == link.RoleB {
		peer = e.Agreement.A
	}
	k.status.Authentication = &control.Authentication{Proof: e.Agreement.Proof.String(), Key: peer.Fingerprint.String(), Full: e.Authenticated}
	k.log.Info("link established", "role", role.String(), "endpoint", k.status.Endpoint, "proof", e.Agreement.Proof.String(), "user_plane", userPlaneWord(e.Agreement))
	k.warn(e.Agreement)
	k.publish()
}

// counts counts a session by what the peer showed.
func (k *keeper) counts(proof link.Proof) {
	switch c := &k.status.Establishments; proof {
	case link.ByCertificate:
		c.Certificate++
	case link.ByKeptKey:
		c.KeptKey++
	case link.ByPreSharedKey:
		c.PreSharedKey++
	}
}

// warn says what the protection of user data lacks. (T56)
func (k *keeper) warn(a link.Agreement) {
	switch {
	case !a.UserPlane.Integrity:
		k.log.Warn("link is INSECURE: anybody on the way can alter and repeat its packets", "ciphering", a.UserPlane.Ciphering)
	case a.Suite == suite.None:
		k.log.Warn("link has the standard form of user data: one guess in 2^32 at a packet is taken", "integrity", a.Integrity.String())
	}
}

// userPlaneWord names the protection of user data: a suite of records, or the standard form.
func userPlaneWord(a link.Agreement) string {
	if a.Suite == suite.None {
		return policy.FormPDCP.String()
	}
	return a.Suite.String()
}

// renamed follows new identifiers; what they are is nobody's business outside.
func (k *keeper) renamed(r *runner) {
	if k.current == r {
		k.status.Updates++
		k.log.Info("link has new identifiers")
		k.publish()
	}
}

// moved follows the peer to another address. A new link begins there too, but at the port where the
// peer listens: a port that came with new identifiers is for nobody else, and ends with its process. Under
// the same identifiers it is the same process, at the same port behind another address and maybe a NAT.
func (k *keeper) moved(r *runner, e link.PeerMoved) {
	if k.current != r {
		return
	}
	to := netip.AddrPortFrom(e.Endpoint.Addr(), k.endpoint.Port())
	if e.Roamed && k.endpoint == e.From {
		to = e.Endpoint
	}
	k.endpoint, k.status.Endpoint = to, e.Endpoint.String()
	k.log.Info("peer moved", "endpoint", k.status.Endpoint)
	k.publish()
	if !k.wanted {
		return
	}
	if err := k.node.state.remember(k.link.Name, to); err != nil {
		k.log.Warn("after a restart the peer is looked for where it was", "error", err)
	}
}

// protected says how the link is protected now.
func (k *keeper) protected(a link.Agreement) {
	signalling, form, tag := policy.FormPDCP.String(), policy.FormPDCP, suite.StandardTagLen
	if a.Suite != suite.None {
		signalling, form, tag = a.Suite.String()+" record", policy.FormRecord, suite.TagLen
	}
	if suite.Null || !a.UserPlane.Integrity {
		tag = 0
	}
	k.status.Protection = &control.Protection{
		Signalling: control.Signalling{Integrity: a.Integrity.String(), Ciphering: a.Ciphering.String(), Form: signalling},
		UserPlane: control.UserPlane{
			Integrity: a.UserPlane.Integrity, Ciphering: a.UserPlane.Ciphering, Form: form.String(), Suite: a.Suite.String(),
			TagBits: 8 * tag, Insecure: suite.Null || !a.UserPlane.Integrity,
		},
	}
	k.status.Keys = k.node.now()
}

// exchanged adds a message to the timeline.
func (k *keeper) exchanged(at time.Time, e link.Exchanged) {
	direction := "received"
	if e.Sent {
		direction = "sent"
	}
	k.status.Messages = append(k.status.Messages, control.Message{
		Time: at, Direction: direction, Name: e.Message.String(), Bearer: e.Bearer.String(),
		Protection: e.Protection, Octets: e.Octets,
	})
	if extra := len(k.status.Messages) - timelineSize; extra > 0 {
		k.status.Messages = k.status.Messages[extra:]
	}
	k.publish()
}

// publish replaces what others see. Its slices are never changed afterwards: messages are added behind the end
// that others know.
func (k *keeper) publish() { k.view.publish(k.status) }

// view is the status of a link as others may read it.
type view struct {
	mu      sync.Mutex // guards the fields below
	status  control.LinkStatus
	changed chan struct{} // closed at the next change
}

func newView(s control.LinkStatus) view {
	return view{status: s, changed: make(chan struct{})}
}

func (v *view) publish(s control.LinkStatus) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.status = s
	close(v.changed)
	v.changed = make(chan struct{})
}

// read returns the status and what is closed when it is no longer the newest.
func (v *view) read() (control.LinkStatus, <-chan struct{}) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.status, v.changed
}
