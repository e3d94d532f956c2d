package auth

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"pc5d/daemon/auth/kei"
	"pc5d/daemon/keys"
	"pc5d/daemon/link"
	"pc5d/policy"
)

const (
	alpn          = "pc5d/1"
	exporterLabel = "EXPERIMENTAL-pc5d-knrp-v1"
	knrpLen       = 32
)

// Authentication makes the handshakes of one node.
type Authentication struct {
	identity    atomic.Pointer[Identity]
	renew       func(*Identity) (*Identity, error)
	trust       Trust
	certified   func(name string) bool
	firstUse    func(name string) bool
	load        func() (*Authorities, error)
	authorities atomic.Pointer[Authorities]
	shown       shown
	now         func() time.Time
	curves      []tls.CurveID
}

// Trust knows which keys are pinned for a name, as things are now. It may be asked by any goroutine.
type Trust interface {
	Pinned(name string) []policy.Fingerprint
}

// Config is what Authentication is made of.
type Config struct {
	Identity *Identity
	Trust    Trust
	// Certified tells which peers are trusted by certificate, whatever is pinned; nil: none. It must
	// not change once in use.
	Certified func(name string) bool
	// FirstUse tells for which names, as long as no key is pinned, the first one is taken; nil: none.
	FirstUse func(name string) bool
	// Authorities reads what they are judged by, and which keys are denied; nil: nothing is. Call
	// Reload before the first handshake.
	Authorities func() (*Authorities, error)
	// Renew reads the certificates of the identity anew, for the same key and name; nil: they stay.
	Renew  func(*Identity) (*Identity, error)
	Now    func() time.Time // wall clock, for validity times
	Curves []tls.CurveID    // nil: hybrid post-quantum first, then X25519
}

// Classic is X25519 alone, for Config: each flight fits one datagram.
func Classic() []tls.CurveID { return []tls.CurveID{tls.X25519} }

// New makes the authentication of a node.
func New(cfg Config) *Authentication {
	if cfg.Curves == nil {
		cfg.Curves = []tls.CurveID{tls.X25519MLKEM768, tls.X25519}
	}
	if cfg.Certified == nil {
		cfg.Certified = noName
	}
	if cfg.FirstUse == nil {
		cfg.FirstUse = noName
	}
	a := &Authentication{
		renew: cfg.Renew, trust: cfg.Trust, certified: cfg.Certified, firstUse: cfg.FirstUse, load: cfg.Authorities, now: cfg.Now, curves: cfg.Curves,
	}
	a.identity.Store(cfg.Identity)
	a.authorities.Store(&Authorities{})
	return a
}

// Local returns this end's name and key.
func (a *Authentication) Local() link.Peer {
	id := a.identity.Load()
	return link.Peer{Name: id.name, Fingerprint: id.fingerprint}
}

// CertificateEnd implements link.Authentication.
func (a *Authentication) CertificateEnd() time.Time { return a.identity.Load().CertificateEnd() }

// Initiate starts the client half towards one peer, or with no name towards anyone who is
// provisioned.
func (a *Authentication) Initiate(peer string, pins []policy.Fingerprint) (link.Handshake, error) {
	v := a.verifier(x509.ExtKeyUsageServerAuth)
	v.expect = peer
	if peer != "" {
		v.pins = func(string) []policy.Fingerprint { return pins }
	}
	return a.client(v), nil
}

// InitiateUnpinned implements link.Authentication.
func (a *Authentication) InitiateUnpinned(peer string) (link.Handshake, error) {
	v := a.verifier(x509.ExtKeyUsageServerAuth)
	v.expect, v.unpinned = peer, anyName
	return a.client(v), nil
}

// Respond starts the server half for anyone who is provisioned or may come a first time.
func (a *Authentication) Respond() (link.Handshake, error) {
	v := a.verifier(x509.ExtKeyUsageClientAuth)
	v.unpinned = a.firstUse
	return a.server(v), nil
}

// RespondUnpinned implements link.Authentication.
func (a *Authentication) RespondUnpinned() (link.Handshake, error) {
	v := a.verifier(x509.ExtKeyUsageClientAuth)
	v.unpinned = anyName
	return a.server(v), nil
}

func anyName(string) bool { return true }
func noName(string) bool  { return false }

