package dataplane_test

import (
	"fmt"
	"testing"
)

// BenchmarkPath is the way of packets from one TUN to the other over a network in memory: what
// the engine and the suite cost, without system calls.
func BenchmarkPath(b *testing.B) {
	for _, size := range []int{64, 1400} {
		for _, batch := range []int{1, 40} {
			b.Run(fmt.Sprintf("%d/batch-%d", size, batch), func(b *testing.B) {
				from, to, _ := newPair(b)
				p := packet(addrA, addrB, size, 1)
				b.ReportAllocs()
				b.SetBytes(int64(size * batch))
				for b.Loop() {
					for range batch {
						from.tun.Deliver(p)
					}
					from.engine.Turn(from.link.Key())
					if err := to.engine.Poll(); err != nil {
						b.Fatal(err)
					}
					for len(to.tun.Packets()) > 0 {
						to.tun.Recycle(<-to.tun.Packets())
					}
				}
			})
		}
	}
}
