package keys_test

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"pc5d/daemon/keys"
	"pc5d/dataplane/nea"
)

type vector struct {
	ID     string `json:"id"`
	Key    string `json:"key"`
	Nonce1 string `json:"nonce_1"`
	Nonce2 string `json:"nonce_2"`
	S      string `json:"S"`
	Output string `json:"output"`
}

func octets(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestR20_VectorsKDF runs the derivations of TS 33.536, A.3 and A.4.
func TestR20_VectorsKDF(t *testing.T) {
	b, err := os.ReadFile("testdata/kdf_pc5_generated.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Vectors []vector }
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Vectors) == 0 {
		t.Fatal("no vectors")
	}
	for _, v := range file.Vectors {
		key, s := keys.NewSecret(octets(t, v.Key)), octets(t, v.S)
		var got keys.Secret
		switch {
		case v.Nonce1 != "":
			got = keys.DeriveKNRPSess(keys.KNRP{Secret: key}, keys.Nonce(octets(t, v.Nonce1)), keys.Nonce(octets(t, v.Nonce2))).Secret
		case s[1] == 0:
			got = keys.DeriveNRPEK(keys.KNRPSess{Secret: key}, nea.Ciphering(s[4])).Secret
		default:
			got = keys.DeriveNRPIK(keys.KNRPSess{Secret: key}, nea.Integrity(s[4])).Secret
		}
		if hex.EncodeToString(got.Bytes()) != v.Output {
			t.Errorf("%s: got %x, want %s", v.ID, got.Bytes(), v.Output)
		}
	}
}

// TestT51_RecordKeysDistinct: no two planes, suites, modes or directions share a key or a salt,
// and none equals the resumption key.
func TestT51_RecordKeysDistinct(t *testing.T) {
	secret := make([]byte, 32)
	seen := map[string]string{string(keys.DeriveResumptionKey(keys.KNRP{Secret: keys.NewSecret(secret)}).Bytes()): "resumption"}
	for _, plane := range []keys.Plane{keys.UserPlane, keys.SignallingPlane} {
		for suite := byte(1); suite <= 3; suite++ {
			for _, mode := range []byte{0x00, 0x01, 0x10, 0x11} {
				for direction := range byte(2) {
					k := keys.DeriveRecordKey(keys.KNRPSess{Secret: keys.NewSecret(secret)}, plane, suite, mode, direction, 32)
					id := fmt.Sprint(plane, suite, mode, direction)
					for _, v := range []string{string(k.Key.Bytes()), string(k.Salt[:])} {
						if other, ok := seen[v]; ok {
							t.Errorf("%s and %s share octets", id, other)
						}
						seen[v] = id
					}
				}
			}
		}
	}
}

// TestT71_SecretsDoNotPrint: no verb and no encoding shows the octets.
func TestT71_SecretsDoNotPrint(t *testing.T) {
	k := keys.KNRP{Secret: keys.NewSecret([]byte("secret octets of a key"))}
	j, err := json.Marshal(k)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{fmt.Sprint(k), fmt.Sprintf("%v %+v %#v %s %x %q %d", k, k, k, k, k, k, k), string(j)} {
		if strings.Contains(s, "secret octets") || strings.Contains(s, "736563726574") || strings.Contains(s, "115 101") {
			t.Errorf("shown: %s", s)
		}
	}
	k.Wipe()
	for _, b := range k.Bytes() {
		if b != 0 {
			t.Fatal("not wiped")
		}
	}
}
