package pc5s

// DirectLinkKeepaliveRequest asks whether the peer is there.
type DirectLinkKeepaliveRequest struct {
	SequenceNumber
	Counter                 uint32  // from 0, one more with every new request
	MaximumInactivityPeriod *uint32 // seconds
}

func (*DirectLinkKeepaliveRequest) Type() MessageType { return MessageDirectLinkKeepaliveRequest }

func (m *DirectLinkKeepaliveRequest) rows() table {
	return table{
		{"keep-alive counter", formatV, 0, 4, 4, recalled, number{&m.Counter}},
		{"maximum inactivity period", formatTV, ieiMaximumInactivityPeriod, 4, 4, recalled, optionalNumber{&m.MaximumInactivityPeriod}},
	}
}

// DirectLinkKeepaliveResponse answers it with the request's counter.
type DirectLinkKeepaliveResponse struct {
	SequenceNumber
	Counter uint32
}

func (*DirectLinkKeepaliveResponse) Type() MessageType { return MessageDirectLinkKeepaliveResponse }

func (m *DirectLinkKeepaliveResponse) rows() table {
	return table{{"keep-alive counter", formatV, 0, 4, 4, recalled, number{&m.Counter}}}
}
