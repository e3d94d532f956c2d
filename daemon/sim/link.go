package sim

import (
	"crypto/sha256"
	"fmt"
	"net/netip"
	"strings"

	"pc5d/daemon/keys"
	"pc5d/daemon/link"
	"pc5d/policy"
)

// Link is a link between two hosts as both operators wrote it down.
type Link struct {
	A, B *End
	// Hopeless marks a link whose provisioning does not fit: it must never be established.
	Hopeless bool
	// PreShared links trust a key that both operators have in a file, and no certificate.
	PreShared bool
}

// End is one host's side of a link. Its fields may be changed before the daemon starts.
type End struct {
	Host    *Host
	Peer    *End
	Name    string // of the link at this host
	Service string
	Calls   bool               // the provisioning has the peer's endpoint
	Words   string             // more lines of the provisioning
	Pin     policy.Fingerprint // zero: the peer's real one
	link    *Link
	four    netip.Addr
	six     netip.Addr
}

// Connect provisions a link for a service at both hosts.
func (w *World) Connect(a, b *Host, service string) *Link {
	number := byte(len(w.Links) + 1)
	end := func(h, peer *Host, side byte) *End {
		e := &End{
			Host: h, Name: peer.Name, Service: service, Calls: true,
			four: netip.AddrFrom4([4]byte{10, number, 0, side}), six: netip.AddrFrom16([16]byte{0: 0xfd, 2: number, 15: side}),
		}
		if service != "ip" {
			e.Name += "-" + service
		}
		h.Ends = append(h.Ends, e)
		return e
	}
	l := &Link{A: end(a, b, 1), B: end(b, a, 2)}
	l.A.Peer, l.B.Peer, l.A.link, l.B.link = l.B, l.A, l, l
	w.Links = append(w.Links, l)
	return l
}

// Ends are both.
func (l *Link) Ends() [2]*End { return [2]*End{l.A, l.B} }

func (l *Link) String() string { return l.A.Host.Name + "--" + l.A.Name }

func (e *End) String() string { return e.Host.Name + "/" + e.Name }

// preShared is the key of a link; with another pin it is another key, as after a mistake.
func (e *End) preShared() keys.Secret {
	sum := sha256.Sum256(append([]byte(e.link.String()+e.Service), e.Pin[:]...))
	return keys.NewSecret(sum[:])
}

// preShared are the keys of a host's links, by name.
func (h *Host) preShared() map[string]keys.Secret {
	loaded := map[string]keys.Secret{}
	for _, e := range h.Ends {
		if e.link.PreShared {
			loaded[e.Name] = e.preShared()
		}
	}
	return loaded
}

func (e *End) pin() policy.Fingerprint {
	if e.Pin != (policy.Fingerprint{}) {
		return e.Pin
	}
	return e.Peer.Host.Peer().Fingerprint
}

func (e *End) writeTo(b *strings.Builder) {
	fmt.Fprintf(b, "[[link]]\nname = %q\npeer = %q\nservice = %q\n", e.Name, e.Peer.Host.Name, e.Service)
	if e.link.PreShared {
		fmt.Fprintf(b, "psk = \"psk\"\n")
	} else {
		fmt.Fprintf(b, "pin = %q\n", e.pin())
	}
	if e.Calls {
		fmt.Fprintf(b, "endpoint = %q\n", e.Peer.Host.Address)
	}
	fmt.Fprintf(b, "addresses = [\"%s/32\", \"%s/128\"]\nallowed = [\"%s/32\", \"%s/128\"]\n%s\n", e.four, e.six, e.Peer.four, e.Peer.six, e.Words)
}

// Up and Down are the operator's words; what comes of them takes its time.
func (e *End) Up() { e.order("up") }

// Down asks for the link's release.
func (e *End) Down() { e.order("down") }

// Rekey asks for new keys.
func (e *End) Rekey() { e.order("rekey") }

// UpdateIdentifiers asks for new keys, then new identifiers.
func (e *End) UpdateIdentifiers() { e.order("update") }

// State is the word that pc5ctl status shows, "" where no daemon runs.
func (e *End) State() string { return e.Host.Status(e).State }

// Established tells whether the end says so.
func (e *End) Established() bool { return e.State() == "established" }

// Agreement is what the end agreed on, zero while it is not established.
func (e *End) Agreement() link.Agreement {
	if l := e.Host.world.current(e); l != nil {
		return l.sending.agreement
	}
	return link.Agreement{}
}

// LayerTwo is the name that the end's machine goes by, zero while it is not established.
func (e *End) LayerTwo() link.Name {
	var n link.Name
	if l := e.Host.world.current(e); l != nil {
		n.Local, n.Peer = l.machine.LayerTwoIDs()
	}
	return n
}
