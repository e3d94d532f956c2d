package pc5s_test

import (
	"fmt"
	"strings"
	"testing"

	"pc5d/daemon/pc5s"
)

// TestNames: known values have the names of the standard, others say what they are.
func TestNames(t *testing.T) {
	for want, got := range map[string]fmt.Stringer{
		"DIRECT LINK REKEYING RESPONSE":                                pc5s.MessageDirectLinkRekeyingResponse,
		"message type 0x18":                                            pc5s.MessageType(0x18),
		"PROSE PC5 DISCOVERY open announcement":                        pc5s.MessageOpenDiscoveryAnnouncement,
		"PROSE PC5 DISCOVERY type 0x42":                                pc5s.DiscoveryMessageType(0x42),
		"conflict of layer-2 ID for unicast communication is detected": pc5s.CauseLayer2IDConflict,
		"security procedure failure of 5G ProSe UE-to-network relay":   pc5s.Cause(15),
		"protocol error, unspecified":                                  pc5s.CauseProtocolError,
		"protocol error, unspecified (cause 16)":                       pc5s.Cause(16),
		"add new PC5 QoS flows":                                        pc5s.ModificationAddFlows,
		"reserved operation 0":                                         pc5s.LinkModificationOperation(0),
		"reserved operation 6":                                         pc5s.LinkModificationOperation(6),
		"delete":                                                       pc5s.QoSDelete,
		"reserved operation 7":                                         pc5s.QoSOperation(7),
		"reserved value":                                               pc5s.Reserved,
		"unknown":                                                      pc5s.Kind(0),
	} {
		if got.String() != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	for c := range 111 {
		known := c >= 1 && c <= 15
		if got := pc5s.Cause(c).String(); strings.Contains(got, "unspecified") == known {
			t.Errorf("cause %d: %s", c, got)
		}
	}
}

// TestReAuthentication: bit 1 counts, the others are spare (TS 24.554, 11.3.24).
func TestReAuthentication(t *testing.T) {
	for v := range 256 {
		if got := pc5s.ReAuthenticationIndication(v).Requested(); got != (v&1 == 1) {
			t.Errorf("%02x: %t", v, got)
		}
	}
}
