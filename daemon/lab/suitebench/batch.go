package suitebench

import (
	"bytes"
	"errors"

	"pc5d/dataplane/record"
	"pc5d/dataplane/suite"
)

// batchRecords is what the data plane seals with one call when much waits.
const batchRecords = 44

// batch is records to be sealed and opened again and again. Their COUNTs repeat, which only a key that is
// never used for anything may do.
type batch struct {
	suite  suite.Suite
	text   []byte
	sealed []suite.Item
	opened []suite.Item
}

// newBatch lays records out as the data plane does: the text somewhere, header and result in one piece.
func newBatch(id suite.ID, mode suite.Mode, octets int) (*batch, error) {
	s, err := suite.New(id, mode, make([]byte, id.KeyLen()), [suite.SaltLen]byte{})
	if err != nil {
		return nil, err
	}
	b := &batch{suite: s, text: bytes.Repeat([]byte{0xA5}, octets)}
	length := octets + s.TagLen()
	for i := range batchRecords {
		datagram := make([]byte, record.HeaderLen+length)
		aad, result := datagram[:record.HeaderLen], datagram[record.HeaderLen:]
		b.sealed = append(b.sealed, suite.Item{Count: uint64(i), AAD: aad, Text: bytes.Clone(b.text), Dst: result[:0]})
		b.opened = append(b.opened, suite.Item{Count: uint64(i), AAD: aad, Text: result, Dst: make([]byte, 0, octets)})
	}
	return b, nil
}

func (b *batch) seal() { b.suite.Seal(b.sealed) }

func (b *batch) open() { b.suite.Open(b.opened) }

// check says whether what was measured is what was meant.
func (b *batch) check() error {
	for i := range b.opened {
		if !b.sealed[i].OK || !b.opened[i].OK || !bytes.Equal(b.opened[i].Dst, b.text) {
			return errors.New("a record did not open to what was sealed")
		}
	}
	return nil
}
