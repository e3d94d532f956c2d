package authbench

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"net/netip"
	"time"

	"pc5d/daemon/auth"
	"pc5d/daemon/auth/cookie"
	"pc5d/daemon/kept"
	"pc5d/daemon/link"
	"pc5d/dataplane/underlay"
	"pc5d/policy"
)

const service = "ip"

// end is one node, as far as machines ask for it.
type end struct {
	name      string
	key       ed25519.PrivateKey
	address   netip.AddrPort
	auth      *auth.Authentication
	store     *kept.Store
	admission *link.Admission
	links     map[string]link.Link // by the peer's name
	last      underlay.LayerTwoID  // that was reserved
}

// newEnd makes a node with a fresh Ed25519 key that offers the given groups.
func newEnd(name, address string, groups []tls.CurveID) (*end, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("key of %s: %w", name, err)
	}
	id, err := auth.NewIdentity(key, name, time.Now())
	if err != nil {
		return nil, err
	}
	jar, err := cookie.New(rand.Reader, time.Now())
	if err != nil {
		return nil, fmt.Errorf("cookies of %s: %w", name, err)
	}
	e := &end{name: name, key: key, address: netip.MustParseAddrPort(address), links: map[string]link.Link{}}
	e.auth = auth.New(auth.Config{Identity: id, Trust: e, Now: time.Now, Curves: groups})
	e.store = kept.Open(kept.Config{})
	e.admission = link.NewAdmission(link.AdmissionConfig{Local: e.auth.Local(), Jar: jar, Links: e, Kept: keptKeys{e.store}})
	return e, nil
}

// knows provisions a link to a peer.
func (e *end) knows(peer *end) {
	e.links[peer.name] = link.Link{
		Name: peer.name, Peer: peer.name, Service: service, Trust: policy.TrustPin, Pins: []policy.Fingerprint{peer.auth.Local().Fingerprint},
		Signalling: policy.DefaultSignalling(), UserPlane: policy.DefaultUserPlane().On(policy.WithAES), LinkLocal: netip.MustParseAddr("fe80::1"),
	}
}

// close ends what is left of a node.
func (e *end) close() { e.store.Close() }

// config is that of one machine.
func (e *end) config() link.Config {
	return link.Config{
		Auth: e.auth, Links: e, Local: e.Reserve(), Identifiers: e, Kept: keptKeys{e.store}, Rand: rand.Reader, Timers: link.ProfileIP(),
	}
}

// initiate makes a machine that has sent its request, and the request.
func (e *end) initiate(peer *end) (*link.Machine, [][]byte, error) {
	m := link.NewInitiator(e.config(), e.links[peer.name], peer.address)
	if err := m.Start(time.Now()); err != nil {
		return nil, nil, fmt.Errorf("establishment request: %w", err)
	}
	return m, drain(m), nil
}

// admit takes a datagram for the broadcast L2 ID: it is answered, or makes a machine.
func (e *end) admit(from *end, datagram []byte) (*link.Machine, []byte, error) {
	answer, admitted, err := e.admission.Receive(time.Now(), from.address, datagram)
	if err != nil {
		return nil, nil, fmt.Errorf("admission: %w", err)
	}
	if admitted == nil {
		return nil, answer, nil
	}
	m, err := link.NewResponder(time.Now(), e.config(), admitted)
	if err != nil {
		return nil, nil, fmt.Errorf("responder: %w", err)
	}
	return m, nil, nil
}

// drain does what a machine asks its owner for; what is to be sent is returned.
func drain(m *link.Machine) [][]byte {
	sent := make([][]byte, 0, 2)
	for {
		effect, ok := m.Next()
		if !ok {
			return sent
		}
		switch effect := effect.(type) {
		case link.Send:
			sent = append(sent, effect.Datagram)
		case link.InstallUserPlane:
			effect.Send.Wipe()
			effect.Receive.Wipe()
		}
	}
}

// abandon ends machines that were measured.
func abandon(machines ...*link.Machine) {
	for _, m := range machines {
		if m != nil {
			m.Abandon(link.ErrCancelled)
		}
	}
}

// Pinned implements auth.Trust.
func (e *end) Pinned(name string) []policy.Fingerprint { return e.links[name].Pins }

// Lookup implements link.Links.
func (e *end) Lookup(peer link.Peer, of string) (link.Link, bool) {
	l, ok := e.links[peer.Name]
	return l, ok && l.Service == of && l.Admits(peer)
}

// Reserve implements link.Identifiers: one after the other.
func (e *end) Reserve() underlay.LayerTwoID {
	e.last = e.last%(underlay.Broadcast-1) + 1
	return e.last
}

// Taken implements link.Identifiers.
func (e *end) Taken(underlay.LayerTwoID) bool { return false }

// Claim implements link.Identifiers.
func (e *end) Claim(link.Name) bool { return true }
