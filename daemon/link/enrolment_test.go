package link_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"pc5d/daemon/auth/invite"
	"pc5d/daemon/keys"
	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
	"pc5d/policy"
)

// host is the enrolment of a responder: one invite, or one link at its first use.
type host struct {
	secret   keys.Secret // none: no invite is open
	firstUse bool
	link     link.Link
	full     error // what pinning ends with
	pinned   []policy.Fingerprint
	asked    int
}

func (h *host) Invites() bool { return len(h.secret.Bytes()) > 0 }

func (h *host) Admit(peer link.Peer, service string, proves func(keys.Secret) bool) (link.Link, link.Pin, bool) {
	h.asked++
	if !h.firstUse && (proves == nil || !h.Invites() || !proves(h.secret)) {
		return link.Link{}, nil, false
	}
	return h.link, func() error {
		if h.full == nil {
			h.pinned = append(h.pinned, peer.Fingerprint)
		}
		return h.full
	}, true
}

func secretOf(b byte) keys.Secret { return keys.NewSecret(bytes.Repeat([]byte{b}, invite.SecretLen)) }

// newInvited is a pair whose responder has no link for the initiator, but an open invite that the
// initiator has the secret of.
func newInvited(t testing.TB) (*pair, *host) {
	t.Helper()
	p := newPair(t)
	h := &host{secret: secretOf(7), link: p.b.link}
	p.b.link = link.Link{}
	p.b.config.Links = nobody{}
	p.b.config.Enrolment = h
	p.a.config.Invite = secretOf(7)
	stranger(p)
	return p, h
}

// nobody provisions no link.
type nobody struct{}

func (nobody) Lookup(link.Peer, string) (link.Link, bool) { return link.Link{}, false }

// stranger takes the pin of the initiator's key away from the responder's handshake.
func stranger(p *pair) { p.b.config.Auth = unpinned{p.b.config.Auth} }

// unpinned is an authentication that knows no pin: only the handshakes for the unknown work.
type unpinned struct{ link.Authentication }

func (u unpinned) Respond() (link.Handshake, error) {
	h, err := u.Authentication.Respond()
	return refusing{h}, err
}

// RespondUnpinned takes anybody: the one inside has the pin.
func (u unpinned) RespondUnpinned() (link.Handshake, error) { return u.Authentication.Respond() }

// refusing is a handshake that ends as one does with a key that is not pinned.
type refusing struct{ link.Handshake }

func (r refusing) Feed(flight []byte) ([]byte, error) {
	reply, err := r.Handshake.Feed(flight)
	if err == nil && r.Handshake.Complete() {
		err = &link.RefusedError{Peer: "alice", Reason: "no link to it is provisioned"}
	}
	return reply, err
}

func (r refusing) Complete() bool { return false }

// TestT41_Invite: the proof makes a link, and the key is pinned when the first MAC has verified, not
// when the handshake ends.
func TestT41_Invite(t *testing.T) {
	p, h := newInvited(t)
	p.start()
	p.until(t, func() bool { return p.b.machine != nil && p.b.machine.State() == link.SecurityMode })
	if h.asked != 1 || len(h.pinned) != 0 {
		t.Errorf("asked %d times, pinned %v when the handshake was over", h.asked, h.pinned)
	}
	p.settle()
	p.agree(t, "invited")
	if p.b.machine.State() != link.Established || len(h.pinned) != 1 || h.pinned[0] != p.a.config.Auth.Local().Fingerprint {
		t.Errorf("%v, pinned %v", p.b.machine.State(), h.pinned)
	}
	p.pass(0)
	p.close()
}

// TestT41_NotInvited: a wrong secret, a proof for another key, a proof for another request, no proof
// and no open invite are refused alike: nothing is pinned, and what the joiner hears is the same.
func TestT41_NotInvited(t *testing.T) {
	var heard [][]byte
	for _, c := range []struct {
		name  string
		spoil func(p *pair, h *host)
	}{
		{"wrong secret", func(p *pair, _ *host) { p.a.config.Invite = secretOf(8) }},
		{"another key", func(p *pair, _ *host) { p.a.config.Auth = &claimant{p.a.config.Auth, 1} }},
		{"no proof", func(p *pair, _ *host) { p.a.config.Invite = keys.Secret{} }},
		{"no open invite", func(_ *pair, h *host) { h.secret = keys.Secret{} }},
		{"used meanwhile", func(p *pair, h *host) {
			p.before = func(transit) {
				if p.b.machine != nil {
					h.secret = keys.Secret{}
				}
			}
		}},
	} {
		p, h := newInvited(t)
		c.spoil(p, h)
		p.run()
		var refused *link.RefusedError
		if p.b.machine == nil || p.b.machine.State() != link.Released || !errors.As(p.b.machine.Failed(), &refused) {
			t.Fatalf("%s: the responder did not refuse the peer", c.name)
		}
		if len(h.pinned) != 0 || p.b.installed != nil || p.a.machine.State() == link.Established {
			t.Errorf("%s: pinned %v, a is %v", c.name, h.pinned, p.a.machine.State())
		}
		var last []byte
		for _, d := range p.sent {
			if len(d) > 10 && d[7] == 0 && d[10] == byte(pc5s.MessageDirectLinkAuthenticationReject) {
				last = append([]byte{byte(len(d))}, d[10], d[12])
			}
		}
		heard = append(heard, last)
		p.close()
	}
	for i := range heard {
		if heard[i] == nil || !bytes.Equal(heard[i], heard[0]) {
			t.Errorf("the refusals differ: %x", heard)
		}
	}
}

