package pc5s

// SequenceNumber numbers a sender's PC5-S messages modulo 256 (TS 24.554, 11.3.2).
type SequenceNumber uint8

// Message is one PC5-S message.
type Message interface {
	Type() MessageType
	sequence() *SequenceNumber
	rows() table
}

func (s *SequenceNumber) sequence() *SequenceNumber { return s }

// newMessage returns an empty message, nil where the type is unknown: reserved, or of relays
// only.
func newMessage(t MessageType) Message {
	switch t {
	case MessageDirectLinkEstablishmentRequest:
		return &DirectLinkEstablishmentRequest{}
	case MessageDirectLinkEstablishmentAccept:
		return &DirectLinkEstablishmentAccept{}
	case MessageDirectLinkEstablishmentReject:
		return &DirectLinkEstablishmentReject{}
	case MessageDirectLinkModificationRequest:
		return &DirectLinkModificationRequest{}
	case MessageDirectLinkModificationAccept:
		return &DirectLinkModificationAccept{}
	case MessageDirectLinkModificationReject:
		return &DirectLinkModificationReject{}
	case MessageDirectLinkReleaseRequest:
		return &DirectLinkReleaseRequest{}
	case MessageDirectLinkReleaseAccept:
		return &DirectLinkReleaseAccept{}
	case MessageDirectLinkKeepaliveRequest:
		return &DirectLinkKeepaliveRequest{}
	case MessageDirectLinkKeepaliveResponse:
		return &DirectLinkKeepaliveResponse{}
	case MessageDirectLinkAuthenticationRequest:
		return &DirectLinkAuthenticationRequest{}
	case MessageDirectLinkAuthenticationResponse:
		return &DirectLinkAuthenticationResponse{}
	case MessageDirectLinkAuthenticationReject:
		return &DirectLinkAuthenticationReject{}
	case MessageDirectLinkSecurityModeCommand:
		return &DirectLinkSecurityModeCommand{}
	case MessageDirectLinkSecurityModeComplete:
		return &DirectLinkSecurityModeComplete{}
	case MessageDirectLinkSecurityModeReject:
		return &DirectLinkSecurityModeReject{}
	case MessageDirectLinkRekeyingRequest:
		return &DirectLinkRekeyingRequest{}
	case MessageDirectLinkRekeyingResponse:
		return &DirectLinkRekeyingResponse{}
	case MessageDirectLinkIdentifierUpdateRequest:
		return &DirectLinkIdentifierUpdateRequest{}
	case MessageDirectLinkIdentifierUpdateAccept:
		return &DirectLinkIdentifierUpdateAccept{}
	case MessageDirectLinkIdentifierUpdateAck:
		return &DirectLinkIdentifierUpdateAck{}
	case MessageDirectLinkIdentifierUpdateReject:
		return &DirectLinkIdentifierUpdateReject{}
	case MessageDirectLinkAuthenticationFailure:
		return &DirectLinkAuthenticationFailure{}
	}
	return nil
}

// rejection is the table of every message that refuses with a cause.
func rejection(e evidence, c *Cause) table {
	return table{{"PC5 signalling protocol cause", formatV, 0, 1, 1, e, octet[Cause]{c}}}
}
