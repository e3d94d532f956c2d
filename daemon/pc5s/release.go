package pc5s

// DirectLinkReleaseRequest ends a link (TS 24.554, 10.3.4). With cause 13 others may add a
// back-off timer; pc5d does not send it and skips it.
type DirectLinkReleaseRequest struct {
	SequenceNumber
	Cause      Cause
	KNRPIDMSBs uint16
}

func (*DirectLinkReleaseRequest) Type() MessageType { return MessageDirectLinkReleaseRequest }

func (m *DirectLinkReleaseRequest) rows() table {
	return table{
		{"PC5 signalling protocol cause", formatV, 0, 1, 1, corroborated, octet[Cause]{&m.Cause}},
		{"MSBs of K_NRP ID", formatV, 0, 2, 2, corroborated, half{&m.KNRPIDMSBs}},
	}
}

// DirectLinkReleaseAccept answers it (TS 24.554, 10.3.5).
type DirectLinkReleaseAccept struct {
	SequenceNumber
	KNRPIDLSBs uint16
}

func (*DirectLinkReleaseAccept) Type() MessageType { return MessageDirectLinkReleaseAccept }

// One implementation sends a cause here, which the recalled text does not have.
func (m *DirectLinkReleaseAccept) rows() table {
	return table{
		{"PC5 signalling protocol cause", formatUnsentV, 0, 1, 1, chosen, nil},
		{"LSBs of K_NRP ID", formatV, 0, 2, 2, corroborated, half{&m.KNRPIDLSBs}},
	}
}
