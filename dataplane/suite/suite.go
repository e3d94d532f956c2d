package suite

import (
	"encoding/binary"
	"fmt"
)

const (
	// SaltLen is the length of the salt of every suite.
	SaltLen = 12
	// TagLen is the length of the tag of every suite, in the modes that have one. (T56)
	TagLen = 16
)

// Item is one record of a batch. All slices are the caller's. AAD, Text and Dst must not
// overlap, except that Dst may start where Text starts.
//
// With IntegrityOnly the tag is computed over one piece of memory: where Dst (Seal) or Text (Open)
// follows AAD there, inside the capacity of AAD, nothing is copied for it; otherwise a copy is made.
type Item struct {
	Count uint64 // 48 bits; sealing: used once in the life of the key
	AAD   []byte
	Text  []byte // Seal: plaintext; Open: what Seal made
	Dst   []byte // before: the room for the result (its capacity counts); after: the result
	OK    bool   // after: Dst is good; Open, in the modes with a tag: it verified

	nonce [SaltLen]byte // here, so that no call allocates it
}

// Suite protects the records of one direction under one key.
type Suite interface {
	// Seal protects each item's Text into Dst, with the tag, if any, at its end.
	Seal(batch []Item)
	// Open verifies and deciphers each item's Text into Dst; where OK is false Dst is empty.
	Open(batch []Item)
	// TagLen is what Seal adds to the length of a text.
	TagLen() int
	// Wipe forgets the key. The suite must not be used afterwards.
	Wipe()
}

// New makes the suite of an ID in a mode. It does not keep key. A key serves one mode only (T51).
func New(id ID, mode Mode, key []byte, salt [SaltLen]byte) (Suite, error) {
	if !Built(id) {
		return nil, fmt.Errorf("%s is not built: choose one of %s", id, words())
	}
	if len(key) != id.KeyLen() {
		return nil, fmt.Errorf("suite %s takes a key of %d octets, got %d", id, id.KeyLen(), len(key))
	}
	m, err := newMethod(id, mode, key)
	if err != nil {
		return nil, fmt.Errorf("suite %s, mode %s: %w", id, mode, err)
	}
	return &plain{method: m, tagLen: mode.TagLen(), salt: salt}, nil
}

// method protects one item under one key. There is room, and the nonce is set.
type method interface {
	seal(it *Item)
	open(it *Item) bool // Text is not shorter than a tag
	wipe()
}

// plain takes the items of a batch one by one.
type plain struct {
	method method
	tagLen int
	salt   [SaltLen]byte
}

func (p *plain) Seal(batch []Item) {
	for i := range batch {
		it := &batch[i]
		it.OK = cap(it.Dst) >= len(it.Text)+p.tagLen
		it.Dst = it.Dst[:0]
		if it.OK {
			p.setNonce(it)
			p.method.seal(it)
		}
	}
}

func (p *plain) Open(batch []Item) {
	for i := range batch {
		it := &batch[i]
		it.OK = len(it.Text) >= p.tagLen && cap(it.Dst) >= len(it.Text)-p.tagLen
		it.Dst = it.Dst[:0]
		if it.OK {
			p.setNonce(it)
			it.OK = p.method.open(it)
		}
	}
}

func (p *plain) TagLen() int { return p.tagLen }

func (p *plain) Wipe() {
	clear(p.salt[:])
	p.method.wipe()
	p.method = nil
}

func (p *plain) setNonce(it *Item) {
	it.nonce = p.salt
	tail := it.nonce[SaltLen-8:]
	binary.BigEndian.PutUint64(tail, binary.BigEndian.Uint64(tail)^it.Count&(1<<48-1))
}

// String keeps key and salt out of logs.
func (p *plain) String() string { return "[redacted]" }

// GoString keeps key and salt out of logs.
func (p *plain) GoString() string { return "[redacted]" }
