package sim

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"pc5d/daemon/keys"
	"pc5d/daemon/link"
	"pc5d/dataplane/nea"
	"pc5d/dataplane/pdcp"
	"pc5d/dataplane/record"
	"pc5d/dataplane/underlay"
)

// linked is a world with one established link.
func linked(t *testing.T) (*World, *Link) {
	t.Helper()
	w := New(1, t.TempDir())
	t.Cleanup(w.Close)
	l := w.Connect(w.AddHost("alice"), w.AddHost("bob"), "ip")
	for _, h := range w.Hosts {
		if err := h.Start(); err != nil {
			t.Fatal(err)
		}
	}
	l.A.Up()
	if !w.RunUntil(10*time.Second, l.Agreed) {
		t.Fatalf("no link: %v", w.Faults())
	}
	w.Run(time.Second) // nobody is at work any more
	return w, l
}

// TestInvariantsSee breaks each invariant by hand: it must be seen, or it proves nothing.
func TestInvariantsSee(t *testing.T) {
	for name, breaks := range map[string]func(w *World, l *Link){
		"I1: alice used COUNT 5": func(w *World, l *Link) {
			d := recordOf(w, l, 5)
			w.sent(l.A.Host.process, d)
			w.sent(l.A.Host.process, d)
		},
		"I1: alice used COUNT 0 of session 0001 on SL-SRB1": func(w *World, l *Link) {
			p, a := l.A.Host.process, w.current(l.A)
			for _, octets := range [][]byte{{0, 0, 0, 1, 1, 1, 1, 1}, {0, 0, 0, 1, 2, 2, 2, 2}} {
				a.speaking = append(underlay.Header{Destination: 1, Source: 2, LCID: underlay.SRB1}.AppendTo(nil), octets...)
				p.speaker = a
				w.sent(p, Datagram{To: l.B.Host.Address, Octets: a.speaking})
			}
		},
		"I2: alice/bob got a packet that nobody sent": func(w *World, l *Link) { w.arrived(l.A, []byte("octets")) },
		"I2: bob/alice got packet 1 twice": func(w *World, l *Link) {
			l.A.Send(IPv4, 0)
			w.Run(time.Second)
			w.arrived(l.B, w.watch.packets[0].octets)
		},
		"I2: bob/alice got packet 1 altered": func(w *World, l *Link) {
			l.A.Send(IPv4, 100)
			altered := bytes.Clone(w.watch.packets[0].octets)
			altered[len(altered)-1] ^= 1
			w.arrived(l.B, altered)
		},
		"I2: alice/bob got packet 1 of alice/bob": func(w *World, l *Link) { l.A.Send(IPv4, 0); w.arrived(l.A, w.watch.packets[0].octets) },
		"I3: alice #1 initiator and bob #2 responder disagree": func(w *World, l *Link) {
			w.current(l.A).sending.agreement.Ciphering = nea.NEA1
			w.checkSame(w.current(l.A).sending)
		},
		"I3: alice #1 initiator and bob #2 responder have different keys": func(w *World, l *Link) {
			w.current(l.A).sending.send[0] ^= 1
			w.checkSame(w.current(l.A).sending)
		},
		"C1: alice #1 initiator is established with": func(w *World, l *Link) {
			a := w.current(l.A).sending.agreement
			a.RequestHash[0] ^= 1
			w.checkCounterpart(w.current(l.A), link.Agreed{Agreement: a})
		},
		"I4: alice #1 initiator has a signalling integrity below its floor": func(w *World, l *Link) {
			a := w.current(l.A).sending.agreement
			a.Integrity = nea.NIA0
			w.checkFloors(w.current(l.A), a)
		},
		"I4: alice #1 initiator has a user-plane ciphering below its floor": func(w *World, l *Link) {
			a := w.current(l.A).sending.agreement
			a.UserPlane.Ciphering = false
			w.checkFloors(w.current(l.A), a)
		},
		"I5: alice has 0 machines": func(w *World, l *Link) { w.watch.live = nil; w.check() },
		"I6: alice sent":           func(w *World, l *Link) { w.sent(l.A.Host.process, Datagram{To: l.B.Host.Address, Octets: clearOf()}) },
		"I6: bob sent": func(w *World, l *Link) {
			p, b := l.B.Host.process, w.current(l.B)
			b.unproved = true
			for range 100 {
				b.speaking, p.speaker = clearOf(), b
				w.sent(p, Datagram{To: l.A.Host.Address, Octets: b.speaking})
			}
		},
		"I7: alice sent user data under keys that nobody installed": func(w *World, l *Link) {
			d := recordOf(w, l, 5)
			d.Octets[9] ^= 1
			w.sent(l.A.Host.process, d)
		},
		"withdrawn": func(w *World, l *Link) {
			w.current(l.A).sending.removed = true
			w.sent(l.A.Host.process, recordOf(w, l, 5))
		},
		"past the limit": func(w *World, l *Link) { w.sent(l.A.Host.process, recordOf(w, l, record.Limit)) },
		"I8: alice has two established machines": func(w *World, l *Link) {
			w.watch.live = append(w.watch.live, w.current(l.A))
			w.check()
		},
		"I9: alice has 3 queues with an owner, and 4 queues": func(w *World, l *Link) {
			l.A.Host.process.scheduler.NewQueue(nil)
			w.check()
		},
		"I10: K_NRP of alice was not wiped": func(w *World, l *Link) {
			w.mustWipe("K_NRP", l.A.Host.process, keys.NewSecret([]byte{1}))
			w.check()
		},
		"C10": func(w *World, l *Link) {
			w.sent(l.A.Host.process, Datagram{To: l.B.Host.Address, Octets: append(clearOf(), marker...)})
		},
		"C12: panic: here": func(w *World, l *Link) {
			w.After(0, func() { panic("here") })
			w.Step()
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, l := linked(t)
			breaks(w, l)
			for _, err := range w.Faults() {
				if strings.Contains(err.Error(), name) {
					return
				}
			}
			t.Errorf("not seen; faults %v", w.Faults())
		})
	}
}

// recordOf is the header of a record that alice could send.
func recordOf(w *World, l *Link, count record.Count) Datagram {
	a := w.current(l.A).sending.agreement
	h := record.Header{Header: underlay.Header{Source: a.LayerTwoA, Destination: a.LayerTwoB, LCID: underlay.DRB}, Session: uint16(a.Session), Count: count}
	return Datagram{To: l.B.Host.Address, Octets: append(h.AppendTo(nil), make([]byte, record.TagLen)...)}
}

func clearOf() []byte {
	return pdcp.AppendUnprotected(underlay.Header{Destination: 1, Source: underlay.Broadcast}.AppendTo(nil), 0, []byte("answer"))
}

// TestLivenessSees: a link that can not come back is reported.
func TestLivenessSees(t *testing.T) {
	w, l := linked(t)
	w.Network.hosts = nil // nothing arrives any more, and no fault that could end
	l.A.Host.Kill()
	if err, ok := w.Liveness().(*LivenessError); !ok || len(err.Links) != 1 || err.Links[0] != l {
		t.Errorf("got %v", err)
	}
}
