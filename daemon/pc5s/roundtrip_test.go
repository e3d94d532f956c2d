package pc5s_test

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pc5d/daemon/pc5s"
	"pc5d/dataplane/suite"
	"pc5d/policy"
)

// draw fills a message with any values that are valid: an optional IE may be missing. It goes by
// the fields of the struct, so a field that no row has does not survive the round trip.
func draw(t *rapid.T, m any) {
	for f, v := range reflect.ValueOf(m).Elem().Fields() {
		if v.Kind() == reflect.Pointer {
			if rapid.Bool().Draw(t, f.Name+"?") {
				v.Set(reflect.New(v.Type().Elem()))
				drawValue(t, f.Name, v.Elem())
			}
			continue
		}
		drawValue(t, f.Name, v)
	}
}

func drawValue(t *rapid.T, name string, v reflect.Value) {
	octets := func(least, most int) []byte { return rapid.SliceOfN(rapid.Byte(), least, most).Draw(t, name) }
	protection := func() policy.Protection {
		r := rapid.SampledFrom([]policy.Requirement{policy.NotNeeded, policy.Preferred, policy.Required})
		return policy.Protection{Integrity: r.Draw(t, name), Ciphering: r.Draw(t, name)}
	}
	switch v.Interface().(type) {
	case pc5s.Capabilities:
		v.SetBytes(octets(2, 8))
	case pc5s.SecurityPolicy:
		v.Set(reflect.ValueOf(pc5s.SecurityPolicy(protection())))
	case pc5s.UserPlaneConfiguration:
		v.Set(reflect.ValueOf(pc5s.UserPlaneConfiguration{Integrity: rapid.Bool().Draw(t, name), Ciphering: rapid.Bool().Draw(t, name)}))
	case pc5s.SelectedAlgorithms:
		v.Field(0).SetUint(rapid.Uint64Range(0, 7).Draw(t, name))
		v.Field(1).SetUint(rapid.Uint64Range(0, 7).Draw(t, name))
	case pc5s.LinkModificationOperation:
		v.SetUint(rapid.Uint64Range(1, 5).Draw(t, name))
	case pc5s.ReAuthenticationIndication:
		v.SetUint(rapid.Uint64Range(0, 1).Draw(t, name))
	case pc5s.LayerTwoID:
		v.SetUint(rapid.Uint64Range(0, 0xFFFFFF).Draw(t, name))
	case suite.ID:
		v.SetUint(rapid.Uint64Range(0, 15).Draw(t, name))
	case []byte:
		v.SetBytes(drawOctets(t, name))
	default:
		switch v.Kind() {
		case reflect.Uint8, reflect.Uint16, reflect.Uint32:
			v.SetUint(rapid.Uint64Range(0, 1<<v.Type().Bits()-1).Draw(t, name))
		case reflect.Array:
			reflect.Copy(v, reflect.ValueOf(octets(v.Len(), v.Len())))
		default:
			panic(fmt.Sprintf("BUG: no generator for %s %s", name, v.Type()))
		}
	}
}

// drawOctets draws an IE that a message keeps raw, by the name of its field.
func drawOctets(t *rapid.T, name string) []byte {
	switch name {
	case "SourceUserInfo", "TargetUserInfo":
		return []byte(rapid.StringN(1, -1, 252).Draw(t, name))
	case "ApplicationLayerGroupID":
		return rapid.SliceOfN(rapid.Byte(), 1, 252).Draw(t, name)
	case "QoSFlowDescriptions":
		return pc5s.AppendQoSFlows(nil, drawQoSFlows(t)...)
	case "ProSeIdentifiers":
		return append(pc5s.ServiceIdentifier(rapid.StringN(0, -1, 128).Draw(t, name)), foreign("maps")...)
	}
	return rapid.SliceOfN(rapid.Byte(), 1, 700).Draw(t, name)
}

// TestRoundTrip: every valid message comes back as it was, octets and all.
func TestRoundTrip(t *testing.T) {
	for i, empty := range pc5s.AllMessages() {
		t.Run(empty.Type().String(), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				want := pc5s.AllMessages()[i]
				draw(t, want)
				b := pc5s.Marshal(want)
				got, err := pc5s.Parse(b)
				if err != nil {
					t.Fatalf("%x: %v", b, err)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("%x (-want +got):\n%s", b, diff)
				}
			})
		})
	}
}

// TestTypesAndNames: each message knows its type, each type has its name.
func TestTypesAndNames(t *testing.T) {
	names := map[string]bool{}
	for _, m := range pc5s.AllMessages() {
		if b := pc5s.Marshal(m); b[0] != byte(m.Type()) || len(m.Type().String()) < len("DIRECT LINK ") || m.Type().String()[:12] != "DIRECT LINK " {
			t.Errorf("type %d: %s, octets %x", m.Type(), m.Type(), b)
		}
		names[m.Type().String()] = true
	}
	if len(names) != 0x17 {
		t.Errorf("%d names for 23 types", len(names))
	}
}

// FuzzParse: nothing panics, and what parses means the same after a round trip.
func FuzzParse(f *testing.F) {
	for _, m := range messages() {
		f.Add(pc5s.Marshal(m))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := pc5s.Parse(b)
		if err != nil {
			return
		}
		again, err := pc5s.Parse(pc5s.Marshal(m))
		if err != nil {
			t.Fatalf("%x: own octets do not parse: %v", b, err)
		}
		if diff := cmp.Diff(m, again); diff != "" {
			t.Fatalf("%x: %s", b, diff)
		}
	})
}
