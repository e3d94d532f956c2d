package pc5s_test

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pc5d/daemon/pc5s"
	"pc5d/dataplane/nea"
	"pc5d/dataplane/suite"
	"pc5d/policy"
)

func ptr[T any](v T) *T { return &v }

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

func messages() []pc5s.Message {
	kei := bytes.Repeat([]byte{7}, 300)
	return []pc5s.Message{
		&pc5s.DirectLinkEstablishmentRequest{
			SequenceNumber: 1, SourceUserInfo: []byte("alice"), Capabilities: pc5s.NewCapabilities([]nea.Ciphering{nea.NEA2, nea.NEA0}, []nea.Integrity{nea.NIA2}, []suite.ID{suite.AES128GCM}),
			SecurityPolicy: pc5s.SecurityPolicy{Integrity: policy.Required, Ciphering: policy.Preferred}, KeyEstablishmentInfo: kei,
			Nonce1: ptr([16]byte{1}), KNRPSessMSB: ptr(uint8(9)), TargetUserInfo: []byte("bob"), KNRPID: ptr(uint32(0x01020304)), ProSeIdentifiers: pc5s.ServiceIdentifier("ip"),
		},
		&pc5s.DirectLinkEstablishmentAccept{SourceUserInfo: []byte("bob"), QoSFlowDescriptions: pc5s.DefaultQoS(), UserPlane: pc5s.UserPlaneConfiguration{Integrity: true, Ciphering: true}, IPAddressConfiguration: pc5s.AddressAllocationNotSupported, LinkLocal: ptr([16]byte{0xfe, 0x80})},
		&pc5s.DirectLinkEstablishmentReject{SequenceNumber: 255, Cause: pc5s.CauseSecurityPolicyNotAligned},
		&pc5s.DirectLinkReleaseRequest{Cause: pc5s.CauseNoLongerNeeded, KNRPIDMSBs: 0x1234},
		&pc5s.DirectLinkReleaseAccept{KNRPIDLSBs: 0x5678},
		&pc5s.DirectLinkAuthenticationRequest{KeyEstablishmentInfo: kei},
		&pc5s.DirectLinkAuthenticationResponse{KeyEstablishmentInfo: kei},
		&pc5s.DirectLinkAuthenticationReject{Cause: pc5s.CauseAuthenticationFailure},
		&pc5s.DirectLinkAuthenticationFailure{KeyEstablishmentInfo: kei},
		&pc5s.DirectLinkSecurityModeCommand{
			Selected: pc5s.SelectedAlgorithms{Ciphering: nea.NEA2, Integrity: nea.NIA2}, Capabilities: pc5s.Capabilities{0xf0, 0x70, 0xe0, 1}, SecurityPolicy: pc5s.SecurityPolicy{Integrity: policy.Required},
			Nonce2: ptr([16]byte{2}), KNRPSessLSB: ptr(uint8(3)), KNRPIDMSBs: ptr(uint16(0xABCD)), UserPlaneSuite: ptr(suite.AES128GCM),
		},
		&pc5s.DirectLinkSecurityModeComplete{QoSFlowDescriptions: pc5s.DefaultQoS(), UserPlanePolicy: pc5s.SecurityPolicy{Integrity: policy.Required, Ciphering: policy.Required}, LinkLocal: ptr([16]byte{1}), KNRPIDLSBs: ptr(uint16(1))},
		&pc5s.DirectLinkSecurityModeReject{Cause: pc5s.CauseCapabilitiesMismatch},
		&pc5s.DirectLinkKeepaliveRequest{SequenceNumber: 2, Counter: 7, MaximumInactivityPeriod: ptr(uint32(60))},
		&pc5s.DirectLinkKeepaliveResponse{SequenceNumber: 3, Counter: 7},
		&pc5s.DirectLinkModificationRequest{Operation: pc5s.ModificationAddFlows, ProSeIdentifiers: pc5s.ServiceIdentifier("ip"), QoSFlowDescriptions: pc5s.DefaultQoS()},
		&pc5s.DirectLinkModificationAccept{QoSFlowDescriptions: pc5s.DefaultQoS()},
		&pc5s.DirectLinkModificationReject{Cause: pc5s.CauseServiceNotAllowed},
		&pc5s.DirectLinkRekeyingRequest{Capabilities: pc5s.Capabilities{0x70, 0x70, 0xe0}, KeyEstablishmentInfo: kei, Nonce1: ptr([16]byte{1}), KNRPSessMSB: ptr(uint8(9)), ReAuthentication: ptr(pc5s.ReAuthenticationRequested)},
		&pc5s.DirectLinkRekeyingResponse{SequenceNumber: 9},
		&pc5s.DirectLinkIdentifierUpdateRequest{SourceLayerTwoID: 0x0a0b0c, KNRPSessMSB: 0x53, SourceUserInfo: []byte("alice"), SourceLinkLocal: ptr([16]byte{0xfe, 0x80})},
		&pc5s.DirectLinkIdentifierUpdateAccept{
			SourceLayerTwoID: 0x0d0e0f, TargetLayerTwoID: 0x0a0b0c, KNRPSessMSB: 0x53, KNRPSessLSB: 0x56,
			SourceUserInfo: []byte("bob"), SourceLinkLocal: ptr([16]byte{0xfe, 0x80, 1}), TargetUserInfo: []byte("alice"), TargetLinkLocal: ptr([16]byte{0xfe, 0x80}),
		},
		&pc5s.DirectLinkIdentifierUpdateAck{TargetLayerTwoID: 0x0d0e0f, KNRPSessLSB: 0x56, TargetUserInfo: []byte("bob"), TargetLinkLocal: ptr([16]byte{0xfe, 0x80, 1})},
		&pc5s.DirectLinkIdentifierUpdateReject{Cause: pc5s.CauseLayer2IDConflict},
	}
}

