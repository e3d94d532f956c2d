package pc5s

// DirectLinkAuthenticationRequest carries key establishment information of UE_B.
type DirectLinkAuthenticationRequest struct {
	SequenceNumber
	KeyEstablishmentInfo []byte
}

func (*DirectLinkAuthenticationRequest) Type() MessageType {
	return MessageDirectLinkAuthenticationRequest
}

func (m *DirectLinkAuthenticationRequest) rows() table { return container(&m.KeyEstablishmentInfo) }

// DirectLinkAuthenticationResponse carries key establishment information of UE_A.
type DirectLinkAuthenticationResponse struct {
	SequenceNumber
	KeyEstablishmentInfo []byte
}

func (*DirectLinkAuthenticationResponse) Type() MessageType {
	return MessageDirectLinkAuthenticationResponse
}

func (m *DirectLinkAuthenticationResponse) rows() table { return container(&m.KeyEstablishmentInfo) }

func container(p *[]byte) table {
	return table{{"key establishment information container", formatLVE, 0, 1, open, recalled, octets{p}}}
}

// DirectLinkAuthenticationReject refuses UE_A.
type DirectLinkAuthenticationReject struct {
	SequenceNumber
	Cause Cause
}

func (*DirectLinkAuthenticationReject) Type() MessageType {
	return MessageDirectLinkAuthenticationReject
}

func (m *DirectLinkAuthenticationReject) rows() table { return rejection(recalled, &m.Cause) }

// DirectLinkAuthenticationFailure refuses UE_B.
type DirectLinkAuthenticationFailure struct {
	SequenceNumber
	KeyEstablishmentInfo []byte
}

func (*DirectLinkAuthenticationFailure) Type() MessageType {
	return MessageDirectLinkAuthenticationFailure
}

func (m *DirectLinkAuthenticationFailure) rows() table {
	return table{
		{"key establishment information container", formatTLVE, ieiKeyEstablishment, 1, open, recalled, octets{&m.KeyEstablishmentInfo}},
	}
}
