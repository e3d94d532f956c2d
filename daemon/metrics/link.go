package metrics

import (
	"strconv"

	"pc5d/daemon/control"
	"pc5d/daemon/link"
)

// linkFamilies are the metrics of each link.
var linkFamilies = []linkFamily{
	gauge("pc5_link_established", "1 while the link is established.", func(l *control.LinkStatus) float64 { return oneIf(l.State == "established") }),
	{
		name: "pc5_link_state_timestamp_seconds", help: "When the state of the link changed last; absent where it never did.",
		kind: gauging,
		read: func(l *control.LinkStatus, emit emit) { emitTime(l.Since, emit) },
	},
	counter("pc5_link_received_packets_total", "Inner packets received.", func(l *control.LinkStatus) uint64 { return l.RxPackets }),
	counter("pc5_link_sent_packets_total", "Inner packets sent.", func(l *control.LinkStatus) uint64 { return l.TxPackets }),
	counter("pc5_link_received_bytes_total", "Octets of the inner packets received.", func(l *control.LinkStatus) uint64 { return l.RxOctets }),
	counter("pc5_link_sent_bytes_total", "Octets of the inner packets sent.", func(l *control.LinkStatus) uint64 { return l.TxOctets }),
	counter("pc5_link_received_records_total", "Records or PDCP PDUs taken; authentic ones where the integrity of user data is on.", func(l *control.LinkStatus) uint64 { return l.RxRecords }),
	counter("pc5_link_sent_records_total", "Records or PDCP PDUs sent.", func(l *control.LinkStatus) uint64 { return l.TxRecords }),
	{
		name: "pc5_link_dropped_total", help: "Packets of the link that were dropped, by reason; datagrams or records where no packet is known yet.",
		kind: counting, labels: []string{"reason"},
		read: func(l *control.LinkStatus, emit emit) { emitDrops(l.Drops, emit) },
	},
	{
		name: "pc5_link_establishments_total", help: "Sessions established, by what the peer showed: a certificate in a full authentication, a kept key or a pre-shared key.",
		kind: counting, labels: []string{"proof"},
		read: func(l *control.LinkStatus, emit emit) { emitEstablishments(l.Establishments, emit) },
	},
	counter("pc5_link_establishment_failures_total", "Attempts to establish the link that failed.", func(l *control.LinkStatus) uint64 { return l.Establishments.Failed }),
	counter("pc5_link_rekeyings_total", "Re-keyings.", func(l *control.LinkStatus) uint64 { return l.Rekeyings }),
	counter("pc5_link_identifier_updates_total", "Updates of identifiers.", func(l *control.LinkStatus) uint64 { return l.Updates }),
	{
		name: "pc5_link_keys_timestamp_seconds", help: "When the present keys were made; absent while the link is not established.",
		kind: gauging,
		read: func(l *control.LinkStatus, emit emit) { emitTime(l.Keys, emit) },
	},
	userPlaneGauge("pc5_link_insecure", "1 where packets can be altered and repeated on the way; absent while the link is not established.",
		func(u control.UserPlane) float64 { return oneIf(u.Insecure) }),
	userPlaneGauge("pc5_link_integrity_bits", "Length of the tag of user data: 128, 32 in the standard form, 0 without integrity; absent while the link is not established.",
		func(u control.UserPlane) float64 { return float64(u.TagBits) }),
	{
		name: "pc5_link_user_plane_info", help: "1, with what protects user data; absent while the link is not established.",
		kind: gauging, labels: []string{"form", "suite", "integrity", "ciphering"},
		read: func(l *control.LinkStatus, emit emit) {
			if l.Protection != nil {
				u := l.Protection.UserPlane
				emit(1, u.Form, u.Suite, strconv.FormatBool(u.Integrity), strconv.FormatBool(u.Ciphering))
			}
		},
	},
	{
		name: "pc5_link_offload_in_use", help: "1 where the kernel does this for the interface of the link, 0 where the daemon does without.",
		kind: gauging, labels: []string{"offload"},
		read: func(l *control.LinkStatus, emit emit) {
			o := l.Offloads
			emit(oneIf(o.Header), "tun_vnet")
			emit(oneIf(o.TCP), "tun_tso")
			emit(oneIf(o.UDP), "tun_uso")
			emit(oneIf(o.TakesTCP), "tun_write_tcp")
			emit(oneIf(o.TakesUDP), "tun_write_udp")
		},
	},
	{
		name: "pc5_link_certificate_end_timestamp_seconds", help: "When the certificate ends with which the peer authenticated last; absent where there is none.",
		kind: gauging,
		read: func(l *control.LinkStatus, emit emit) { emitTime(l.CertificateEnd, emit) },
	},
}

// userPlaneGauge is a gauge that an established link alone has. (T56)
func userPlaneGauge(name, help string, read func(control.UserPlane) float64) linkFamily {
	return linkFamily{name: name, help: help, kind: gauging, read: func(l *control.LinkStatus, emit emit) {
		if l.Protection != nil {
			emit(read(l.Protection.UserPlane))
		}
	}}
}

// emitEstablishments gives the proofs that there were.
func emitEstablishments(e control.Establishments, emit emit) {
	for _, c := range [...]struct {
		proof link.Proof
		count uint64
	}{{link.ByCertificate, e.Certificate}, {link.ByKeptKey, e.KeptKey}, {link.ByPreSharedKey, e.PreSharedKey}} {
		if c.count > 0 {
			emit(float64(c.count), c.proof.String())
		}
	}
}