// TestRoundTrip: every message comes back as it was, and every cut of it is an error or a
// shorter message, never a panic.
func TestRoundTrip(t *testing.T) {
	for _, m := range messages() {
		b := pc5s.Marshal(m)
		got, err := pc5s.Parse(b)
		if err != nil {
			t.Errorf("%s: %v", m.Type(), err)
			continue
		}
		if diff := cmp.Diff(m, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", m.Type(), diff)
		}
		for n := range b {
			pc5s.Parse(b[:n])
		}
	}
}

// TestErrors is the table of TS 24.554, 9.3.
func TestErrors(t *testing.T) {
	request := "01000400000100" + "028080" + "00"
	for _, c := range []struct {
		name, in string
		kind     pc5s.Kind // 0: parses
	}{
		{"empty", "", pc5s.TooShort},
		{"unknown type", "0000", pc5s.UnknownType},
		{"no sequence number", "01", pc5s.Mandatory},
		{"mandatory missing", "01000400000100", pc5s.Mandatory},
		{"mandatory too short", "010000" + "028080" + "00", pc5s.Mandatory},
		{"length past the end", "0100ff0000", pc5s.Mandatory},
		{"comprehension required", request + "0f00", pc5s.Comprehension},
		{"unknown TLV skipped", request + "3e0100", 0},
		{"unknown TLV-E skipped", request + "7f000100", 0},
		{"unknown type 1 skipped", request + "a1", 0},
		{"optional past the end", request + "28ff00", pc5s.PastTheEnd},
		{"optional repeated: first counts", request + "280141" + "280142", 0},
		{"reserved policy", "01000400000100" + "028080" + "07", pc5s.Reserved},
		{"spare policy means required", "01000400000100" + "028080" + "05", 0},
		{"reserved operation", "040000", pc5s.Reserved},
		{"release accept without a cause", "08005678", 0},
		{"release accept with a cause", "0800025678", 0},
		{"reserved selection", "0e0089" + "028080" + "00", pc5s.Reserved},
	} {
		b, err := hex.DecodeString(c.in)
		if err != nil {
			t.Fatal(err)
		}
		m, err := pc5s.Parse(b)
		var kind pc5s.Kind
		if e, ok := err.(*pc5s.Error); ok {
			kind = e.Kind
		}
		if kind != c.kind {
			t.Errorf("%s: got %v (%v), want %v", c.name, m, err, c.kind)
		}
		if r, ok := m.(*pc5s.DirectLinkEstablishmentRequest); ok && c.name == "optional repeated: first counts" && string(r.TargetUserInfo) != "A" {
			t.Errorf("%s: got %q", c.name, r.TargetUserInfo)
		}
	}
}

// FuzzParse: nothing panics, and what parses means the same after a round trip.
func FuzzParse(f *testing.F) {
	for _, m := range messages() {
		f.Add(pc5s.Marshal(m))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := pc5s.Parse(b)
		if err != nil {
			return
		}
		again, err := pc5s.Parse(pc5s.Marshal(m))
		if err != nil {
			t.Fatalf("%x: own octets do not parse: %v", b, err)
		}
		if diff := cmp.Diff(m, again); diff != "" {
			t.Fatalf("%x: %s", b, diff)
		}
	})
}
