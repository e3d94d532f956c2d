package auth

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"
	"unicode"

	"pc5d/daemon/link"
	"pc5d/policy"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// pinned is a fixed set of pins.
type pinned map[string][]policy.Fingerprint

func (p pinned) Pinned(name string) []policy.Fingerprint { return p[name] }

func keyOf(seed byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(append(make([]byte, 31), seed))
}

// generalName is one entry of a SAN, by its tag (RFC 5280, 4.2.1.6).
func generalName(tag int, compound bool, content string) asn1.RawValue {
	return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: tag, IsCompound: compound, Bytes: []byte(content)}
}

func uri(s string) asn1.RawValue { return generalName(6, false, s) }

// identityWith makes an identity whose certificate has just these names.
func identityWith(t testing.TB, key ed25519.PrivateKey, commonName string, names ...asn1.RawValue) *Identity {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: epoch.Add(-time.Hour), NotAfter: epoch.Add(time.Hour),
		Subject: pkix.Name{CommonName: commonName},
	}
	if len(names) > 0 {
		san, err := asn1.Marshal(names)
		if err != nil {
			t.Fatal(err)
		}
		template.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: san}}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return &Identity{name: commonName, fingerprint: fingerprintOf(t, key), certificate: tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}}
}

func fingerprintOf(t testing.TB, key ed25519.PrivateKey) policy.Fingerprint {
	t.Helper()
	f, err := fingerprint(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func node(identity *Identity, trust pinned) *Authentication {
	return New(Config{Identity: identity, Trust: trust, Now: func() time.Time { return epoch }, Curves: []tls.CurveID{tls.X25519}})
}

func honest(t testing.TB, name string, seed byte, trust pinned) *Authentication {
	t.Helper()
	identity, err := NewIdentity(keyOf(seed), name, epoch)
	if err != nil {
		t.Fatal(err)
	}
	return node(identity, trust)
}

// meet runs a handshake to its end and returns how it ended at each end.
func meet(t testing.TB, client, server *Authentication, peer string, pins []policy.Fingerprint) (a, b link.Handshake, clientErr, serverErr error) {
	t.Helper()
	a, err := client.Initiate(peer, pins)
	if err != nil {
		t.Fatal(err)
	}
	b, err = server.Respond()
	if err != nil {
		t.Fatal(err)
	}
	clientErr, serverErr = drive(t, a, b)
	return a, b, clientErr, serverErr
}

// drive passes flights between two handshakes until one has no more to say.
func drive(t testing.TB, a, b link.Handshake) (clientErr, serverErr error) {
	t.Helper()
	t.Cleanup(a.Close)
	t.Cleanup(b.Close)
	flight, clientErr := a.Feed(nil)
	for len(flight) > 0 {
		if flight, serverErr = b.Feed(flight); len(flight) == 0 || clientErr != nil {
			break
		}
		flight, clientErr = a.Feed(flight)
		if serverErr != nil {
			break
		}
	}
	return clientErr, serverErr
}

// careless makes an initiator that looks at nothing.
func careless(identity *Identity) link.Handshake {
	a := node(identity, nil)
	h := newHandshake(&verifier{local: a.Local(), authorities: func() *Authorities { return nil }}, &a.shown)
	cfg := a.config(h)
	cfg.VerifyConnection = nil
	h.start(tls.Client(h.wire, cfg))
	return h
}

// wantRefused demands that an end refused the other itself and knows nobody.
func wantRefused(t testing.TB, what string, h link.Handshake, err error) {
	t.Helper()
	if err == nil || h.Complete() || h.Peer() != (link.Peer{}) {
		t.Errorf("%s: error %v, complete %v, peer %v; want a refusal", what, err, h.Complete(), h.Peer())
	}
	if _, ok := errors.AsType[*link.PeerRefusedError](err); ok {
		t.Errorf("%s: the other end refused first: %v", what, err)
	}
	if _, err := h.ExportKNRP([]byte("ctx")); err == nil {
		t.Errorf("%s: a key comes out", what)
	}
}

// TestT08_C4_Names: the key is pinned for the name, so only the certificate's names decide. There
// is exactly one spelling that passes, at both ends; everything else names nobody.
func TestT08_C4_Names(t *testing.T) {
	key := keyOf(2)
	pin := []policy.Fingerprint{fingerprintOf(t, key)}
	directory := generalName(4, true, "\x30\x10\x31\x0e\x30\x0c\x06\x03\x55\x04\x03\x0c\x05alice")
	other := generalName(0, true, "\x06\x03\x2a\x03\x04\xa0\x07\x0c\x05alice")
	for _, c := range []struct {
		name, peer string
		names      []asn1.RawValue
		passes     bool
	}{
		{"the one spelling", "bob", []asn1.RawValue{uri("pc5:bob")}, true},
		{"the one spelling, not ASCII", "zoë", []asn1.RawValue{uri("pc5:zo%C3%AB")}, true},
		{"the one spelling, with a space", "Bob B.", []asn1.RawValue{uri("pc5:Bob%20B.")}, true},
		{"as long as may be", strings.Repeat("b", 128), []asn1.RawValue{uri("pc5:" + strings.Repeat("b", 128))}, true},
		{"too long", strings.Repeat("b", 129), []asn1.RawValue{uri("pc5:" + strings.Repeat("b", 129))}, false},
		{"other case", "bob", []asn1.RawValue{uri("pc5:Bob")}, false},
		{"trailing dot", "bob", []asn1.RawValue{uri("pc5:bob.")}, false},
		{"escaped NUL behind", "bob", []asn1.RawValue{uri("pc5:bob%00")}, false},
		{"NUL and another name behind", "bob", []asn1.RawValue{uri("pc5:bob%00.example")}, false},
		{"plain NUL behind", "bob", []asn1.RawValue{uri("pc5:bob\x00")}, false},
		{"space behind", "bob", []asn1.RawValue{uri("pc5:bob ")}, false},
		{"needless escape first", "bob", []asn1.RawValue{uri("pc5:%62ob")}, false},
		{"needless escape last", "bob", []asn1.RawValue{uri("pc5:bo%62")}, false},
		{"escape in small letters", "zoë", []asn1.RawValue{uri("pc5:zo%c3%ab")}, false},
		{"other form of the letter", "zoë", []asn1.RawValue{uri("pc5:zoe%CC%88")}, false},
		{"not escaped", "zoë", []asn1.RawValue{uri("pc5:zoë")}, false},
		{"plus for a space", "Bob B.", []asn1.RawValue{uri("pc5:Bob+B.")}, false},
		{"broken escape", "bob", []asn1.RawValue{uri("pc5:bob%")}, false},
		{"other scheme", "bob", []asn1.RawValue{uri("urn:bob")}, false},
		{"scheme in capitals", "bob", []asn1.RawValue{uri("PC5:bob")}, false},
		{"no scheme", "bob", []asn1.RawValue{uri("bob")}, false},
		{"no name", "bob", []asn1.RawValue{uri("pc5:")}, false},
		{"path", "bob", []asn1.RawValue{uri("pc5:/bob")}, false},
		{"host", "bob", []asn1.RawValue{uri("pc5://bob")}, false},
		{"slash behind", "bob", []asn1.RawValue{uri("pc5:bob/")}, false},
		{"query", "bob", []asn1.RawValue{uri("pc5:bob?alice")}, false},
		{"empty query", "bob", []asn1.RawValue{uri("pc5:bob?")}, false},
		{"fragment", "bob", []asn1.RawValue{uri("pc5:bob#alice")}, false},
		{"empty fragment", "bob", []asn1.RawValue{uri("pc5:bob#")}, false},
		{"two names", "bob", []asn1.RawValue{uri("pc5:bob"), uri("pc5:alice")}, false},
		{"two names, the other way", "bob", []asn1.RawValue{uri("pc5:alice"), uri("pc5:bob")}, false},
		{"the same name twice", "bob", []asn1.RawValue{uri("pc5:bob"), uri("pc5:bob")}, false},
		{"DNS name beside", "bob", []asn1.RawValue{uri("pc5:bob"), generalName(2, false, "bob")}, false},
		{"DNS name only", "bob", []asn1.RawValue{generalName(2, false, "bob")}, false},
		{"mail address beside", "bob", []asn1.RawValue{uri("pc5:bob"), generalName(1, false, "bob@example.org")}, false},
		{"IP address beside", "bob", []asn1.RawValue{uri("pc5:bob"), generalName(7, false, "\xc0\x00\x02\x01")}, false},
		{"directory name beside", "bob", []asn1.RawValue{uri("pc5:bob"), directory}, false},
		{"other name beside", "bob", []asn1.RawValue{other, uri("pc5:bob")}, false},
		{"common name only", "bob", nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			trust := pinned{c.peer: pin}
			alice := honest(t, "alice", 1, trust)
			peer := node(identityWith(t, key, c.peer, c.names...), pinned{"alice": {alice.Local().Fingerprint}})
			want := link.Peer{Name: c.peer, Fingerprint: pin[0]}

			a, _, err, _ := meet(t, alice, peer, c.peer, pin)
			if c.passes && (err != nil || a.Peer() != want) {
				t.Errorf("as responder: peer %v, %v", a.Peer(), err)
			}
			if !c.passes {
				wantRefused(t, "as responder", a, err)
			}
			_, b, _, err := meet(t, peer, alice, "alice", []policy.Fingerprint{alice.Local().Fingerprint})
			if c.passes && (err != nil || b.Peer() != want) {
				t.Errorf("as initiator: peer %v, %v", b.Peer(), err)
			}
			if !c.passes {
				wantRefused(t, "as initiator", b, err)
			}
		})
	}
}

// TestP1_T08_KeyOfAnother: carol is pinned, too, but her key does not speak for bob.
func TestP1_T08_KeyOfAnother(t *testing.T) {
	carol := keyOf(3)
	trust := pinned{"bob": {fingerprintOf(t, keyOf(2))}, "carol": {fingerprintOf(t, carol)}}
	alice := honest(t, "alice", 1, trust)
	pins := pinned{"alice": {alice.Local().Fingerprint}}
	for _, name := range []string{"bob", "carol"} {
		impostor := node(identityWith(t, carol, name, uri("pc5:"+name)), pins)
		a, _, err, _ := meet(t, alice, impostor, "bob", trust["bob"])
		wantRefused(t, "carol's key as "+name+", answering for bob", a, err)
	}
	impostor := node(identityWith(t, carol, "bob", uri("pc5:bob")), pins)
	_, b, _, err := meet(t, impostor, alice, "alice", pins["alice"])
	wantRefused(t, "carol's key as bob, calling", b, err)
}

// TestT09_C3_StolenKey: whoever stole alice's key can be alice, but neither bob nor carol to
// alice, and nobody else to bob.
func TestT09_C3_StolenKey(t *testing.T) {
	stolen := keyOf(1)
	bobsPin := []policy.Fingerprint{fingerprintOf(t, keyOf(2))}
	alice := honest(t, "alice", 1, pinned{"bob": bobsPin})
	bob := honest(t, "bob", 2, pinned{"alice": {fingerprintOf(t, stolen)}, "carol": {fingerprintOf(t, keyOf(3))}})
	for _, name := range []string{"alice", "bob", "carol"} {
		thief := node(identityWith(t, stolen, name, uri("pc5:"+name)), pinned{"alice": {alice.Local().Fingerprint}})
		a, _, err, _ := meet(t, alice, thief, "bob", bobsPin)
		wantRefused(t, "to alice as "+name, a, err)
		if name == "alice" {
			continue // this is what a stolen key is good for
		}
		_, b, _, err := meet(t, thief, bob, "bob", bobsPin)
		wantRefused(t, "to bob as "+name, b, err)
	}
}

// TestT07_OwnIdentity: an end never accepts itself, not even where its own key is pinned.
func TestT07_OwnIdentity(t *testing.T) {
	own := []policy.Fingerprint{fingerprintOf(t, keyOf(1))}
	alice := honest(t, "alice", 1, pinned{"alice": own, "bob": own})
	a, _, err, _ := meet(t, alice, alice, "alice", own)
	wantRefused(t, "as initiator", a, err)
	for _, name := range []string{"alice", "bob"} {
		b, err := alice.Respond()
		if err != nil {
			t.Fatal(err)
		}
		_, err = drive(t, careless(identityWith(t, keyOf(1), name, uri("pc5:"+name))), b)
		wantRefused(t, "as responder, to itself as "+name, b, err)
	}
}

// TestT39_NamesOfThePeer: a hostile name stands escaped in what people read.
func TestT39_NamesOfThePeer(t *testing.T) {
	pin := []policy.Fingerprint{fingerprintOf(t, keyOf(2))}
	alice := honest(t, "alice", 1, pinned{"bob": pin})
	for _, name := range []string{"pc5:%1B%5B31m", "pc5:a%0Ab", "pc5:%C2%9B31m", "pc5:%E2%80%AEcba", "pc5:%FF%FE", "pc5:%1b\x1b", "pc5:\x1b[31m\n", "x\u009b:\n"} {
		hostile := node(identityWith(t, keyOf(2), "bob", uri(name)), pinned{"alice": {alice.Local().Fingerprint}})
		a, _, err, _ := meet(t, alice, hostile, "bob", pin)
		wantRefused(t, name, a, err)
		wantPrintable(t, err)
		_, b, _, err := meet(t, hostile, alice, "alice", []policy.Fingerprint{alice.Local().Fingerprint})
		wantRefused(t, name, b, err)
		wantPrintable(t, err)
	}
}

func wantPrintable(t *testing.T, err error) {
	t.Helper()
	if i := strings.IndexFunc(err.Error(), func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }); i >= 0 {
		t.Errorf("octet %d of %q is not printable", i, err.Error())
	}
}

