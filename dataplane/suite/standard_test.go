package suite

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"pc5d/dataplane/nea"
)

var modes = []Mode{AEAD, IntegrityOnly, CipheringOnly, Unprotected}

// standardVector is a published PDU of a data bearer; identities are numbers in the file.
type standardVector struct {
	ID        string `json:"id"`
	Kind      string `json:"bearer_kind"`
	Bearer    uint8  `json:"bearer"`
	Count     uint64 `json:"count"`
	Direction uint8  `json:"direction"`
	Ciphering uint8  `json:"nea"`
	Integrity uint8  `json:"nia"`
	NRPEK     octets `json:"nrpek"`
	NRPIK     octets `json:"nrpik"`
	Header    octets `json:"header"`
	SDU       octets `json:"sdu"`
	PDU       octets `json:"pdu"`
}

func dataVectors(t *testing.T) (out []standardVector) {
	t.Helper()
	b, err := os.ReadFile("../pdcp/testdata/pdcp_sl_generated.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Vectors []json.RawMessage }
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	for _, raw := range file.Vectors {
		var v standardVector
		if bytes.Contains(raw, []byte(`"drb"`)) {
			if err := json.Unmarshal(raw, &v); err != nil {
				t.Fatal(err)
			}
			out = append(out, v)
		}
	}
	return out
}

// one runs a function of a suite over one item.
func one(run func([]Item), it Item) Item {
	batch := []Item{it}
	run(batch)
	return batch[0]
}

// TestR19_P6_VectorsStandard protects and opens the published PDUs of data bearers, of both lengths of SN,
// with each pair of algorithms, and opens each again with every bit flipped.
func TestR19_P6_VectorsStandard(t *testing.T) {
	vectors := dataVectors(t)
	for _, v := range vectors {
		s, err := NewStandard(Standard{
			Ciphering: nea.Ciphering(v.Ciphering), Integrity: nea.Integrity(v.Integrity), Bearer: v.Bearer, Direction: v.Direction,
			NRPEK: [16]byte(v.NRPEK), NRPIK: [16]byte(v.NRPIK),
		}, AEAD)
		if err != nil {
			t.Fatal(err)
		}
		n := len(v.Header)
		sealed := one(s.Seal, Item{Count: v.Count, AAD: v.Header, Text: v.SDU, Dst: make([]byte, 0, len(v.PDU))})
		if got := append(bytes.Clone(v.Header), sealed.Dst...); !sealed.OK || !bytes.Equal(got, v.PDU) {
			t.Errorf("%s: seal: got %x, want %x", v.ID, got, v.PDU)
		}
		open := func() Item {
			return one(s.Open, Item{Count: v.Count, AAD: v.PDU[:n], Text: v.PDU[n:], Dst: make([]byte, 0, len(v.PDU))})
		}
		for bit := range 8 * len(v.PDU) {
			v.PDU[bit/8] ^= 0x80 >> (bit % 8)
			if it := open(); it.OK || len(it.Dst) > 0 {
				t.Errorf("%s: accepted with bit %d flipped", v.ID, bit)
			}
			v.PDU[bit/8] ^= 0x80 >> (bit % 8)
		}
		if it := open(); !it.OK || !bytes.Equal(it.Dst, v.SDU) {
			t.Errorf("%s: open: %x, want %x", v.ID, it.Dst, v.SDU)
		}
	}
	if len(vectors) != 24 { // two lengths of SN, two directions, two COUNTs, three pairs
		t.Fatalf("%d vectors were run", len(vectors))
	}
}

// reference is TS 38.323, 5.8 and 5.9 as they are written: a MAC-I over header and data, then the key
// stream over data and MAC-I, each by algorithms of its own making.
func reference(t *rapid.T, s Standard, mode Mode, count uint32, header, data []byte) []byte {
	out := bytes.Clone(data)
	if mode.Authentic() {
		m, err := nea.NewMAC(s.Integrity, s.NRPIK)
		if err != nil {
			t.Fatal(err)
		}
		mac := m.Sum(count, s.Bearer, s.Direction, append(bytes.Clone(header), data...))
		out = append(out, mac[:]...)
	}
	if mode.Ciphers() {
		c, err := nea.NewCipher(s.Ciphering, s.NRPEK)
		if err != nil {
			t.Fatal(err)
		}
		stream := make([]byte, len(out))
		c.XORKeyStream(stream, stream, count, s.Bearer, s.Direction)
		for i := range out {
			out[i] ^= stream[i]
		}
	}
	return out
}

// TestR19_StandardIsTheReference: any batch in any mode with any algorithms is what the reference makes
// PDU by PDU, comes back whole, and does not open in the other direction or on another bearer where there
// is integrity.
func TestR19_StandardIsTheReference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mode := rapid.SampledFrom(modes).Draw(t, "mode")
		s := Standard{
			Ciphering: nea.Ciphering(rapid.IntRange(1, 3).Draw(t, "nea")), Integrity: nea.Integrity(rapid.IntRange(1, 3).Draw(t, "nia")),
			NRPEK: [16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "ek")), NRPIK: [16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "ik")),
			Bearer: rapid.Uint8Range(4, 19).Draw(t, "bearer"), Direction: rapid.Uint8Range(0, 1).Draw(t, "direction"),
		}
		make1 := func(s Standard) Suite {
			made, err := NewStandard(s, mode)
			if err != nil {
				t.Fatal(err)
			}
			return made
		}
		sealer := make1(s)
		var batch []Item
		for range rapid.IntRange(1, 5).Draw(t, "PDUs") {
			text := rapid.SliceOfN(rapid.Byte(), 0, 80).Draw(t, "data")
			batch = append(batch, Item{
				Count: uint64(rapid.Uint32().Draw(t, "COUNT")), AAD: rapid.SliceOfN(rapid.Byte(), 5, 5).Draw(t, "header"),
				Text: text, Dst: make([]byte, 0, len(text)+sealer.TagLen()),
			})
		}
		sealer.Seal(batch)
		for _, it := range batch {
			if want := reference(t, s, mode, uint32(it.Count), it.AAD, it.Text); !it.OK || !bytes.Equal(it.Dst, want) {
				t.Fatalf("sealed %x, want %x", it.Dst, want)
			}
			back := Item{Count: it.Count, AAD: it.AAD, Text: it.Dst, Dst: make([]byte, 0, len(it.Dst))}
			if got := one(make1(s).Open, back); !got.OK || !bytes.Equal(got.Dst, it.Text) {
				t.Fatalf("opened %x, want %x", got.Dst, it.Text)
			}
			other := s
			other.Direction = 1 - s.Direction
			elsewhere := s
			elsewhere.Bearer = 23 - s.Bearer
			for _, wrong := range []Standard{other, elsewhere} {
				if got := one(make1(wrong).Open, back); got.OK == mode.Authentic() {
					t.Fatalf("opened by %+v: %v", wrong, got.OK)
				}
			}
		}
	})
}

