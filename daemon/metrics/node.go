package metrics

import (
	"maps"
	"slices"
	"time"

	"pc5d/daemon/control"
)

// nodeFamilies are the metrics of the node as a whole.
var nodeFamilies = []nodeFamily{
	gauge("pc5_links", "Links that are provisioned, learnt ones included.", func(s *control.Status) float64 { return float64(len(s.Links)) }),
	gauge("pc5_open_invites", "Invites that nobody has used yet.", func(s *control.Status) float64 { return float64(len(s.Invites)) }),
	gauge("pc5_half_open", "Establishments whose peer has not proved itself yet.", func(s *control.Status) float64 { return float64(s.Strangers.HalfOpen) }),
	gauge("pc5_kept_keys", "Keys kept for the next establishment with a peer.", func(s *control.Status) float64 { return float64(s.KeptKeys) }),
	counter("pc5_strangers_cookies_total", "Requests of strangers that were answered by a cookie, without state.", func(s *control.Status) uint64 { return s.Strangers.Cookies }),
	counter("pc5_strangers_admitted_total", "Requests of strangers that proved an address or a key.", func(s *control.Status) uint64 { return s.Strangers.Admitted }),
	counter("pc5_strangers_evicted_total", "Unfinished establishments that made room for a newer one of the same source.", func(s *control.Status) uint64 { return s.Strangers.Evicted }),
	{
		name: "pc5_dropped_total", help: "Datagrams that are no packet of a link's and were dropped, by reason.",
		kind: counting, labels: []string{"reason"},
		read: func(s *control.Status, emit emit) { emitDrops(s.Drops, emit) },
	},
	{
		name: "pc5_offload_in_use", help: "1 where the kernel does this for all sockets or interfaces of the node, 0 where the daemon does without.",
		kind: gauging, labels: []string{"offload"},
		read: func(s *control.Status, emit emit) {
			emit(oneIf(s.Node.Offloads.Segment), "udp_segment")
			emit(oneIf(s.Node.Offloads.Coalesce), "udp_gro")
			emit(oneIf(s.Node.Offloads.Ring), "io_uring")
		},
	},
	{
		name: "pc5_certificate_end_timestamp_seconds", help: "When the certificate of the node ends; absent where no CA issued it.",
		kind: gauging,
		read: func(s *control.Status, emit emit) { emitTime(s.Node.CertificateEnd, emit) },
	},
}

// emitDrops gives the reasons that there were; how many there can be is bounded by their enumeration.
func emitDrops(drops map[string]uint64, emit emit) {
	for _, reason := range slices.Sorted(maps.Keys(drops)) {
		emit(float64(drops[reason]), reason)
	}
}

// emitTime gives a time, or nothing where there is none.
func emitTime(t time.Time, emit emit) {
	if !t.IsZero() {
		emit(float64(t.UnixMilli()) / 1000)
	}
}
