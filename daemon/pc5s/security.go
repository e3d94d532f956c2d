package pc5s

import (
	"pc5d/dataplane/nea"
	"pc5d/dataplane/suite"
	"pc5d/policy"
)

// Capabilities is the contents of UE security capabilities (TS 24.554, 11.3.11), kept as
// received because they are echoed and compared octet for octet. Octet 1 has the ciphering
// algorithms, octet 2 the integrity algorithms; octet 3 offers the AEAD form of user data.
// Extension: octet 3 is spare in the standard.
type Capabilities []byte

// suiteBits are the bits of octet 3. Extension.
var suiteBits = map[suite.ID]byte{suite.AES128GCM: 0x80, suite.AES256GCM: 0x40, suite.ChaCha20Poly1305: 0x20}

// NewCapabilities makes the IE from lists of algorithms.
func NewCapabilities(ciphers []nea.Ciphering, integrities []nea.Integrity, suites []suite.ID) Capabilities {
	c := make(Capabilities, 3)
	for _, a := range ciphers {
		c[0] |= 0x80 >> (a & 7)
	}
	for _, a := range integrities {
		c[1] |= 0x80 >> (a & 7)
	}
	for _, s := range suites {
		c[2] |= suiteBits[s]
	}
	return c
}

// Supports tells whether a ciphering algorithm is in the capabilities.
func (c Capabilities) Supports(a nea.Ciphering) bool {
	return len(c) > 0 && a < 8 && c[0]&(0x80>>a) != 0
}

// SupportsIntegrity tells whether an integrity algorithm is in the capabilities.
func (c Capabilities) SupportsIntegrity(a nea.Integrity) bool {
	return len(c) > 1 && a < 8 && c[1]&(0x80>>a) != 0
}

// Offers tells whether an AEAD suite is offered. Extension.
func (c Capabilities) Offers(s suite.ID) bool {
	return len(c) > 2 && c[2]&suiteBits[s] != 0
}

// SelectedAlgorithms is the IE of TS 24.554, 11.3.22 (recalled): ciphering in the high half,
// integrity in the low half.
type SelectedAlgorithms struct {
	Ciphering nea.Ciphering
	Integrity nea.Integrity
}

type selected struct{ p *SelectedAlgorithms }

func (f selected) present() bool { return true }
func (f selected) appendTo(b []byte) []byte {
	return append(b, byte(f.p.Ciphering)<<4|byte(f.p.Integrity))
}
func (f selected) parse(b []byte) error {
	c, i := b[0]>>4, b[0]&0xF
	if c > 7 || i > 7 {
		return errReserved
	}
	*f.p = SelectedAlgorithms{nea.Ciphering(c), nea.Integrity(i)}
	return nil
}

// SecurityPolicy is a signalling or user plane security policy (TS 24.554, 11.3.12, 11.3.23).
type SecurityPolicy policy.Protection

type securityPolicy struct{ p *SecurityPolicy }

func (f securityPolicy) present() bool { return true }
func (f securityPolicy) appendTo(b []byte) []byte {
	return append(b, byte(f.p.Ciphering)<<shiftCiphering|byte(f.p.Integrity))
}
func (f securityPolicy) parse(b []byte) error {
	integrity, ok := requirement(b[0] & maskField)
	ciphering, ok2 := requirement(b[0] >> shiftCiphering & maskField)
	if !ok || !ok2 {
		return errReserved
	}
	*f.p = SecurityPolicy{Integrity: integrity, Ciphering: ciphering}
	return nil
}

// requirement reads one field; the spare values 3 to 6 mean required.
func requirement(v byte) (policy.Requirement, bool) {
	if v == valueReserved {
		return 0, false
	}
	return policy.Requirement(min(v, policyRequired)), true
}

// UserPlaneConfiguration is the configuration of UE PC5 unicast user plane security protection
// (TS 24.554, 11.3.18): what the responder decided.
type UserPlaneConfiguration struct{ Integrity, Ciphering bool }

type configuration struct{ p *UserPlaneConfiguration }

func (f configuration) present() bool { return true }
func (f configuration) appendTo(b []byte) []byte {
	var v byte
	if f.p.Integrity {
		v |= protectionOn
	}
	if f.p.Ciphering {
		v |= protectionOn << shiftCiphering
	}
	return append(b, v)
}
func (f configuration) parse(b []byte) error {
	integrity, ciphering := b[0]&maskField, b[0]>>shiftCiphering&maskField
	if integrity > protectionOn || ciphering > protectionOn {
		return errReserved
	}
	*f.p = UserPlaneConfiguration{Integrity: integrity != protectionOff, Ciphering: ciphering != protectionOff}
	return nil
}
