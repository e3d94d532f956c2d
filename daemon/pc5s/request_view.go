package pc5s

// EstablishmentRequestView is a DIRECT LINK ESTABLISHMENT REQUEST as it lies in its datagram:
// everything is part of the octets that were read, and absent where it is empty. It is for whoever
// reads requests of strangers, one after the other, and must not use memory for them (T30).
type EstablishmentRequestView struct {
	SequenceNumber
	SourceUserInfo       []byte
	Capabilities         []byte
	SecurityPolicy       SecurityPolicy
	KeyEstablishmentInfo []byte
	Nonce1               []byte
	KNRPSessMSB          []byte
	TargetUserInfo       []byte
	KNRPID               []byte
	ProSeIdentifiers     []byte
}

func (*EstablishmentRequestView) Type() MessageType { return MessageDirectLinkEstablishmentRequest }

func (v *EstablishmentRequestView) rows() table {
	return establishmentRequestRows(requestFields{
		sourceUserInfo: identity{&v.SourceUserInfo}, capabilities: octets{&v.Capabilities}, securityPolicy: securityPolicy{&v.SecurityPolicy},
		keyEstablishmentInfo: octets{&v.KeyEstablishmentInfo}, nonce1: octets{&v.Nonce1}, knrpSessMSB: octets{&v.KNRPSessMSB},
		targetUserInfo: identity{&v.TargetUserInfo}, knrpID: octets{&v.KNRPID}, proSeIdentifiers: identifiers{&v.ProSeIdentifiers},
	})
}

// requestFields are where the IEs of an establishment request go.
type requestFields struct {
	sourceUserInfo, capabilities, securityPolicy, keyEstablishmentInfo, nonce1, knrpSessMSB, targetUserInfo, knrpID, proSeIdentifiers field
}

// establishmentRequestRows is the table of the request (TS 24.554, 10.3.1). The relay-only IEs that
// may follow are skipped as unknown.
func establishmentRequestRows(f requestFields) table {
	return table{
		{"source user info", formatLV, 0, 1, maxApplicationLayerID, recalled, f.sourceUserInfo},
		{"UE security capabilities", formatLV, 0, 2, 8, corroborated, f.capabilities},
		{"UE PC5 unicast signalling security policy", formatV, 0, 1, 1, corroborated, f.securityPolicy},
		{"key establishment information container", formatTLVE, ieiKeyEstablishment, 1, open, corroborated, f.keyEstablishmentInfo},
		{"Nonce_1", formatTV, ieiNonce, 16, 16, corroborated, f.nonce1},
		{"MSB of K_NRP-sess ID", formatTV, ieiKNRPSessMSB, 1, 1, corroborated, f.knrpSessMSB},
		{"target user info", formatTLV, ieiTargetUserInfo, 1, maxApplicationLayerID, corroborated, f.targetUserInfo},
		{"K_NRP ID", formatTV, ieiKNRPID, 4, 4, corroborated, f.knrpID},
		{"ProSe identifiers", formatTLVE, ieiProSeIdentifiers, 1, open, chosen, f.proSeIdentifiers},
	}
}
