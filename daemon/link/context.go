package link

import (
	"fmt"

	"pc5d/daemon/keys"
	"pc5d/dataplane/nea"
	"pc5d/dataplane/pdcp"
	"pc5d/dataplane/record"
	"pc5d/dataplane/suite"
	"pc5d/dataplane/underlay"
)

// signallingWindow is the replay window of SL-SRB2 records.
const signallingWindow = 64

// securityContext is one security context: its keys, bearers and COUNTs belong together and
// end together (TS 33.536, 5.3.3.1.2.1).
type securityContext struct {
	session   keys.SessionID
	direction uint8 // of this end's sending: 1 at the sender of the security mode command
	ciphering nea.Ciphering
	integrity nea.Integrity
	suite     suite.ID
	sess      keys.KNRPSess // wiped when the last key is made
	srb1      *pdcp.Entity
	srb2      *pdcp.Entity   // standard form
	sealer    *record.Sealer // Extension: AEAD form of SL-SRB2
	opener    *record.Opener
}

// contextParameters are what both ends know before they can derive a context.
type contextParameters struct {
	session        keys.SessionID
	direction      uint8
	ciphering      nea.Ciphering
	integrity      nea.Integrity
	suite          suite.ID
	nonce1, nonce2 keys.Nonce
}

// newSecurityContext derives all signalling keys from K_NRP.
func newSecurityContext(knrp keys.KNRP, p contextParameters) (*securityContext, error) {
	c := &securityContext{
		session: p.session, direction: p.direction, ciphering: p.ciphering, integrity: p.integrity, suite: p.suite,
		sess: keys.DeriveKNRPSess(knrp, p.nonce1, p.nonce2),
	}
	nrpek := keys.DeriveNRPEK(c.sess, p.ciphering)
	nrpik := keys.DeriveNRPIK(c.sess, p.integrity)
	defer nrpek.Wipe()
	defer nrpik.Wipe()
	cipher, err := nea.NewCipher(p.ciphering, nrpek.Key128())
	if err != nil {
		return nil, err
	}
	mac, err := nea.NewMAC(p.integrity, nrpik.Key128())
	if err != nil {
		return nil, err
	}
	bearer := func(lcid underlay.LCID) *pdcp.Entity {
		return pdcp.NewEntity(pdcp.Config{Bearer: uint8(lcid), Session: uint16(p.session), Direction: p.direction, Cipher: cipher, MAC: mac})
	}
	c.srb1 = bearer(underlay.SRB1)
	if p.suite == suite.None {
		c.srb2 = bearer(underlay.SRB2)
		return c, nil
	}
	return c, c.makeRecordForm()
}

// makeRecordForm sets SL-SRB2 up as AEAD records (Extension).
func (c *securityContext) makeRecordForm() error {
	mode := modeOctet(true, c.ciphering != nea.NEA0)
	send, err := c.signallingSuite(mode, c.direction)
	if err != nil {
		return err
	}
	receive, err := c.signallingSuite(mode, 1-c.direction)
	if err != nil {
		return err
	}
	c.sealer = record.NewSealer(send, uint16(c.session))
	c.opener = record.NewOpener(receive, signallingWindow)
	return nil
}

func (c *securityContext) signallingSuite(mode, direction byte) (suite.Suite, error) {
	k := keys.DeriveRecordKey(c.sess, keys.SignallingPlane, byte(c.suite), mode, direction, c.suite.KeyLen())
	defer k.Wipe()
	return suite.New(c.suite, k.Key.Bytes(), k.Salt)
}

// modeOctet is the octet of the accept that stands for a pair of flags (TS 24.554, 11.3.18).
func modeOctet(integrity, ciphering bool) byte {
	var b byte
	if integrity {
		b |= 0x01
	}
	if ciphering {
		b |= 0x10
	}
	return b
}

// seal protects a message for its bearer and says how.
func (c *securityContext) seal(h underlay.Header, o outgoing) (datagram []byte, protection string, err error) {
	if o.bearer == underlay.SRB1 {
		datagram, err = c.srb1.Seal(h.AppendTo(nil), o.message, o.ciphering)
		return datagram, c.protection(o.bearer, o.ciphering), err
	}
	if c.suite == suite.None {
		datagram, err = c.srb2.Seal(h.AppendTo(nil), o.message, o.ciphering)
		return datagram, c.protection(o.bearer, o.ciphering), err
	}
	h.Form = underlay.FormRecord
	datagram, err = c.sealer.Seal(nil, h, o.message)
	return datagram, c.protection(o.bearer, o.ciphering), err
}

// protection names the protection of a bearer for people.
func (c *securityContext) protection(bearer underlay.LCID, ciphering pdcp.Ciphering) string {
	if bearer == underlay.SRB2 && c.suite != suite.None {
		return fmt.Sprintf("%s record", c.suite)
	}
	if ciphering == pdcp.Clear || c.ciphering == nea.NEA0 {
		return c.integrity.String()
	}
	return fmt.Sprintf("%s+%s", c.integrity, c.ciphering)
}

// wipe forgets what can be forgotten; the bearers go with it.
func (c *securityContext) wipe() {
	c.sess.Wipe()
	c.srb1, c.srb2, c.sealer, c.opener = nil, nil, nil, nil
}
