package pc5s

// ProSe identifiers is a list (TS 24.554, 11.3.3; the form of an entry is chosen):
//
//	octet 1    length of the rest
//	2-17       OS Id, a UUID (RFC 4122)
//	18         length of the OS App Id
//	19-n       OS App Id
//
// Our services live under one OS Id, with the service's name as the OS App Id.

const (
	osIDLen        = 16
	maxServiceName = 128
)

// ServiceIdentifier makes the contents of ProSe identifiers for one service.
func ServiceIdentifier(service string) []byte {
	service = service[:min(len(service), maxServiceName)]
	b := append(make([]byte, 0, 2+osIDLen+len(service)), byte(1+osIDLen+len(service)))
	b = append(b, osID[:]...)
	b = append(b, byte(len(service)))
	return append(b, service...)
}

// ServiceName returns the first of our services in ProSe identifiers, "" if there is none.
func ServiceName(b []byte) string {
	for len(b) > 0 {
		id, app, rest, err := readIdentifier(b)
		if err != nil {
			return ""
		}
		if id == osID && len(app) <= maxServiceName {
			return string(app)
		}
		b = rest
	}
	return ""
}

// readIdentifier takes one entry off the front.
func readIdentifier(b []byte) (id [osIDLen]byte, app, rest []byte, err error) {
	if len(b)-1 < int(b[0]) {
		return id, nil, nil, errSyntax
	}
	entry, rest := b[1:1+int(b[0])], b[1+int(b[0]):]
	if len(entry) <= osIDLen || int(entry[osIDLen]) != len(entry)-osIDLen-1 {
		return id, nil, nil, errSyntax
	}
	return [osIDLen]byte(entry), entry[osIDLen+1:], rest, nil
}

// identifiers is the IE, checked and then kept as received; empty means absent.
type identifiers struct{ p *[]byte }

func (f identifiers) present() bool            { return len(*f.p) > 0 }
func (f identifiers) appendTo(b []byte) []byte { return append(b, *f.p...) }
func (f identifiers) parse(b []byte) error {
	for rest := b; len(rest) > 0; {
		var err error
		if _, _, rest, err = readIdentifier(rest); err != nil {
			return err
		}
	}
	*f.p = b
	return nil
}
