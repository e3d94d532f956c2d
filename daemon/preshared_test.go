package daemon

import (
	"bytes"
	"testing"

	"pc5d/daemon/keys"
	"pc5d/daemon/link"
	"pc5d/policy/provision"
)

// TestPreShared_NoKeyOfZeros: a daemon that ends wipes its keys while datagrams still arrive. Nobody finds
// a wiped key: whoever computes with zeros would prove it.
func TestPreShared_NoKeyOfZeros(t *testing.T) {
	secret := keys.NewSecret(bytes.Repeat([]byte{7}, keys.ResumptionKeyLen))
	links := []provision.Link{{Name: "bob", Peer: "bob", Service: "ip", PSK: "psk"}}
	p, err := openPreShared(links, map[string]keys.Secret{"bob": secret}, 1)
	if err != nil {
		t.Fatal(err)
	}
	into := link.KeptKey{Key: keys.ResumptionKey{Secret: keys.NewSecret(make([]byte, keys.ResumptionKeyLen))}}
	if !p.copyTo(0, &into) || !into.Key.Equal(secret) || p.copyTo(1, &into) {
		t.Fatal("the key is not there")
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.wipe()
	}()
	for range 1000 {
		if p.copyTo(0, &into) && !into.Key.Equal(keys.NewSecret(bytes.Repeat([]byte{7}, keys.ResumptionKeyLen))) {
			t.Fatal("a key that is half wiped")
		}
	}
	<-done
	_, found := p.find("bob", "ip")
	if found || p.copyTo(0, &into) || p.len() != 0 {
		t.Error("a wiped key is found")
	}
	if !secret.Equal(keys.NewSecret(make([]byte, keys.ResumptionKeyLen))) {
		t.Error("the key was not wiped")
	}
}
