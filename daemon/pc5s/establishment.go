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

func (m *DirectLinkEstablishmentRequest) rows() table {
	return establishmentRequestRows(requestFields{
		sourceUserInfo: identity{&m.SourceUserInfo}, capabilities: octets{(*[]byte)(&m.Capabilities)}, securityPolicy: securityPolicy{&m.SecurityPolicy},
		keyEstablishmentInfo: octets{&m.KeyEstablishmentInfo}, nonce1: optional16{&m.Nonce1}, knrpSessMSB: optionalOctet[uint8]{&m.KNRPSessMSB},
		targetUserInfo: identity{&m.TargetUserInfo}, knrpID: optionalNumber{&m.KNRPID}, proSeIdentifiers: identifiers{&m.ProSeIdentifiers},
	})
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
