package sim

import (
	"bytes"
	"strings"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// TestArtifacts reads back what a failing run leaves: each datagram stands in the capture, as UDP
// with its octets, and in the diagram, on a line of its own.
func TestArtifacts(t *testing.T) {
	w, _ := linked(t)
	var capture, diagram bytes.Buffer
	if err := w.WriteCapture(&capture); err != nil {
		t.Fatal(err)
	}
	if err := w.WriteDiagram(&diagram); err != nil {
		t.Fatal(err)
	}
	r, err := pcapgo.NewNgReader(&capture, pcapgo.DefaultNgReaderOptions)
	if err != nil {
		t.Fatal(err)
	}
	for i, d := range w.Network.Recorded() {
		b, _, err := r.ReadPacketData()
		if err != nil {
			t.Fatalf("datagram %d: %v", i, err)
		}
		p := gopacket.NewPacket(b, layers.LayerTypeIPv4, gopacket.Default)
		udp, ok := p.Layer(layers.LayerTypeUDP).(*layers.UDP)
		if !ok || !bytes.Equal(udp.Payload, d.Octets) || p.ErrorLayer() != nil {
			t.Errorf("datagram %d reads back as %v", i, p)
		}
	}
	if got, want := strings.Count(diagram.String(), "\n"), 1+len(w.Network.Recorded()); got != want {
		t.Errorf("the diagram has %d lines, want %d:\n%s", got, want, diagram.String())
	}
}
