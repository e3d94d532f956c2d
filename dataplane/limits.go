package dataplane

import (
	"math"

	"pc5d/dataplane/record"
	"pc5d/dataplane/suite"
)

// blockLen is the length of a block of AES.
const blockLen = 16

// Chosen limits (T55). Those of AES-GCM are far inside its bounds at these record lengths; GMAC and
// AES-CTR have them, too. ChaCha20 ends with COUNT.
const (
	softBlocks     = 1 << 34
	hardBlocks     = 1 << 35
	softCount      = 1 << 47
	gcmFailures    = 1 << 52
	chachaFailures = 1 << 36
	noLimit        = math.MaxUint64
)

// Limits are where a key asks for its successor (soft: Config.Exhausting) and where it ends
// (hard). They hold for the sending and for the receiving key of a context, each by itself; only
// sending is stopped. A field that is 0 has the default of the suite.
type Limits struct {
	SoftBlocks, HardBlocks uint64       // of the cipher, AAD and tag included
	SoftCount, HardCount   record.Count // HardCount: the first COUNT that is never used
	Failures               uint64       // soft: records that did not verify
	Records                uint64       // soft: records sent or received; default none
	Octets                 uint64       // soft: octets of inner packets; default none
}

// of fills in the defaults of a suite in a mode. A key never ends without having asked.
func (l Limits) of(id suite.ID, mode suite.Mode) Limits {
	blocks, hard, failures := uint64(softBlocks), uint64(hardBlocks), uint64(gcmFailures)
	if id == suite.ChaCha20Poly1305 { // a record is far from the end of its key stream
		blocks, hard, failures = noLimit, noLimit, chachaFailures
	}
	if mode == suite.Unprotected { // nothing uses the key
		blocks, hard = noLimit, noLimit
	}
	if !mode.Authentic() { // nothing can fail
		failures = noLimit
	}
	or := func(field *uint64, value uint64) {
		if *field == 0 {
			*field = value
		}
	}
	or(&l.SoftBlocks, blocks)
	or(&l.HardBlocks, hard)
	or((*uint64)(&l.SoftCount), softCount)
	or((*uint64)(&l.HardCount), uint64(record.Limit))
	or(&l.Failures, failures)
	or(&l.Records, noLimit)
	or(&l.Octets, noLimit)
	l.SoftBlocks, l.SoftCount = min(l.SoftBlocks, l.HardBlocks), min(l.SoftCount, l.HardCount, record.Limit)
	return l
}

// usage is what a key has done; next is the COUNT after its highest.
type usage struct {
	blocks, records, octets, failures uint64
	next                              record.Count
}

// reached reports whether a key with this usage is at a soft limit.
func (l *Limits) reached(u *usage) bool {
	return u.blocks >= l.SoftBlocks || u.next >= l.SoftCount || u.failures >= l.Failures ||
		u.records >= l.Records || u.octets >= l.Octets
}

// blocksOf is what a record with so many octets of content, tag not counted, costs.
func blocksOf(content int) int { return (record.Overhead+content)/blockLen + 1 }
