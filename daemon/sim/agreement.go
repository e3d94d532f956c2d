package sim

import (
	"crypto/sha256"
	"slices"

	"pc5d/daemon/keys"
	"pc5d/daemon/link"
	"pc5d/dataplane/nea"
	"pc5d/dataplane/suite"
	"pc5d/policy"
	"pc5d/policy/provision"
)

// install judges the keys that a machine hands to the user plane.
func (w *World) install(l *life, e link.InstallUserPlane) {
	w.mustWipe("user-plane key", l.process, e.Send.Key)
	w.mustWipe("user-plane key", l.process, e.Receive.Key)
	l.installed = &installed{agreement: e.Agreement, send: digest(e.Send), receive: digest(e.Receive)}
	w.watch.contexts[planeContext{l.process, e.Local, e.Peer, uint16(e.Session)}] = l
	if end := l.end(); end != nil && end.link.Hopeless {
		w.fault("I4: %s established %s, whose ends' provisioning does not fit", l, end.link)
	}
	w.checkFloors(l, e)
	w.checkSame(l)
	w.checkCounterpart(l)
}

func digest(k keys.RecordKey) [32]byte {
	return sha256.Sum256(append(slices.Clone(k.Salt[:]), k.Key.Bytes()...))
}

// checkSame compares with every other end that has the same session (I3, C1): everything agreed
// is the same, and the keys fit crosswise.
func (w *World) checkSame(l *life) {
	own := l.installed
	for _, o := range w.watch.every {
		if o == l || o.installed == nil {
			continue
		}
		other := o.installed
		if own.send == other.send || own.receive == other.receive || own.send == own.receive {
			w.fault("I3: %s and %s have a key of the same direction", l, o)
		}
		session := own.agreement.Session == other.agreement.Session && own.agreement.LayerTwoA == other.agreement.LayerTwoA && own.agreement.LayerTwoB == other.agreement.LayerTwoB
		if own.agreement.RequestHash != other.agreement.RequestHash && !session && own.send != other.receive && own.receive != other.send {
			continue
		}
		switch {
		case own.agreement != other.agreement:
			w.fault("I3: %s and %s disagree:\n%+v\n%+v", l, o, own.agreement, other.agreement)
		case own.send != other.receive || own.receive != other.send:
			w.fault("I3: %s and %s have different keys", l, o)
		case l.machine.Role() == o.machine.Role() || l.process.host == o.process.host:
			w.fault("I3: %s and %s are the same end of a session", l, o)
		}
	}
}

// checkCounterpart demands that the peer that a machine believes in took part, and agrees as
// far as it can know yet (C1, C4): UE_B is the first to be established, UE_A the second.
func (w *World) checkCounterpart(l *life) {
	own := l.installed.agreement
	local, peer := own.A, own.B
	if l.machine.Role() == link.RoleB {
		local, peer = own.B, own.A
	}
	if local != l.process.host.Peer() {
		w.fault("C4: %s believes to be %q", l, local.Name)
	}
	i := slices.IndexFunc(w.Hosts, func(h *Host) bool { return h.Peer() == peer })
	if i < 0 {
		w.fault("C1: %s authenticated %q, whom nobody is", l, peer.Name)
		return
	}
	if w.Hosts[i].stranger != nil {
		return
	}
	partner := slices.ContainsFunc(w.watch.every, func(o *life) bool {
		if o.process.host != w.Hosts[i] || o.machine.Role() == l.machine.Role() {
			return false
		}
		other := o.machine.Agreement()
		if l.machine.Role() == link.RoleB {
			other.UserPlane = own.UserPlane // comes with the accept
		}
		return other == own
	})
	if !partner {
		w.fault("C1: %s is established with %q, which never agreed", l, peer.Name)
	}
}

// checkFloors holds what was agreed against the end's own provisioning (I4, C6).
func (w *World) checkFloors(l *life, e link.InstallUserPlane) {
	p, err := l.process.host.provisioning()
	if err != nil {
		w.fault("BUG: sim: %v", err)
		return
	}
	i := slices.IndexFunc(p.Links, func(o provision.Link) bool { return o.Name == l.link })
	if i < 0 {
		w.fault("I4: %s installed keys for a link that nobody provisioned", l)
		return
	}
	own, a := p.Links[i], e.Agreement
	peer := a.B
	if l.machine.Role() == link.RoleB {
		peer = a.A
	}
	floor := func(r policy.Requirement, on bool) bool {
		return !(r == policy.Required && !on) && !(r == policy.NotNeeded && on)
	}
	for _, rule := range []struct {
		holds bool
		what  string
	}{
		{peer.Name == own.Peer && peer.Fingerprint == own.Pin, "peer"},
		{floor(own.Signalling.Integrity, a.Integrity != nea.NIA0), "signalling integrity"},
		{floor(own.Signalling.Ciphering, a.Ciphering != nea.NEA0), "signalling ciphering"},
		{a.Integrity != nea.NIA0 || own.Signalling.AllowNull, "null integrity"},
		{slices.Contains(own.Signalling.Ciphers, a.Ciphering) || a.Ciphering == nea.NEA0, "ciphering algorithm"},
		{slices.Contains(own.Signalling.Integrities, a.Integrity) || a.Integrity == nea.NIA0, "integrity algorithm"},
		{floor(own.UserPlane.Integrity, a.UserPlane.Integrity), "user-plane integrity"},
		{floor(own.UserPlane.Ciphering, a.UserPlane.Ciphering), "user-plane ciphering"},
		{own.UserPlane.Form != policy.FormRecord || a.Suite != suite.None, "user-plane form"},
		{a.Suite == suite.None || slices.Contains(own.UserPlane.Suites, a.Suite), "suite"},
	} {
		if !rule.holds {
			w.fault("I4: %s has a %s below its floor: %+v", l, rule.what, a)
		}
	}
}
