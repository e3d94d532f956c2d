package pdcp_test

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	"pc5d/dataplane/pdcp"
)

// slowCount tries every COUNT that has the SN and takes the one of TS 38.323, 5.2.2.1: RCVD_COUNT is in
// [RX_DELIV - W, RX_DELIV + W), and HFN is the one of RX_DELIV, one less or one more.
func slowCount(deliver uint64, sn pdcp.DataSN) (uint32, bool) {
	const w = 1 << 17
	for hfn := int64(deliver>>18) - 1; hfn <= int64(deliver>>18)+1; hfn++ {
		c := hfn<<18 | int64(sn)
		if c >= int64(deliver)-w && c < int64(deliver)+w && c >= 0 && c < 1<<32 {
			return uint32(c), true
		}
	}
	return 0, false
}

// TestT52_CountOf is the estimate against the slow search, most of all where HFN changes, at the beginning
// and at the end.
func TestT52_CountOf(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		deliver := rapid.OneOf(
			rapid.Uint64Range(0, 1<<32), rapid.Uint64Range(0, 1<<18+2), rapid.Uint64Range(1<<32-1<<18-2, 1<<32),
			rapid.Map(rapid.Uint64Range(0, 1<<14-1), func(h uint64) uint64 { return h<<18 + 1<<17 }),
		).Draw(t, "RX_DELIV")
		near := rapid.OneOf(rapid.Int64Range(-1<<17-2, 1<<17+2), rapid.SampledFrom([]int64{-1 << 17, -1<<17 - 1, 1 << 17, 1<<17 - 1, 0, -1})).Draw(t, "distance")
		sn := pdcp.DataSN(uint64(int64(deliver)+near) & (1<<18 - 1))
		got, ok := pdcp.CountOf(deliver, sn)
		if want, wantOK := slowCount(deliver, sn); got != want || ok != wantOK {
			t.Fatalf("RX_DELIV %d, SN %d: %d, %v; want %d, %v", deliver, sn, got, ok, want, wantOK)
		}
	})
}

// TestDataHeader: five octets, there and back, as the published PDUs have them.
func TestDataHeader(t *testing.T) {
	h := pdcp.DataHeader{SN: 0x12345, Session: 0x5AA7}
	got := h.AppendTo(nil)
	if want := []byte{0x81, 0x23, 0x45, 0x5A, 0xA7}; !bytes.Equal(got, want) || len(got) != pdcp.DataHeaderLen {
		t.Errorf("%x, want %x", got, want)
	}
	got[0] |= 0x0C // R is ignored
	if back, err := pdcp.ParseData(got); err != nil || back != h {
		t.Errorf("%+v, %v", back, err)
	}
	for name, wrong := range map[string][]byte{
		"control PDU": {0x01, 0x23, 0x45, 0x5A, 0xA7, 0}, "not IP": {0x91, 0x23, 0x45, 0x5A, 0xA7, 0}, "cut": {0x81, 0x23, 0x45, 0x5A}, "nothing": nil,
	} {
		if _, err := pdcp.ParseData(wrong); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// FuzzParseData: what is taken is written again, but for the reserved bits.
func FuzzParseData(f *testing.F) {
	f.Add([]byte{0x81, 0x23, 0x45, 0x5A, 0xA7, 1, 2, 3})
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := pdcp.ParseData(b)
		if err != nil {
			return
		}
		want := bytes.Clone(b[:pdcp.DataHeaderLen])
		want[0] &^= 0x0C
		if got := h.AppendTo(nil); !bytes.Equal(got, want) {
			t.Fatalf("%x came back as %x", want, got)
		}
	})
}
