package record

import (
	"bytes"
	"encoding/hex"
	"errors"
	"sync"
	"testing"

	"pc5d/dataplane/suite"
	"pc5d/dataplane/underlay"
)

func newSuite(t testing.TB) suite.Suite {
	t.Helper()
	s, err := suite.New(suite.AES128GCM, suite.AEAD, bytes.Repeat([]byte{0x42}, 16), [12]byte{1, 2, 3})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var srb2 = underlay.Header{Destination: 0x010203, Source: 0x0a0b0c, LCID: underlay.SRB2}

func TestHeaderGolden(t *testing.T) {
	h := Header{Header: underlay.Header{Form: underlay.FormRecord, Destination: 0x010203, Source: 0x0a0b0c, LCID: underlay.DRB}, Session: 0xbeef, Count: 0x010203040506}
	b := h.AppendTo(nil)
	if got, want := hex.EncodeToString(b), "110102030a0b0c04"+"beef"+"010203040506"; got != want {
		t.Fatalf("header = %s, want %s", got, want)
	}
	back, aad, sealed, err := ParseHeader(append(b, make([]byte, 20)...))
	if err != nil || back != h || !bytes.Equal(aad, b) || len(sealed) != 20 {
		t.Fatalf("ParseHeader = %+v %x %d %v", back, aad, len(sealed), err)
	}
}

func TestParseHeaderRefuses(t *testing.T) {
	good := Header{Header: srb2}.AppendTo(nil)
	if _, _, _, err := ParseHeader(append(good, make([]byte, 15)...)); !errors.Is(err, ErrShort) {
		t.Errorf("31 octets: %v", err)
	}
	pdcp := append([]byte{0x10}, append(good, make([]byte, 16)...)[1:]...)
	if _, _, _, err := ParseHeader(pdcp); !errors.Is(err, ErrNotRecord) {
		t.Errorf("form 0: %v", err)
	}
	if _, _, _, err := ParseHeader(make([]byte, 40)); !errors.Is(err, underlay.ErrVersion) {
		t.Errorf("version 0: %v", err)
	}
}

func TestSealOpen(t *testing.T) {
	s, o := NewSealer(newSuite(t), 7), NewOpener(newSuite(t), 64)
	prefix := []byte("kept")
	for i := range 3 {
		b, err := s.Seal(prefix, srb2, []byte("message"))
		if err != nil || !bytes.HasPrefix(b, prefix) || len(b) != 4+7+Overhead {
			t.Fatalf("Seal %d: %x, %v", i, b, err)
		}
		content, err := o.Open(b[4:])
		if err != nil || string(content) != "message" {
			t.Fatalf("Open %d: %q, %v", i, content, err)
		}
		if _, err := o.Open(b[4:]); !errors.Is(err, ErrReplay) {
			t.Fatalf("T52: second Open: %v", err)
		}
	}
	s.Rename(8)
	b, err := s.Seal(nil, srb2, []byte("message"))
	if err != nil || b[8] != 0 || b[9] != 8 || b[15] != 3 {
		t.Fatalf("renamed, got %x, %v; want session 8 and the COUNT that comes next", b, err)
	}
	if content, err := o.Open(b); err != nil || string(content) != "message" {
		t.Fatalf("renamed: %q, %v", content, err)
	}
}

func TestT53ForgedRecordDoesNotMoveTheWindow(t *testing.T) {
	s, o := NewSealer(newSuite(t), 7), NewOpener(newSuite(t), 64)
	forged := Header{Header: srb2, Session: 7, Count: 1 << 40}.AppendTo(nil)
	forged = append(forged, make([]byte, 32)...)
	if _, err := o.Open(forged); !errors.Is(err, ErrTag) {
		t.Fatalf("forged record: %v", err)
	}
	b, _ := s.Seal(nil, srb2, []byte("x"))
	for i := range b { // every octet is covered by the tag
		if i == 0 {
			continue // version and form are checked before
		}
		bad := bytes.Clone(b)
		bad[i] ^= 0x80
		if _, err := o.Open(bad); err == nil {
			t.Fatalf("octet %d changed and accepted", i)
		}
	}
	if _, err := o.Open(b); err != nil {
		t.Fatalf("the real record after the forged ones: %v", err)
	}
}

func TestT50LimitStops(t *testing.T) {
	s := NewSealer(newSuite(t), 1)
	s.Lower(1000)
	seen := map[string]bool{}
	for i := range 1000 {
		b, err := s.Seal(nil, srb2, nil)
		if err != nil {
			t.Fatalf("record %d: %v", i, err)
		}
		if seen[string(b[10:16])] {
			t.Fatalf("COUNT %x repeated", b[10:16])
		}
		seen[string(b[10:16])] = true
	}
	for range 3 {
		if _, err := s.Seal(nil, srb2, nil); !errors.Is(err, ErrLimit) {
			t.Fatalf("after the limit: %v", err)
		}
	}
}

func TestT50CounterParallel(t *testing.T) {
	c := NewCounter(1000)
	var mu sync.Mutex
	seen := make(map[Count]bool)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for {
				first, n := c.Reserve(7)
				if n == 0 {
					return
				}
				mu.Lock()
				for i := range n {
					if seen[first+Count(i)] {
						t.Errorf("COUNT %d given out twice", first+Count(i))
					}
					seen[first+Count(i)] = true
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if len(seen) != 1000 || c.Used() != 1000 {
		t.Fatalf("%d COUNTs given out, Used %d, want 1000", len(seen), c.Used())
	}
	if NewCounter(Limit+5).limit != uint64(Limit) {
		t.Fatal("a counter goes beyond Limit")
	}
}

func TestT50CounterSkip(t *testing.T) {
	tests := []struct {
		name       string
		used       int
		skip       uint64
		first      Count
		granted    int
		wantedUsed uint64
	}{
		{"nothing", 10, 0, 10, 5, 15},
		{"forward", 10, 900, 910, 5, 915},
		{"to the last one", 10, 989, 999, 1, 1000},
		{"to the limit", 10, 990, 0, 0, 1000},
		{"past the limit", 10, 991, 0, 0, 1000},
		{"as far as would wrap", 10, 1<<64 - 5, 0, 0, 1000},
		{"at the limit", 1000, 1, 0, 0, 1000},
		{"at the limit, as far as would wrap", 1000, 1<<64 - 1, 0, 0, 1000},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := NewCounter(1000)
			c.Reserve(tt.used)
			c.Skip(tt.skip)
			first, granted := c.Reserve(5)
			if first != tt.first || granted != tt.granted || c.Used() != tt.wantedUsed {
				t.Fatalf("got %d COUNTs from %d, used %d; want %d from %d, used %d", granted, first, c.Used(), tt.granted, tt.first, tt.wantedUsed)
			}
		})
	}
}

func TestFrames(t *testing.T) {
	two := AppendPacket(AppendPacket(nil, []byte("first")), []byte("second"))
	tests := []struct {
		name    string
		content []byte
		want    []string
		bad     bool
	}{
		{"empty", nil, nil, false},
		{"two packets", two, []string{"first", "second"}, false},
		{"two packets, padded", AppendPad(bytes.Clone(two), 0), []string{"first", "second"}, false},
		{"one octet of padding", append(bytes.Clone(two), 0), []string{"first", "second"}, false},
		{"only padding", make([]byte, 128), nil, false},
		{"unknown type is skipped", append([]byte{0x7f, 0, 0, 2, 9, 9}, two...), []string{"first", "second"}, false},
		{"reserved is ignored", []byte{1, 0xff, 0, 1, 'x'}, []string{"x"}, false},
		{"header cut off", append(bytes.Clone(two), 1, 0, 0), []string{"first", "second"}, true},
		{"payload cut off", two[:len(two)-1], []string{"first"}, true},
		{"empty packet", []byte{1, 0, 0, 0}, nil, true},
		{"length beyond the end", []byte{1, 0, 0xff, 0xff, 1}, nil, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := NewFrames(tt.content)
			var got []string
			for f.Next() {
				if f.Type() == FramePacket {
					got = append(got, string(f.Payload()))
				}
			}
			if len(got) != len(tt.want) || (f.Err() != nil) != tt.bad {
				t.Fatalf("got %q, %v; want %q, error %v", got, f.Err(), tt.want, tt.bad)
			}
			for i := range got {
				if got[i] != tt.want[i] {
					t.Fatalf("got %q, want %q", got, tt.want)
				}
			}
		})
	}
}

