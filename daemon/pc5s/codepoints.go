package pc5s

import "fmt"

// MessageType is a PC5 signalling message type (TS 24.554, 11.3.1).
type MessageType uint8

const (
	MessageDirectLinkEstablishmentRequest    MessageType = 0x01
	MessageDirectLinkEstablishmentAccept     MessageType = 0x02
	MessageDirectLinkEstablishmentReject     MessageType = 0x03
	MessageDirectLinkModificationRequest     MessageType = 0x04
	MessageDirectLinkModificationAccept      MessageType = 0x05
	MessageDirectLinkModificationReject      MessageType = 0x06
	MessageDirectLinkReleaseRequest          MessageType = 0x07
	MessageDirectLinkReleaseAccept           MessageType = 0x08
	MessageDirectLinkKeepaliveRequest        MessageType = 0x09
	MessageDirectLinkKeepaliveResponse       MessageType = 0x0A
	MessageDirectLinkAuthenticationRequest   MessageType = 0x0B // recalled
	MessageDirectLinkAuthenticationResponse  MessageType = 0x0C // recalled
	MessageDirectLinkAuthenticationReject    MessageType = 0x0D // recalled
	MessageDirectLinkSecurityModeCommand     MessageType = 0x0E // recalled
	MessageDirectLinkSecurityModeComplete    MessageType = 0x0F // recalled
	MessageDirectLinkSecurityModeReject      MessageType = 0x10 // recalled
	MessageDirectLinkRekeyingRequest         MessageType = 0x11 // recalled
	MessageDirectLinkRekeyingResponse        MessageType = 0x12 // recalled
	MessageDirectLinkIdentifierUpdateRequest MessageType = 0x13 // recalled
	MessageDirectLinkIdentifierUpdateAccept  MessageType = 0x14 // recalled
	MessageDirectLinkIdentifierUpdateAck     MessageType = 0x15 // recalled
	MessageDirectLinkIdentifierUpdateReject  MessageType = 0x16 // recalled
	MessageDirectLinkAuthenticationFailure   MessageType = 0x17 // recalled
)

// named is a message type's name, and what its code rests on.
type named struct {
	name     string
	evidence evidence
}

var messageTypes = map[MessageType]named{
	MessageDirectLinkEstablishmentRequest:    {"DIRECT LINK ESTABLISHMENT REQUEST", corroborated},
	MessageDirectLinkEstablishmentAccept:     {"DIRECT LINK ESTABLISHMENT ACCEPT", corroborated},
	MessageDirectLinkEstablishmentReject:     {"DIRECT LINK ESTABLISHMENT REJECT", corroborated},
	MessageDirectLinkModificationRequest:     {"DIRECT LINK MODIFICATION REQUEST", corroborated},
	MessageDirectLinkModificationAccept:      {"DIRECT LINK MODIFICATION ACCEPT", corroborated},
	MessageDirectLinkModificationReject:      {"DIRECT LINK MODIFICATION REJECT", corroborated},
	MessageDirectLinkReleaseRequest:          {"DIRECT LINK RELEASE REQUEST", corroborated},
	MessageDirectLinkReleaseAccept:           {"DIRECT LINK RELEASE ACCEPT", corroborated},
	MessageDirectLinkKeepaliveRequest:        {"DIRECT LINK KEEPALIVE REQUEST", corroborated},
	MessageDirectLinkKeepaliveResponse:       {"DIRECT LINK KEEPALIVE RESPONSE", corroborated},
	MessageDirectLinkAuthenticationRequest:   {"DIRECT LINK AUTHENTICATION REQUEST", recalled},
	MessageDirectLinkAuthenticationResponse:  {"DIRECT LINK AUTHENTICATION RESPONSE", recalled},
	MessageDirectLinkAuthenticationReject:    {"DIRECT LINK AUTHENTICATION REJECT", recalled},
	MessageDirectLinkSecurityModeCommand:     {"DIRECT LINK SECURITY MODE COMMAND", recalled},
	MessageDirectLinkSecurityModeComplete:    {"DIRECT LINK SECURITY MODE COMPLETE", recalled},
	MessageDirectLinkSecurityModeReject:      {"DIRECT LINK SECURITY MODE REJECT", recalled},
	MessageDirectLinkRekeyingRequest:         {"DIRECT LINK REKEYING REQUEST", recalled},
	MessageDirectLinkRekeyingResponse:        {"DIRECT LINK REKEYING RESPONSE", recalled},
	MessageDirectLinkIdentifierUpdateRequest: {"DIRECT LINK IDENTIFIER UPDATE REQUEST", recalled},
	MessageDirectLinkIdentifierUpdateAccept:  {"DIRECT LINK IDENTIFIER UPDATE ACCEPT", recalled},
	MessageDirectLinkIdentifierUpdateAck:     {"DIRECT LINK IDENTIFIER UPDATE ACK", recalled},
	MessageDirectLinkIdentifierUpdateReject:  {"DIRECT LINK IDENTIFIER UPDATE REJECT", recalled},
	MessageDirectLinkAuthenticationFailure:   {"DIRECT LINK AUTHENTICATION FAILURE", recalled},
}

