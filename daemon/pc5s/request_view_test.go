package pc5s_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"pgregory.net/rapid"

	"pc5d/daemon/pc5s"
)

// requestOf gives the owned form of a view.
func requestOf(v *pc5s.EstablishmentRequestView) *pc5s.DirectLinkEstablishmentRequest {
	m := &pc5s.DirectLinkEstablishmentRequest{
		SequenceNumber: v.SequenceNumber, SourceUserInfo: v.SourceUserInfo, Capabilities: v.Capabilities, SecurityPolicy: v.SecurityPolicy,
		KeyEstablishmentInfo: v.KeyEstablishmentInfo, TargetUserInfo: v.TargetUserInfo, ProSeIdentifiers: v.ProSeIdentifiers,
	}
	if len(v.Nonce1) > 0 {
		m.Nonce1 = (*[16]byte)(v.Nonce1)
	}
	if len(v.KNRPSessMSB) > 0 {
		m.KNRPSessMSB = &v.KNRPSessMSB[0]
	}
	if len(v.KNRPID) > 0 {
		id := binary.BigEndian.Uint32(v.KNRPID)
		m.KNRPID = &id
	}
	return m
}

// TestView: whatever is done to a request, the view and the message accept the same octets and see
// the same in them.
func TestView(t *testing.T) {
	nonce, msb, id := [16]byte{1}, uint8(2), uint32(3)
	whole := pc5s.Marshal(&pc5s.DirectLinkEstablishmentRequest{
		SourceUserInfo: []byte("alice"), Capabilities: pc5s.Capabilities{0x60, 0x60, 0x80}, KeyEstablishmentInfo: []byte{0x10, 0, 0}, Nonce1: &nonce,
		KNRPSessMSB: &msb, TargetUserInfo: []byte("bob"), KNRPID: &id, ProSeIdentifiers: pc5s.ServiceIdentifier("ip"),
	})
	rapid.Check(t, func(t *rapid.T) {
		b := bytes.Clone(whole[:rapid.IntRange(1, len(whole)).Draw(t, "length")])
		for range rapid.IntRange(0, 3).Draw(t, "changes") {
			b[rapid.IntRange(0, len(b)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "octet")
		}
		b[0] = whole[0]
		b = append(b, rapid.SliceOfN(rapid.Byte(), 0, 30).Draw(t, "more")...)
		var v pc5s.EstablishmentRequestView
		kind := pc5s.ReadInto(b, &v)
		m, err := pc5s.Parse(b)
		if (kind == 0) != (err == nil) {
			t.Fatalf("%x: %v, but %v", b, kind, err)
		}
		if err == nil && !bytes.Equal(pc5s.Marshal(m), pc5s.Marshal(requestOf(&v))) {
			t.Fatalf("%x: %+v, but %+v", b, v, m)
		}
	})
}

// TestT30_ViewAllocatesNothing: neither a good request, nor one that is cut, nor another message.
func TestT30_ViewAllocatesNothing(t *testing.T) {
	whole := pc5s.Marshal(messages()[0])
	v := new(pc5s.EstablishmentRequestView)
	for n := range len(whole) + 1 {
		if allocs := testing.AllocsPerRun(10, func() {
			*v = pc5s.EstablishmentRequestView{}
			pc5s.ReadInto(whole[:n], v)
		}); allocs != 0 {
			t.Fatalf("%d octets: %v allocations", n, allocs)
		}
	}
}
