package link

import (
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"pc5d/daemon/keys"
	"pc5d/dataplane/nea"
	"pc5d/dataplane/pdcp"
	"pc5d/dataplane/record"
	"pc5d/dataplane/suite"
	"pc5d/dataplane/underlay"
)

// signallingWindow is the replay window of SL-SRB2 records.
const signallingWindow = 64

// softCount is the COUNT of a bearer at which its keys are replaced (chosen).
const softCount = 1 << 31

// Name is what the PDUs of a security context are called by: both L2 IDs and the K_NRP-sess ID.
// An identifier update gives a context a new one.
type Name struct {
	Local, Peer underlay.LayerTwoID
	Session     keys.SessionID
}

func (n Name) String() string { return fmt.Sprintf("%s %s>%s", n.Session, n.Local, n.Peer) }

// securityContext is one security context: its keys, bearers and COUNTs belong together and
// end together (TS 33.536, 5.3.3.1.2.1).
type securityContext struct {
	names     []Name // the first is sent under; all are received
	direction uint8  // of this end's sending: 1 at the sender of the security mode command
	ciphering nea.Ciphering
	integrity nea.Integrity
	suite     suite.ID
	sess      keys.KNRPSess // wiped when the last key is made
	srb1      *pdcp.Entity
	srb2      *pdcp.Entity   // standard form
	sealer    *record.Sealer // Extension: AEAD form of SL-SRB2
	opener    *record.Opener
	latest    uint64 // COUNT of the last message of a procedure that was taken
	ahead     uint64 // above the COUNT of each message of SL-SRB2 so far
	budget    budget
	answer    answer             // the last message of the run that made it: sent again on demand
	made      time.Time          // its age counts from here
	dead      bool               // wiped
	worn      bool               // the user plane's keys are at a limit
	agreement Agreement          // that it belongs to
	kept      keys.ResumptionKey // counts from the switch to this context on
	knrpID    keys.KNRPID        // and its name; B joins the LSBs later
}

// contextParameters are what both ends know before they can derive a context.
type contextParameters struct {
	name           Name
	direction      uint8
	ciphering      nea.Ciphering
	integrity      nea.Integrity
	suite          suite.ID
	nonce1, nonce2 keys.Nonce
}

// newSecurityContext derives all signalling keys from K_NRP.
func newSecurityContext(now time.Time, knrp keys.KNRP, p contextParameters) (*securityContext, error) {
	c := &securityContext{
		names: []Name{p.name}, direction: p.direction, ciphering: p.ciphering, integrity: p.integrity, suite: p.suite,
		sess: keys.DeriveKNRPSess(knrp, p.nonce1, p.nonce2), made: now,
	}
	if err := c.makeBearers(p); err != nil {
		c.wipe()
		return nil, err
	}
	return c, nil
}

// makeBearers sets the signalling bearers up in the form that was chosen.
func (c *securityContext) makeBearers(p contextParameters) error {
	nrpek := keys.DeriveNRPEK(c.sess, p.ciphering)
	nrpik := keys.DeriveNRPIK(c.sess, p.integrity)
	defer nrpek.Wipe()
	defer nrpik.Wipe()
	cipher, err := nea.NewCipher(p.ciphering, nrpek.Key128())
	if err != nil {
		return err
	}
	mac, err := nea.NewMAC(p.integrity, nrpik.Key128())
	if err != nil {
		return err
	}
	bearer := func(lcid underlay.LCID) *pdcp.Entity {
		return pdcp.NewEntity(pdcp.Config{Bearer: uint8(lcid), Session: uint16(p.name.Session), Direction: p.direction, Cipher: cipher, MAC: mac})
	}
	c.srb1 = bearer(underlay.SRB1)
	if p.suite != suite.None {
		return c.makeRecordForm()
	}
	c.srb2 = bearer(underlay.SRB2)
	return nil
}

// makeRecordForm sets SL-SRB2 up as AEAD records (Extension).
func (c *securityContext) makeRecordForm() error {
	send, err := c.signallingSuite(c.direction)
	if err != nil {
		return err
	}
	receive, err := c.signallingSuite(1 - c.direction)
	if err != nil {
		return err
	}
	c.sealer = record.NewSealer(send, uint16(c.names[0].Session))
	c.opener = record.NewOpener(receive, signallingWindow)
	return nil
}

