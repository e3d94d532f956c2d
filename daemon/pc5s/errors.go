package pc5s

import "fmt"

// Kind is the class of a decoding error (TS 24.554, 9.3; TS 24.587, 6A). All of them mean that
// the message is ignored.
type Kind uint8

const (
	TooShort      Kind = iota + 1 // shorter than a complete message type
	UnknownType                   // message type unknown
	Mandatory                     // mandatory part missing, too short or wrong
	Comprehension                 // unknown IE whose comprehension is required
	PastTheEnd                    // an IE's length passes the end of the message
	Reserved                      // a reserved value in a field
	TooMany                       // more IEs than a message may have
	TooLong                       // longer than MaxLen
)

var kindNames = [...]string{
	TooShort: "message too short", UnknownType: "unknown message type", Mandatory: "mandatory IE missing or wrong",
	Comprehension: "unknown IE, comprehension required", PastTheEnd: "IE past the end", Reserved: "reserved value", TooMany: "too many IEs", TooLong: "message too long",
}

func (k Kind) String() string {
	if int(k) < len(kindNames) && kindNames[k] != "" {
		return kindNames[k]
	}
	return "unknown"
}

// Error says why octets are no message.
type Error struct {
	Kind    Kind
	Message fmt.Stringer // a MessageType or a DiscoveryMessageType; nil where it is missing
	IE      string
}

func (e *Error) Error() string {
	text := "pc5s: "
	if e.Message != nil {
		text += e.Message.String() + ": "
	}
	text += e.Kind.String()
	if e.IE != "" {
		text += ": " + e.IE
	}
	return text
}
