package auth

import (
	"crypto/tls"
	"crypto/x509"
	"sync/atomic"
	"time"

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
	h := newHandshake(v, &a.shown)
	h.start(tls.Client(h.wire, a.config(h)))
	return h
}

func (a *Authentication) server(v *verifier) link.Handshake {
	h := newHandshake(v, &a.shown)
	h.start(tls.Server(h.wire, a.config(h)))
	return h
}

func (a *Authentication) verifier(usage x509.ExtKeyUsage) *verifier {
	return &verifier{local: a.Local(), pins: a.trust.Pinned, certified: a.certified, unpinned: noName, authorities: a.authorities.Load, usage: usage, now: a.now}
}

func (a *Authentication) config(h *handshake) *tls.Config {
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
			c, err := h.verifier.verify(s)
			h.judged = c
			return err
		},
	}
}
