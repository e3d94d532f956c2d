package manybench

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"pc5d/daemon/lab"
)

// mostLinks fit into the addresses.
const mostLinks = 60_000

// service is the name of the i-th link and of its service; the first link is the pair's own.
func service(i int) string { return fmt.Sprintf("s%05d", i) }

// inner is the address of an end of the i-th link.
func inner(end byte, i int) netip.Addr {
	a := [4]byte{10, end}
	binary.BigEndian.PutUint16(a[2:], uint16(i))
	return netip.AddrFrom4(a)
}

const table = `
[[link]]
name = %q
peer = %q
service = %q
pin = %q
endpoint = "%s:33536"
addresses = ["%s/32"]
allowed = ["%s/32"]
keepalive = "%s"
`

// provision gives a pair so many links, and all of them a time after which they ask for a sign of life.
func provision(p *lab.Pair, links int, keepAlive time.Duration) error {
	for _, n := range []*lab.Node{p.Alice, p.Bob} {
		own, peer := byte(6), byte(7)
		if n == p.Bob {
			own, peer = peer, own
		}
		var text strings.Builder
		fmt.Fprintf(&text, "keepalive = %q\n", keepAlive)
		for i := 1; i < links; i++ {
			name := service(i)
			fmt.Fprintf(&text, table, name, n.Peer.Host.Name, name, n.Pin, n.Peer.Host.Address, inner(own, i), inner(peer, i), keepAlive)
		}
		n.Tail = text.String()
		if err := n.Provision(); err != nil {
			return err
		}
	}
	return nil
}

// names are the links of the first end.
func names(p *lab.Pair, links int) []string {
	all := []string{p.Bob.Host.Name}
	for i := 1; i < links; i++ {
		all = append(all, service(i))
	}
	return all
}
