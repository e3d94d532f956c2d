package pdcp_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"testing"

	"pc5d/dataplane/nea"
	"pc5d/dataplane/pdcp"
)

type vector struct {
	ID        string `json:"id"`
	Kind      string `json:"bearer_kind"`
	Bearer    uint8  `json:"bearer"`
	Bits      int    `json:"sn_bits"`
	Count     uint32 `json:"count"`
	Direction uint8  `json:"direction"`
	NEA       uint8  `json:"nea"`
	NIA       uint8  `json:"nia"`
	Session   uint16 `json:"knrp_sess_id"`
	NRPEK     string `json:"nrpek"`
	NRPIK     string `json:"nrpik"`
	SDU       string `json:"sdu"`
	PDU       string `json:"pdu"`
}

func octets(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (v vector) entity(t *testing.T, direction uint8) *pdcp.Entity {
	t.Helper()
	var ek [16]byte
	copy(ek[:], octets(t, v.NRPEK))
	c, err := nea.NewCipher(nea.Ciphering(v.NEA), ek)
	if err != nil {
		t.Fatal(err)
	}
	m, err := nea.NewMAC(nea.Integrity(v.NIA), [16]byte(octets(t, v.NRPIK)))
	if err != nil {
		t.Fatal(err)
	}
	e := pdcp.NewEntity(pdcp.Config{Bearer: v.Bearer, Session: v.Session, Direction: direction, Cipher: c, MAC: m})
	e.SetCount(v.Count)
	return e
}

// TestR16_P5_VectorsPDCP protects and opens the signalling PDUs of TS 38.323, 5.8 and 5.9 with each
// pair of algorithms, and opens each again with every bit flipped.
func TestR16_P5_VectorsPDCP(t *testing.T) {
	b, err := os.ReadFile("testdata/pdcp_sl_generated.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Vectors []vector }
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	run := 0
	for _, v := range file.Vectors {
		if v.Bits != 12 || v.Kind != "srb" || v.NRPIK == "" {
			t.Logf("%s: left out: a data bearer, or without integrity", v.ID)
			continue
		}
		run++
		sdu, pdu := octets(t, v.SDU), octets(t, v.PDU)
		got, err := v.entity(t, v.Direction).Seal(nil, sdu, pdcp.Ciphered)
		if err != nil || !bytes.Equal(got, pdu) {
			t.Errorf("%s: seal: got %x (%v), want %x", v.ID, got, err, pdu)
		}
		receiver := v.entity(t, 1-v.Direction)
		for bit := range 8 * len(pdu) {
			pdu[bit/8] ^= 0x80 >> (bit % 8)
			if _, err := receiver.Open(pdu, pdcp.Ciphered); err == nil {
				t.Errorf("%s: accepted with bit %d flipped", v.ID, bit)
			}
			pdu[bit/8] ^= 0x80 >> (bit % 8)
		}
		if got, err := receiver.Open(pdu, pdcp.Ciphered); err != nil || !bytes.Equal(got, sdu) {
			t.Errorf("%s: open: got %x (%v), want %x", v.ID, got, err, sdu)
		}
		if _, err := receiver.Open(pdu, pdcp.Ciphered); !errors.Is(err, pdcp.ErrReplay) {
			t.Errorf("%s: replay: got %v", v.ID, err)
		}
	}
	if run != 27 { // two bearers and directions, two COUNTs, three pairs; and the command of each
		t.Fatalf("%d vectors were run", run)
	}
}

func ends(t testing.TB, limit uint32) (a, b *pdcp.Entity) {
	t.Helper()
	end := func(direction uint8) *pdcp.Entity {
		c, err := nea.NewCipher(nea.NEA2, [16]byte{1})
		if err != nil {
			t.Fatal(err)
		}
		m, err := nea.NewMAC(nea.NIA2, [16]byte{2})
		if err != nil {
			t.Fatal(err)
		}
		return pdcp.NewEntity(pdcp.Config{Bearer: 2, Session: 0x1234, Direction: direction, Cipher: c, MAC: m, Limit: limit})
	}
	return end(0), end(1)
}

// TestP5_ReplayAndReordering delivers a shuffled stream with duplicates over several HFNs: each
// PDU inside the window passes once, none twice, and a forged one moves nothing.
func TestP5_ReplayAndReordering(t *testing.T) {
	a, b := ends(t, 0)
	random := rand.New(rand.NewPCG(1, 2))
	for block := range 400 {
		var pdus [][]byte
		for range 40 {
			pdu, err := a.Seal(nil, []byte{byte(block), byte(block >> 8)}, pdcp.Ciphered)
			if err != nil {
				t.Fatal(err)
			}
			pdus = append(pdus, pdu, pdu)
		}
		random.Shuffle(len(pdus), func(i, j int) { pdus[i], pdus[j] = pdus[j], pdus[i] })
		forged := bytes.Clone(pdus[0])
		forged[0] ^= 0x07
		if _, err := b.Open(forged, pdcp.Ciphered); err == nil {
			t.Fatal("forged PDU accepted")
		}
		n := 0
		for _, pdu := range pdus {
			if _, err := b.Open(pdu, pdcp.Ciphered); err == nil {
				n++
			}
		}
		if n != 40 {
			t.Fatalf("block %d: %d PDUs accepted, want 40", block, n)
		}
	}
}

// TestLimit: COUNT never wraps; at the limit a bearer stops.
func TestLimit(t *testing.T) {
	a, _ := ends(t, 3)
	for range 3 {
		if _, err := a.Seal(nil, []byte("x"), pdcp.Ciphered); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := a.Seal(nil, []byte("x"), pdcp.Ciphered); !errors.Is(err, pdcp.ErrExhausted) {
		t.Fatalf("got %v, want ErrExhausted", err)
	}
}

// FuzzOpen: no input panics or is accepted.
func FuzzOpen(f *testing.F) {
	a, _ := ends(f, 0)
	pdu, err := a.Seal(nil, []byte("seed"), pdcp.Clear)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(pdu[:8])
	f.Fuzz(func(t *testing.T, b []byte) {
		_, receiver := ends(t, 0)
		if _, err := receiver.Open(b, pdcp.Ciphered); err == nil {
			t.Fatalf("accepted %x", b)
		}
	})
}
