package pc5s_test

import (
	"slices"
	"testing"

	"pc5d/daemon/pc5s"
	"pc5d/dataplane/nea"
	"pc5d/dataplane/suite"
	"pc5d/policy"
)

// messages has one message of each type, in the order of the types, with every IE there is.
func messages() []pc5s.Message {
	container := []byte{0x11, 0x04, 0x01, 1, 2, 3, 4, 5, 6, 7, 8}
	linkLocal := new([16]byte{0xfe, 0x80, 15: 1})
	capabilities := pc5s.NewCapabilities([]nea.Ciphering{nea.NEA2, nea.NEA0}, []nea.Integrity{nea.NIA2}, []suite.ID{suite.AES128GCM})
	required := pc5s.SecurityPolicy{Integrity: policy.Required, Ciphering: policy.Required}
	return []pc5s.Message{
		&pc5s.DirectLinkEstablishmentRequest{
			SequenceNumber: 1, SourceUserInfo: []byte("alice"), Capabilities: capabilities,
			SecurityPolicy:       pc5s.SecurityPolicy{Integrity: policy.Required, Ciphering: policy.Preferred},
			KeyEstablishmentInfo: container, Nonce1: new([16]byte{1}), KNRPSessMSB: new(uint8(9)), TargetUserInfo: []byte("bob"),
			KNRPID: new(uint32(0x01020304)), ProSeIdentifiers: pc5s.ServiceIdentifier("ip"),
		},
		&pc5s.DirectLinkEstablishmentAccept{
			SourceUserInfo: []byte("bob"), QoSFlowDescriptions: pc5s.DefaultQoS(), UserPlane: pc5s.UserPlaneConfiguration{Integrity: true, Ciphering: true},
			IPAddressConfiguration: pc5s.AddressAllocationNotSupported, LinkLocal: linkLocal,
		},
		&pc5s.DirectLinkEstablishmentReject{SequenceNumber: 255, Cause: pc5s.CauseSecurityPolicyNotAligned},
		&pc5s.DirectLinkModificationRequest{Operation: pc5s.ModificationAddFlows, ProSeIdentifiers: pc5s.ServiceIdentifier("ip"), QoSFlowDescriptions: pc5s.DefaultQoS()},
		&pc5s.DirectLinkModificationAccept{QoSFlowDescriptions: pc5s.DefaultQoS()},
		&pc5s.DirectLinkModificationReject{Cause: pc5s.CauseServiceNotAllowed},
		&pc5s.DirectLinkReleaseRequest{Cause: pc5s.CauseNoLongerNeeded, KNRPIDMSBs: 0x1234},
		&pc5s.DirectLinkReleaseAccept{KNRPIDLSBs: 0x5678},
		&pc5s.DirectLinkKeepaliveRequest{SequenceNumber: 2, Counter: 7, MaximumInactivityPeriod: new(uint32(60))},
		&pc5s.DirectLinkKeepaliveResponse{SequenceNumber: 3, Counter: 7},
		&pc5s.DirectLinkAuthenticationRequest{KeyEstablishmentInfo: container},
		&pc5s.DirectLinkAuthenticationResponse{KeyEstablishmentInfo: container},
		&pc5s.DirectLinkAuthenticationReject{Cause: pc5s.CauseAuthenticationFailure},
		&pc5s.DirectLinkSecurityModeCommand{
			Selected: pc5s.SelectedAlgorithms{Ciphering: nea.NEA2, Integrity: nea.NIA2}, Capabilities: pc5s.Capabilities{0xf0, 0x70, 0xe0, 1},
			SecurityPolicy: pc5s.SecurityPolicy{Integrity: policy.Required}, Nonce2: new([16]byte{2}), KNRPSessLSB: new(uint8(3)),
			KeyEstablishmentInfo: container, KNRPIDMSBs: new(uint16(0xABCD)), UserPlaneSuite: new(suite.AES128GCM),
		},
		&pc5s.DirectLinkSecurityModeComplete{
			QoSFlowDescriptions: pc5s.DefaultQoS(), UserPlanePolicy: required, IPAddressConfiguration: pc5s.AddressAllocationNotSupported,
			LinkLocal: linkLocal, KNRPIDLSBs: new(uint16(0x0100)),
		},
		&pc5s.DirectLinkSecurityModeReject{Cause: pc5s.CauseCapabilitiesMismatch},
		&pc5s.DirectLinkRekeyingRequest{
			Capabilities: pc5s.Capabilities{0x70, 0x70, 0xe0}, KeyEstablishmentInfo: container, Nonce1: new([16]byte{1}), KNRPSessMSB: new(uint8(9)),
			ReAuthentication: new(pc5s.ReAuthenticationRequested),
		},
		&pc5s.DirectLinkRekeyingResponse{SequenceNumber: 9},
		&pc5s.DirectLinkIdentifierUpdateRequest{SourceLayerTwoID: 0x0a0b0c, KNRPSessMSB: 0x53, SourceUserInfo: []byte("alice"), SourceLinkLocal: linkLocal},
		&pc5s.DirectLinkIdentifierUpdateAccept{
			SourceLayerTwoID: 0x0d0e0f, TargetLayerTwoID: 0x0a0b0c, KNRPSessMSB: 0x53, KNRPSessLSB: 0x56,
			SourceUserInfo: []byte("bob"), SourceLinkLocal: new([16]byte{0xfe, 0x80, 15: 2}), TargetUserInfo: []byte("alice"), TargetLinkLocal: linkLocal,
		},
		&pc5s.DirectLinkIdentifierUpdateAck{TargetLayerTwoID: 0x0d0e0f, KNRPSessLSB: 0x56, TargetUserInfo: []byte("bob"), TargetLinkLocal: new([16]byte{0xfe, 0x80, 15: 2})},
		&pc5s.DirectLinkIdentifierUpdateReject{Cause: pc5s.CauseLayer2IDConflict},
		&pc5s.DirectLinkAuthenticationFailure{KeyEstablishmentInfo: container},
	}
}