func (c *securityContext) signallingSuite(direction byte) (suite.Suite, error) {
	mode := c.signallingMode()
	k := keys.DeriveRecordKey(c.sess, keys.SignallingPlane, byte(c.suite), mode.Octet(), direction, c.suite.KeyLen())
	defer k.Wipe()
	return suite.New(c.suite, mode, k.Key.Bytes(), k.Salt)
}

// signallingMode is what the chosen algorithms amount to on SL-SRB2; integrity is always on.
func (c *securityContext) signallingMode() suite.Mode {
	if c.ciphering == nea.NEA0 {
		return suite.IntegrityOnly
	}
	return suite.AEAD
}

// ciphersUserData tells whether there is an algorithm for it: the standard form has that of signalling.
func (c *securityContext) ciphersUserData() bool {
	return c.suite != suite.None || c.ciphering != nea.NEA0
}

// jump is how far the COUNT of user data moves with a new name, from random octets. The receiver of the
// standard form finds the HFN of no SN that is further ahead than 122,880; half of that is left for losses.
func (c *securityContext) jump(random [4]byte) uint64 {
	if c.suite == suite.None {
		return uint64(binary.BigEndian.Uint16(random[:])) + 1
	}
	return uint64(binary.BigEndian.Uint32(random[:])) + 1
}

// ours tells whether this end sent the security mode command of the context.
func (c *securityContext) ours() bool { return c.direction == 1 }

// called tells whether a received PDU may be the context's.
func (c *securityContext) called(n Name) bool { return !c.dead && slices.Contains(c.names, n) }

// alias lets the context receive under one more name.
func (c *securityContext) alias(n Name) { c.names = append(c.names, n) }

// move sends under another of its names from now on; all of them go on receiving.
func (c *securityContext) move(n Name) {
	c.forget(n)
	c.names = slices.Insert(c.names, 0, n)
	c.srb1.Rename(uint16(n.Session))
	if c.srb2 != nil {
		c.srb2.Rename(uint16(n.Session))
	}
	if c.sealer != nil {
		c.sealer.Rename(uint16(n.Session))
	}
}

// forget ends receiving under a name.
func (c *securityContext) forget(n Name) {
	c.names = slices.DeleteFunc(c.names, func(o Name) bool { return o == n })
}

// seal protects a message for its bearer.
func (c *securityContext) seal(h underlay.Header, o outgoing) ([]byte, error) {
	switch {
	case o.bearer == underlay.SRB1:
		return c.srb1.Seal(h.AppendTo(roomFor(o)), o.message, o.ciphering)
	case c.suite == suite.None:
		return c.srb2.Seal(h.AppendTo(roomFor(o)), o.message, o.ciphering)
	}
	h.Form = underlay.FormRecord
	return c.sealer.Seal(nil, h, o.message)
}

// exhausting tells whether the context has used up so much that it has to be replaced.
func (c *securityContext) exhausting() bool {
	return c.worn || c.budget.total >= maxFailures || c.srb1.Used() >= softCount || c.srb2 != nil && c.srb2.Used() >= softCount
}

// lastCount is the COUNT of the PDU of SL-SRB2 that was opened last, which is this one.
func (c *securityContext) lastCount(in arrival) uint64 {
	if c.suite == suite.None {
		return uint64(c.srb2.Last())
	}
	h, _, _, err := record.ParseHeader(in.datagram)
	if err != nil {
		return 0
	}
	return uint64(h.Count)
}

// protection names the protection of a bearer for people.
func (c *securityContext) protection(bearer underlay.LCID, ciphering pdcp.Ciphering) string {
	if bearer == underlay.SRB2 && c.suite != suite.None {
		if c.signallingMode() != suite.AEAD {
			return c.suite.String() + " record, not ciphered"
		}
		return c.suite.String() + " record"
	}
	if ciphering == pdcp.Clear || c.ciphering == nea.NEA0 {
		return c.integrity.String()
	}
	return c.integrity.String() + "+" + c.ciphering.String()
}

// wipe forgets what can be forgotten; the bearers go with it.
func (c *securityContext) wipe() {
	c.sess.Wipe()
	c.kept.Wipe()
	if c.sealer != nil {
		c.sealer.Wipe()
	}
	if c.opener != nil {
		c.opener.Wipe()
	}
	c.srb1, c.srb2, c.sealer, c.opener, c.dead = nil, nil, nil, nil, true
}
