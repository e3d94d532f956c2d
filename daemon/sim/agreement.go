package sim

import (
	"crypto/sha256"
	"iter"
	"slices"

	"pc5d/daemon/auth/pskdhe"
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
	w.mustWipe("NRPEK", l.process, e.NRPEK.Secret)
	w.mustWipe("NRPIK", l.process, e.NRPIK.Secret)
	k := &plane{life: l, agreement: e.Agreement}
	k.send, k.receive = digests(e)
	l.planes = append(l.planes, k)
	if w.plane(l.process, e.Name) != nil {
		w.fault("I1: %s installed keys under a name that was used", l)
	}
	w.watch.planes[nameOf(l.process, e.Name)] = k
	if end := l.end(); end != nil && end.link.Hopeless {
		w.fault("I4: %s established %s, whose ends' provisioning does not fit", l, end.link)
	}
	w.checkFloors(l, e.Agreement)
	w.checkSame(k)
}

// digests tell the keys of the two directions apart. The standard form has DIRECTION for that.
func digests(e link.InstallUserPlane) (send, receive [32]byte) {
	if e.Suite != suite.None {
		return digest(e.Send), digest(e.Receive)
	}
	both := slices.Concat(e.NRPEK.Bytes(), e.NRPIK.Bytes())
	return sha256.Sum256(append(slices.Clone(both), e.Direction)), sha256.Sum256(append(slices.Clone(both), 1-e.Direction))
}

func digest(k keys.RecordKey) [32]byte {
	return sha256.Sum256(append(slices.Clone(k.Salt[:]), k.Key.Bytes()...))
}

// everyPlane are all that were ever installed, also of processes that are gone.
func (w *World) everyPlane() iter.Seq[*plane] {
	return func(yield func(*plane) bool) {
		for _, l := range w.watch.every {
			for _, k := range l.planes {
				if !yield(k) {
					return
				}
			}
		}
	}
}

// checkSame compares with every other end that has the same session (I3, C1): everything agreed
// is the same, and the keys fit crosswise.
func (w *World) checkSame(own *plane) {
	a := own.agreement
	if own.send == own.receive {
		w.fault("I3: %s sends and receives with one key", own.life)
	}
	for other := range w.everyPlane() {
		if other == own {
			continue
		}
		b := other.agreement
		if own.send == other.send || own.receive == other.receive {
			w.fault("I3: %s and %s have a key of the same direction", own.life, other.life)
		}
		session := a.Session == b.Session && a.LayerTwoA == b.LayerTwoA && a.LayerTwoB == b.LayerTwoB
		if a.RequestHash != b.RequestHash && !session && own.send != other.receive && own.receive != other.send {
			continue
		}
		switch {
		case a != b:
			w.fault("I3: %s and %s disagree:\n%+v\n%+v", own.life, other.life, a, b)
		case own.send != other.receive || own.receive != other.send:
			w.fault("I3: %s and %s have different keys", own.life, other.life)
		case own.life.process.host == other.life.process.host:
			w.fault("I3: %s and %s are the same end of a session", own.life, other.life)
		}
	}
}

// checkCounterpart demands that the peer that a machine believes in took part, and agrees as
// far as it can know yet (C1, C4). UE_B of an establishment is the first to be there: its peer
// has verified the command, under the request that it sent. Else the peer has keys already.
func (w *World) checkCounterpart(l *life, e link.Agreed) {
	local, peer := e.Agreement.A, e.Agreement.B
	self := l.process.host.shown(e.Agreement)
	first := local != self && !e.Rekeying
	if local != self {
		local, peer = peer, local
	}
	if local != self {
		w.fault("C4: %s is neither %q nor %q", l, local.Name, peer.Name)
	}
	i := slices.IndexFunc(w.Hosts, func(h *Host) bool { return h.shown(e.Agreement) == peer })
	if i < 0 {
		w.fault("C1: %s authenticated %q, whom nobody is", l, peer.Name)
		return
	}
	if w.Hosts[i].stranger != nil {
		return
	}
	partner := slices.ContainsFunc(w.watch.every, func(o *life) bool {
		if o.process.host != w.Hosts[i] {
			return false
		}
		if first && o.authenticated && o.machine.Role() == link.RoleA && o.request == e.Agreement.RequestHash {
			return true
		}
		return slices.ContainsFunc(o.planes, func(k *plane) bool { return k.agreement == e.Agreement })
	})
	if !partner {
		w.fault("C1: %s is established with %q, which never agreed", l, peer.Name)
	}
}

