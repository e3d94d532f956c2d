package record

import (
	"errors"
	"slices"

	"pc5d/dataplane/suite"
	"pc5d/dataplane/underlay"
)

// ErrReplay and ErrTag are the reasons why Open refuses a record.
var (
	ErrReplay = errors.New("record: COUNT was taken before or is behind the window")
	ErrTag    = errors.New("record: tag does not verify")
)

// Sealer makes single records under one key: SL-SRB2.
type Sealer struct {
	suite   suite.Suite
	session uint16
	counter *Counter
	item    [1]suite.Item
}

// NewSealer makes the sealer of a context's sending direction; it owns s.
func NewSealer(s suite.Suite, session uint16) *Sealer {
	return &Sealer{suite: s, session: session, counter: NewCounter(Limit)}
}

// Rename changes the K_NRP-sess ID in front of what is sealed from now on. Key and COUNT belong
// to the context and stay (TS 24.554, 7.2.4).
func (s *Sealer) Rename(session uint16) { s.session = session }

// Wipe forgets the key. The sealer must not be used afterwards.
func (s *Sealer) Wipe() { s.suite.Wipe() }

// Seal appends one record with the given content to dst. content must not overlap dst's room.
func (s *Sealer) Seal(dst []byte, h underlay.Header, content []byte) ([]byte, error) {
	count, granted := s.counter.Reserve(1)
	if granted == 0 {
		return dst, ErrLimit
	}
	from := len(dst)
	dst = Header{Header: h, Session: s.session, Count: count}.AppendTo(slices.Grow(dst, Overhead+len(content)))
	s.item[0] = suite.Item{Count: uint64(count), AAD: dst[from:], Text: content, Dst: dst[len(dst):]}
	s.suite.Seal(s.item[:])
	if !s.item[0].OK {
		return dst[:from], errors.New("record: local suite did not seal: BUG in the suite")
	}
	return dst[:len(dst)+len(s.item[0].Dst)], nil
}

// Opener opens single records of one key, each COUNT once.
type Opener struct {
	suite  suite.Suite
	window *Window
	item   [1]suite.Item
}

// NewOpener makes the opener of a context's receiving direction; it owns s. window is the size
// of the replay window. The caller finds it by the K_NRP-sess ID, which the tag covers.
func NewOpener(s suite.Suite, window int) *Opener {
	return &Opener{suite: s, window: NewWindow(window)}
}

// Wipe forgets the key. The opener must not be used afterwards.
func (o *Opener) Wipe() { o.suite.Wipe() }

// Open returns the content of a record in memory of its own. An error leaves no trace: the
// window moves only after the tag verified.
func (o *Opener) Open(datagram []byte) ([]byte, error) {
	h, aad, sealed, err := ParseHeader(datagram)
	if err != nil {
		return nil, err
	}
	if o.window.Check(h.Count) != Fresh {
		return nil, ErrReplay
	}
	o.item[0] = suite.Item{Count: uint64(h.Count), AAD: aad, Text: sealed, Dst: make([]byte, 0, len(sealed))}
	o.suite.Open(o.item[:])
	if !o.item[0].OK {
		return nil, ErrTag
	}
	if o.window.Commit(h.Count) != Fresh {
		return nil, ErrReplay
	}
	return o.item[0].Dst, nil
}
