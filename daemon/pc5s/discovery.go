package pc5s

// Discovery is one PROSE PC5 DISCOVERY message (TS 24.554, 10.2): a type octet without a
// sequence number, then IEs as in PC5-S messages. Those of relays are not here. Nothing in it is
// protected by PDCP; who checks the MIC does it over the octets as received.
type Discovery interface {
	Type() DiscoveryMessageType
	rows() table
}

// DiscoveryCode is a ProSe application, restricted, query or response code (TS 24.554, 11.2.2
// and 11.2.3).
type DiscoveryCode [23]byte

// MIC is the message integrity check of discovery (TS 24.554, 11.2.4).
type MIC [4]byte

// UserInfoID names a member of a group (TS 24.554, 11.2.7; its length is chosen, as in LTE).
type UserInfoID [6]byte

// OpenDiscoveryAnnouncement says in model A that somebody is there.
type OpenDiscoveryAnnouncement struct {
	ApplicationCode DiscoveryCode
	MIC             MIC
	UTCCounterLSB   uint8 // low bits of a counter of seconds
	Metadata        []byte
}

func (*OpenDiscoveryAnnouncement) Type() DiscoveryMessageType {
	return MessageOpenDiscoveryAnnouncement
}

func (m *OpenDiscoveryAnnouncement) rows() table {
	return codeTable("ProSe application code", corroborated, &m.ApplicationCode, &m.MIC, &m.UTCCounterLSB, &m.Metadata)
}

// RestrictedDiscoveryAnnouncement says it in model A to those who know the code.
type RestrictedDiscoveryAnnouncement struct {
	RestrictedCode DiscoveryCode
	MIC            MIC
	UTCCounterLSB  uint8
	Metadata       []byte
}

func (*RestrictedDiscoveryAnnouncement) Type() DiscoveryMessageType {
	return MessageRestrictedDiscoveryAnnouncement
}

func (m *RestrictedDiscoveryAnnouncement) rows() table {
	return codeTable("ProSe restricted code", recalled, &m.RestrictedCode, &m.MIC, &m.UTCCounterLSB, &m.Metadata)
}

// RestrictedDiscoverySolicitation asks in model B who is there.
type RestrictedDiscoverySolicitation struct {
	QueryCode     DiscoveryCode
	MIC           MIC
	UTCCounterLSB uint8
	Metadata      []byte
}

func (*RestrictedDiscoverySolicitation) Type() DiscoveryMessageType {
	return MessageRestrictedDiscoverySolicitation
}

func (m *RestrictedDiscoverySolicitation) rows() table {
	return codeTable("ProSe query code", corroborated, &m.QueryCode, &m.MIC, &m.UTCCounterLSB, &m.Metadata)
}

// RestrictedDiscoveryResponse answers it.
type RestrictedDiscoveryResponse struct {
	ResponseCode  DiscoveryCode
	MIC           MIC
	UTCCounterLSB uint8
	Metadata      []byte
}

func (*RestrictedDiscoveryResponse) Type() DiscoveryMessageType {
	return MessageRestrictedDiscoveryResponse
}

func (m *RestrictedDiscoveryResponse) rows() table {
	return codeTable("ProSe response code", corroborated, &m.ResponseCode, &m.MIC, &m.UTCCounterLSB, &m.Metadata)
}

// codeTable is the table of every message with a code.
func codeTable(name string, e evidence, code *DiscoveryCode, mic *MIC, counter *uint8, metadata *[]byte) table {
	return table{
		{name, formatV, 0, len(code), len(code), e, discoveryCode{code}},
		{"MIC", formatV, 0, len(mic), len(mic), e, discoveryMIC{mic}},
		{"UTC-based counter LSB", formatV, 0, 1, 1, e, octet[uint8]{counter}},
		{"metadata", formatTLVE, ieiMetadata, 1, open, chosen, octets{metadata}},
	}
}

// GroupMemberDiscoveryAnnouncement says in model A that a member of a group is there.
type GroupMemberDiscoveryAnnouncement struct {
	ApplicationLayerGroupID []byte
	AnnouncerInfo           UserInfoID
	MIC                     MIC
	UTCCounterLSB           uint8
	Metadata                []byte
}

func (*GroupMemberDiscoveryAnnouncement) Type() DiscoveryMessageType {
	return MessageGroupMemberDiscoveryAnnouncement
}

func (m *GroupMemberDiscoveryAnnouncement) rows() table {
	return memberTable("announcer info", &m.ApplicationLayerGroupID, &m.AnnouncerInfo, &m.MIC, &m.UTCCounterLSB, &m.Metadata)
}

// GroupMemberDiscoverySolicitation asks in model B which members of a group are there.
type GroupMemberDiscoverySolicitation struct {
	ApplicationLayerGroupID []byte
	DiscovererInfo          UserInfoID
	MIC                     MIC
	UTCCounterLSB           uint8
	Metadata                []byte
}

