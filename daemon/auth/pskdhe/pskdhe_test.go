package pskdhe_test

import (
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"testing"

	"pc5d/daemon/auth/kei"
	"pc5d/daemon/auth/pskdhe"
	"pc5d/daemon/keys"
)

func pair(t *testing.T) (a, b *pskdhe.Exchange) {
	t.Helper()
	a, err := pskdhe.New()
	if err != nil {
		t.Fatal(err)
	}
	if b, err = pskdhe.New(); err != nil {
		t.Fatal(err)
	}
	return a, b
}

// TestKNRP: both ends make the same key, and it changes with everything that goes into it.
func TestKNRP(t *testing.T) {
	a, b := pair(t)
	psk := keys.NewSecret(make([]byte, 32))
	k, err := a.KNRP(psk, b.Share(), []byte("ctx"), a.Share(), b.Share())
	if err != nil {
		t.Fatal(err)
	}
	if other, err := b.KNRP(psk, a.Share(), []byte("ctx"), a.Share(), b.Share()); err != nil || !other.Equal(k.Secret) {
		t.Fatalf("the ends disagree: %v", err)
	}
	otherPSK := keys.NewSecret(append(make([]byte, 31), 1))
	for name, got := range map[string]func() (keys.KNRP, error){
		"psk":   func() (keys.KNRP, error) { return b.KNRP(otherPSK, a.Share(), []byte("ctx"), a.Share(), b.Share()) },
		"ctx":   func() (keys.KNRP, error) { return b.KNRP(psk, a.Share(), []byte("ctz"), a.Share(), b.Share()) },
		"roles": func() (keys.KNRP, error) { return b.KNRP(psk, a.Share(), []byte("ctx"), b.Share(), a.Share()) },
	} {
		if other, err := got(); err != nil || other.Equal(k.Secret) {
			t.Errorf("another %s, the same key (%v)", name, err)
		}
	}
}

// TestKNRP_Formula holds the derivation against one written out here.
func TestKNRP_Formula(t *testing.T) {
	a, b := pair(t)
	psk := keys.NewSecret([]byte("0123456789abcdef0123456789abcdef"))
	got, err := a.KNRP(psk, b.Share(), []byte{1, 2}, a.Share(), b.Share())
	if err != nil {
		t.Fatal(err)
	}
	e1, e2 := a.Share(), b.Share()
	info := "pc5d/1 psk-dhe\x01\x02" + string(e1[:]) + string(e2[:])
	dh := shared(t, a, b)
	want, err := hkdf.Key(sha256.New, dh, psk.Bytes(), info, 32)
	if err != nil || hex.EncodeToString(want) != hex.EncodeToString(got.Bytes()) {
		t.Errorf("got %x, want %x (%v)", got.Bytes(), want, err)
	}
}

// shared is X25519 of both ends.
func shared(t *testing.T, a, b *pskdhe.Exchange) []byte {
	t.Helper()
	share := b.Share()
	public, err := ecdh.X25519().NewPublicKey(share[:])
	if err != nil {
		t.Fatal(err)
	}
	dh, err := a.Private().ECDH(public)
	if err != nil {
		t.Fatal(err)
	}
	return dh
}

// TestT18_LowOrderShares: points of small order and the all-zero result are refused.
func TestT18_LowOrderShares(t *testing.T) {
	a, _ := pair(t)
	for _, s := range []string{
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
		"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	} {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.KNRP(keys.NewSecret(make([]byte, 32)), [kei.ShareLen]byte(b), nil, a.Share(), [kei.ShareLen]byte(b)); !errors.Is(err, pskdhe.ErrShare) {
			t.Errorf("%s: got %v", s, err)
		}
	}
}

// TestBinder: it depends on the key, on both names and on the request.
func TestBinder(t *testing.T) {
	seen := map[[kei.ProofLen]byte]string{}
	for _, c := range []struct {
		name, a, b, request string
		psk                 byte
	}{
		{"base", "alice", "bob", "request", 0}, {"psk", "alice", "bob", "request", 1}, {"roles", "bob", "alice", "request", 0},
		{"boundary", "aliceb", "ob", "request", 0}, {"request", "alice", "bob", "requesz", 0},
	} {
		got, err := pskdhe.Binder(keys.NewSecret(append(make([]byte, 31), c.psk)), c.a, c.b, []byte(c.request))
		if err != nil {
			t.Fatal(err)
		}
		if other, ok := seen[got]; ok {
			t.Errorf("%s and %s have one binder", c.name, other)
		}
		seen[got] = c.name
	}
}
