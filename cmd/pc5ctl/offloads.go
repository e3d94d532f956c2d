package main

import (
	"fmt"
	"strings"

	"pc5d/daemon/control"
)

// offload is one function of the kernel and whether it is in use.
type offload struct {
	name  string
	inUse bool
}

func nodeOffloads(o control.NodeOffloads) string {
	return offloads([]offload{{"udp-segment", o.Segment}, {"udp-gro", o.Coalesce}, {"io-uring", o.Ring}})
}

func linkOffloads(o control.LinkOffloads) string {
	return offloads([]offload{
		{"tun-vnet", o.Header}, {"tun-tso", o.TCP}, {"tun-uso", o.UDP}, {"tun-write-tcp", o.TakesTCP}, {"tun-write-udp", o.TakesUDP},
	})
}

// offloads lists those in use, and those that the daemon does without.
func offloads(all []offload) string {
	used, missing := "none", ""
	for _, o := range all {
		list := &missing
		if o.inUse {
			list = &used
		}
		*list += " " + o.name
	}
	if used = strings.TrimPrefix(used, "none "); missing != "" {
		return fmt.Sprintf("%s; without%s", used, missing)
	}
	return used
}
