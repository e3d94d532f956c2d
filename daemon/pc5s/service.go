package pc5s

// A ProSe identifier is one entry: length, OS Id (16 octets), length, OS App Id (TS 24.554,
// 11.3.3; the inner form is chosen). Our services live under one OS Id.

// osID is the OS Id of pc5d's own services, a version 8 UUID. Chosen.
var osID = [16]byte{0x70, 0x63, 0x35, 0x64, 0x00, 0x00, 0x80, 0x00, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01}

const maxServiceName = 128

// ServiceIdentifier makes the contents of ProSe identifiers for one service.
func ServiceIdentifier(service string) []byte {
	service = service[:min(len(service), maxServiceName)]
	b := append(make([]byte, 0, 18+len(service)), byte(17+len(service)))
	b = append(b, osID[:]...)
	b = append(b, byte(len(service)))
	return append(b, service...)
}

// ServiceName returns the first of our services in ProSe identifiers, "" if there is none.
func ServiceName(b []byte) string {
	for len(b) > 0 && len(b) > int(b[0]) {
		entry := b[1 : 1+int(b[0])]
		b = b[1+int(b[0]):]
		if len(entry) >= 17 && [16]byte(entry[:16]) == osID && int(entry[16]) == len(entry)-17 {
			return string(entry[17:])
		}
	}
	return ""
}
