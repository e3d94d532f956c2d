package underlay

import (
	"bytes"
	"errors"
	"testing"
)

func TestHeaderGolden(t *testing.T) {
	h := Header{Form: FormRecord, Destination: 0x00abcd, Source: 0xf10203, LCID: DRB}
	want := []byte{0x11, 0x00, 0xab, 0xcd, 0xf1, 0x02, 0x03, 0x04}
	got := h.AppendTo(nil)
	if !bytes.Equal(got, want) || len(got) != HeaderLen {
		t.Fatalf("AppendTo = %x, want %x", got, want)
	}
	back, body, err := Parse(append(got, 9, 8))
	if err != nil || back != h || !bytes.Equal(body, []byte{9, 8}) {
		t.Fatalf("Parse = %+v, %x, %v", back, body, err)
	}
}

func TestParseRefuses(t *testing.T) {
	if _, _, err := Parse(make([]byte, 7)); !errors.Is(err, ErrShort) {
		t.Errorf("7 octets: %v", err)
	}
	if _, _, err := Parse(nil); !errors.Is(err, ErrShort) {
		t.Errorf("nothing: %v", err)
	}
	if _, _, err := Parse([]byte{0x20, 0, 0, 1, 0, 0, 2, 0}); !errors.Is(err, ErrVersion) {
		t.Errorf("version 2: %v", err)
	}
}

func TestNames(t *testing.T) {
	for got, want := range map[string]string{
		LayerTwoID(0xabcd).String(): "0x00abcd", Broadcast.String(): "0xffffff",
		FormPDCP.String(): "pdcp", FormGroup.String(): "group", Form(9).String(): "form-9",
		SRB0.String(): "SL-SRB0", DRB.String(): "SL-DRB", Discovery.String(): "SL-discovery", LCID(3).String(): "LCID-3",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if LayerTwoID(0).Assignable() || Broadcast.Assignable() || !LayerTwoID(1).Assignable() {
		t.Error("Assignable takes a reserved ID or refuses a good one")
	}
}

func FuzzHeader(f *testing.F) {
	f.Add([]byte{0x11, 0, 0, 1, 0, 0, 2, 4, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		h, body, err := Parse(b)
		if err != nil {
			return
		}
		if got := append(h.AppendTo(nil), body...); !bytes.Equal(got, b) {
			t.Fatalf("%x came back as %x", b, got)
		}
	})
}
