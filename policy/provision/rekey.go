package provision

import (
	"fmt"
	"time"
)

// Limits of the limits (chosen). A key ends after two hours, whatever stands here.
const (
	minRekeyTime, maxRekeyTime = 10 * time.Second, time.Hour

	minRekeyPackets = 1000
	minRekeyBytes   = "1MB"
)

// rekey reads [link.rekey].
func rekey(t *table) Rekey {
	defer t.finish()
	k := Rekey{Time: t.duration("time", minRekeyTime, maxRekeyTime)}
	if n, ok := t.number("packets"); ok {
		if n < minRekeyPackets {
			t.doc.wrong(t.at("packets"), fmt.Sprintf("%s %d is out of range", t.name("packets"), n), fmt.Sprintf("at least %d", minRekeyPackets))
		} else {
			k.Packets = uint64(n)
		}
	}
	k.Bytes = t.size("bytes", minRekeyBytes)
	return k
}
