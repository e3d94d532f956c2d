package sim_test

import (
	"testing"
	"time"

	"pc5d/daemon/control"
	"pc5d/daemon/link"
)

// TestEstablishmentsAreCounted: both ends count a session by its proof, and no failure; and the records in
// which packets went.
func TestEstablishmentsAreCounted(t *testing.T) {
	for by, want := range map[link.Proof]control.Establishments{
		link.ByCertificate:  {Certificate: 1},
		link.ByKeptKey:      {Certificate: 1, KeptKey: 1},
		link.ByPreSharedKey: {PreSharedKey: 1},
	} {
		t.Run(by.String(), func(t *testing.T) {
			p := newPairBy(t, 5, by)
			p.establish()
			p.carries()
			for _, e := range p.link.Ends() {
				s := e.Host.Status(e)
				if s.Establishments != want || s.RxRecords == 0 || s.TxRecords == 0 {
					t.Errorf("%s: %+v, want %+v; %d records received, %d sent", e, s.Establishments, want, s.RxRecords, s.TxRecords)
				}
			}
		})
	}
	t.Run("refused", func(t *testing.T) {
		p := newPair(t, 5)
		p.link.B.Calls, p.link.Hopeless = false, true
		p.link.A.Words, p.link.B.Words = "user_plane.form = \"record\"\n", "user_plane.form = \"pdcp\"\n"
		p.start()
		p.link.A.Up()
		p.within(20*time.Second, "a failure", func() bool { return p.alice.Status(p.link.A).Establishments == control.Establishments{Failed: 1} })
	})
}