// TestR10_T56_StandardRefusals: no mode takes a null algorithm for a protection that it has.
func TestR10_T56_StandardRefusals(t *testing.T) {
	good := Standard{Ciphering: nea.NEA2, Integrity: nea.NIA2}
	for name, c := range map[string]struct {
		change func(*Standard)
		modes  []Mode
	}{
		"null ciphering":    {func(s *Standard) { s.Ciphering = nea.NEA0 }, []Mode{AEAD, CipheringOnly}},
		"null integrity":    {func(s *Standard) { s.Integrity = nea.NIA0 }, []Mode{AEAD, IntegrityOnly}},
		"unknown ciphering": {func(s *Standard) { s.Ciphering = nea.NEA4 }, []Mode{AEAD, CipheringOnly}},
		"unknown integrity": {func(s *Standard) { s.Integrity = nea.NIA7 }, []Mode{AEAD, IntegrityOnly}},
		"nothing at all":    {func(s *Standard) { *s = Standard{} }, []Mode{AEAD, IntegrityOnly, CipheringOnly}},
		"unknown mode":      {func(*Standard) {}, []Mode{modeCount}},
	} {
		for _, mode := range c.modes {
			s := good
			c.change(&s)
			if _, err := NewStandard(s, mode); err == nil {
				t.Errorf("%s: mode %s was made", name, mode)
			}
		}
	}
	if _, err := NewStandard(Standard{Ciphering: nea.NEA4, Integrity: nea.NIA2}, AEAD); !errors.Is(err, nea.ErrNotBuilt) {
		t.Errorf("256-bit algorithm: %v", err)
	}
}

// TestT71_StandardPrintsNoKey: keys reach no log.
func TestT71_StandardPrintsNoKey(t *testing.T) {
	s := Standard{Ciphering: nea.NEA2, Integrity: nea.NIA2, NRPEK: [16]byte{0xAB}, NRPIK: [16]byte{0xCD}}
	made, err := NewStandard(s, AEAD)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprintf("%v %+v %#v", s, s, s), fmt.Sprintf("%v %+v %#v", made, made, made)} {
		if strings.Contains(text, "171") || strings.Contains(text, "0xab") || !strings.Contains(text, "redacted") {
			t.Errorf("prints %s", text)
		}
	}
	if s.Wipe(); s.NRPEK != [16]byte{} || s.NRPIK != [16]byte{} {
		t.Error("not wiped")
	}
}

// TestT36_StandardAllocations: with SNOW 3G, and where nothing is protected, no PDU allocates. AES and ZUC
// come from libraries that make a new stream for each message.
func TestT36_StandardAllocations(t *testing.T) {
	for _, mode := range modes {
		s, err := NewStandard(Standard{Ciphering: nea.NEA1, Integrity: nea.NIA1}, mode)
		if err != nil {
			t.Fatal(err)
		}
		batch := []Item{{AAD: make([]byte, 5), Text: make([]byte, 1400), Dst: make([]byte, 0, 1404)}}
		opened := []Item{{AAD: make([]byte, 5), Dst: make([]byte, 0, 1404)}}
		n := testing.AllocsPerRun(20, func() {
			s.Seal(batch)
			opened[0].Text = batch[0].Dst
			if s.Open(opened); !opened[0].OK {
				t.Fatal("not opened")
			}
			opened[0].AAD[0]++ // altered
			s.Open(opened)
			opened[0].AAD[0]--
		})
		if n > 0 {
			t.Errorf("%s: %v allocations", mode, n)
		}
	}
}
