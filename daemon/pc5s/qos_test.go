package pc5s_test

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"pc5d/daemon/pc5s"
)

// TestQoSFlows is the syntax of PC5 QoS flow descriptions (TS 24.554, 11.3.5).
func TestQoSFlows(t *testing.T) {
	pqi := func(v byte) pc5s.QoSParameter {
		return pc5s.QoSParameter{Identifier: pc5s.QoSPQI, Value: []byte{v}}
	}
	for _, c := range []struct {
		name, in string
		want     []pc5s.QoSFlow // nil: refused
	}{
		{"the default flow", hex.EncodeToString(pc5s.DefaultQoS()), []pc5s.QoSFlow{{PQFI: 1, Operation: pc5s.QoSCreate, E: true, Parameters: []pc5s.QoSParameter{pqi(1)}}}},
		{"deletion without parameters", "024000", []pc5s.QoSFlow{{PQFI: 2, Operation: pc5s.QoSDelete}}},
		{"two flows", "012041010101" + "3f6001010102", []pc5s.QoSFlow{
			{PQFI: 1, Operation: pc5s.QoSCreate, E: true, Parameters: []pc5s.QoSParameter{pqi(1)}},
			{PQFI: 63, Operation: pc5s.QoSModify, Parameters: []pc5s.QoSParameter{pqi(2)}},
		}},
		{"spare bits ignored", "c13fc1010101", []pc5s.QoSFlow{{PQFI: 1, Operation: pc5s.QoSCreate, E: true, Parameters: []pc5s.QoSParameter{pqi(1)}}}},
		{"unknown parameter kept", "012041ff02abcd", []pc5s.QoSFlow{{PQFI: 1, Operation: pc5s.QoSCreate, E: true, Parameters: []pc5s.QoSParameter{{Identifier: 0xff, Value: []byte{0xab, 0xcd}}}}}},
		{"surplus of a known parameter ignored", "01204101020102", []pc5s.QoSFlow{{PQFI: 1, Operation: pc5s.QoSCreate, E: true, Parameters: []pc5s.QoSParameter{pqi(1)}}}},
		{"known parameter too short", "0120410402" + "01", nil},
		{"known parameter shorter than defined", "0120410202" + "0102", nil},
		{"head cut", "0120", nil},
		{"parameters missing", "012041", nil},
		{"parameter cut in its head", "01204101", nil},
		{"parameter past the end", "0120410102" + "01", nil},
		{"octets left over", "012041010101" + "00", nil},
		{"reserved operation 0", "010041010101", nil},
		{"reserved operation 4", "018041010101", nil},
		{"reserved operation 7", "01e041010101", nil},
	} {
		b, err := hex.DecodeString(c.in)
		if err != nil {
			t.Fatal(err)
		}
		got, err := pc5s.ParseQoSFlows(b)
		if (err != nil) != (c.want == nil) {
			t.Errorf("%s: error %v", c.name, err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		// The same octets as a mandatory IE: the message is refused; as an optional one: absent.
		m, err := pc5s.Parse(append([]byte{byte(pc5s.MessageDirectLinkSecurityModeComplete), 0, 0, byte(len(b))}, append(b, 0)...))
		if (err != nil) != (c.want == nil) {
			t.Errorf("%s: as a mandatory IE: %v, %v", c.name, m, err)
		}
		if complete, ok := m.(*pc5s.DirectLinkSecurityModeComplete); ok && !bytes.Equal(complete.QoSFlowDescriptions, b) {
			t.Errorf("%s: kept %x of %x", c.name, complete.QoSFlowDescriptions, b)
		}
	}
}

// drawQoSFlows draws valid descriptions.
func drawQoSFlows(t *rapid.T) []pc5s.QoSFlow {
	length := map[pc5s.QoSParameterIdentifier]int{pc5s.QoSPQI: 1, pc5s.QoSGuaranteedFlowBitRate: 3, pc5s.QoSMaximumFlowBitRate: 3, pc5s.QoSAveragingWindow: 2}
	parameter := rapid.Custom(func(t *rapid.T) pc5s.QoSParameter {
		id := pc5s.QoSParameterIdentifier(rapid.Byte().Draw(t, "identifier"))
		n, ok := length[id]
		if !ok {
			n = rapid.IntRange(0, 12).Draw(t, "length")
		}
		return pc5s.QoSParameter{Identifier: id, Value: rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, "value")}
	})
	flow := rapid.Custom(func(t *rapid.T) pc5s.QoSFlow {
		return pc5s.QoSFlow{
			PQFI: rapid.Uint8Range(0, 63).Draw(t, "PQFI"), Operation: pc5s.QoSOperation(rapid.Uint8Range(1, 3).Draw(t, "operation")),
			E: rapid.Bool().Draw(t, "E"), Parameters: rapid.SliceOfN(parameter, 0, 9).Draw(t, "parameters"),
		}
	})
	return rapid.SliceOfN(flow, 1, 5).Draw(t, "flows")
}

func TestQoSFlowsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawQoSFlows(t)
		b := pc5s.AppendQoSFlows(nil, want...)
		got, err := pc5s.ParseQoSFlows(b)
		if err != nil {
			t.Fatalf("%x: %v", b, err)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("%x (-want +got):\n%s", b, diff)
		}
	})
}

// FuzzQoSFlows: nothing panics, and what parses means the same after a round trip.
func FuzzQoSFlows(f *testing.F) {
	f.Add(pc5s.DefaultQoS())
	f.Fuzz(func(t *testing.T, b []byte) {
		flows, err := pc5s.ParseQoSFlows(b)
		if err != nil {
			return
		}
		again, err := pc5s.ParseQoSFlows(pc5s.AppendQoSFlows(nil, flows...))
		if err != nil {
			t.Fatalf("%x: own octets do not parse: %v", b, err)
		}
		if diff := cmp.Diff(flows, again); diff != "" {
			t.Fatalf("%x (-first +again):\n%s", b, diff)
		}
	})
}