func (t MessageType) String() string {
	if m, ok := messageTypes[t]; ok {
		return m.name
	}
	return fmt.Sprintf("message type 0x%02x", uint8(t))
}

// DiscoveryMessageType is the ProSe direct discovery PC5 message type (TS 24.554, 11.2.1):
// discovery type (2 bits), content type (4), model (2).
type DiscoveryMessageType uint8

const (
	MessageOpenDiscoveryAnnouncement        DiscoveryMessageType = 0x41
	MessageRestrictedDiscoveryAnnouncement  DiscoveryMessageType = 0x81
	MessageRestrictedDiscoverySolicitation  DiscoveryMessageType = 0x86
	MessageRestrictedDiscoveryResponse      DiscoveryMessageType = 0x82
	MessageGroupMemberDiscoveryAnnouncement DiscoveryMessageType = 0x99
	MessageGroupMemberDiscoverySolicitation DiscoveryMessageType = 0x9E
	MessageGroupMemberDiscoveryResponse     DiscoveryMessageType = 0x9A
)

var discoveryTypes = map[DiscoveryMessageType]named{
	MessageOpenDiscoveryAnnouncement:        {"PROSE PC5 DISCOVERY open announcement", corroborated},
	MessageRestrictedDiscoveryAnnouncement:  {"PROSE PC5 DISCOVERY restricted announcement", corroborated},
	MessageRestrictedDiscoverySolicitation:  {"PROSE PC5 DISCOVERY restricted solicitation", corroborated},
	MessageRestrictedDiscoveryResponse:      {"PROSE PC5 DISCOVERY restricted response", corroborated},
	MessageGroupMemberDiscoveryAnnouncement: {"PROSE PC5 DISCOVERY group member announcement", recalled},
	MessageGroupMemberDiscoverySolicitation: {"PROSE PC5 DISCOVERY group member solicitation", recalled},
	MessageGroupMemberDiscoveryResponse:     {"PROSE PC5 DISCOVERY group member response", recalled},
}

func (t DiscoveryMessageType) String() string {
	if m, ok := discoveryTypes[t]; ok {
		return m.name
	}
	return fmt.Sprintf("PROSE PC5 DISCOVERY type 0x%02x", uint8(t))
}

// DiscoveryType says who may understand a discovery message.
type DiscoveryType uint8

// Other values are reserved.
const (
	DiscoveryOpen       DiscoveryType = 1
	DiscoveryRestricted DiscoveryType = 2
)

// DiscoveryContent says what a discovery message is for.
type DiscoveryContent uint8

// Those of relays are known, but not implemented. Other values are reserved.
const (
	ContentAnnouncement            DiscoveryContent = 0 // or response
	ContentSolicitation            DiscoveryContent = 1
	contentRelayAnnouncement       DiscoveryContent = 4 // or response
	contentRelaySolicitation       DiscoveryContent = 5
	ContentGroupMemberAnnouncement DiscoveryContent = 6 // or response
	ContentGroupMemberSolicitation DiscoveryContent = 7
	contentRelayInformation        DiscoveryContent = 8
)

// DiscoveryModel says who speaks first: model A announces, model B asks.
type DiscoveryModel uint8

// Other values are reserved.
const (
	ModelA DiscoveryModel = 1
	ModelB DiscoveryModel = 2
)

// DiscoveryType returns the discovery type in a message type.
func (t DiscoveryMessageType) DiscoveryType() DiscoveryType { return DiscoveryType(t >> 6) }

// Content returns the content type in a message type.
func (t DiscoveryMessageType) Content() DiscoveryContent { return DiscoveryContent(t >> 2 & 0xF) }

// Model returns the model in a message type.
func (t DiscoveryMessageType) Model() DiscoveryModel { return DiscoveryModel(t & 3) }

// reserved names the part of a message type that has a reserved value, "" if there is none.
func (t DiscoveryMessageType) reserved() string {
	if d := t.DiscoveryType(); d != DiscoveryOpen && d != DiscoveryRestricted {
		return "discovery type"
	}
	switch t.Content() {
	case ContentAnnouncement, ContentSolicitation, contentRelayAnnouncement, contentRelaySolicitation,
		ContentGroupMemberAnnouncement, ContentGroupMemberSolicitation, contentRelayInformation:
	default:
		return "content type"
	}
	if m := t.Model(); m != ModelA && m != ModelB {
		return "discovery model"
	}
	return ""
}

