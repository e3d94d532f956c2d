package main

import (
	"fmt"
	"log/slog"
	"strings"

	"pc5d/dataplane/tundev"
	"pc5d/dataplane/udp"
	"pc5d/policy/provision"
)

// without is which offloads of the kernel are left unused, so that tests reach what stands in for them.
// Nobody needs it otherwise: each offload is asked for, and what the kernel refuses is not used.
type without struct {
	words  []string
	socket udp.Offloads
	ring   bool
	tun    tundev.Offloads
}

// switches are the words that status shows, too.
func (w *without) switches() map[string]*bool {
	return map[string]*bool{
		"udp-segment": &w.socket.Segment, "udp-gro": &w.socket.Coalesce, "io-uring": &w.ring,
		"tun-vnet": &w.tun.Header, "tun-tso": &w.tun.TCP, "tun-uso": &w.tun.UDP, "tun-write": &w.tun.Takes,
	}
}

// String implements flag.Value.
func (w *without) String() string { return strings.Join(w.words, ",") }

// Set implements flag.Value.
func (w *without) Set(list string) error {
	known := w.switches()
	for word := range strings.SplitSeq(list, ",") {
		off, ok := known[word]
		if !ok {
			return fmt.Errorf("%q is none of udp-segment, udp-gro, io-uring, tun-vnet, tun-tso, tun-uso, tun-write", word)
		}
		*off = true
		w.words = append(w.words, word)
	}
	return nil
}

// underlay are the options of each underlay socket: none may go without the mark (T62).
func (o options) underlay(p *provision.Provisioning, log *slog.Logger) udp.Options {
	return udp.Options{Mark: p.Node.Mark, Without: o.without.socket, Log: log}
}
