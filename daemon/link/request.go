package link

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"pc5d/daemon/auth/invite"
	"pc5d/daemon/auth/kei"
	"pc5d/daemon/auth/pskdhe"
	"pc5d/daemon/keys"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/nea"
	"pc5d/policy"
)

// request makes the establishment request of an attempt (TS 24.554, 7.2.2.2), and what it leads to.
func (m *Machine) request(now time.Time) (*securityRun, error) {
	r := &securityRun{role: RoleA, capabilities: capabilities(m.link), policy: pc5s.SecurityPolicy(m.link.Signalling.Protection)}
	if err := m.drawRequest(r); err != nil {
		return nil, err
	}
	source, target, err := m.userInfo()
	if err != nil {
		return nil, err
	}
	nonce := [16]byte(r.nonce1)
	m.parsed = &pc5s.DirectLinkEstablishmentRequest{
		SequenceNumber:   m.nextSequence(),
		SourceUserInfo:   []byte(source),
		Capabilities:     r.capabilities,
		SecurityPolicy:   r.policy,
		Nonce1:           &nonce,
		KNRPSessMSB:      &r.msb,
		TargetUserInfo:   []byte(target),
		ProSeIdentifiers: pc5s.ServiceIdentifier(m.link.Service),
	}
	if r.psk, err = m.resume(); err != nil {
		return nil, err
	}
	if m.link.Trust == policy.TrustPSK && r.psk == nil {
		return nil, fmt.Errorf("local: link %q has no pre-shared key", m.link.Name)
	}
	if err := m.fillOffer(now, r); err != nil {
		r.psk.wipe()
		return nil, err
	}
	r.request = pc5s.Marshal(m.parsed)
	r.hash = sha256.Sum256(r.request)
	return r, nil
}

// userInfo is how the request names its sender and its target: with private identity by a pseudonym
// of this attempt alone, and not at all.
func (m *Machine) userInfo() (source, target string, err error) {
	if !m.link.PrivateIdentity {
		return m.cfg.Auth.Local().Name, m.link.Peer, nil
	}
	var b [pseudonymLen / 2]byte
	err = m.draw(b[:])
	return hex.EncodeToString(b[:]), "", err
}

// fillOffer puts the key establishment information into the request: the methods, then the proofs,
// which are made over all the rest.
func (m *Machine) fillOffer(now time.Time, r *securityRun) error {
	offer := kei.Offer{Methods: []kei.Method{kei.TLS13}}
	if r.psk != nil {
		if err := m.offerKept(now, r.psk, r.nonce1, &offer); err != nil {
			return err
		}
	}
	if m.knowsFingerprint(r.psk) {
		offer.Gate = &[kei.ProofLen]byte{}
	}
	invited := len(m.cfg.Invite.Bytes()) > 0 && r.psk == nil
	if invited {
		offer.Invite = &[kei.ProofLen]byte{}
	}
	m.parsed.KeyEstablishmentInfo = offer.AppendTo(nil)
	blank := pc5s.Marshal(m.parsed)
	if invited { // for this end's key (T41). Extension.
		proof, err := invite.Proof(m.cfg.Invite, m.cfg.Auth.Local().Fingerprint, blank)
		if err != nil {
			return err
		}
		*offer.Invite = proof
	}
	if offer.Gate != nil {
		*offer.Gate = gateOf(m.link.Pins[0], blank)
	}
	if r.psk != nil {
		binder, err := pskdhe.Binder(r.psk.psk, m.cfg.Auth.Local().Name, m.link.Peer, blank)
		if err != nil {
			return err
		}
		*offer.Binder = binder
	}
	m.parsed.KeyEstablishmentInfo = offer.AppendTo(nil)
	return nil
}

// offerKept offers psk-dhe: the name of the key, this end's share, the time, and room for the binder.
func (m *Machine) offerKept(now time.Time, x *exchange, nonce keys.Nonce, offer *kei.Offer) error {
	at := uint64(now.UnixNano())
	offer.Methods = []kei.Method{kei.PSKDHE, kei.TLS13}
	if x.kept.PreShared {
		offer.Methods = []kei.Method{kei.PSKDHE}
	}
	offer.Share, offer.Time, offer.Binder = &x.shareA, &at, &[kei.ProofLen]byte{}
	if !x.kept.PreShared && !m.link.PrivateIdentity {
		id := uint32(x.kept.ID)
		m.parsed.KNRPID = &id
		return nil
	}
	tag, err := pskdhe.Tag(x.psk, nonce) // the MSBs of an ID stood in clear in an earlier command
	offer.KeyTag = &tag
	return err
}

// knowsFingerprint tells whether this end knows the key that the responder has in its certificate.
func (m *Machine) knowsFingerprint(x *exchange) bool {
	return len(m.link.Pins) > 0 && (x == nil || !x.kept.PreShared)
}

// capabilities are the algorithms that A accepts for this link (TS 24.554, 11.3.11); null
// integrity never without allow_null, null ciphering only where ciphering may be off.
func capabilities(l Link) pc5s.Capabilities {
	ciphers := l.Signalling.Ciphers
	if l.Signalling.Ciphering == policy.Required {
		ciphers = withoutNull(ciphers)
	}
	return pc5s.NewCapabilities(ciphers, l.Signalling.Integrities, l.UserPlane.Offered())
}

func withoutNull(in []nea.Ciphering) []nea.Ciphering {
	out := make([]nea.Ciphering, 0, len(in))
	for _, c := range in {
		if c != nea.NEA0 {
			out = append(out, c)
		}
	}
	return out
}