// claimant makes its request as if it had another key, and then uses its own.
type claimant struct {
	link.Authentication
	lies int
}

func (c *claimant) Local() link.Peer {
	l := c.Authentication.Local()
	if c.lies--; c.lies >= -1 { // the user info, then the proof
		l.Fingerprint[0] ^= 1
	}
	return l
}

// TestT41_PinFails: a key that can not be pinned, because somebody was faster or the disk is full,
// gets no link, and the joiner hears so under protection.
func TestT41_PinFails(t *testing.T) {
	p, h := newInvited(t)
	h.full = errors.New("somebody was faster")
	p.run()
	var rejected *link.RejectedError
	if p.b.machine.State() != link.Released || !errors.Is(p.b.machine.Failed(), h.full) || p.b.installed != nil {
		t.Errorf("b: %v, %v", p.b.machine.State(), p.b.machine.Failed())
	}
	if !errors.As(p.a.machine.Failed(), &rejected) || rejected.Cause != pc5s.CauseNotAllowed || p.a.installed != nil {
		t.Errorf("a: %v, %v", p.a.machine.State(), p.a.machine.Failed())
	}
	p.close()
}

// TestT41_ProofOfAKnownPeer: who is pinned needs no invite: the proof of one that is used does no harm,
// so that a joiner who missed the end of its first establishment gets its link.
func TestT41_ProofOfAKnownPeer(t *testing.T) {
	p := newPair(t)
	h := &host{}
	p.b.config.Enrolment = h
	p.a.config.Invite = secretOf(9)
	p.establish(t)
	if h.asked != 0 {
		t.Error("the invites were asked")
	}
	if len(p.a.config.Invite.Bytes()) > 0 && !bytes.Equal(p.a.config.Invite.Bytes(), make([]byte, invite.SecretLen)) {
		t.Error("the secret is not wiped after the request")
	}
	p.close()
}

// newFirstUse is a pair whose initiator calls a peer that it knows by name only.
func newFirstUse(t testing.TB) (*pair, *host) {
	p := newPair(t)
	p.a.link.Trust, p.a.link.Pins = policy.TrustFirstUse, nil
	h := &host{firstUse: true, link: p.a.link}
	p.a.config.Links, p.a.config.Enrolment = nobody{}, h
	return p, h
}

// TestFirstUse_Initiator: the peer's key is pinned when its command has verified, not when the
// handshake ends.
func TestFirstUse_Initiator(t *testing.T) {
	p, h := newFirstUse(t)
	p.start()
	p.until(t, func() bool { return h.asked > 0 })
	if len(h.pinned) != 0 || p.a.machine.State() != link.Auth {
		t.Errorf("pinned %v in %v", h.pinned, p.a.machine.State())
	}
	p.settle()
	p.agree(t, "first use")
	if p.a.machine.State() != link.Established || len(h.pinned) != 1 || h.pinned[0] != p.b.config.Auth.Local().Fingerprint {
		t.Errorf("%v, pinned %v", p.a.machine.State(), h.pinned)
	}
	p.close()
}

// TestFirstUse_OtherKeyFirst: where another key was pinned meanwhile, or nothing can be written down,
// the initiator refuses the command and nothing passes.
func TestFirstUse_OtherKeyFirst(t *testing.T) {
	p, h := newFirstUse(t)
	h.full = errors.New("another key was first")
	p.run()
	if p.a.machine.State() != link.Released || p.a.installed != nil || !strings.Contains(p.a.machine.Failed().Error(), h.full.Error()) || len(h.pinned) != 0 {
		t.Errorf("%v, %v", p.a.machine.State(), p.a.machine.Failed())
	}
	p.close()
}

// TestFirstUse_NotWithoutTheWord: no pin and no word about a first use is no trust at all.
func TestFirstUse_NotWithoutTheWord(t *testing.T) {
	for name, spoil := range map[string]func(p *pair){
		"a link without a pin": func(p *pair) { p.a.link.Trust = policy.TrustPin },
		"nobody who enrols":    func(p *pair) { p.a.config.Enrolment = nil },
	} {
		p, h := newFirstUse(t)
		spoil(p)
		p.run()
		if p.a.machine.State() == link.Established || len(h.pinned) != 0 || p.a.installed != nil {
			t.Errorf("%s: %v", name, p.a.machine.State())
		}
		p.close()
	}
}