// TestT38_T39_RefusalsAreShort: what a stranger shows is quoted, and of a long text only the beginning.
func TestT38_T39_RefusalsAreShort(t *testing.T) {
	alice := certifying(t, files(t, nil, nil, newAuthority(t, "fleet", nil, keyOf(9), nil)).Load)
	long := newAuthority(t, strings.Repeat("\n", 1000), nil, keyOf(10), nil)
	called := func(name string) *Authentication {
		return node(identityWith(t, keyOf(2), "bob", uri("pc5:"+name)), pinned{"alice": {alice.Local().Fingerprint}})
	}
	for _, c := range []struct {
		what string
		peer *Authentication
		want link.Refusal
	}{
		{"issuer", showing(t, "bob", keyOf(2), long.leaf(t, keyOf(2), nil)), link.RefusedUnknownAuthority},
		{"name", called(strings.Repeat("b", 3000)), link.RefusedName},
		{"no UTF-8", called("%FF"), link.RefusedName},
	} {
		_, b, _, err := meet(t, c.peer, alice, "alice", []policy.Fingerprint{alice.Local().Fingerprint})
		wantRefused(t, c.what, b, err)
		var refused *link.RefusedError
		if text := err.Error(); !errors.As(err, &refused) || refused.Refusal != c.want || len(text) > 800 || strings.ContainsFunc(text, unicode.IsControl) {
			t.Errorf("%s: %d octets: %q, want %v", c.what, len(text), text, c.want)
		}
	}
}
