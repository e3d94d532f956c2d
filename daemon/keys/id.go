package keys

import "fmt"

// SessionID is a K_NRP-sess ID: the high octet is UE_A's choice, the low octet UE_B's. 0 stands
// for "no protection" and is never chosen.
type SessionID uint16

// NewSessionID joins both halves.
func NewSessionID(msb, lsb byte) SessionID { return SessionID(msb)<<8 | SessionID(lsb) }

// MSB is UE_A's half.
func (id SessionID) MSB() byte { return byte(id >> 8) }

// LSB is UE_B's half.
func (id SessionID) LSB() byte { return byte(id) }

func (id SessionID) String() string { return fmt.Sprintf("0x%04x", uint16(id)) }

// KNRPID is a K_NRP ID: two halves of 16 bits, one from each end.
type KNRPID uint32
