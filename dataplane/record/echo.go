package record

// An ECHO frame asks the peer for an answer with the same token, or is that answer. A request that is
// padded to a length asks whether a record of this length arrives; one to another address, whether the
// peer is there.
//
//	+---------------+---------------+-------------------------------+
//	|  type = 0x04  |     flags     |               8               |
//	+---------------+---------------+-------------------------------+
//	|                             token                             |
//	|                                                               |
//	+---------------------------------------------------------------+

// FrameEcho is the type of an ECHO frame.
const FrameEcho FrameType = 0x04

const (
	// EchoLen is the length of an ECHO frame.
	EchoLen = FrameHeaderLen + tokenLen
	// EchoAnswerLen is the length of the content of a record that answers. A shorter record is not
	// answered, so that no answer is longer than its request.
	EchoAnswerLen = padTo

	tokenLen   = 8
	flagAnswer = 0x1
)

// Token is what an answer repeats. Nobody must be able to guess it.
type Token [tokenLen]byte

// Echo is an ECHO frame.
type Echo struct {
	Answer bool
	Token  Token
}

// AppendTo appends the frame.
func (e Echo) AppendTo(b []byte) []byte {
	var flags byte
	if e.Answer {
		flags = flagAnswer
	}
	b = append(b, byte(FrameEcho), flags, 0, tokenLen)
	return append(b, e.Token[:]...)
}

// Echo reads the current frame, of type FrameEcho. It is false where the token has another length.
func (f *Frames) Echo() (e Echo, ok bool) {
	p := f.Payload()
	if len(p) != tokenLen {
		return e, false
	}
	return Echo{Answer: f.Flags()&flagAnswer != 0, Token: Token(p)}, true
}
