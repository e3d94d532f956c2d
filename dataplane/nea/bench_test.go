package nea_test

import (
	"fmt"
	"testing"
)

var sizes = []int{64, 256, 1408}

func BenchmarkNEA(b *testing.B) {
	for _, alg := range everyCipher {
		for _, size := range sizes {
			b.Run(fmt.Sprintf("%s/%d", alg, size), func(b *testing.B) {
				c, message := newCipher(b, alg, make(octets, 16)), make([]byte, size)
				b.SetBytes(int64(size))
				b.ReportAllocs()
				var count uint32
				for b.Loop() {
					count++
					c.XORKeyStream(message, message, count, 2, 0)
				}
			})
		}
	}
}

func BenchmarkNIA(b *testing.B) {
	for _, alg := range everyMAC {
		for _, size := range sizes {
			b.Run(fmt.Sprintf("%s/%d", alg, size), func(b *testing.B) {
				m, parts := newMAC(b, alg, make(octets, 16)), [][]byte{make([]byte, size)}
				b.SetBytes(int64(size))
				b.ReportAllocs()
				var count uint32
				for b.Loop() {
					count++
					m.Sum(count, 2, 0, parts...)
				}
			})
		}
	}
}
