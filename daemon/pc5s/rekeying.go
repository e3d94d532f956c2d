package pc5s

// DirectLinkRekeyingRequest starts a security mode run on a link that exists.
type DirectLinkRekeyingRequest struct {
	SequenceNumber
	Capabilities         Capabilities
	KeyEstablishmentInfo []byte
	Nonce1               *[16]byte
	KNRPSessMSB          *uint8
	ReAuthentication     *ReAuthenticationIndication
}

func (*DirectLinkRekeyingRequest) Type() MessageType { return MessageDirectLinkRekeyingRequest }

func (m *DirectLinkRekeyingRequest) rows() table {
	return table{
		{"UE security capabilities", formatLV, 0, 2, 8, recalled, octets{(*[]byte)(&m.Capabilities)}},
		{"key establishment information container", formatTLVE, ieiKeyEstablishment, 1, open, recalled, octets{&m.KeyEstablishmentInfo}},
		{"Nonce_1", formatTV, ieiNonce, 16, 16, recalled, optional16{&m.Nonce1}},
		{"MSB of K_NRP-sess ID", formatTV, ieiKNRPSessMSB, 1, 1, recalled, optionalOctet[uint8]{&m.KNRPSessMSB}},
		{"re-authentication indication", formatTV, ieiReAuthentication, 1, 1, chosen, reAuthentication{&m.ReAuthentication}},
	}
}

// DirectLinkRekeyingResponse ends re-keying.
type DirectLinkRekeyingResponse struct {
	SequenceNumber
}

func (*DirectLinkRekeyingResponse) Type() MessageType { return MessageDirectLinkRekeyingResponse }

func (*DirectLinkRekeyingResponse) rows() table { return table{} }

// reAuthentication keeps the bit that means something; the spare ones are sent as 0.
type reAuthentication struct{ p **ReAuthenticationIndication }

func (f reAuthentication) present() bool { return *f.p != nil }
func (f reAuthentication) appendTo(b []byte) []byte {
	return append(b, byte(**f.p&ReAuthenticationRequested))
}
func (f reAuthentication) parse(b []byte) error {
	v := ReAuthenticationIndication(b[0]) & ReAuthenticationRequested
	*f.p = &v
	return nil
}
