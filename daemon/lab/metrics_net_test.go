//go:build net

package lab_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"pc5d/daemon/lab"
)

// TestMetrics: both daemons of a live link count its traffic, its authentication, and what the kernel does
// for it: one on its control socket, the other at its address inside the link, where the peer scrapes it and
// where it ends with the daemon.
func TestMetrics(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	var address string
	p := pair(t, ctx, build(t), func(p *lab.Pair) {
		address = netip.AddrPortFrom(p.Alice.Four, 9533).String()
		p.Alice.Own = "metrics = " + strconv.Quote(address)
		if err := p.Alice.Provision(); err != nil {
			t.Fatal(err)
		}
	})
	up(t, ctx, p.Alice)
	const octets = 4 << 20
	if _, err := p.Alice.Host.Transfer(p.Bob.Host, p.Bob.Four, octets, []byte("metrics"), 10*time.Second); err != nil {
		t.Fatal(err)
	}
	for page, link := range map[string]string{atAddress(t, p.Bob.Host, address): "bob", onSocket(t, ctx, p.Bob): "alice"} {
		sent, received := sample(t, page, `pc5_link_sent_bytes_total{link="`+link+`"}`), sample(t, page, `pc5_link_received_bytes_total{link="`+link+`"}`)
		if max(sent, received) < octets || min(sent, received) == 0 {
			t.Errorf("link %s: %v octets sent, %v received", link, sent, received)
		}
		for name, want := range map[string]float64{
			`pc5_links`: 1, `pc5_link_established{link="` + link + `"}`: 1,
			`pc5_link_insecure{link="` + link + `"}`: 0, `pc5_link_integrity_bits{link="` + link + `"}`: 128,
			`pc5_link_establishments_total{link="` + link + `",proof="certificate"}`: 1,
			`pc5_offload_in_use{offload="udp_segment"}`:                              1,
			`pc5_link_offload_in_use{link="` + link + `",offload="tun_tso"}`:         1,
		} {
			if got := sample(t, page, name); got != want {
				t.Errorf("%s is %v, want %v", name, got, want)
			}
		}
		if got := sample(t, page, `pc5_link_received_records_total{link="`+link+`"}`); got == 0 {
			t.Errorf("link %s: no record received", link)
		}
		t.Logf("link %s: resident %v octets", link, sample(t, page, "process_resident_memory_bytes"))
	}
	if t.Failed() {
		t.Logf("alice:\n%sbob:\n%s", p.Alice.Log(), p.Bob.Log())
	}
	if err := p.Alice.Stop(); err != nil {
		t.Fatal(err)
	}
	err := p.Alice.Host.Do(func() error {
		_, err := net.Dial("tcp", address)
		return err
	})
	if err == nil {
		t.Error("somebody still listens")
	}
}

// sample is the value of a metric.
func sample(t *testing.T, page, name string) float64 {
	t.Helper()
	for line := range strings.Lines(page) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			n, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Errorf("no %s", name)
	return 0
}

func onSocket(t *testing.T, ctx context.Context, n *lab.Node) string {
	t.Helper()
	var b bytes.Buffer
	if err := n.Client.Metrics(ctx, &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// atAddress scrapes from a host.
func atAddress(t *testing.T, from *lab.Host, address string) string {
	t.Helper()
	dial := func(ctx context.Context, network, address string) (c net.Conn, err error) {
		err = from.Do(func() error {
			c, err = net.Dial(network, address)
			return err
		})
		return c, err
	}
	client := &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}, Timeout: 5 * time.Second}
	w, err := client.Get("http://" + address + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Body.Close()
	b, err := io.ReadAll(w.Body)
	if err != nil || w.StatusCode != http.StatusOK {
		t.Fatalf("%s, %v", w.Status, err)
	}
	return string(b)
}
