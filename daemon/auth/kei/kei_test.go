package kei_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"pc5d/daemon/auth/kei"
)

// TestFlights cuts flights of many lengths into containers and puts them together again.
func TestFlights(t *testing.T) {
	for _, n := range []int{1, 500, kei.MaxLen - 15, kei.MaxLen - 14, 5000, kei.MaxFragments * (kei.MaxLen - 15)} {
		flight := bytes.Repeat([]byte{0xA5}, n)
		out := kei.NewOutgoing(flight)
		var in kei.Reassembly
		whole := false
		for !out.Done() {
			c := kei.Container{Method: kei.TLS13, Exchange: 3}
			out.Fill(&c)
			b := c.AppendTo(nil)
			if len(b) > kei.MaxLen {
				t.Fatalf("%d octets: container of %d", n, len(b))
			}
			got, err := kei.Parse(b)
			if err != nil {
				t.Fatalf("%d octets: %v", n, err)
			}
			if diff := cmp.Diff(&c, got, cmp.Transformer("nil", func(b []byte) string { return string(b) })); diff != "" {
				t.Fatalf("%d octets: %s", n, diff)
			}
			if whole, err = in.Add(got); err != nil && n <= kei.MaxTotal {
				t.Fatalf("%d octets: %v", n, err)
			}
		}
		if n <= kei.MaxTotal && (!whole || !bytes.Equal(in.Flight(), flight)) {
			t.Errorf("%d octets: not the same after reassembly", n)
		}
	}
}

// TestT17_T33_Limits: more than was announced, more fragments than allowed and more than the
// total are refused.
func TestT17_T33_Limits(t *testing.T) {
	var in kei.Reassembly
	if _, err := in.Add(&kei.Container{HasTotal: true, Total: kei.MaxTotal + 1, More: true, Fragment: []byte{1}}); err == nil {
		t.Error("a flight over the total was begun")
	}
	if _, err := in.Add(&kei.Container{HasTotal: true, Total: 1, Fragment: []byte{1, 2}}); err == nil {
		t.Error("more octets than announced")
	}
	fragments := 0
	for first := true; ; first = false {
		if _, err := in.Add(&kei.Container{HasTotal: first, Total: 1000, More: true, Fragment: []byte{1}}); err != nil {
			break
		}
		fragments++
	}
	if fragments != kei.MaxFragments {
		t.Errorf("%d fragments of one octet were taken, want %d", fragments, kei.MaxFragments)
	}
}

// TestOffer: an offer comes back as it was, and blanking its proofs changes nothing else.
func TestOffer(t *testing.T) {
	o := &kei.Offer{Methods: []kei.Method{kei.PSKDHE, kei.TLS13}, Share: &[kei.ShareLen]byte{1, 2}, Binder: &[kei.ProofLen]byte{3, 4}, Padding: 5}
	b := o.AppendTo(nil)
	got, err := kei.ParseOffer(b)
	if diff := cmp.Diff(o, got, cmpopts.IgnoreUnexported(kei.Offer{})); err != nil || diff != "" {
		t.Fatalf("%v (-want +got):\n%s", err, diff)
	}
	kei.BlankProofs(b)
	o.Binder = &[kei.ProofLen]byte{}
	if want := o.AppendTo(nil); !bytes.Equal(b, want) {
		t.Errorf("blank: got %x, want %x", b, want)
	}
	for name, bad := range map[string][]byte{
		"twice":       append(bytes.Clone(b), 1, 0, 0),
		"past end":    append(bytes.Clone(b), 9, 0, 2, 0),
		"short share": {0x10, 0, 0, 3, 0, 1, 0},
	} {
		if _, err := kei.ParseOffer(bad); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// TestT30_ReadingAllocatesNothing: neither what is good, nor what is cut anywhere or altered.
func TestT30_ReadingAllocatesNothing(t *testing.T) {
	at := uint64(7)
	offer := (&kei.Offer{Methods: []kei.Method{kei.PSKDHE, kei.TLS13}, KeyTag: &[kei.TagLen]byte{9}, Share: &[kei.ShareLen]byte{1}, Time: &at, Binder: &[kei.ProofLen]byte{3}, Padding: 5}).AppendTo(nil)
	container := (&kei.Container{Method: kei.TLS13, HasTotal: true, HasCookie: true, Cookie: []byte{1}, HasRequest: true, Request: []byte{2}, Fragment: []byte{3}}).AppendTo(nil)
	var o kei.Offer
	var c kei.Container
	o.Read(offer) // makes room for the methods
	for _, b := range [][]byte{offer, container} {
		for n := range len(b) + 1 {
			if allocs := testing.AllocsPerRun(10, func() {
				o.Read(b[:n])
				c.Read(b[:n])
				if n > 0 {
					b[n-1] ^= 0x13
					o.Read(b)
					c.Read(b)
					b[n-1] ^= 0x13
				}
			}); allocs != 0 {
				t.Fatalf("%x: %v allocations", b[:n], allocs)
			}
		}
	}
}

// TestCommand: the psk-dhe container of a security mode command.
func TestCommand(t *testing.T) {
	want := &kei.Command{Tag: [8]byte{1}, Share: [kei.ShareLen]byte{2}}
	got, err := kei.ParseCommand(want.AppendTo(nil))
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Fatalf("%v (-want +got):\n%s", err, diff)
	}
	for name, c := range map[string]*kei.Container{
		"other method": {Method: kei.TLS13, Fragment: []byte{3, 0, 0}},
		"flags":        {Method: kei.PSKDHE, Failure: true},
		"no share":     {Method: kei.PSKDHE},
	} {
		if _, err := kei.ParseCommand(c.AppendTo(nil)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// FuzzKEI: nothing panics, and what parses has the same octets again, but for the spare bit.
func FuzzKEI(f *testing.F) {
	f.Add((&kei.Container{Method: kei.TLS13, HasCookie: true, Cookie: []byte{1}, HasRequest: true, Request: []byte{2}, Fragment: []byte{3}}).AppendTo(nil))
	f.Add((&kei.Offer{Methods: []kei.Method{kei.TLS13}, Padding: 2}).AppendTo(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		kei.ParseOffer(b)
		kei.BlankProofs(bytes.Clone(b))
		if command, err := kei.ParseCommand(b); err == nil && command.Share == [kei.ShareLen]byte{} {
			t.Fatal("a command without a share")
		}
		c, err := kei.Parse(b)
		if err != nil {
			return
		}
		again := c.AppendTo(nil)
		again[1] |= b[1] & 1
		if !bytes.Equal(again, b) {
			t.Fatalf("%x became %x", b, again)
		}
		var in kei.Reassembly
		in.Add(c)
	})
}
