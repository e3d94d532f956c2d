package pc5s_test

import (
	"bytes"
	"testing"

	"pc5d/daemon/pc5s"
	"pc5d/dataplane/nea"
	"pc5d/dataplane/suite"
)

// chosen gives the numbers from 0 to 3 whose bits are set in a mask.
func chosen[A ~uint8](mask int) (out []A) {
	for n := range A(4) {
		if mask&(1<<n) != 0 {
			out = append(out, n)
		}
	}
	return out
}

// TestR04_CapabilityBits: each of the 2^4 x 2^4 combinations of algorithms 0 to 3, with and
// without suites, comes out of a request as it went in and means the same algorithms.
func TestR04_CapabilityBits(t *testing.T) {
	for ciphers := range 16 {
		for integrities := range 16 {
			for suites := range 8 {
				c := pc5s.NewCapabilities(chosen[nea.Ciphering](ciphers), chosen[nea.Integrity](integrities), chosen[suite.ID](suites<<1))
				m := &pc5s.DirectLinkEstablishmentRequest{SourceUserInfo: []byte("a"), Capabilities: c}
				parsed, err := pc5s.Parse(pc5s.Marshal(m))
				if err != nil {
					t.Fatalf("%x: %v", c, err)
				}
				got := parsed.(*pc5s.DirectLinkEstablishmentRequest).Capabilities
				if !bytes.Equal(got, c) {
					t.Fatalf("%x came out as %x", c, got)
				}
				for n := range uint8(8) {
					inside := func(mask int) bool { return mask&(1<<n) != 0 }
					if got.Supports(nea.Ciphering(n)) != inside(ciphers) || got.SupportsIntegrity(nea.Integrity(n)) != inside(integrities) || got.Offers(suite.ID(n)) != inside(suites<<1) {
						t.Fatalf("%x: number %d means something else after the round trip", c, n)
					}
				}
			}
		}
	}
}

// TestR04_UnknownCapabilitiesAreKept: spare bits and further octets come back as they were; the
// echo of the security mode command needs them.
func TestR04_UnknownCapabilitiesAreKept(t *testing.T) {
	for _, c := range []pc5s.Capabilities{{0xff, 0xff}, {0xff, 0xff, 0x1f}, {0x80, 0x80, 0, 1, 2, 3, 4, 5}} {
		parsed, err := pc5s.Parse(pc5s.Marshal(&pc5s.DirectLinkSecurityModeCommand{Selected: pc5s.SelectedAlgorithms{Integrity: nea.NIA2}, Capabilities: c}))
		if err != nil {
			t.Fatalf("%x: %v", c, err)
		}
		if got := parsed.(*pc5s.DirectLinkSecurityModeCommand).Capabilities; !bytes.Equal(got, c) {
			t.Errorf("%x came out as %x", c, got)
		}
	}
}
