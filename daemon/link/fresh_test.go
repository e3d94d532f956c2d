package link_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"io"
	"net/netip"
	"testing"

	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/nea"
	"pc5d/dataplane/pdcp"
	"pc5d/dataplane/suite"
	"pc5d/dataplane/underlay"
	"pc5d/policy"
)

func keyOf(seed byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(append(make([]byte, 31), seed))
}

// firstRequest is what an initiator of a link sends first.
func firstRequest(t *testing.T, cfg link.Config, l link.Link) *pc5s.DirectLinkEstablishmentRequest {
	t.Helper()
	m := link.NewInitiator(cfg, l, netip.MustParseAddrPort("192.0.2.2:33536"))
	if err := m.Start(epoch); err != nil {
		t.Fatal(err)
	}
	for {
		effect, ok := m.Next()
		if !ok {
			t.Fatal("nothing was sent")
		}
		send, ok := effect.(link.Send)
		if !ok {
			continue
		}
		_, sdu, err := pdcp.ParseUnprotected(send.Datagram[underlay.HeaderLen:])
		if err != nil {
			t.Fatal(err)
		}
		msg, err := pc5s.Parse(sdu)
		if err != nil {
			t.Fatal(err)
		}
		return msg.(*pc5s.DirectLinkEstablishmentRequest)
	}
}

// TestR12_P4_CapabilitiesOfTheLink: one node offers each peer what it accepts on that link, and
// nothing else; its policy goes the same way.
func TestR12_P4_CapabilitiesOfTheLink(t *testing.T) {
	p := newPair(t)
	for _, c := range []struct {
		name   string
		change func(*link.Link)
		want   pc5s.Capabilities
		policy pc5s.SecurityPolicy
	}{
		{"defaults", func(*link.Link) {}, pc5s.Capabilities{0xa0, 0x20, 0xe0}, pc5s.SecurityPolicy{Integrity: policy.Required, Ciphering: policy.Preferred}},
		{"ciphering required", func(l *link.Link) { l.Signalling.Ciphering = policy.Required }, pc5s.Capabilities{0x20, 0x20, 0xe0}, pc5s.SecurityPolicy{Integrity: policy.Required, Ciphering: policy.Required}},
		{"other algorithms", func(l *link.Link) {
			l.Signalling.Ciphers = []nea.Ciphering{nea.NEA3, nea.NEA1, nea.NEA0}
			l.Signalling.Integrities = []nea.Integrity{nea.NIA1}
			l.UserPlane.Suites = []suite.ID{suite.ChaCha20Poly1305, suite.AES256GCM}
		}, pc5s.Capabilities{0xd0, 0x40, 0x60}, pc5s.SecurityPolicy{Integrity: policy.Required, Ciphering: policy.Preferred}},
	} {
		l := p.a.link
		c.change(&l)
		r := firstRequest(t, p.a.config, l)
		if !bytes.Equal(r.Capabilities, c.want) || r.SecurityPolicy != c.policy {
			t.Errorf("%s: capabilities %x, policy %v; want %x, %v", c.name, r.Capabilities, r.SecurityPolicy, c.want, c.policy)
		}
	}
}

// TestR17_P7_PolicyHidden: the security mode complete, which alone carries the initiator's
// user-plane policy, shows nothing of itself, and no bit of it can be changed.
func TestR17_P7_PolicyHidden(t *testing.T) {
	reference := newPair(t)
	reference.completed(t)
	complete := reference.sent[len(reference.sent)-1]
	local := reference.a.link.LinkLocal.As16()
	for name, octets := range map[string][]byte{"QoS and policy": append(pc5s.DefaultQoS(), 0x22), "link-local address": local[:]} {
		if bytes.Contains(complete, octets) {
			t.Errorf("%s in clear: %x", name, complete)
		}
	}
	reference.close()
	for bit := range 8 * len(complete) {
		p := newPair(t)
		p.completed(t)
		d := bytes.Clone(p.sent[len(p.sent)-1])
		d[bit/8] ^= 0x80 >> (bit % 8)
		p.receive(p.b, transit{p.a.address, p.b.address, d})
		if p.b.machine.State() != link.SecurityMode || p.b.installed != nil {
			t.Errorf("bit %d changed: taken, %v", bit, p.b.machine.State())
		}
		p.close()
	}
}

// spent is a source of randomness that fails after n octets.
func spent(n int) io.Reader { return bytes.NewReader(bytes.Repeat([]byte{1}, n)) }

// TestT78_RandomSourceFails: wherever the source of randomness ends, there is no link and an
// error that says so.
func TestT78_RandomSourceFails(t *testing.T) {
	const request, whole = 16 + 1, 16 + 1 + 2 // Nonce_1 and MSB; both ends add half a K_NRP ID
	for n := range whole {
		p := newPair(t)
		p.a.config.Rand = spent(n)
		if n < request {
			m := link.NewInitiator(p.a.config, p.a.link, p.b.address)
			if err := m.Start(p.now); err == nil || m.State() != link.Idle {
				t.Errorf("initiator with %d octets: %v, %v", n, m.State(), err)
			}
			if e, ok := m.Next(); ok {
				t.Errorf("initiator with %d octets: %T", n, e)
			}
			continue
		}
		p.run()
		wantNoRandomness(t, n, p, p.a)
	}
	for n := range whole {
		p := newPair(t)
		p.b.config.Rand = spent(n)
		p.run()
		wantNoRandomness(t, n, p, p.b)
	}
	p := newPair(t)
	p.a.config.Rand, p.b.config.Rand = spent(whole), spent(whole)
	p.establish(t)
	p.close()
}

func wantNoRandomness(t *testing.T, n int, p *pair, e *end) {
	t.Helper()
	defer p.close()
	if e.machine.State() != link.Released || !errors.Is(e.machine.Failed(), io.EOF) && !errors.Is(e.machine.Failed(), io.ErrUnexpectedEOF) {
		t.Errorf("%s with %d octets: %v, %v", e.machine.Role(), n, e.machine.State(), e.machine.Failed())
	}
	if p.a.installed != nil || p.b.installed != nil {
		t.Errorf("%s with %d octets: keys were made", e.machine.Role(), n)
	}
}

// TestT78_NoSecondCommand: after an LSB conflict there is no randomness for another command. The
// attempt ends; nothing but a Drop comes out of Receive.
func TestT78_NoSecondCommand(t *testing.T) {
	p := newPair(t)
	p.b.config.Rand = spent(16 + 1 + 2)
	p.commanded(t)
	p.now = p.now.Add(p.b.config.Timers.Quiet)
	local, peer := p.b.machine.LayerTwoIDs()
	reject := forged(&pc5s.DirectLinkSecurityModeReject{Cause: pc5s.CauseLSBConflict}, local, peer, underlay.SRB0)
	if err := p.b.machine.Receive(p.now, p.a.address, reject); err != nil {
		if _, ok := err.(link.Drop); !ok {
			t.Errorf("Receive: %v", err)
		}
	}
	wantNoRandomness(t, 19, p, p.b)
}
