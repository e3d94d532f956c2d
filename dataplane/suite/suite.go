package suite

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"
)

const (
	// SaltLen is the length of the salt of every suite.
	SaltLen = 12
	// TagLen is the length of the tag of every AEAD suite.
	TagLen = 16
)

// Item is one record of a batch. All slices are the caller's. AAD, Text and Dst must not
// overlap, except that Dst may start where Text starts.
type Item struct {
	Count uint64 // 48 bits; sealing: used once in the life of the key
	AAD   []byte
	Text  []byte // Seal: plaintext; Open: ciphertext and tag
	Dst   []byte // before: the room for the result (its capacity counts); after: the result
	OK    bool   // after: Dst is good; Open: the tag verified

	nonce [SaltLen]byte // lives here so that no call allocates one
}

// Suite protects the records of one direction under one key.
type Suite interface {
	// Seal encrypts each item's Text and appends the tag, into Dst.
	Seal(batch []Item)
	// Open verifies and decrypts each item's Text into Dst; where OK is false Dst is empty.
	Open(batch []Item)
	// Overhead is what Seal adds to the length of a text.
	Overhead() int
	// Wipe forgets the key. The suite must not be used afterwards.
	Wipe()
}

// New makes the suite of an ID. It does not keep key.
func New(id ID, key []byte, salt [SaltLen]byte) (Suite, error) {
	if !Built(id) {
		return nil, fmt.Errorf("suite %s is not built: choose aes-128-gcm", id)
	}
	if len(key) != id.KeyLen() {
		return nil, fmt.Errorf("suite %s takes a key of %d octets, got %d", id, id.KeyLen(), len(key))
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("suite %s: %w", id, err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("suite %s: %w", id, err)
	}
	return &plain{aead: gcm, salt: salt}, nil
}

// plain loops over the standard library's AEAD.
type plain struct {
	aead cipher.AEAD
	salt [SaltLen]byte
}

func (p *plain) Seal(batch []Item) {
	for i := range batch {
		it := &batch[i]
		it.OK = cap(it.Dst) >= len(it.Text)+TagLen
		if !it.OK {
			it.Dst = it.Dst[:0]
			continue
		}
		p.setNonce(it)
		it.Dst = p.aead.Seal(it.Dst[:0], it.nonce[:], it.Text, it.AAD)
	}
}

func (p *plain) Open(batch []Item) {
	for i := range batch {
		it := &batch[i]
		it.OK = len(it.Text) >= TagLen && cap(it.Dst) >= len(it.Text)-TagLen
		if !it.OK {
			it.Dst = it.Dst[:0]
			continue
		}
		p.setNonce(it)
		opened, err := p.aead.Open(it.Dst[:0], it.nonce[:], it.Text, it.AAD)
		it.OK = err == nil
		it.Dst = it.Dst[:len(opened)]
	}
}

func (p *plain) Overhead() int { return TagLen }

func (p *plain) Wipe() {
	clear(p.salt[:])
	p.aead = nil
}

func (p *plain) setNonce(it *Item) {
	it.nonce = p.salt
	tail := it.nonce[SaltLen-8:]
	binary.BigEndian.PutUint64(tail, binary.BigEndian.Uint64(tail)^it.Count&(1<<48-1))
}

// String keeps the salt out of logs.
func (p *plain) String() string { return "[redacted]" }
