package pc5s

import "pc5d/dataplane/suite"

// One table per message, one row per IE, in the order of TS 24.554, 10.3. K_NRP ID, the
// relay-only IEs and the rest that this version does not send are skipped as unknown.

func (*DirectLinkEstablishmentRequest) Type() MessageType {
	return MessageDirectLinkEstablishmentRequest
}
func (m *DirectLinkEstablishmentRequest) rows() []row {
	return []row{
		{"source user info", formatLV, 0, 1, maxApplicationLayerID, identity{&m.SourceUserInfo}},
		{"UE security capabilities", formatLV, 0, 2, 8, octets{(*[]byte)(&m.Capabilities)}},
		{"UE PC5 unicast signalling security policy", formatV, 0, 1, 1, securityPolicy{&m.SecurityPolicy}},
		{"key establishment information container", formatTLVE, ieiKeyEstablishment, 1, open, octets{&m.KeyEstablishmentInfo}},
		{"Nonce_1", formatTV, ieiNonce, 16, 16, optional16{&m.Nonce1}},
		{"MSB of K_NRP-sess ID", formatTV, ieiKNRPSessMSB, 1, 1, optionalOctet[uint8]{&m.KNRPSessMSB}},
		{"target user info", formatTLV, ieiTargetUserInfo, 1, maxApplicationLayerID, identity{&m.TargetUserInfo}},
		{"ProSe identifiers", formatTLVE, ieiProSeIdentifiers, 1, open, octets{&m.ProSeIdentifiers}},
	}
}

func (*DirectLinkEstablishmentAccept) Type() MessageType { return MessageDirectLinkEstablishmentAccept }
func (m *DirectLinkEstablishmentAccept) rows() []row {
	return []row{
		{"source user info", formatLV, 0, 1, maxApplicationLayerID, identity{&m.SourceUserInfo}},
		{"QoS flow descriptions", formatLVE, 0, 4, open, octets{&m.QoSFlowDescriptions}},
		{"configuration of UE PC5 unicast user plane security protection", formatV, 0, 1, 1, configuration{&m.UserPlane}},
		{"IP address configuration", formatTV, ieiIPAddressConfig, 1, 1, nonZero[IPAddressConfiguration]{&m.IPAddressConfiguration}},
		{"link local IPv6 address", formatTV, ieiLinkLocal, 16, 16, optional16{&m.LinkLocal}},
	}
}

func causeRow(c *Cause) []row {
	return []row{{"PC5 signalling protocol cause", formatV, 0, 1, 1, octet[Cause]{c}}}
}

func containerRow(p *[]byte) []row {
	return []row{{"key establishment information container", formatLVE, 0, 1, open, octets{p}}}
}

func (*DirectLinkEstablishmentReject) Type() MessageType { return MessageDirectLinkEstablishmentReject }
func (m *DirectLinkEstablishmentReject) rows() []row     { return causeRow(&m.Cause) }

func (*DirectLinkReleaseRequest) Type() MessageType { return MessageDirectLinkReleaseRequest }
func (m *DirectLinkReleaseRequest) rows() []row {
	return append(causeRow(&m.Cause), row{"MSBs of K_NRP ID", formatV, 0, 2, 2, half{&m.KNRPIDMSBs}})
}

func (*DirectLinkReleaseAccept) Type() MessageType { return MessageDirectLinkReleaseAccept }
func (m *DirectLinkReleaseAccept) rows() []row {
	return []row{{"LSBs of K_NRP ID", formatV, 0, 2, 2, half{&m.KNRPIDLSBs}}}
}

func (*DirectLinkAuthenticationRequest) Type() MessageType {
	return MessageDirectLinkAuthenticationRequest
}
func (m *DirectLinkAuthenticationRequest) rows() []row { return containerRow(&m.KeyEstablishmentInfo) }

func (*DirectLinkAuthenticationResponse) Type() MessageType {
	return MessageDirectLinkAuthenticationResponse
}
func (m *DirectLinkAuthenticationResponse) rows() []row {
	return containerRow(&m.KeyEstablishmentInfo)
}

func (*DirectLinkAuthenticationReject) Type() MessageType {
	return MessageDirectLinkAuthenticationReject
}
func (m *DirectLinkAuthenticationReject) rows() []row { return causeRow(&m.Cause) }

func (*DirectLinkAuthenticationFailure) Type() MessageType {
	return MessageDirectLinkAuthenticationFailure
}
func (m *DirectLinkAuthenticationFailure) rows() []row {
	return []row{{"key establishment information container", formatTLVE, ieiKeyEstablishment, 1, open, octets{&m.KeyEstablishmentInfo}}}
}

func (*DirectLinkSecurityModeCommand) Type() MessageType { return MessageDirectLinkSecurityModeCommand }
func (m *DirectLinkSecurityModeCommand) rows() []row {
	return []row{
		{"selected security algorithms", formatV, 0, 1, 1, selected{&m.Selected}},
		{"UE security capabilities", formatLV, 0, 2, 8, octets{(*[]byte)(&m.Capabilities)}},
		{"UE PC5 unicast signalling security policy", formatV, 0, 1, 1, securityPolicy{&m.SecurityPolicy}},
		{"Nonce_2", formatTV, ieiNonce, 16, 16, optional16{&m.Nonce2}},
		{"LSB of K_NRP-sess ID", formatTV, ieiKNRPSessLSB, 1, 1, optionalOctet[uint8]{&m.KNRPSessLSB}},
		{"key establishment information container", formatTLVE, ieiKeyEstablishment, 1, open, octets{&m.KeyEstablishmentInfo}},
		{"MSBs of K_NRP ID", formatTV, ieiKNRPIDMSBs, 2, 2, optionalHalf{&m.KNRPIDMSBs}},
		{"user plane suite", formatType1, ieiUserPlaneSuite, 1, 1, optionalOctet[suite.ID]{&m.UserPlaneSuite}},
	}
}

func (*DirectLinkSecurityModeComplete) Type() MessageType {
	return MessageDirectLinkSecurityModeComplete
}
func (m *DirectLinkSecurityModeComplete) rows() []row {
	return []row{
		{"QoS flow descriptions", formatLVE, 0, 4, open, octets{&m.QoSFlowDescriptions}},
		{"UE PC5 unicast user plane security policy", formatV, 0, 1, 1, securityPolicy{&m.UserPlanePolicy}},
		{"IP address configuration", formatTV, ieiIPAddressConfig, 1, 1, nonZero[IPAddressConfiguration]{&m.IPAddressConfiguration}},
		{"link local IPv6 address", formatTV, ieiLinkLocal, 16, 16, optional16{&m.LinkLocal}},
		{"LSBs of K_NRP ID", formatTV, ieiKNRPIDLSBs, 2, 2, optionalHalf{&m.KNRPIDLSBs}},
	}
}

func (*DirectLinkSecurityModeReject) Type() MessageType { return MessageDirectLinkSecurityModeReject }
func (m *DirectLinkSecurityModeReject) rows() []row     { return causeRow(&m.Cause) }
