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
	Octets   []byte
}

// IEs returns the rows of a message.
func IEs(m Message) []IE {
	all := m.rows()
	return ies(all.used())
}

func ies(rows []row) []IE {
	var list []IE
	for i := range rows {
		r := &rows[i]
		ie := IE{Name: r.name, Format: formatNames[r.format], IEI: r.iei, Min: r.min, Max: r.max, Evidence: evidenceNames[r.evidence], Optional: r.optional(), Unsent: r.format == formatUnsentV}
		if !ie.Unsent && (!ie.Optional || r.field.present()) {
			ie.Octets = r.appendTo(nil)
		}
		list = append(list, ie)
	}
	return list
}

var formatNames = [...]string{formatV: "V", formatUnsentV: "V", formatLV: "LV", formatLVE: "LV-E", formatTV: "TV", formatTLV: "TLV", formatTLVE: "TLV-E", formatType1: "TV"}

var evidenceNames = [...]string{corroborated: "corroborated", recalled: "recalled", chosen: "chosen"}

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
