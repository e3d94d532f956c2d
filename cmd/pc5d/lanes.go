package main

import (
	"net/netip"
	"runtime"

	"pc5d/dataplane"
	"pc5d/dataplane/tundev"
	"pc5d/dataplane/udp"
)

// mostLanes is enough for any network that hosts like this one have.
const mostLanes = 8

// laneWorkers is how many workers a lane has, one in each direction.
const laneWorkers = 2

// openLanes opens a socket and a poller for each two processors that Go uses (GOMAXPROCS): a lane is busy with
// one in each direction. Go then may run as many goroutines more as there are workers: a worker that waits in a
// system call stays one of those that run. Where it does so unheard (package soon) everybody else would stand still without that;
// where the monitor of the runtime hears of it, that one would wake each 20 µs to take it away. From here on Go does not follow
// changes of a cgroup's quota.
func openLanes(at netip.AddrPort, o udp.Options) (lanes []dataplane.Lane, err error) {
	processors := runtime.GOMAXPROCS(0)
	sockets, err := udp.ListenGroup(at, min(max(1, processors/laneWorkers), mostLanes), o)
	if err != nil {
		return nil, err
	}
	runtime.GOMAXPROCS(processors + laneWorkers*len(sockets))
	for _, s := range sockets {
		lanes = append(lanes, dataplane.Lane{Conn: s})
	}
	for i := range lanes {
		poller, err := tundev.NewPoller()
		if err != nil {
			closeLanes(lanes)
			return nil, err
		}
		lanes[i].Poller = poller
	}
	return lanes, nil
}

// closeLanes frees what no engine has closed.
func closeLanes(lanes []dataplane.Lane) {
	for _, l := range lanes {
		_ = l.Conn.Close() // a second Close says so
		if l.Poller != nil {
			_ = l.Poller.Close()
		}
	}
}
