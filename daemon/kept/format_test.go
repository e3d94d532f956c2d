package kept_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"pc5d/daemon/kept"
	"pc5d/daemon/keys"
	"pc5d/policy"
)

// noon is when the tests begin.
var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func secret(octet byte) keys.Secret { return keys.NewSecret(bytes.Repeat([]byte{octet}, 32)) }

// entry makes an entry that differs from those of other ids in all its fields.
func entry(id keys.KNRPID, peer, service string) kept.Entry {
	octets := bytes.Repeat([]byte{0xA5}, 32)
	binary.BigEndian.PutUint32(octets, uint32(id))
	return kept.Entry{
		ID: id, Peer: peer, Service: service,
		Fingerprint: policy.Fingerprint(bytes.Repeat([]byte{byte(id)}, 32)),
		Key:         keys.ResumptionKey{Secret: keys.NewSecret(octets)},
		Made:        noon, Authenticated: noon.Add(-time.Duration(id) * time.Nanosecond),
		CertificateEnd: noon.AddDate(1, 0, 0), Newest: uint64(id) << 32,
	}
}

// differ says in what two entries differ.
func differ(got, want kept.Entry) string {
	if !got.Key.Equal(want.Key.Secret) {
		return "key"
	}
	if !got.Made.Equal(want.Made) || !got.Authenticated.Equal(want.Authenticated) || !got.CertificateEnd.Equal(want.CertificateEnd) {
		return "times"
	}
	if got.ID != want.ID || got.Peer != want.Peer || got.Service != want.Service || got.Fingerprint != want.Fingerprint || got.Newest != want.Newest {
		return fmt.Sprintf("%+v, not %+v", got, want)
	}
	return ""
}

// TestFileReadsBack: whatever stands in an entry comes back, the longest names and no time too.
func TestFileReadsBack(t *testing.T) {
	timeless := entry(3, "carol", "")
	timeless.CertificateEnd = time.Time{}
	far := entry(4, "dave", "video")
	far.CertificateEnd = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	want := []kept.Entry{entry(1, "alice", strings.Repeat("s", 255)), entry(0xFFFFFFFF, strings.Repeat("b", 255), "voice"), timeless, far}
	body, err := kept.Unseal(secret(1), kept.Seal(secret(1), 1, kept.Encode(noon, want...)))
	if err != nil {
		t.Fatal(err)
	}
	got, same, err := kept.Decode(body)
	if err != nil || !same || len(got) != len(want) {
		t.Fatalf("%d entries, want %d; same octets: %v; %v", len(got), len(want), same, err)
	}
	for i := range got {
		if d := differ(got[i], want[i]); d != "" {
			t.Errorf("entry %d comes back with another %s", i, d)
		}
	}
}

// TestT72_EveryOctetIsAuthenticated: one changed bit, the version's too, one missing octet or one
// more, and there is no body; nothing of a key stands in the file.
func TestT72_EveryOctetIsAuthenticated(t *testing.T) {
	e := entry(7, "alice", "voice")
	file := kept.Seal(secret(1), 1, kept.Encode(noon, e))
	if bytes.Contains(file, e.Key.Bytes()[8:16]) || bytes.Contains(file, []byte("alice")) {
		t.Error("the file shows what it has")
	}
	for i := range 8 * len(file) {
		altered := bytes.Clone(file)
		altered[i/8] ^= 1 << (i % 8)
		if _, err := kept.Unseal(secret(1), altered); err == nil {
			t.Fatalf("bit %d changed, and the file is read", i)
		}
	}
	for n := range len(file) {
		if _, err := kept.Unseal(secret(1), file[:n]); err == nil {
			t.Fatalf("a file cut to %d octets is read", n)
		}
	}
	if _, err := kept.Unseal(secret(1), append(bytes.Clone(file), 0)); err == nil {
		t.Error("a file with one more octet is read")
	}
	if bytes.Equal(file, kept.Seal(secret(1), 1, kept.Encode(noon, e))) {
		t.Error("two files of the same entries are the same: salt or nonce repeats")
	}
}

// TestT72_NoBodyOfTwoMinds: a body that this program would not write is none, although its key is
// right.
func TestT72_NoBodyOfTwoMinds(t *testing.T) {
	a, b := entry(1, "alice", "voice"), entry(2, "bob", "voice")
	sameID, late, zero, nameless := b, b, b, b
	sameID.ID = a.ID
	late.Made = time.Unix(1<<40, 0)
	zero.Key = keys.ResumptionKey{Secret: keys.NewSecret(make([]byte, 32))}
	nameless.Peer = ""
	nanoseconds := kept.Encode(noon, a)
	binary.BigEndian.PutUint32(nanoseconds[8:], 1e9)
	many := kept.Encode(noon, a)
	binary.BigEndian.PutUint16(many[12:], kept.MaxEntries+1)
	fewer := kept.Encode(noon, a, b)
	binary.BigEndian.PutUint16(fewer[12:], 1)
	more := kept.Encode(noon, a, b)
	binary.BigEndian.PutUint16(more[12:], 3)
	bodies := map[string][]byte{
		"an ID twice": kept.Encode(noon, a, sameID), "out of order": kept.Encode(noon, b, a),
		"a peer twice": kept.Encode(noon, a, a), "year 36812": kept.Encode(noon, late), "a wiped key": kept.Encode(noon, zero),
		"no peer": kept.Encode(noon, nameless), "a second of 10^9 ns": nanoseconds,
		"too many": many, "fewer than there are": fewer, "more than there are": more,
		"written in year 36812": kept.Encode(time.Unix(1<<40, 0), a),
	}
	whole := kept.Encode(noon, a, b)
	for n := range whole {
		bodies[fmt.Sprintf("cut to %d octets", n)] = whole[:n]
	}
	for name, body := range bodies {
		if got, _, err := kept.Decode(body); err == nil || len(got) > 0 {
			t.Errorf("%s: %d entries, error %v; want none and one", name, len(got), err)
		}
	}
}

// FuzzKNRPFile is T72's: no file panics or makes more of itself than it is, and a body that is
// read is the only spelling of its entries. The octets are tried as a file, and as the body of a
// file with the right key.
func FuzzKNRPFile(f *testing.F) {
	a, b := entry(1, "alice", "voice"), entry(2, "bob", "")
	b.CertificateEnd = time.Time{}
	for _, body := range [][]byte{nil, kept.Encode(time.Time{}), kept.Encode(noon, a), kept.Encode(noon, a, b)} {
		f.Add(body)
		f.Add(kept.Seal(secret(1), 1, body))
		f.Add(kept.Seal(secret(1), 0, body))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if body, err := kept.Unseal(secret(1), b); err == nil {
			try(t, body)
		}
		body, err := kept.Unseal(secret(1), kept.Seal(secret(1), 1, b))
		if err != nil || !bytes.Equal(body, b) {
			t.Fatalf("a file of %d octets does not come back: %v", len(b), err)
		}
		try(t, body)
	})
}

func try(t *testing.T, body []byte) {
	t.Helper()
	entries, same, err := kept.Decode(body)
	if err != nil {
		if len(entries) > 0 {
			t.Fatal("an error, and entries")
		}
		return
	}
	if !same {
		t.Fatal("two bodies of the same entries")
	}
	for _, e := range entries {
		if e.Peer == "" || len(e.Key.Bytes()) != 32 || bytes.Equal(e.Key.Bytes(), make([]byte, 32)) {
			t.Fatal("half an entry")
		}
	}
}