// shown is who a host is in an agreement: its own key, or one that both ends share.
func (h *Host) shown(a link.Agreement) link.Peer {
	p := h.Peer()
	if a.Proof == link.ByPreSharedKey && a.A.Fingerprint == a.B.Fingerprint {
		p.Fingerprint = a.A.Fingerprint
	}
	return p
}

// trusts tells whether an end's own provisioning names the key that a peer proved.
func (e *End) trusts(fp policy.Fingerprint, proof link.Proof) bool {
	if !e.link.PreShared {
		return fp == e.pin() && proof != link.ByPreSharedKey
	}
	want, err := pskdhe.Fingerprint(e.preShared())
	return err == nil && fp == want && proof == link.ByPreSharedKey
}

// checkFloors holds what was agreed against the end's own provisioning (I4, C6).
func (w *World) checkFloors(l *life, a link.Agreement) {
	p := l.process.provisioning
	links, err := l.process.host.learnt(p) // what stands on the disk, and would be there after a crash now
	if err != nil {
		w.fault("T41: %s: %v", l.process.host.Name, err)
		return
	}
	links = append(links, p.Links...)
	i := slices.IndexFunc(links, func(o provision.Link) bool { return o.Name == l.link })
	if i < 0 {
		w.fault("I4: %s installed keys for a link that nobody provisioned", l)
		return
	}
	own, peer := links[i], a.B
	if peer == l.process.host.shown(a) {
		peer = a.A
	}
	floor := func(r policy.Requirement, on bool) bool {
		return !(r == policy.Required && !on) && !(r == policy.NotNeeded && on)
	}
	for _, rule := range []struct {
		holds bool
		what  string
	}{
		{peer.Name == own.Peer && l.end().trusts(peer.Fingerprint, a.Proof), "peer"},
		{floor(own.Signalling.Integrity, a.Integrity != nea.NIA0), "signalling integrity"},
		{floor(own.Signalling.Ciphering, a.Ciphering != nea.NEA0), "signalling ciphering"},
		{a.Integrity != nea.NIA0 || own.Signalling.AllowNull, "null integrity"},
		{slices.Contains(own.Signalling.Ciphers, a.Ciphering) || a.Ciphering == nea.NEA0, "ciphering algorithm"},
		{slices.Contains(own.Signalling.Integrities, a.Integrity) || a.Integrity == nea.NIA0, "integrity algorithm"},
		{floor(own.UserPlane.Integrity, a.UserPlane.Integrity), "user-plane integrity"},
		{floor(own.UserPlane.Ciphering, a.UserPlane.Ciphering), "user-plane ciphering"},
		{a.UserPlane.Integrity || own.UserPlane.AllowUnprotected, "user-plane consent"},
		{own.UserPlane.Form != policy.FormRecord || a.Suite != suite.None, "user-plane form"},
		{own.UserPlane.Form != policy.FormPDCP || a.Suite == suite.None, "user-plane form"},
		{!a.UserPlane.Ciphering || a.Suite != suite.None || a.Ciphering != nea.NEA0, "user-plane ciphering algorithm"},
		{a.Suite == suite.None || slices.Contains(own.UserPlane.On(policy.WithAES).Suites, a.Suite), "suite"},
	} {
		if !rule.holds {
			w.fault("I4: %s has a %s below its floor: %+v", l, rule.what, a)
		}
	}
}
