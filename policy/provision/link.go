package provision

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"pc5d/policy"
)

// Limits of a link (chosen).
const (
	maxName    = 11 // "pc5-" and the name fill the kernel's 15
	maxService = 64

	defaultService = "ip"

	defaultMTU = 1396 // a segment of TCP fills the 1408 octets of frames of one record, whatever its headers
	minMTU     = 1280 // what IPv6 needs
	maxMTU     = 9000 // longer packets than a record takes leave in parts
	maxWhole   = 1404 // fills the 1408 octets of frames of one record; the standard form has no parts

	minKeepAlive, maxKeepAlive   = time.Second, 24 * time.Hour
	minInactivity, maxInactivity = 10 * time.Second, 24 * time.Hour
)

var plainName = regexp.MustCompile(`^[a-z0-9][a-z0-9_.-]*$`)

// link reads one [[link]].
func (r *reader) link(t *table) {
	defer t.finish()
	l := Link{Service: defaultService, MTU: defaultMTU}
	if name, ok := t.required("name", "a short name, the interface is pc5-NAME"); ok && linkName(t, name) && r.claims.name(name, t) {
		l.Name, l.Peer = name, name
	}
	if peer, ok := t.text("peer"); ok {
		l.Peer = r.peer(t, peer)
	}
	if service, ok := t.text("service"); ok {
		l.Service = serviceName(t, service)
	}
	if l.Peer != "" && l.Service != "" {
		r.claims.service(l.Peer, l.Service, t)
	}
	r.self(t, l.Peer)
	t.endpoint(&l.Endpoint)
	l.Addresses = t.addresses(r.claims)
	l.Allowed = r.allowed(t)
	r.outside(t, &l)
	if mtu, ok := t.number("mtu"); ok {
		l.MTU = linkMTU(t, mtu)
	}
	l.CopyDSCP, _ = t.flag("copy_dscp")
	word(t, "authentication", &l.Authentication, policy.AuthenticateWhenNeeded.String(), policy.AuthenticateAlways.String())
	r.trust(t, &l)
	l.KeepAlive = t.duration("keepalive", minKeepAlive, maxKeepAlive)
	l.Inactivity = t.duration("inactivity", minInactivity, maxInactivity)
	l.Signalling = signalling(t.table("signalling"))
	l.UserPlane = userPlane(t.table("user_plane"), l.Signalling)
	l.Rekey = rekey(t.table("rekey"))
	l.Privacy = privacy(t.table("privacy"), l.Signalling.Ciphering)
	if l.MTU > maxWhole && l.UserPlane.Form != policy.FormRecord {
		t.doc.wrong(t.at("mtu"), fmt.Sprintf("link.mtu %d needs records, while user_plane.form is %q: PDUs of the standard form carry whole packets", l.MTU, l.UserPlane.Form), fmt.Sprintf("at most %d, or user_plane.form = %q", maxWhole, policy.FormRecord))
	}
	r.out.Links = append(r.out.Links, l)
}

func linkName(t *table, name string) bool {
	wrong := func(why, hint string) bool {
		t.doc.wrong(t.at("name"), fmt.Sprintf("link.name %q %s", name, why), hint)
		return false
	}
	switch {
	case len(name) > maxName:
		return wrong(fmt.Sprintf("has %d octets", len(name)), fmt.Sprintf("at most %d", maxName))
	case !plainName.MatchString(name):
		return wrong("has a character that a name cannot have", "a-z and 0-9, after the first also _ . -")
	case strings.HasPrefix(name, "g-"):
		return wrong(`begins with "g-"`, "that is kept for groups")
	}
	return true
}

func (r *reader) peer(t *table, peer string) string {
	if peer == "" {
		t.doc.wrong(t.at("peer"), "link.peer is empty", "leave it out where the peer has the link's name")
		return ""
	}
	if !identity(t, "peer", peer) {
		return ""
	}
	return peer
}

// self refuses a link of the node to itself. (T07)
func (r *reader) self(t *table, peer string) {
	if peer == "" || peer != r.out.Node.Name {
		return
	}
	key := "peer"
	if _, written := t.values[key]; !written {
		key = "name"
	}
	t.doc.wrong(t.at(key), fmt.Sprintf("link.%s %q is this node itself", key, peer), "name the other end")
}

func serviceName(t *table, service string) string {
	if len(service) > maxService || !plainName.MatchString(service) {
		t.doc.wrong(t.at("service"), fmt.Sprintf("link.service %q is not a service name", service), fmt.Sprintf("a-z and 0-9, after the first also _ . -, at most %d", maxService))
		return ""
	}
	return service
}

func linkMTU(t *table, mtu int64) int {
	if mtu < minMTU || mtu > maxMTU {
		t.doc.wrong(t.at("mtu"), fmt.Sprintf("link.mtu %d is out of range", mtu), fmt.Sprintf("%d to %d", minMTU, maxMTU))
		return defaultMTU
	}
	return int(mtu)
}
