package sim

import (
	"crypto/sha256"
	"slices"

	"pc5d/daemon/auth/kei"
	"pc5d/daemon/auth/pskdhe"
	"pc5d/daemon/keys"
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/nea"
	"pc5d/dataplane/pdcp"
	"pc5d/dataplane/record"
	"pc5d/dataplane/suite"
	"pc5d/dataplane/underlay"
)

// Recording is one session as somebody on the path writes it down: requests and commands are not
// ciphered, and the rest waits for a key (T10).
type Recording struct {
	a, b           string // names of the ends
	hash           [32]byte
	nonce1, nonce2 keys.Nonce
	layerTwoA      underlay.LayerTwoID
	layerTwoB      underlay.LayerTwoID
	session        uint16
	algorithms     pc5s.SelectedAlgorithms
	suite          suite.ID
	e1, e2         *[kei.ShareLen]byte // of psk-dhe
	sealed         [][]byte
}

// Resumed tells whether the session is from a key of psk-dhe.
func (r *Recording) Resumed() bool { return r.e2 != nil }

// Sealed is how many datagrams of the session are protected.
func (r *Recording) Sealed() int { return len(r.sealed) }

// Recordings are the sessions of a link, oldest first.
func (a *Attacker) Recordings(l *Link) []*Recording {
	var recordings []*Recording
	requests := map[underlay.LayerTwoID]Datagram{}
	for _, d := range a.Heard() {
		h, m := clearMessage(d)
		if m != nil && m.Type() == pc5s.MessageDirectLinkEstablishmentRequest {
			requests[h.Source] = d
			continue
		}
		if r := recordingOf(l, requests[h.Destination], d); r != nil {
			recordings = append(recordings, r)
		}
		for _, r := range recordings {
			if h.LCID != underlay.SRB0 && (h.Source == r.layerTwoA && h.Destination == r.layerTwoB || h.Source == r.layerTwoB && h.Destination == r.layerTwoA) {
				r.sealed = append(r.sealed, d.Octets)
			}
		}
	}
	return recordings
}

// recordingOf begins a recording with the command that answers a request.
func recordingOf(l *Link, request, d Datagram) *Recording {
	h, pdu, err := underlay.Parse(d.Octets)
	if err != nil || h.LCID != underlay.SRB1 || request.Octets == nil {
		return nil
	}
	sdu, err := pdcp.PeekClear(pdu)
	if err != nil {
		return nil
	}
	m, err := pc5s.Parse(slices.Clone(sdu))
	if err != nil {
		return nil
	}
	command, ok := m.(*pc5s.DirectLinkSecurityModeCommand)
	if !ok || command.Nonce2 == nil || command.UserPlaneSuite == nil {
		return nil
	}
	_, asked := clearMessage(request)
	from := asked.(*pc5s.DirectLinkEstablishmentRequest)
	r := &Recording{
		a: l.A.Host.Name, b: l.B.Host.Name, hash: sha256.Sum256(request.Octets[underlay.HeaderLen+2:]),
		nonce1: keys.Nonce(*from.Nonce1), nonce2: keys.Nonce(*command.Nonce2), layerTwoA: h.Destination, layerTwoB: h.Source,
		algorithms: command.Selected, suite: *command.UserPlaneSuite,
	}
	if request.From == l.B.Host.Address {
		r.a, r.b = r.b, r.a
	}
	_, r.session, _ = pdcp.ParseHeader(pdu)
	if offer, err := kei.ParseOffer(from.KeyEstablishmentInfo); err == nil {
		r.e1 = offer.Share
	}
	if c, err := kei.ParseCommand(command.KeyEstablishmentInfo); err == nil {
		r.e2 = &c.Share
	}
	return r
}

// OpensWith tells whether a key that a thief has opens anything: taken for K_NRP, or for the key of
// psk-dhe with a private key of his own in the place of either end's.
func (r *Recording) OpensWith(stolen keys.Secret) bool {
	if r.Opens(keys.KNRP{Secret: stolen}) {
		return true
	}
	if !r.Resumed() {
		return false
	}
	ctx := contextOf("psk-dhe", r.hash, r.layerTwoA, r.layerTwoB, []byte(r.a), []byte(r.b))
	for _, share := range [][kei.ShareLen]byte{*r.e1, *r.e2} {
		x, err := pskdhe.New()
		if err != nil {
			continue
		}
		if knrp, err := x.KNRP(stolen, share, ctx, *r.e1, *r.e2); err == nil && r.Opens(knrp) {
			return true
		}
	}
	return false
}

// Opens tells whether K_NRP opens anything of the session.
func (r *Recording) Opens(knrp keys.KNRP) bool {
	sess := keys.DeriveKNRPSess(knrp, r.nonce1, r.nonce2)
	cipher, err := nea.NewCipher(r.algorithms.Ciphering, keys.DeriveNRPEK(sess, r.algorithms.Ciphering).Key128())
	if err != nil {
		return false
	}
	mac, err := nea.NewMAC(r.algorithms.Integrity, keys.DeriveNRPIK(sess, r.algorithms.Integrity).Key128())
	if err != nil {
		return false
	}
	return slices.ContainsFunc(r.sealed, func(datagram []byte) bool { return r.opens(sess, cipher, mac, datagram) })
}

func (r *Recording) opens(sess keys.KNRPSess, cipher nea.Cipher, mac nea.MAC, datagram []byte) bool {
	h, pdu, err := underlay.Parse(datagram)
	if err != nil {
		return false
	}
	plane := keys.SignallingPlane
	if h.LCID.UserData() {
		plane = keys.UserPlane
	}
	for sender := range uint8(2) {
		if h.LCID == underlay.SRB1 {
			for _, ciphering := range []pdcp.Ciphering{pdcp.Clear, pdcp.Ciphered} {
				e := pdcp.NewEntity(pdcp.Config{Bearer: uint8(h.LCID), Session: r.session, Direction: 1 - sender, Cipher: cipher, MAC: mac})
				if _, err := e.Open(pdu, ciphering); err == nil {
					return true
				}
			}
			continue
		}
		k := keys.DeriveRecordKey(sess, plane, byte(r.suite), 0x11, sender, r.suite.KeyLen())
		s, err := suite.New(r.suite, suite.AEAD, k.Key.Bytes(), k.Salt)
		if err != nil {
			return false
		}
		if _, err := record.NewOpener(s, 64).Open(datagram); err == nil {
			return true
		}
	}
	return false
}
