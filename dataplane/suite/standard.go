package suite

import (
	"crypto/subtle"
	"fmt"

	"pc5d/dataplane/nea"
)

// StandardTagLen is the length of MAC-I, the tag of the standard form, in the modes that have one. (T56)
const StandardTagLen = 4

// Standard is the protection of user data in the standard form: NRPEK and NRPIK, and what goes into both
// algorithms beside COUNT (TS 38.323, 5.8 and 5.9). BEARER and DIRECTION keep the uses of the two keys
// apart, as labels do for records (T51).
type Standard struct {
	Ciphering    nea.Ciphering
	Integrity    nea.Integrity
	NRPEK, NRPIK [16]byte
	Bearer       uint8 // the bearer's LCID; its 5 low bits are BEARER
	Direction    uint8 // DIRECTION of what is sealed or opened
}

// String keeps the keys out of logs.
func (s Standard) String() string {
	return fmt.Sprintf("%s %s [redacted]", s.Integrity, s.Ciphering)
}

// GoString keeps the keys out of logs.
func (s Standard) GoString() string { return s.String() }

// Wipe overwrites the keys of this copy.
func (s *Standard) Wipe() { clear(s.NRPEK[:]); clear(s.NRPIK[:]) }

// NewStandard makes the suite of the standard form in a mode. A mode that has a protection takes no null
// algorithm for it. Unlike those of records, the suite works on one batch at a time.
//
//	mode             Text -> Dst
//	aead             NEA(text || MAC-I), MAC-I = NIA(AAD || text)
//	integrity_only   text || MAC-I
//	ciphering_only   NEA(text)
//	unprotected      text
//
// COUNT has 32 bits. Open needs room for all of Text.
func NewStandard(s Standard, mode Mode) (Suite, error) {
	if mode >= modeCount {
		return nil, errMode
	}
	p := &standard{bearer: s.Bearer & 0x1F, direction: s.Direction & 1}
	ciphering := nea.NEA0
	if mode.Ciphers() {
		if ciphering = s.Ciphering; ciphering == nea.NEA0 {
			return nil, fmt.Errorf("mode %s with %s: nothing would be ciphered", mode, ciphering)
		}
	}
	var err error
	if p.cipher, err = nea.NewCipher(ciphering, s.NRPEK); err != nil {
		return nil, err
	}
	if mode.Authentic() {
		if p.mac, err = nea.NewMAC(s.Integrity, s.NRPIK); err != nil {
			return nil, err
		}
		p.tagLen = StandardTagLen
	}
	return p, nil
}

// standard takes the items of a batch one by one.
type standard struct {
	cipher            nea.Cipher // NEA0 where nothing is ciphered; nil: wiped, and nothing works any more
	mac               nea.MAC    // nil: no integrity
	tagLen            int
	bearer, direction uint8
	parts             [2][]byte // of the message in hand: here, so that no call allocates it
}

// Seal makes the MAC-I before it ciphers (TS 38.323, 5.8).
func (p *standard) Seal(batch []Item) {
	for i := range batch {
		it := &batch[i]
		it.OK = cap(it.Dst) >= len(it.Text)+p.tagLen
		it.Dst = it.Dst[:0]
		if !it.OK {
			continue
		}
		it.Dst = append(it.Dst, it.Text...)
		if p.mac != nil {
			mac := p.sum(it, it.Text)
			it.Dst = append(it.Dst, mac[:]...)
		}
		p.cipher.XORKeyStream(it.Dst, it.Dst, uint32(it.Count), p.bearer, p.direction)
	}
}

func (p *standard) Open(batch []Item) {
	for i := range batch {
		it := &batch[i]
		it.OK = len(it.Text) >= p.tagLen && cap(it.Dst) >= len(it.Text)
		it.Dst = it.Dst[:0]
		if it.OK {
			it.OK = p.open(it)
		}
	}
}

func (p *standard) open(it *Item) bool {
	all := it.Dst[:len(it.Text)]
	p.cipher.XORKeyStream(all, it.Text, uint32(it.Count), p.bearer, p.direction)
	text, tag := all[:len(all)-p.tagLen], all[len(all)-p.tagLen:]
	if p.mac != nil {
		mac := p.sum(it, text)
		if subtle.ConstantTimeCompare(mac[:], tag) != 1 {
			return false
		}
	}
	it.Dst = text
	return true
}

// sum is the MAC-I over AAD, which is the header of the PDU, and text (TS 38.323, 5.9).
func (p *standard) sum(it *Item, text []byte) [4]byte {
	p.parts = [2][]byte{it.AAD, text}
	mac := p.mac.Sum(uint32(it.Count), p.bearer, p.direction, p.parts[:]...)
	p.parts = [2][]byte{}
	return mac
}

func (p *standard) TagLen() int { return p.tagLen }

// Wipe lets the keys go; the algorithms have no way to clear theirs.
func (p *standard) Wipe() { *p = standard{} }

// String keeps the keys out of logs.
func (p *standard) String() string { return "[redacted]" }

// GoString keeps the keys out of logs.
func (p *standard) GoString() string { return "[redacted]" }
