package policy

import "pc5d/dataplane/suite"

// Processor says what the processor of this machine does fast. It decides nothing but an order of
// preference.
type Processor uint8

const (
	WithAES    Processor = iota // it has instructions for AES-GCM, as most have
	WithoutAES                  // AES in software is slow, and leaks by its timing
)

// Suites are all suites, in the order of preference of a link that names none. AES-128-GCM is the
// fastest where there are instructions for it, ChaCha20-Poly1305 elsewhere.
func (p Processor) Suites() []suite.ID {
	if p == WithoutAES {
		return []suite.ID{suite.ChaCha20Poly1305, suite.AES128GCM, suite.AES256GCM}
	}
	return []suite.ID{suite.AES128GCM, suite.AES256GCM, suite.ChaCha20Poly1305}
}