func (*GroupMemberDiscoverySolicitation) Type() DiscoveryMessageType {
	return MessageGroupMemberDiscoverySolicitation
}

func (m *GroupMemberDiscoverySolicitation) rows() table {
	return memberTable("discoverer info", &m.ApplicationLayerGroupID, &m.DiscovererInfo, &m.MIC, &m.UTCCounterLSB, &m.Metadata)
}

// GroupMemberDiscoveryResponse answers it.
type GroupMemberDiscoveryResponse struct {
	ApplicationLayerGroupID []byte
	DiscovereeInfo          UserInfoID
	MIC                     MIC
	UTCCounterLSB           uint8
	Metadata                []byte
}

func (*GroupMemberDiscoveryResponse) Type() DiscoveryMessageType {
	return MessageGroupMemberDiscoveryResponse
}

func (m *GroupMemberDiscoveryResponse) rows() table {
	return memberTable("discoveree info", &m.ApplicationLayerGroupID, &m.DiscovereeInfo, &m.MIC, &m.UTCCounterLSB, &m.Metadata)
}

// memberTable is the table of every message of group members. That these IEs are there is
// recalled; their formats are chosen.
func memberTable(name string, group *[]byte, info *UserInfoID, mic *MIC, counter *uint8, metadata *[]byte) table {
	return table{
		{"application layer group ID", formatLV, 0, 1, maxApplicationLayerID, chosen, octets{group}},
		{name, formatV, 0, len(info), len(info), chosen, memberInfo{info}},
		{"MIC", formatV, 0, len(mic), len(mic), recalled, discoveryMIC{mic}},
		{"UTC-based counter LSB", formatV, 0, 1, 1, recalled, octet[uint8]{counter}},
		{"metadata", formatTLVE, ieiMetadata, 1, open, chosen, octets{metadata}},
	}
}

// newDiscovery returns an empty message, nil where the type is not implemented.
func newDiscovery(t DiscoveryMessageType) Discovery {
	switch t {
	case MessageOpenDiscoveryAnnouncement:
		return &OpenDiscoveryAnnouncement{}
	case MessageRestrictedDiscoveryAnnouncement:
		return &RestrictedDiscoveryAnnouncement{}
	case MessageRestrictedDiscoverySolicitation:
		return &RestrictedDiscoverySolicitation{}
	case MessageRestrictedDiscoveryResponse:
		return &RestrictedDiscoveryResponse{}
	case MessageGroupMemberDiscoveryAnnouncement:
		return &GroupMemberDiscoveryAnnouncement{}
	case MessageGroupMemberDiscoverySolicitation:
		return &GroupMemberDiscoverySolicitation{}
	case MessageGroupMemberDiscoveryResponse:
		return &GroupMemberDiscoveryResponse{}
	}
	return nil
}

// MarshalDiscovery returns the octets of a valid discovery message, as Marshal does.
func MarshalDiscovery(m Discovery) []byte {
	all := m.rows()
	return appendRows(append(make([]byte, 0, 64), byte(m.Type())), all.used())
}

// ParseDiscovery reads a discovery message. Every error is an *Error, and means: discard it.
func ParseDiscovery(b []byte) (Discovery, error) {
	if len(b) < 1 {
		return nil, &Error{Kind: TooShort}
	}
	t := DiscoveryMessageType(b[0])
	if len(b) > MaxLen {
		return nil, &Error{Kind: TooLong, Message: t}
	}
	if part := t.reserved(); part != "" {
		return nil, &Error{Kind: Reserved, Message: t, IE: part}
	}
	m := newDiscovery(t)
	if m == nil {
		return nil, &Error{Kind: UnknownType, Message: t}
	}
	all := m.rows()
	if kind, ie := readRows(all.used(), b[1:]); kind != 0 {
		return nil, &Error{Kind: kind, Message: t, IE: ie}
	}
	return m, nil
}

type discoveryCode struct{ p *DiscoveryCode }

func (f discoveryCode) present() bool            { return true }
func (f discoveryCode) appendTo(b []byte) []byte { return append(b, f.p[:]...) }
func (f discoveryCode) parse(b []byte) error     { *f.p = DiscoveryCode(b); return nil }

type discoveryMIC struct{ p *MIC }

func (f discoveryMIC) present() bool            { return true }
func (f discoveryMIC) appendTo(b []byte) []byte { return append(b, f.p[:]...) }
func (f discoveryMIC) parse(b []byte) error     { *f.p = MIC(b); return nil }

type memberInfo struct{ p *UserInfoID }

func (f memberInfo) present() bool            { return true }
func (f memberInfo) appendTo(b []byte) []byte { return append(b, f.p[:]...) }
func (f memberInfo) parse(b []byte) error     { *f.p = UserInfoID(b); return nil }
