package pc5s

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
	KNRPID               *uint32
	ProSeIdentifiers     []byte
}

func (*DirectLinkEstablishmentRequest) Type() MessageType {
	return MessageDirectLinkEstablishmentRequest
}

// The relay-only IEs that may follow are skipped as unknown.
func (m *DirectLinkEstablishmentRequest) rows() table {
	return table{
		{"source user info", formatLV, 0, 1, maxApplicationLayerID, recalled, identity{&m.SourceUserInfo}},
		{"UE security capabilities", formatLV, 0, 2, 8, corroborated, octets{(*[]byte)(&m.Capabilities)}},
		{"UE PC5 unicast signalling security policy", formatV, 0, 1, 1, corroborated, securityPolicy{&m.SecurityPolicy}},
		{"key establishment information container", formatTLVE, ieiKeyEstablishment, 1, open, corroborated, octets{&m.KeyEstablishmentInfo}},
		{"Nonce_1", formatTV, ieiNonce, 16, 16, corroborated, optional16{&m.Nonce1}},
		{"MSB of K_NRP-sess ID", formatTV, ieiKNRPSessMSB, 1, 1, corroborated, optionalOctet[uint8]{&m.KNRPSessMSB}},
		{"target user info", formatTLV, ieiTargetUserInfo, 1, maxApplicationLayerID, corroborated, identity{&m.TargetUserInfo}},
		{"K_NRP ID", formatTV, ieiKNRPID, 4, 4, corroborated, optionalNumber{&m.KNRPID}},
		{"ProSe identifiers", formatTLVE, ieiProSeIdentifiers, 1, open, chosen, identifiers{&m.ProSeIdentifiers}},
	}
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

func (*DirectLinkEstablishmentAccept) Type() MessageType { return MessageDirectLinkEstablishmentAccept }

func (m *DirectLinkEstablishmentAccept) rows() table {
	return table{
		{"source user info", formatLV, 0, 1, maxApplicationLayerID, corroborated, identity{&m.SourceUserInfo}},
		{"QoS flow descriptions", formatLVE, 0, minQoSFlowDescriptions, open, corroborated, qosFlows{&m.QoSFlowDescriptions}},
		{"configuration of UE PC5 unicast user plane security protection", formatV, 0, 1, 1, corroborated, configuration{&m.UserPlane}},
		{"IP address configuration", formatTV, ieiIPAddressConfig, 1, 1, corroborated, nonZero[IPAddressConfiguration]{&m.IPAddressConfiguration}},
		{"link local IPv6 address", formatTV, ieiLinkLocal, 16, 16, corroborated, optional16{&m.LinkLocal}},
	}
}

// DirectLinkEstablishmentReject refuses a request (TS 24.554, 10.3.3).
type DirectLinkEstablishmentReject struct {
	SequenceNumber
	Cause Cause
}

func (*DirectLinkEstablishmentReject) Type() MessageType { return MessageDirectLinkEstablishmentReject }

func (m *DirectLinkEstablishmentReject) rows() table { return rejection(corroborated, &m.Cause) }