func (a *Authentication) client(v *verifier) link.Handshake {
	h := newHandshake(a.Local(), &a.shown)
	h.start(tls.Client(h.wire, a.config(h, v)))
	return h
}

func (a *Authentication) server(v *verifier) link.Handshake {
	h := newHandshake(a.Local(), &a.shown)
	h.start(tls.Server(h.wire, a.config(h, v)))
	return h
}

func (a *Authentication) verifier(usage x509.ExtKeyUsage) *verifier {
	return &verifier{local: a.Local(), pins: a.trust.Pinned, certified: a.certified, unpinned: noName, authorities: a.authorities.Load, usage: usage, now: a.now}
}

func (a *Authentication) config(h *handshake, v *verifier) *tls.Config {
	return &tls.Config{
		MinVersion:             tls.VersionTLS13,
		MaxVersion:             tls.VersionTLS13,
		NextProtos:             []string{alpn},
		Certificates:           []tls.Certificate{a.identity.Load().certificate},
		ClientAuth:             tls.RequireAnyClientCert,
		InsecureSkipVerify:     true, // the verifier does it, on both sides
		SessionTicketsDisabled: true,
		CurvePreferences:       a.curves,
		Time:                   a.now,
		VerifyConnection: func(s tls.ConnectionState) error {
			c, err := v.verify(s)
			h.judged = c
			return err
		},
	}
}

// handshake is one TLS handshake as a function from flight to flight.
type handshake struct {
	local  link.Peer
	judged credentials
	shown  *shown
	fed    int // octets of the peer
	wire   *wire
	conn   *tls.Conn
	result chan error // capacity 1: how the handshake ended
	ended  bool
	err    error
}

func newHandshake(local link.Peer, s *shown) *handshake {
	return &handshake{local: local, shown: s, wire: newWire(), result: make(chan error, 1)}
}

// start begins the helper goroutine; it waits for the first Feed.
func (h *handshake) start(c *tls.Conn) {
	h.conn = c
	go func() {
		<-h.wire.resume
		err := c.Handshake()
		h.result <- err
		h.wire.parked <- struct{}{}
	}()
}

// Feed implements link.Handshake.
func (h *handshake) Feed(flight []byte) ([]byte, error) {
	if h.ended {
		return nil, errors.New("handshake has ended")
	}
	if h.fed += len(flight); h.fed > kei.MaxTotal { // T17: before anything of it is read
		h.Close()
		return nil, &link.RefusedError{Refusal: link.RefusedFlight, Reason: fmt.Sprintf("it sent more than %d octets", kei.MaxTotal)}
	}
	reply := h.wire.turn(flight)
	select {
	case err := <-h.result:
		h.ended, h.err = true, err
	default:
	}
	if h.Complete() {
		h.shown.note(h.judged)
	}
	return reply, h.explain()
}

// explain turns the peer's alert into its own error.
func (h *handshake) explain() error {
	var alert tls.AlertError
	if h.err != nil && errors.As(h.err, &alert) {
		return &link.PeerRefusedError{Local: h.local, Reason: alert.Error()}
	}
	return h.err
}

// Complete implements link.Handshake.
func (h *handshake) Complete() bool { return h.ended && h.err == nil }

// Peer implements link.Handshake.
func (h *handshake) Peer() link.Peer {
	if !h.Complete() {
		return link.Peer{}
	}
	return h.judged.peer
}

// CertificateEnd implements link.Handshake.
func (h *handshake) CertificateEnd() time.Time {
	if !h.Complete() {
		return time.Time{}
	}
	return h.judged.end
}

// ExportKNRP implements link.Handshake.
func (h *handshake) ExportKNRP(ctx []byte) (keys.KNRP, error) {
	if !h.Complete() {
		return keys.KNRP{}, errors.New("handshake is not complete")
	}
	s := h.conn.ConnectionState()
	b, err := s.ExportKeyingMaterial(exporterLabel, ctx, knrpLen)
	if err != nil {
		return keys.KNRP{}, err
	}
	return keys.KNRP{Secret: keys.NewSecret(b)}, nil
}

// Close implements link.Handshake.
func (h *handshake) Close() {
	if h.ended {
		return
	}
	h.wire.close()
	h.ended = true
	h.err = errors.New("handshake was closed")
}
