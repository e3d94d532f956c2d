package pc5s

import (
	"math"

	"pc5d/dataplane/suite"
)

// SequenceNumber numbers a sender's PC5-S messages modulo 256 (TS 24.554, 11.3.2).
type SequenceNumber uint8

// Message is one PC5-S message.
type Message interface {
	Type() MessageType
	sequence() *SequenceNumber
	rows() []row
}

func (s *SequenceNumber) sequence() *SequenceNumber { return s }

// DirectLinkEstablishmentRequest starts a link (TS 24.554, 10.3.1).
type DirectLinkEstablishmentRequest struct {
	SequenceNumber
	SourceUserInfo       []byte
	Capabilities         Capabilities
	SecurityPolicy       SecurityPolicy
	KeyEstablishmentInfo []byte
	Nonce1               *[16]byte
	KNRPSessMSB          *uint8
	TargetUserInfo       []byte
	ProSeIdentifiers     []byte
}

// DirectLinkEstablishmentAccept ends establishment at UE_B (TS 24.554, 10.3.2).
type DirectLinkEstablishmentAccept struct {
	SequenceNumber
	SourceUserInfo         []byte
	QoSFlowDescriptions    []byte
	UserPlane              UserPlaneConfiguration
	IPAddressConfiguration IPAddressConfiguration
	LinkLocal              *[16]byte
}

// DirectLinkEstablishmentReject refuses a request (TS 24.554, 10.3.3).
type DirectLinkEstablishmentReject struct {
	SequenceNumber
	Cause Cause
}

// DirectLinkReleaseRequest ends a link (TS 24.554, 10.3.4).
type DirectLinkReleaseRequest struct {
	SequenceNumber
	Cause      Cause
	KNRPIDMSBs uint16
}

// DirectLinkReleaseAccept answers it (TS 24.554, 10.3.5).
type DirectLinkReleaseAccept struct {
	SequenceNumber
	KNRPIDLSBs uint16
}

// DirectLinkAuthenticationRequest carries key establishment information of UE_B.
type DirectLinkAuthenticationRequest struct {
	SequenceNumber
	KeyEstablishmentInfo []byte
}

// DirectLinkAuthenticationResponse carries key establishment information of UE_A.
type DirectLinkAuthenticationResponse struct {
	SequenceNumber
	KeyEstablishmentInfo []byte
}

// DirectLinkAuthenticationReject refuses UE_A.
type DirectLinkAuthenticationReject struct {
	SequenceNumber
	Cause Cause
}

// DirectLinkAuthenticationFailure refuses UE_B.
type DirectLinkAuthenticationFailure struct {
	SequenceNumber
	KeyEstablishmentInfo []byte
}

// DirectLinkSecurityModeCommand names the chosen algorithms and echoes what UE_A sent.
type DirectLinkSecurityModeCommand struct {
	SequenceNumber
	Selected             SelectedAlgorithms
	Capabilities         Capabilities
	SecurityPolicy       SecurityPolicy
	Nonce2               *[16]byte
	KNRPSessLSB          *uint8
	KeyEstablishmentInfo []byte
	KNRPIDMSBs           *uint16
	UserPlaneSuite       *suite.ID // Extension
}

// DirectLinkSecurityModeComplete answers it with UE_A's user plane policy.
type DirectLinkSecurityModeComplete struct {
	SequenceNumber
	QoSFlowDescriptions    []byte
	UserPlanePolicy        SecurityPolicy
	IPAddressConfiguration IPAddressConfiguration
	LinkLocal              *[16]byte
	KNRPIDLSBs             *uint16
}

// DirectLinkSecurityModeReject refuses the command.
type DirectLinkSecurityModeReject struct {
	SequenceNumber
	Cause Cause
}

const open = math.MaxUint16 // length of an open-ended IE

func newMessage(t MessageType) Message {
	switch t {
	case MessageDirectLinkEstablishmentRequest:
		return &DirectLinkEstablishmentRequest{}
	case MessageDirectLinkEstablishmentAccept:
		return &DirectLinkEstablishmentAccept{}
	case MessageDirectLinkEstablishmentReject:
		return &DirectLinkEstablishmentReject{}
	case MessageDirectLinkReleaseRequest:
		return &DirectLinkReleaseRequest{}
	case MessageDirectLinkReleaseAccept:
		return &DirectLinkReleaseAccept{}
	case MessageDirectLinkAuthenticationRequest:
		return &DirectLinkAuthenticationRequest{}
	case MessageDirectLinkAuthenticationResponse:
		return &DirectLinkAuthenticationResponse{}
	case MessageDirectLinkAuthenticationReject:
		return &DirectLinkAuthenticationReject{}
	case MessageDirectLinkAuthenticationFailure:
		return &DirectLinkAuthenticationFailure{}
	case MessageDirectLinkSecurityModeCommand:
		return &DirectLinkSecurityModeCommand{}
	case MessageDirectLinkSecurityModeComplete:
		return &DirectLinkSecurityModeComplete{}
	case MessageDirectLinkSecurityModeReject:
		return &DirectLinkSecurityModeReject{}
	}
	return nil
}
