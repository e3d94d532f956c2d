//go:build net

package lab_test

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"pc5d/daemon/lab"
	"pc5d/dataplane/underlay"
)

const port = 33536 // where the daemons listen

// TestStrayRecordIsCounted: the status counts records that belong to no link here.
func TestStrayRecordIsCounted(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	p := pair(t, ctx, build(t), func(*lab.Pair) {})
	var c net.Conn
	err := p.Alice.Host.Do(func() (err error) {
		c, err = net.Dial("udp", netip.AddrPortFrom(p.Bob.Host.Address, port).String())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	h := underlay.Header{Form: underlay.FormRecord, Destination: 1, Source: 2, LCID: underlay.DRB}
	if _, err := c.Write(append(h.AppendTo(nil), make([]byte, 64)...)); err != nil {
		t.Fatal(err)
	}
	counted := func() bool {
		s, err := p.Bob.Client.Status(ctx)
		return err == nil && s.Drops["unknown_context"] == 1
	}
	short, stop := context.WithTimeout(ctx, 2*time.Second)
	defer stop()
	if !eventually(short, counted) {
		t.Error("the status does not count it")
	}
}
