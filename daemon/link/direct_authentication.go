package link

import (
	"errors"
	"time"

	"pc5d/daemon/auth/kei"
)

const (
	maxCookies    = 8  // new cookies that A accepts in one attempt
	maxRestarts   = 8  // handshakes that a bad flight may cost in one attempt
	maxRoundTrips = 24 // of one handshake
)

// ErrNoLink says that the authenticated peer, who answered a request to everybody, gets no link.
var ErrNoLink = errors.New("no link to the peer is provisioned for the requested service, or it has one")

// ErrEndless says that a handshake took more round trips than any needs (T33).
var ErrEndless = errors.New("peer sent an endless handshake")

// authentication is one run of Direct Authentication and Key Establishment (TS 24.554, 7.2.12):
// authentication requests of B and responses of A alternate, and each carries a fragment of its
// sender's flight or only acknowledges one.
type authentication struct {
	handshake Handshake
	tag       [8]byte
	exchange  uint8 // A: of the last request answered. B: of the request outstanding
	cookie    []byte
	cookies   int
	first     []byte   // A: the first flight, which is sent again with each new cookie
	heard     [32]byte // B: SHA-256 of the first fragment, which may come again
	restarts  int
	begun     uint8 // exchange at the handshake's start
	out       kei.Outgoing
	in        kei.Reassembly
}

func (a *authentication) close() {
	if a.handshake != nil {
		a.handshake.Close()
	}
	*a = authentication{}
}

func (a *authentication) complete() bool { return a.handshake != nil && a.handshake.Complete() }

// container makes the next container of this end's conversation.
func (m *Machine) container(ack bool) []byte {
	c := kei.Container{Method: kei.TLS13, Tag: m.auth.tag, Exchange: m.auth.exchange, AckOnly: ack}
	if !ack {
		m.auth.out.Fill(&c)
	}
	return c.AppendTo(nil)
}

// authenticatedByCertificate notes who the peer is once the handshake has succeeded.
func (m *Machine) authenticatedByCertificate(now time.Time) {
	m.identity, m.authenticated, m.proof = m.auth.handshake.Peer(), now, ByCertificate
	m.certificateEnd = m.auth.handshake.CertificateEnd()
}
