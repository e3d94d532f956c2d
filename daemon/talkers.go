package daemon

import (
	"encoding/binary"
	"net/netip"
	"time"

	"pc5d/daemon/auth/mac"
)

const (
	talkWindow = 4 * time.Second // longer than the kernel waits for a neighbour who is not there
	quietTalk  = 4               // answers in a window that one address gets before it is loud
)

// talkers tells who asks seldom while the socket's buffer is filled with answers. Those who forge
// addresses of neighbours who are not there fill it: the kernel keeps what it sends them for seconds.
// They soon are loud, each of them, and an honest stranger is not. It is one block of counters under a
// key of its own; addresses that share one are counted together.
type talkers struct {
	epoch time.Time
	hash  *addressHash
	slots []talk
}

type talk struct{ window, count uint32 }

func newTalkers(l Limits, now time.Time, key [32]byte) *talkers {
	return &talkers{epoch: now, hash: newAddressHash(key), slots: make([]talk, l.Talkers)}
}

// quiet counts one request of an address, and tells whether it may have an answer.
func (t *talkers) quiet(now time.Time, from netip.Addr) bool {
	place, _ := t.hash.sum(from, 128)
	s := &t.slots[place%uint64(len(t.slots))]
	if window := uint32(now.Sub(t.epoch)/talkWindow) + 1; s.window != window {
		*s = talk{window: window}
	}
	s.count++
	return s.count <= quietTalk
}

// addressHash is a hash of addresses whose values nobody outside can compute, so that nobody can aim
// at the place of another. It may be used by one goroutine at a time.
type addressHash struct {
	key  [32]byte
	mac  *mac.HMAC
	text [17]byte
}

func newAddressHash(key [32]byte) *addressHash { return &addressHash{key: key, mac: mac.New()} }

// sum gives two independent values for an address and a number of its bits.
func (h *addressHash) sum(a netip.Addr, bits int) (uint64, uint64) {
	address := a.As16()
	copy(h.text[:], address[:])
	h.text[16] = byte(bits)
	h.mac.Begin(h.key[:])
	h.mac.Write(h.text[:])
	sum := h.mac.Sum()
	return binary.BigEndian.Uint64(sum[:]), binary.BigEndian.Uint64(sum[8:])
}
