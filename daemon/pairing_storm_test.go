package daemon_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"pc5d/daemon/control"
)

// TestStorm_StopWhilePairing ends both daemons at any moment of inviting, joining, revoking and unpairing,
// and starts them again: they always start, no invite is open whose link is there, and in the end a pairing
// serves. It is for the race detector.
func TestStorm_StopWhilePairing(t *testing.T) {
	a, b := newStations(t)
	brief := func(do func(context.Context)) {
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		do(ctx)
	}
	for round := range 12 {
		an, bn := a.node, b.node
		limit := time.Now().Add(time.Duration(40+17*round) * time.Millisecond)
		tokens := make(chan string, 1)
		var storm sync.WaitGroup
		for i, word := range []func(){
			func() {
				if i, err := an.Invite(t.Context(), control.InviteRequest{Link: "pal", Expires: "1h", Endpoint: a.address}); err == nil {
					select {
					case tokens <- i.Token:
					default:
					}
				}
			},
			func() {
				select {
				case token := <-tokens:
					brief(func(ctx context.Context) { bn.Join(ctx, token, "") })
				default:
				}
			},
			func() { an.Revoke(t.Context(), "pal") },
			func() { brief(func(ctx context.Context) { an.Unpair(ctx, "pal") }) },
			func() { brief(func(ctx context.Context) { bn.Unpair(ctx, "alice") }) },
			func() { an.Reload(t.Context()); bn.Reload(t.Context()) },
			func() { an.Status(t.Context()); bn.Status(t.Context()) },
		} {
			storm.Go(func() {
				for time.Now().Before(limit.Add(30 * time.Millisecond)) { // also while they end, and after
					word()
					time.Sleep(time.Duration(1+7*i) * time.Millisecond)
				}
			})
		}
		time.Sleep(time.Until(limit))
		a.stop()
		b.stop()
		storm.Wait()
		for _, s := range []*station{a, b} {
			if c := s.node.Census(); c.Machines != 0 || c.LayerTwoIDs != 0 || c.Pairs != 0 || c.Claims != 0 || c.HalfOpen != 0 {
				t.Errorf("round %d: %s keeps after its end: %+v", round, s.name, c)
			}
			s.start()
		}
		if a.link("pal") != nil && a.invites() > 0 {
			t.Errorf("round %d: an invite is open whose link is there", round)
		}
	}
	a.node.Revoke(t.Context(), "pal")
	for _, c := range []struct {
		s    *station
		name string
	}{{a, "pal"}, {b, "alice"}} {
		eventually(t, c.s.name+" has no link any more", func() bool {
			brief(func(ctx context.Context) { c.s.node.Unpair(ctx, c.name) })
			return c.s.link(c.name) == nil
		})
	}
	if state := b.join(a.invite(control.InviteRequest{})); state != "established" {
		t.Error(state)
	}
}