// discoveries has one discovery message of each type, in the order of the types, with every IE.
func discoveries() []pc5s.Discovery {
	code := pc5s.DiscoveryCode{0xc0, 22: 0xde}
	mic := pc5s.MIC{1, 2, 3, 4}
	group, member := []byte("crew"), pc5s.UserInfoID{0x10, 5: 0x15}
	metadata := []byte("alice")
	return []pc5s.Discovery{
		&pc5s.OpenDiscoveryAnnouncement{ApplicationCode: code, UTCCounterLSB: 7, Metadata: metadata},
		&pc5s.RestrictedDiscoveryAnnouncement{RestrictedCode: code, MIC: mic, UTCCounterLSB: 7, Metadata: metadata},
		&pc5s.RestrictedDiscoveryResponse{ResponseCode: code, MIC: mic, UTCCounterLSB: 8, Metadata: metadata},
		&pc5s.RestrictedDiscoverySolicitation{QueryCode: code, MIC: mic, UTCCounterLSB: 9, Metadata: metadata},
		&pc5s.GroupMemberDiscoveryAnnouncement{ApplicationLayerGroupID: group, AnnouncerInfo: member, MIC: mic, UTCCounterLSB: 10, Metadata: metadata},
		&pc5s.GroupMemberDiscoveryResponse{ApplicationLayerGroupID: group, DiscovereeInfo: member, MIC: mic, UTCCounterLSB: 11, Metadata: metadata},
		&pc5s.GroupMemberDiscoverySolicitation{ApplicationLayerGroupID: group, DiscovererInfo: member, MIC: mic, UTCCounterLSB: 12, Metadata: metadata},
	}
}

// sample is one message in pieces, of PC5-S or of discovery, and how to read and write it.
type sample struct {
	name     string
	message  any
	head     []byte    // what precedes the IEs
	mandated []pc5s.IE // in their order
	optional []pc5s.IE
	write    func() []byte
	parse    func(b []byte) (any, error)
	again    func(b []byte) ([]byte, error) // reads, and writes what was read
}

func signallingSamples(t *testing.T) []sample {
	t.Helper()
	var all []sample
	for _, m := range messages() {
		all = append(all, inPieces(t, sample{
			name: m.Type().String(), message: m, head: pc5s.Marshal(m)[:2],
			write: func() []byte { return pc5s.Marshal(m) },
			parse: func(b []byte) (any, error) { return pc5s.Parse(b) },
			again: func(b []byte) ([]byte, error) {
				m, err := pc5s.Parse(b)
				if err != nil {
					return nil, err
				}
				return pc5s.Marshal(m), nil
			},
		}, pc5s.IEs(m)))
	}
	return all
}

func discoverySamples(t *testing.T) []sample {
	t.Helper()
	var all []sample
	for _, m := range discoveries() {
		all = append(all, inPieces(t, sample{
			name: m.Type().String(), message: m, head: pc5s.MarshalDiscovery(m)[:1],
			write: func() []byte { return pc5s.MarshalDiscovery(m) },
			parse: func(b []byte) (any, error) { return pc5s.ParseDiscovery(b) },
			again: func(b []byte) ([]byte, error) {
				m, err := pc5s.ParseDiscovery(b)
				if err != nil {
					return nil, err
				}
				return pc5s.MarshalDiscovery(m), nil
			},
		}, pc5s.DiscoveryIEs(m)))
	}
	return all
}

func samples(t *testing.T) []sample {
	t.Helper()
	return append(signallingSamples(t), discoverySamples(t)...)
}

func inPieces(t *testing.T, s sample, ies []pc5s.IE) sample {
	t.Helper()
	for _, ie := range ies {
		switch {
		case ie.Unsent:
		case ie.Octets == nil:
			t.Errorf("%s: the sample has no %s", s.name, ie.Name)
		case ie.Optional:
			s.optional = append(s.optional, ie)
		default:
			s.mandated = append(s.mandated, ie)
		}
	}
	return s
}

// octets puts the mandatory part together, and the optional IEs given.
func (s *sample) octets(optional ...[]byte) []byte {
	b := slices.Clone(s.head)
	for _, ie := range s.mandated {
		b = append(b, ie.Octets...)
	}
	return append(b, slices.Concat(optional...)...)
}
