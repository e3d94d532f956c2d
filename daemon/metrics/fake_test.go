package metrics_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"pc5d/daemon/control"
	"pc5d/daemon/metrics"
)

// node is a Source with a status that does not change.
type node struct {
	status control.Status
	err    error
}

func (n node) Status(context.Context) (control.Status, error) { return n.status, n.err }

// hostile is what a peer would like to see in other people's files.
const hostile = "evil\"} 1\npc5_links 7\n"

// established is a link with traffic whose user data is protected so.
func established(name string, u control.UserPlane) control.LinkStatus {
	at := time.Unix(1_800_000_000, 0)
	return control.LinkStatus{
		Name: name, Interface: "pc5-" + name, Peer: hostile, LastError: hostile, Hint: hostile, Endpoint: hostile,
		State: "established", Since: at, Keys: at.Add(90 * time.Second), Rekeyings: 2, Updates: 3,
		Establishments: control.Establishments{Certificate: 1, KeptKey: 4, Failed: 5},
		Protection:     &control.Protection{UserPlane: u},
		RxPackets:      10, TxPackets: 20, RxOctets: 1000, TxOctets: 2000, RxRecords: 11, TxRecords: 21,
		Offloads: control.LinkOffloads{Header: true, TCP: true, TakesTCP: true},
		Drops:    map[string]uint64{"replayed": 6, "inner_source": 7},
	}
}

var (
	record   = control.UserPlane{Integrity: true, Ciphering: true, Form: "record", Suite: "aes-128-gcm", TagBits: 128}
	standard = control.UserPlane{Integrity: true, Form: "pdcp", Suite: "none", TagBits: 32}
	insecure = control.UserPlane{Ciphering: true, Form: "record", Suite: "aes-128-gcm", Insecure: true}
)

// few is a node with a link of each kind.
func few() node {
	return node{status: control.Status{
		Version: "v1", Node: control.Node{Name: hostile, Offloads: control.NodeOffloads{Segment: true}, CertificateEnd: time.Unix(1_900_000_000, 500_000_000)},
		Links: []control.LinkStatus{
			established("bob", record), established("carol", standard), established("dave", insecure),
			{Name: "erin", Peer: hostile, State: "down"},
		},
		Invites:   []control.OpenInvite{{Link: "frank", Peer: hostile}},
		Drops:     map[string]uint64{"malformed": 1, "unknown_context": 2},
		Strangers: control.Strangers{Cookies: 30, Admitted: 31, Evicted: 32, HalfOpen: 33},
		KeptKeys:  34,
	}}
}

// many is a node with so many links.
func many(links int) node {
	var n node
	for i := range links {
		n.status.Links = append(n.status.Links, established(fmt.Sprintf("l%04d", i), record))
	}
	return n
}

// scrape is what a handler answers.
func scrape(t testing.TB, h *metrics.Handler) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil))
	return w
}
