package pc5s_test

import (
	"pc5d/daemon/pc5s"
	"pc5d/dataplane/nea"
	"pc5d/dataplane/suite"
	"pc5d/policy"
)

func ptr[T any](v T) *T { return &v }

// messages has one message of each type, in the order of the types, with every IE there is.
func messages() []pc5s.Message {
	container := []byte{0x11, 0x04, 0x01, 1, 2, 3, 4, 5, 6, 7, 8}
	linkLocal := ptr([16]byte{0xfe, 0x80, 15: 1})
	capabilities := pc5s.NewCapabilities([]nea.Ciphering{nea.NEA2, nea.NEA0}, []nea.Integrity{nea.NIA2}, []suite.ID{suite.AES128GCM})
	required := pc5s.SecurityPolicy{Integrity: policy.Required, Ciphering: policy.Required}
	return []pc5s.Message{
		&pc5s.DirectLinkEstablishmentRequest{
			SequenceNumber: 1, SourceUserInfo: []byte("alice"), Capabilities: capabilities,
			SecurityPolicy:       pc5s.SecurityPolicy{Integrity: policy.Required, Ciphering: policy.Preferred},
			KeyEstablishmentInfo: container, Nonce1: ptr([16]byte{1}), KNRPSessMSB: ptr(uint8(9)), TargetUserInfo: []byte("bob"),
			KNRPID: ptr(uint32(0x01020304)), ProSeIdentifiers: pc5s.ServiceIdentifier("ip"),
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
		&pc5s.DirectLinkKeepaliveRequest{SequenceNumber: 2, Counter: 7, MaximumInactivityPeriod: ptr(uint32(60))},
		&pc5s.DirectLinkKeepaliveResponse{SequenceNumber: 3, Counter: 7},
		&pc5s.DirectLinkAuthenticationRequest{KeyEstablishmentInfo: container},
		&pc5s.DirectLinkAuthenticationResponse{KeyEstablishmentInfo: container},
		&pc5s.DirectLinkAuthenticationReject{Cause: pc5s.CauseAuthenticationFailure},
		&pc5s.DirectLinkSecurityModeCommand{
			Selected: pc5s.SelectedAlgorithms{Ciphering: nea.NEA2, Integrity: nea.NIA2}, Capabilities: pc5s.Capabilities{0xf0, 0x70, 0xe0, 1},
			SecurityPolicy: pc5s.SecurityPolicy{Integrity: policy.Required}, Nonce2: ptr([16]byte{2}), KNRPSessLSB: ptr(uint8(3)),
			KeyEstablishmentInfo: container, KNRPIDMSBs: ptr(uint16(0xABCD)), UserPlaneSuite: ptr(suite.AES128GCM),
		},
		&pc5s.DirectLinkSecurityModeComplete{
			QoSFlowDescriptions: pc5s.DefaultQoS(), UserPlanePolicy: required, IPAddressConfiguration: pc5s.AddressAllocationNotSupported,
			LinkLocal: linkLocal, KNRPIDLSBs: ptr(uint16(0x0100)),
		},
		&pc5s.DirectLinkSecurityModeReject{Cause: pc5s.CauseCapabilitiesMismatch},
		&pc5s.DirectLinkRekeyingRequest{
			Capabilities: pc5s.Capabilities{0x70, 0x70, 0xe0}, KeyEstablishmentInfo: container, Nonce1: ptr([16]byte{1}), KNRPSessMSB: ptr(uint8(9)),
			ReAuthentication: ptr(pc5s.ReAuthenticationRequested),
		},
		&pc5s.DirectLinkRekeyingResponse{SequenceNumber: 9},
		&pc5s.DirectLinkIdentifierUpdateRequest{SourceLayerTwoID: 0x0a0b0c, KNRPSessMSB: 0x53, SourceUserInfo: []byte("alice"), SourceLinkLocal: linkLocal},
		&pc5s.DirectLinkIdentifierUpdateAccept{
			SourceLayerTwoID: 0x0d0e0f, TargetLayerTwoID: 0x0a0b0c, KNRPSessMSB: 0x53, KNRPSessLSB: 0x56,
			SourceUserInfo: []byte("bob"), SourceLinkLocal: ptr([16]byte{0xfe, 0x80, 15: 2}), TargetUserInfo: []byte("alice"), TargetLinkLocal: linkLocal,
		},
		&pc5s.DirectLinkIdentifierUpdateAck{TargetLayerTwoID: 0x0d0e0f, KNRPSessLSB: 0x56, TargetUserInfo: []byte("bob"), TargetLinkLocal: ptr([16]byte{0xfe, 0x80, 15: 2})},
		&pc5s.DirectLinkIdentifierUpdateReject{Cause: pc5s.CauseLayer2IDConflict},
		&pc5s.DirectLinkAuthenticationFailure{KeyEstablishmentInfo: container},
	}
}
