package pc5s

import "pc5d/dataplane/underlay"

// LayerTwoID is a 24-bit layer-2 ID (TS 24.554, 11.3.25). Whether one may name the end of a
// link is the procedure's to judge.
type LayerTwoID = underlay.LayerTwoID

// DirectLinkIdentifierUpdateRequest has the initiator's new identifiers.
type DirectLinkIdentifierUpdateRequest struct {
	SequenceNumber
	SourceLayerTwoID LayerTwoID
	KNRPSessMSB      uint8
	SourceUserInfo   []byte
	SourceLinkLocal  *[16]byte
}

func (*DirectLinkIdentifierUpdateRequest) Type() MessageType {
	return MessageDirectLinkIdentifierUpdateRequest
}

func (m *DirectLinkIdentifierUpdateRequest) rows() table {
	return table{
		{"source layer-2 ID", formatV, 0, 3, 3, recalled, layerTwoID{&m.SourceLayerTwoID}},
		{"MSB of K_NRP-sess ID", formatV, 0, 1, 1, recalled, octet[uint8]{&m.KNRPSessMSB}},
		{"source user info", formatTLV, ieiSourceUserInfo, 1, maxApplicationLayerID, recalled, identity{&m.SourceUserInfo}},
		{"source link local IPv6 address", formatTV, ieiLinkLocal, 16, 16, chosen, optional16{&m.SourceLinkLocal}},
	}
}

// DirectLinkIdentifierUpdateAccept has the target's new identifiers and echoes the initiator's.
type DirectLinkIdentifierUpdateAccept struct {
	SequenceNumber
	SourceLayerTwoID LayerTwoID
	TargetLayerTwoID LayerTwoID
	KNRPSessMSB      uint8
	KNRPSessLSB      uint8
	SourceUserInfo   []byte
	SourceLinkLocal  *[16]byte
	TargetUserInfo   []byte
	TargetLinkLocal  *[16]byte
}

func (*DirectLinkIdentifierUpdateAccept) Type() MessageType {
	return MessageDirectLinkIdentifierUpdateAccept
}

func (m *DirectLinkIdentifierUpdateAccept) rows() table {
	return table{
		{"source layer-2 ID", formatV, 0, 3, 3, chosen, layerTwoID{&m.SourceLayerTwoID}},
		{"target layer-2 ID", formatV, 0, 3, 3, chosen, layerTwoID{&m.TargetLayerTwoID}},
		{"MSB of K_NRP-sess ID", formatV, 0, 1, 1, chosen, octet[uint8]{&m.KNRPSessMSB}},
		{"LSB of K_NRP-sess ID", formatV, 0, 1, 1, chosen, octet[uint8]{&m.KNRPSessLSB}},
		{"source user info", formatTLV, ieiSourceUserInfo, 1, maxApplicationLayerID, recalled, identity{&m.SourceUserInfo}},
		{"source link local IPv6 address", formatTV, ieiLinkLocal, 16, 16, chosen, optional16{&m.SourceLinkLocal}},
		{"target user info", formatTLV, ieiTargetUserInfoEcho, 1, maxApplicationLayerID, chosen, identity{&m.TargetUserInfo}},
		{"target link local IPv6 address", formatTV, ieiTargetLinkLocal, 16, 16, chosen, optional16{&m.TargetLinkLocal}},
	}
}

// DirectLinkIdentifierUpdateAck echoes the target's new identifiers.
type DirectLinkIdentifierUpdateAck struct {
	SequenceNumber
	TargetLayerTwoID LayerTwoID
	KNRPSessLSB      uint8
	TargetUserInfo   []byte
	TargetLinkLocal  *[16]byte
}

func (*DirectLinkIdentifierUpdateAck) Type() MessageType { return MessageDirectLinkIdentifierUpdateAck }

func (m *DirectLinkIdentifierUpdateAck) rows() table {
	return table{
		{"target layer-2 ID", formatV, 0, 3, 3, chosen, layerTwoID{&m.TargetLayerTwoID}},
		{"LSB of K_NRP-sess ID", formatV, 0, 1, 1, chosen, octet[uint8]{&m.KNRPSessLSB}},
		{"target user info", formatTLV, ieiTargetUserInfoEcho, 1, maxApplicationLayerID, chosen, identity{&m.TargetUserInfo}},
		{"target link local IPv6 address", formatTV, ieiTargetLinkLocal, 16, 16, chosen, optional16{&m.TargetLinkLocal}},
	}
}

// DirectLinkIdentifierUpdateReject refuses the update.
type DirectLinkIdentifierUpdateReject struct {
	SequenceNumber
	Cause Cause
}

func (*DirectLinkIdentifierUpdateReject) Type() MessageType {
	return MessageDirectLinkIdentifierUpdateReject
}

func (m *DirectLinkIdentifierUpdateReject) rows() table { return rejection(recalled, &m.Cause) }
