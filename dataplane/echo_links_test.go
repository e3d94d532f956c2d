package dataplane_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"pc5d/dataplane"
	"pc5d/dataplane/record"
	"pc5d/dataplane/tundev"
	"pc5d/dataplane/udp"
)

// TestT59_AnswersOfManyLinks: the answers to many links' probes come in one batch. A lost one makes the path of
// its link narrow.
func TestT59_AnswersOfManyLinks(t *testing.T) {
	const links = 12
	network := udp.NewNetwork()
	told := map[string]int{}
	a := newEndWith(t, network, outerA, func(c *dataplane.Config) {
		c.Echoed = func(link string, _ record.Token) { told[link]++ }
	})
	b := newEnd(t, network, outerB)
	var mine []*dataplane.Link
	for i := range links {
		for _, e := range []*end{a, b} {
			l, err := e.engine.AddLink(fmt.Sprint(i), tundev.NewFake(fmt.Sprint("pc5-", i)))
			if err != nil {
				t.Fatal(err)
			}
			install(t, l, contextOf(session+uint16(i), e == a))
			if e == a {
				mine = append(mine, l)
			}
		}
	}
	var answers [][]byte
	for i, l := range mine {
		if err := l.SendEcho(netip.AddrPort{}, record.Token{byte(i)}, 1408); err != nil {
			t.Fatal(err)
		}
	}
	network.Lose(func(from, _ netip.AddrPort, d []byte) bool {
		answers = append(answers, slices.Clone(d))
		return true
	})
	for b.conn.Waiting() > 0 {
		if err := b.engine.Poll(); err != nil {
			t.Fatal(err)
		}
	}
	if len(answers) != links {
		t.Fatalf("%d answers", len(answers))
	}
	a.arrives(t, outerB, answers...)
	if len(told) != links {
		t.Errorf("told of %d answers of %d links", len(told), links)
	}
}
