package provision

import (
	"fmt"
	"math"
	"net/netip"
	"path/filepath"
	"strings"

	"pc5d/policy"
)

// minMark is the first number of a routing table that the kernel leaves free.
const minMark = 256

// maxIdentity is the length of an application layer ID in octets.
const maxIdentity = 128

// node reads [node].
func (r *reader) node(root *table) {
	doc := root.doc
	if _, written := root.values["node"]; !written {
		doc.missing(root.path, "[node] is missing", "begin the file with [node], name and identity")
	}
	t := root.table("node")
	if t.values == nil {
		return
	}
	defer t.finish()
	n := &r.out.Node
	if name, ok := t.required("name", "the name that peers know this node by"); ok && identity(t, "name", name) {
		n.Name = name
	}
	if path, ok := t.required("identity", "the path of this node's private key"); ok {
		n.Identity = doc.beside(path)
	}
	if path, ok := t.text("certificate"); ok {
		n.Certificate = t.file("certificate", path)
	}
	n.CA, n.CRL, n.Deny = t.files("ca"), t.files("crl"), t.deny()
	if len(n.CRL) > 0 && len(n.CA) == 0 {
		doc.missing(t.at("crl"), "node.crl without node.ca: nothing is trusted by certificate", "name the CA's certificate in node.ca")
	}
	n.Listen = t.listen()
	n.Mark = t.mark()
	n.Gate, _ = t.flag("gate")
	n.Metrics = t.metrics()
	word(t, "kept_keys", &n.KeptKeys, KeptInMemory.String(), KeptInFile.String(), KeptNowhere.String())
	n.Timers = timers(t.table("timers"))
}

// file is a path that may be relative to the directory of the main file.
func (t *table) file(key, path string) string {
	if path == "" {
		t.doc.wrong(t.at(key), t.name(key)+" is empty", "name a file, or leave it out")
		return ""
	}
	return t.doc.beside(path)
}

// files is a list of such paths.
func (t *table) files(key string) []string {
	entries, ok := t.list(key)
	if ok && len(entries) == 0 {
		t.doc.wrong(t.at(key), t.name(key)+" is empty", "name a file, or leave it out")
	}
	var paths []string
	for _, e := range entries {
		if e.text == "" {
			t.doc.wrong(e.path, t.name(key)+" has an empty path", "name a file")
			continue
		}
		paths = append(paths, t.doc.beside(e.text))
	}
	return paths
}

// deny reads the fingerprints of denied keys.
func (t *table) deny() []policy.Fingerprint {
	entries, _ := t.list("deny")
	var denied []policy.Fingerprint
	for _, e := range entries {
		var f policy.Fingerprint
		if err := f.UnmarshalText([]byte(e.text)); err != nil {
			t.doc.wrong(e.path, t.name("deny")+": "+err.Error(), "")
			continue
		}
		denied = append(denied, f)
	}
	return denied
}

// beside resolves a path that is relative to the directory of a file. A credential of the service
// manager has no directory that is known here.
func (d *document) beside(path string) string {
	if filepath.IsAbs(path) || strings.HasPrefix(path, "credential:") {
		return path
	}
	return filepath.Join(filepath.Dir(d.name), path)
}

// mark reads the mark of the underlay's packets. It is the number of a routing table, too: those below
// are the host's own.
func (t *table) mark() uint32 {
	mark, ok := t.number("fwmark")
	if ok && (mark < minMark || mark > math.MaxUint32) {
		t.doc.wrong(t.at("fwmark"), fmt.Sprintf("node.fwmark %d is out of range", mark), fmt.Sprintf("%d to %d, for example 0x5043", minMark, uint32(math.MaxUint32)))
		return 0
	}
	return uint32(mark)
}

// listen reads where this node is called.
func (t *table) listen() netip.AddrPort {
	everywhere := netip.AddrPortFrom(netip.IPv6Unspecified(), DefaultPort)
	s, ok := t.text("listen")
	if !ok {
		return everywhere
	}
	listen, err := parseEndpoint(s)
	if err != nil {
		t.doc.wrong(t.at("listen"), fmt.Sprintf("node.listen %q is not an address: %v", s, err), `write "[::]:33536"`)
		return everywhere
	}
	return listen
}

// metrics reads where the metrics are served. They tell in clear who talks to whom, so an address that means
// every interface, also those that come later, is refused.
func (t *table) metrics() netip.AddrPort {
	s, ok := t.text("metrics")
	if !ok {
		return netip.AddrPort{}
	}
	wrong := func(why string) netip.AddrPort {
		t.doc.wrong(t.at("metrics"), fmt.Sprintf("node.metrics %q cannot be served: %s", s, why), `write "127.0.0.1:9533", or the one address where the scraper comes`)
		return netip.AddrPort{}
	}
	at, err := netip.ParseAddrPort(s)
	switch address := at.Addr().Unmap(); {
	case err != nil:
		return wrong("it is not an IP address and a port")
	case at.Port() == 0:
		return wrong("port 0")
	case address.IsUnspecified():
		return wrong("it is every address of this host, and whoever reaches one could read")
	case address.IsMulticast() || address == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return wrong("it is not the address of one host")
	default:
		return netip.AddrPortFrom(address, at.Port())
	}
}

// identity checks the length of an application layer ID; TOML strings are UTF-8 already.
func identity(t *table, key, name string) bool {
	if len(name) > maxIdentity {
		t.doc.wrong(t.at(key), fmt.Sprintf("%s has %d octets", t.name(key), len(name)), fmt.Sprintf("at most %d", maxIdentity))
		return false
	}
	return true
}
