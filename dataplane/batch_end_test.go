package dataplane_test

import (
	"testing"

	"pc5d/dataplane"
	"pc5d/dataplane/record"
	"pc5d/dataplane/suite"
	"pc5d/dataplane/udp"
	"pc5d/dataplane/underlay"
)

// TestNothingOfALinkOutlivesItsBatch: a peer puts a slice that is not the last into a sparse record;
// between that batch and the next the link is removed. Its closed device must not be written to.
func TestNothingOfALinkOutlivesItsBatch(t *testing.T) {
	_, b, _ := newSupers(t)
	s := newSuper(false, 12, 3000, 1348, 0x18, false)
	content := make([]byte, record.SegmentHeaderLen, record.ContentLen)
	record.Segment{Kind: record.TCPv4, HeaderLen: s.headers, Size: 1348}.Put(content, 200)
	content = append(content, s.packet[:s.headers+200]...)
	c := contextOf(session, true)
	keyed, err := suite.New(c.Suite, c.Mode, c.SendKey, c.SendSalt)
	if err != nil {
		t.Fatal(err)
	}
	d, err := record.NewSealer(keyed, session).Seal(nil, underlay.Header{Destination: idB, Source: idA, LCID: underlay.DRBSparse}, content)
	if err != nil {
		t.Fatal(err)
	}
	b.engine.Overtake([]udp.Message{{Buffer: d, Data: d, Segment: len(d), From: outerA}})
	if got := len(b.tun.Packets()); got != 1 {
		t.Errorf("%d packets after the batch that brought it, want 1", got)
	}
	if err := b.engine.RemoveLink(b.link); err != nil {
		t.Fatal(err)
	}
	b.engine.Queued(nil)
	if drops := b.link.Counters().Drops; drops.Of(dataplane.DropDeviceFailed) > 0 {
		t.Errorf("%d packets were written to a device that RemoveLink had closed", drops.Of(dataplane.DropDeviceFailed))
	}
}
