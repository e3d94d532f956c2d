package suite

import "fmt"

// Mode says which of the two protections the records of a key have: the two flags of the accept
// (TS 24.554, 11.3.18). The zero value is the strongest.
type Mode uint8

const (
	AEAD          Mode = iota // both, the usual
	IntegrityOnly             // a tag over everything; the text can be read
	CipheringOnly             // no tag: whoever alters or repeats a record is not noticed
	Unprotected               // neither: the text as it is, no tag
	modeCount
)

var modeNames = [modeCount]string{AEAD: "aead", IntegrityOnly: "integrity_only", CipheringOnly: "ciphering_only", Unprotected: "unprotected"}

// Octet is the octet of the accept that stands for the mode, which is in the label of its keys.
func (m Mode) Octet() byte {
	switch m {
	case AEAD:
		return 0x11
	case IntegrityOnly:
		return 0x01
	case CipheringOnly:
		return 0x10
	}
	return 0x00
}

// Authentic tells whether a record that opens is the peer's. Without, COUNT proves nothing: there
// is no replay check either (T56).
func (m Mode) Authentic() bool { return m == AEAD || m == IntegrityOnly }

// Ciphers tells whether the content of a record or PDU cannot be read.
func (m Mode) Ciphers() bool { return m == AEAD || m == CipheringOnly }

// TagLen is what Seal of a record adds to the length of a text.
func (m Mode) TagLen() int {
	if m.Authentic() {
		return TagLen
	}
	return 0
}

func (m Mode) String() string {
	if m < modeCount {
		return modeNames[m]
	}
	return fmt.Sprintf("mode-%d", uint8(m))
}
