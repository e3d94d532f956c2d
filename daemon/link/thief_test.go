package link_test

import (
	"bytes"
	"testing"
	"time"

	"pc5d/daemon/auth/kei"
	"pc5d/daemon/auth/pskdhe"
	"pc5d/daemon/keys"
	"pc5d/daemon/link"
	"pc5d/daemon/pc5s"
	"pc5d/policy"
)

// recording is what somebody on the path keeps of one establishment.
type recording struct {
	name           link.Name
	nonce1, nonce2 keys.Nonce
	e1, e2         *[kei.ShareLen]byte // of psk-dhe
	sealed         [][]byte            // what is protected
}

// record reads a run as anyone can: requests and commands are not ciphered.
func record(t *testing.T, p *pair) recording {
	t.Helper()
	var r recording
	for _, d := range p.sent {
		if d[7] != 0 {
			r.sealed = append(r.sealed, d)
		}
		var sdu []byte
		switch d[7] {
		case 0:
			sdu = d[10:]
		case 1:
			sdu = d[12 : len(d)-4]
		default:
			continue
		}
		switch msg, _ := pc5s.Parse(sdu); m := msg.(type) {
		case *pc5s.DirectLinkEstablishmentRequest:
			r.nonce1 = keys.Nonce(*m.Nonce1)
			if offer, err := kei.ParseOffer(m.KeyEstablishmentInfo); err == nil {
				r.e1 = offer.Share
			}
		case *pc5s.DirectLinkSecurityModeCommand:
			r.nonce2 = keys.Nonce(*m.Nonce2)
			if c, err := kei.ParseCommand(m.KeyEstablishmentInfo); err == nil {
				r.e2 = &c.Share
			}
		}
	}
	r.name = p.a.plane.name
	return r
}

// TestT10_C2_ThiefOfKeys: two sessions are recorded, one from a full authentication and one from a
// kept key. Then a thief gets the key that the second was made from and all that both ends keep. No
// key that he has or can make opens anything that was recorded; the right one does, so he looks in
// the right place.
func TestT10_C2_ThiefOfKeys(t *testing.T) {
	p := newPair(t)
	defer p.close()
	tap := &tapped{Authentication: p.a.config.Auth}
	p.a.config.Auth = tap
	var stolen []keys.Secret
	steal := func() {
		for _, e := range []*end{p.a, p.b} {
			for _, k := range e.kept.entries {
				stolen = append(stolen, keys.NewSecret(bytes.Clone(k.Key.Bytes())))
			}
		}
	}
	p.establish(t)
	p.pass(time.Second)
	recordings := []recording{record(t, p)}
	steal()
	p.again(t)
	p.establish(t)
	p.a.machine.Stirred(p.now)
	p.pass(3 * time.Second) // and something is said under the keys
	recordings = append(recordings, record(t, p))
	steal()
	if recordings[1].e1 == nil || recordings[1].e2 == nil {
		t.Fatal("the second session was not made from a kept key")
	}
	opened := func(r recording, knrp keys.Secret) bool {
		for _, d := range r.sealed {
			if link.Opens(keys.KNRP{Secret: knrp}, r.name, p.a.installed.Suite, r.nonce1, r.nonce2, d) {
				return true
			}
		}
		return false
	}
	for i, r := range recordings {
		for _, k := range stolen {
			if opened(r, k) {
				t.Errorf("session %d: a kept key taken for K_NRP opens it", i)
			}
			if r.e1 == nil {
				continue
			}
			for _, share := range [][kei.ShareLen]byte{*r.e1, *r.e2} { // with a private key of his own
				x, err := pskdhe.New()
				if err != nil {
					t.Fatal(err)
				}
				knrp, err := x.KNRP(k, share, nil, *r.e1, *r.e2)
				if err != nil {
					t.Fatal(err)
				}
				if opened(r, knrp.Secret) {
					t.Errorf("session %d: a kept key without the ephemeral keys opens it", i)
				}
			}
		}
	}
	if !opened(recordings[0], tap.knrp) {
		t.Error("K_NRP itself does not open what was recorded")
	}
}

// tapped is an authentication whose K_NRP a test sees; nobody else keeps it.
type tapped struct {
	link.Authentication
	knrp keys.Secret
}

func (a *tapped) Initiate(peer string, pins []policy.Fingerprint) (link.Handshake, error) {
	h, err := a.Authentication.Initiate(peer, pins)
	return &tappedHandshake{h, a}, err
}

type tappedHandshake struct {
	link.Handshake
	tap *tapped
}

func (h *tappedHandshake) ExportKNRP(ctx []byte) (keys.KNRP, error) {
	k, err := h.Handshake.ExportKNRP(ctx)
	if err == nil {
		h.tap.knrp = keys.NewSecret(bytes.Clone(k.Bytes()))
	}
	return k, err
}