// IEIs (TS 24.554, 10.3; hexadecimal). The same value may mean different IEs in different
// messages.
const (
	ieiTargetUserInfo          = 0x28
	ieiSourceUserInfo          = 0x28 // recalled, of identifier update
	ieiTargetUserInfoEcho      = 0x29 // chosen
	ieiKNRPID                  = 0x52
	ieiNonce                   = 0x53 // corroborated for Nonce_1, recalled for Nonce_2
	ieiKNRPSessMSB             = 0x54
	ieiKNRPSessLSB             = 0x55 // chosen
	ieiMaximumInactivityPeriod = 0x55 // recalled
	ieiKNRPIDMSBs              = 0x56 // chosen
	ieiIPAddressConfig         = 0x57
	ieiLinkLocal               = 0x58 // chosen in identifier update
	ieiKNRPIDLSBs              = 0x59 // chosen
	ieiReAuthentication        = 0x5A // chosen, with its format
	ieiTargetLinkLocal         = 0x5B // chosen
	ieiKeyEstablishment        = 0x74
	ieiQoSFlowDescriptions     = 0x79 // recalled
	ieiProSeIdentifiers        = 0x7A // chosen, with its format
	ieiMetadata                = 0x7B // chosen, of discovery
	ieiUserPlaneSuite          = 0x90 // Extension, chosen: type 1, the value is in the low half
)

// Classes of IEIs (TS 24.007, 11.2; recalled).
const (
	type1Mask          = 0xF0
	classOneOctet      = 0x80 // from here on: types 1 and 2
	classTLVE          = 0x70 // from here on: TLV-E when unknown
	classComprehension = 0x10 // below: comprehension required
)

// Cause is a PC5 signalling protocol cause (TS 24.554, 11.3.8).
type Cause uint8

const (
	CauseNotAllowed               Cause = 1
	CauseNoLongerNeeded           Cause = 2
	CauseLayer2IDConflict         Cause = 3
	CauseConnectionNotAvailable   Cause = 4
	CauseLackOfResources          Cause = 5
	CauseAuthenticationFailure    Cause = 6
	CauseIntegrityFailure         Cause = 7
	CauseCapabilitiesMismatch     Cause = 8
	CauseLSBConflict              Cause = 9
	CauseSignallingPolicyMismatch Cause = 10
	CauseServiceNotAllowed        Cause = 11
	CauseSecurityPolicyNotAligned Cause = 12
	CauseCongestion               Cause = 13
	CauseAuthSynchronisation      Cause = 14 // of relays
	CauseRelaySecurityFailure     Cause = 15 // of relays
	CauseProtocolError            Cause = 111
)

var causeNames = map[Cause]string{
	CauseNotAllowed:               "direct communication to the target UE not allowed",
	CauseNoLongerNeeded:           "direct communication to the target UE no longer needed",
	CauseLayer2IDConflict:         "conflict of layer-2 ID for unicast communication is detected",
	CauseConnectionNotAvailable:   "direct connection is not available any more",
	CauseLackOfResources:          "lack of resources for PC5 unicast link",
	CauseAuthenticationFailure:    "authentication failure",
	CauseIntegrityFailure:         "integrity failure",
	CauseCapabilitiesMismatch:     "UE security capabilities mismatch",
	CauseLSBConflict:              "LSB of K_NRP-sess ID conflict",
	CauseSignallingPolicyMismatch: "UE PC5 unicast signalling security policy mismatch",
	CauseServiceNotAllowed:        "required service not allowed",
	CauseSecurityPolicyNotAligned: "security policy not aligned",
	CauseCongestion:               "congestion situation",
	CauseAuthSynchronisation:      "authentication synchronisation error",
	CauseRelaySecurityFailure:     "security procedure failure of 5G ProSe UE-to-network relay",
	CauseProtocolError:            "protocol error, unspecified",
}

// String returns the cause's name; an unknown one is a protocol error, unspecified.
func (c Cause) String() string {
	if s, ok := causeNames[c]; ok {
		return s
	}
	return fmt.Sprintf("%s (cause %d)", causeNames[CauseProtocolError], uint8(c))
}

// IPAddressConfiguration is the IE of TS 24.554, 11.3.6.
type IPAddressConfiguration uint8

