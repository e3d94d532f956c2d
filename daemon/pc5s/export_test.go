package pc5s

// IE is one row of a message's table, with its octets where the message has it.
type IE struct {
	Name     string
	Format   string
	IEI      byte
	Min, Max int // of the value part
	Evidence string
	Optional bool
	Unsent   bool
	Half     bool // type 1: IEI and value share an octet
	Octets   []byte
}

// IEs returns the rows of a message.
func IEs(m Message) []IE {
	all := m.rows()
	return ies(all.used())
}

// DiscoveryIEs returns the rows of a discovery message.
func DiscoveryIEs(m Discovery) []IE {
	all := m.rows()
	return ies(all.used())
}

func ies(rows []row) []IE {
	var list []IE
	for i := range rows {
		r := &rows[i]
		ie := IE{Name: r.name, Format: formatNames[r.format], IEI: r.iei, Min: r.min, Max: r.max, Evidence: evidenceNames[r.evidence], Optional: r.optional(), Unsent: r.format == formatUnsentV, Half: r.format == formatType1}
		if !ie.Unsent && (!ie.Optional || r.field.present()) {
			ie.Octets = r.appendTo(nil)
		}
		list = append(list, ie)
	}
	return list
}

var formatNames = [...]string{formatV: "V", formatUnsentV: "V", formatLV: "LV", formatLVE: "LV-E", formatTV: "TV", formatTLV: "TLV", formatTLVE: "TLV-E", formatType1: "TV"}

var evidenceNames = [...]string{corroborated: "corroborated", recalled: "recalled", chosen: "chosen"}

// MessageEvidence and DiscoveryEvidence tell what the code of a message rests on.
func MessageEvidence(t MessageType) string { return evidenceNames[messageTypes[t].evidence] }

func DiscoveryEvidence(t DiscoveryMessageType) string {
	return evidenceNames[discoveryTypes[t].evidence]
}

// AllMessages returns an empty message of each type, in the order of the types.
func AllMessages() []Message {
	var all []Message
	for t := range 256 {
		if m := newMessage(MessageType(t)); m != nil {
			all = append(all, m)
		}
	}
	return all
}

// AllDiscoveries returns an empty discovery message of each type, in the order of the types.
func AllDiscoveries() []Discovery {
	var all []Discovery
	for t := range 256 {
		if m := newDiscovery(DiscoveryMessageType(t)); m != nil {
			all = append(all, m)
		}
	}
	return all
}
