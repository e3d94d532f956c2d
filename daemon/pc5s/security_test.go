package pc5s_test

import (
	"encoding/hex"
	"testing"

	"pc5d/daemon/pc5s"
	"pc5d/dataplane/nea"
	"pc5d/dataplane/suite"
	"pc5d/policy"
)

// TestR04_RequestGolden is the worked example of TS 38.508-1, table 4.7.4-7 in its ProSe form.
func TestR04_RequestGolden(t *testing.T) {
	want := "010004000001000280800028" + "0400001100"
	m := &pc5s.DirectLinkEstablishmentRequest{
		SourceUserInfo: []byte{0, 0, 1, 0}, Capabilities: pc5s.Capabilities{0x80, 0x80}, TargetUserInfo: []byte{0, 0, 0x11, 0},
	}
	if got := hex.EncodeToString(pc5s.Marshal(m)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestR04_CapabilityBits: every set of the algorithms 0 to 3 comes back from the request
// (TS 24.554, 11.3.11).
func TestR04_CapabilityBits(t *testing.T) {
	ciphers := []nea.Ciphering{nea.NEA0, nea.NEA1, nea.NEA2, nea.NEA3}
	integrities := []nea.Integrity{nea.NIA0, nea.NIA1, nea.NIA2, nea.NIA3}
	for set := range 1 << 8 {
		var c []nea.Ciphering
		var i []nea.Integrity
		for bit := range 4 {
			if set>>bit&1 != 0 {
				c = append(c, ciphers[bit])
			}
			if set>>(4+bit)&1 != 0 {
				i = append(i, integrities[bit])
			}
		}
		m, err := pc5s.Parse(pc5s.Marshal(&pc5s.DirectLinkEstablishmentRequest{SourceUserInfo: []byte("a"), Capabilities: pc5s.NewCapabilities(c, i, nil)}))
		if err != nil {
			t.Fatalf("%v %v: %v", c, i, err)
		}
		got := m.(*pc5s.DirectLinkEstablishmentRequest).Capabilities
		for bit := range 4 {
			if got.Supports(ciphers[bit]) != (set>>bit&1 != 0) || got.SupportsIntegrity(integrities[bit]) != (set>>(4+bit)&1 != 0) {
				t.Errorf("%v %v came back as %x", c, i, got)
			}
		}
		if got.Offers(suite.AES128GCM) {
			t.Errorf("%x offers a suite", got)
		}
	}
}

// TestCapabilityPlaces: identity 0 is the most significant bit, ciphering stands first.
func TestCapabilityPlaces(t *testing.T) {
	got := pc5s.NewCapabilities([]nea.Ciphering{nea.NEA0, nea.NEA3}, []nea.Integrity{nea.NIA1}, []suite.ID{suite.ChaCha20Poly1305})
	if want := "904020"; hex.EncodeToString(got) != want {
		t.Errorf("got %x, want %s", got, want)
	}
}

// TestPolicyOctets: all pairs of policies, as octets and back (TS 24.554, 11.3.12, 11.3.23).
func TestPolicyOctets(t *testing.T) {
	for integrity, low := range map[policy.Requirement]byte{policy.NotNeeded: 0, policy.Preferred: 1, policy.Required: 2} {
		for ciphering, high := range map[policy.Requirement]byte{policy.NotNeeded: 0, policy.Preferred: 0x10, policy.Required: 0x20} {
			want := pc5s.SecurityPolicy{Integrity: integrity, Ciphering: ciphering}
			b := pc5s.Marshal(&pc5s.DirectLinkSecurityModeComplete{QoSFlowDescriptions: pc5s.DefaultQoS(), UserPlanePolicy: want})
			if b[len(b)-1] != high|low {
				t.Errorf("%v: octet %02x, want %02x", want, b[len(b)-1], high|low)
			}
			if m, err := pc5s.Parse(b); err != nil || m.(*pc5s.DirectLinkSecurityModeComplete).UserPlanePolicy != want {
				t.Errorf("%v: came back as %v, %v", want, m, err)
			}
		}
	}
}

// TestConfigurationOctets: what was decided for the user plane (TS 24.554, 11.3.18).
func TestConfigurationOctets(t *testing.T) {
	for octet, want := range map[byte]pc5s.UserPlaneConfiguration{
		0x00: {}, 0x01: {Integrity: true}, 0x10: {Ciphering: true}, 0x11: {Integrity: true, Ciphering: true},
	} {
		b := pc5s.Marshal(&pc5s.DirectLinkEstablishmentAccept{SourceUserInfo: []byte("b"), QoSFlowDescriptions: pc5s.DefaultQoS(), UserPlane: want})
		if b[len(b)-1] != octet {
			t.Errorf("%v: octet %02x, want %02x", want, b[len(b)-1], octet)
		}
		if m, err := pc5s.Parse(b); err != nil || m.(*pc5s.DirectLinkEstablishmentAccept).UserPlane != want {
			t.Errorf("%v: came back as %v, %v", want, m, err)
		}
	}
}