func TestPadding(t *testing.T) {
	for n, want := range map[int]int{0: 0, 1: 128, 128: 128, 129: 256, FrameHeaderLen + 1400: ContentLen, ContentLen: ContentLen} {
		if got := len(AppendPad(make([]byte, 5+n), 5)) - 5; got != want || PaddedLen(n) != want {
			t.Errorf("%d octets padded to %d (PaddedLen %d), want %d", n, got, PaddedLen(n), want)
		}
	}
	b := make([]byte, 4, 10)
	b = append(b, "abc"...)
	PutPacketHeader(b, 0, 3)
	if !bytes.Equal(b, AppendPacket(nil, []byte("abc"))) {
		t.Errorf("PutPacketHeader made %x", b)
	}
}

func FuzzFrames(f *testing.F) {
	f.Add(AppendPad(AppendPacket(nil, []byte("packet")), 0))
	f.Add([]byte{2, 0, 0, 1, 0})
	f.Fuzz(func(t *testing.T, content []byte) {
		it := NewFrames(content)
		total := 0
		for it.Next() {
			if len(it.Payload()) == 0 || it.Type() == FramePad {
				t.Fatal("an empty or PAD frame came out")
			}
			total += FrameHeaderLen + len(it.Payload())
		}
		if total > len(content) {
			t.Fatalf("%d octets of frames in %d", total, len(content))
		}
	})
}

func FuzzRecord(f *testing.F) {
	s := NewSealer(newSuite(f), 7)
	good, _ := s.Seal(nil, srb2, []byte("message"))
	f.Add(good)
	f.Add(good[:20])
	f.Fuzz(func(t *testing.T, b []byte) {
		o := NewOpener(newSuite(t), 64)
		h, aad, sealed, err := ParseHeader(b)
		if err == nil && !bytes.Equal(append(h.AppendTo(nil), sealed...), b) {
			t.Fatalf("header %+v of %x does not come back (AAD %x)", h, b, aad)
		}
		if _, err := o.Open(b); err == nil && !bytes.Equal(b, good) {
			t.Fatalf("forged record opened: %x", b)
		}
	})
}
