package kept_test

import (
	"bytes"
	"testing"
	"time"

	"pc5d/daemon/kept"
	"pc5d/daemon/kept/kepttest"
	"pc5d/daemon/keys"
)

// TestI10_WhatIsGoneIsWiped: however an entry ends, the octets of its key are zero afterwards, and
// those of the others are not. Copies that were handed out stay: the store never makes a key zero
// in the hands of somebody who is about to check a binder with it.
func TestI10_WhatIsGoneIsWiped(t *testing.T) {
	for name, end := range map[string]func(*bench){
		"Take":            func(b *bench) { b.Take(1) },
		"a newer Put":     func(b *bench) { b.Put(entry(3, "alice", "voice")) },
		"an ID twice":     func(b *bench) { b.Put(entry(2, "alice", "voice")) },
		"Forget":          func(b *bench) { b.Forget("alice") },
		"Retain":          func(b *bench) { b.Retain(func(e kept.Entry) bool { return e.Peer != "alice" }) },
		"over, ForPeer":   func(b *bench) { b.now = noon.Add(time.Hour); b.ForPeer("alice", "voice") },
		"over, ByID":      func(b *bench) { b.now = noon.Add(time.Hour); b.ByID(1) },
		"over, Each":      func(b *bench) { b.now = noon.Add(time.Hour); b.Each(func(kept.Entry) bool { return true }) },
		"over, other Put": func(b *bench) { b.now = noon.Add(time.Hour); b.Put(entry(3, "carol", "voice")) },
	} {
		b := newBench(t, kepttest.New())
		e := entry(1, "alice", "voice")
		e.CertificateEnd = noon.Add(time.Hour)
		b.Put(e)
		b.Put(entry(2, "bob", "voice"))
		copied, _ := b.ByID(1)
		gone, stays := b.Octets(1), b.Octets(2)
		end(b)
		if !bytes.Equal(gone, make([]byte, 32)) {
			t.Errorf("%s: the key is not wiped", name)
		}
		if !bytes.Equal(stays, entry(2, "", "").Key.Bytes()) || !copied.Key.Equal(entry(1, "", "").Key.Secret) || !e.Key.Equal(copied.Key.Secret) {
			t.Errorf("%s: another key, or somebody's copy, is wiped too", name)
		}
	}
}

// TestI10_CloseWipes: Close leaves no key in the store, nothing is found or changed afterwards, and
// the file has what it had.
func TestI10_CloseWipes(t *testing.T) {
	b := newBench(t, kepttest.New())
	b.Put(entry(1, "alice", "voice"))
	b.Put(entry(2, "bob", "voice"))
	octets := [][]byte{b.Octets(1), b.Octets(2), b.FileKey()}
	closed := b.Store
	b.Close()
	for i, o := range octets {
		if !bytes.Equal(o, make([]byte, 32)) {
			t.Errorf("key %d is not wiped", i)
		}
	}
	b.want("closed")
	b.Put(entry(3, "carol", "voice"))
	b.Take(1)
	if _, ok := b.ByID(2); ok || b.Forget("") != 0 || b.Accept(2, 1<<63) {
		t.Error("something is found after Close")
	}
	b.Close()
	b.open(secret(1))
	b.want("opened again", 1, 2)
	closed.Close()
	b.restart()
	b.want("the old one closed once more", 1, 2)
	b.wantTold("close")
}

// TestI10_NoCopyIsLeft: the copies of a search are wiped as it goes on; a caller's secret is not
// needed after Open and not changed by it.
func TestI10_NoCopyIsLeft(t *testing.T) {
	b := newBench(t, kepttest.New())
	b.Put(entry(1, "alice", "voice"))
	b.Put(entry(2, "bob", "voice"))
	var copies []keys.ResumptionKey
	b.Each(func(e kept.Entry) bool { copies = append(copies, e.Key); return true })
	for i, c := range copies {
		if !bytes.Equal(c.Bytes(), make([]byte, 32)) {
			t.Errorf("copy %d of a search is not wiped", i)
		}
	}
	s := secret(1)
	b.disk = kepttest.New()
	b.open(s)
	if !s.Equal(secret(1)) {
		t.Error("Open changed the caller's secret")
	}
	s.Wipe()
	b.Put(entry(1, "alice", "voice"))
	b.restart() // with the secret that was not wiped
	b.want("written after the caller wiped its secret", 1)
}