// All recalled. pc5d gives no addresses to the peer: it says the last one.
const (
	AddressDHCPv4Server              IPAddressConfiguration = 1
	AddressIPv6Router                IPAddressConfiguration = 2
	AddressDHCPv4ServerAndIPv6Router IPAddressConfiguration = 3
	AddressAllocationNotSupported    IPAddressConfiguration = 4
)

// LinkModificationOperation says what a modification request is for (TS 24.554, 11.3.19).
type LinkModificationOperation uint8

// All recalled. Other values are reserved.
const (
	ModificationAssociateServices LinkModificationOperation = 1
	ModificationRemoveServices    LinkModificationOperation = 2
	ModificationAddFlows          LinkModificationOperation = 3
	ModificationModifyFlows       LinkModificationOperation = 4
	ModificationRemoveFlows       LinkModificationOperation = 5
)

var operationNames = [...]string{
	ModificationAssociateServices: "associate new services with existing PC5 QoS flows",
	ModificationRemoveServices:    "remove services from existing PC5 QoS flows",
	ModificationAddFlows:          "add new PC5 QoS flows",
	ModificationModifyFlows:       "modify existing PC5 QoS flows",
	ModificationRemoveFlows:       "remove existing PC5 QoS flows",
}

func (o LinkModificationOperation) String() string {
	if int(o) < len(operationNames) && operationNames[o] != "" {
		return operationNames[o]
	}
	return fmt.Sprintf("reserved operation %d", uint8(o))
}

// ReAuthenticationIndication tells whether re-keying also refreshes K_NRP (TS 24.554, 11.3.24).
type ReAuthenticationIndication uint8

// ReAuthenticationRequested is the only bit with a meaning (recalled); the rest is spare.
const ReAuthenticationRequested ReAuthenticationIndication = 1

// Requested tells whether authentication is to run.
func (i ReAuthenticationIndication) Requested() bool { return i&ReAuthenticationRequested != 0 }

// PC5 QoS flow descriptions (TS 24.554, 11.3.5), all recalled.
const (
	qosHead           = 3 // octets of a description before its parameters
	qosPQFIMask       = 0x3F
	qosOperationShift = 5
	qosE              = 0x40
	qosCountMask      = 0x3F
	// Chosen: the tables have 4 octets, but one deletion has no more than its head.
	minQoSFlowDescriptions = qosHead
)

// QoSOperation is what a QoS flow description is for.
type QoSOperation uint8

// All recalled. Other values are reserved.
const (
	QoSCreate QoSOperation = 1
	QoSDelete QoSOperation = 2
	QoSModify QoSOperation = 3
)

var qosOperationNames = [...]string{QoSCreate: "create", QoSDelete: "delete", QoSModify: "modify"}

func (o QoSOperation) String() string {
	if int(o) < len(qosOperationNames) && qosOperationNames[o] != "" {
		return qosOperationNames[o]
	}
	return fmt.Sprintf("reserved operation %d", uint8(o))
}

// QoSParameterIdentifier names a parameter of a QoS flow description.
type QoSParameterIdentifier uint8

// All recalled.
const (
	QoSPQI                    QoSParameterIdentifier = 0x01
	QoSGuaranteedFlowBitRate  QoSParameterIdentifier = 0x02
	QoSMaximumFlowBitRate     QoSParameterIdentifier = 0x03
	QoSAveragingWindow        QoSParameterIdentifier = 0x04
	QoSResourceType           QoSParameterIdentifier = 0x05
	QoSPriorityLevel          QoSParameterIdentifier = 0x06
	QoSPacketDelayBudget      QoSParameterIdentifier = 0x07
	QoSPacketErrorRate        QoSParameterIdentifier = 0x08
	QoSMaximumDataBurstVolume QoSParameterIdentifier = 0x09
)

// qosLengths has the lengths of the values that are known.
var qosLengths = map[QoSParameterIdentifier]int{
	QoSPQI: 1, QoSGuaranteedFlowBitRate: 3, QoSMaximumFlowBitRate: 3, QoSAveragingWindow: 2,
}

// osID is the OS Id of pc5d's own services, a version 8 UUID. Chosen.
var osID = [osIDLen]byte{0x70, 0x63, 0x35, 0x64, 0x00, 0x00, 0x80, 0x00, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01}

// Values of a half-octet protection field (TS 24.554, 11.3.18; chosen) and of the policies
// (11.3.12, 11.3.23; recalled): 0 not needed, 1 preferred, 2 required, 3 to 6 treated as
// required, 7 reserved.
const (
	protectionOff         = 0
	protectionOn          = 1
	policyRequired        = 2
	valueReserved         = 7
	shiftCiphering        = 4
	maskField             = 0x7
	maxApplicationLayerID = 252
)
