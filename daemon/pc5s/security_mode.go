package pc5s

import "pc5d/dataplane/suite"

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

func (*DirectLinkSecurityModeCommand) Type() MessageType { return MessageDirectLinkSecurityModeCommand }

func (m *DirectLinkSecurityModeCommand) rows() table {
	return table{
		{"selected security algorithms", formatV, 0, 1, 1, recalled, selected{&m.Selected}},
		{"UE security capabilities", formatLV, 0, 2, 8, recalled, octets{(*[]byte)(&m.Capabilities)}},
		{"UE PC5 unicast signalling security policy", formatV, 0, 1, 1, recalled, securityPolicy{&m.SecurityPolicy}},
		{"Nonce_2", formatTV, ieiNonce, 16, 16, recalled, optional16{&m.Nonce2}},
		{"LSB of K_NRP-sess ID", formatTV, ieiKNRPSessLSB, 1, 1, chosen, optionalOctet[uint8]{&m.KNRPSessLSB}},
		{"key establishment information container", formatTLVE, ieiKeyEstablishment, 1, open, corroborated, octets{&m.KeyEstablishmentInfo}},
		{"MSBs of K_NRP ID", formatTV, ieiKNRPIDMSBs, 2, 2, chosen, optionalHalf{&m.KNRPIDMSBs}},
		{"user plane suite (Extension)", formatType1, ieiUserPlaneSuite, 1, 1, chosen, optionalNibble[suite.ID]{&m.UserPlaneSuite}},
	}
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

func (*DirectLinkSecurityModeComplete) Type() MessageType {
	return MessageDirectLinkSecurityModeComplete
}

func (m *DirectLinkSecurityModeComplete) rows() table {
	return table{
		{"QoS flow descriptions", formatLVE, 0, minQoSFlowDescriptions, open, recalled, qosFlows{&m.QoSFlowDescriptions}},
		{"UE PC5 unicast user plane security policy", formatV, 0, 1, 1, recalled, securityPolicy{&m.UserPlanePolicy}},
		{"IP address configuration", formatTV, ieiIPAddressConfig, 1, 1, recalled, nonZero[IPAddressConfiguration]{&m.IPAddressConfiguration}},
		{"link local IPv6 address", formatTV, ieiLinkLocal, 16, 16, recalled, optional16{&m.LinkLocal}},
		{"LSBs of K_NRP ID", formatTV, ieiKNRPIDLSBs, 2, 2, chosen, optionalHalf{&m.KNRPIDLSBs}},
	}
}

// DirectLinkSecurityModeReject refuses the command.
type DirectLinkSecurityModeReject struct {
	SequenceNumber
	Cause Cause
}

func (*DirectLinkSecurityModeReject) Type() MessageType { return MessageDirectLinkSecurityModeReject }

func (m *DirectLinkSecurityModeReject) rows() table { return rejection(recalled, &m.Cause) }
