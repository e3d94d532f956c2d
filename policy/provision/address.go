package provision

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// parseEndpoint reads an IP literal with or without a port. An IPv4 address in IPv6 form becomes
// IPv4, so that it compares with prefixes.
func parseEndpoint(s string) (netip.AddrPort, error) {
	bare := s
	if strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]") {
		bare = s[1 : len(s)-1]
	}
	if a, err := netip.ParseAddr(bare); err == nil && (bare == s || a.Is6()) {
		return netip.AddrPortFrom(a.Unmap(), DefaultPort), nil
	}
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()), nil
	}
	host, port := s, ""
	if i := strings.LastIndexByte(s, ':'); i >= 0 {
		host, port = strings.Trim(s[:i], "[]"), s[i+1:]
	}
	_, hostErr := netip.ParseAddr(host)
	if _, err := strconv.ParseUint(port, 10, 16); port != "" && hostErr == nil && err != nil {
		return netip.AddrPort{}, fmt.Errorf("the port is not a number from 0 to 65535")
	}
	return netip.AddrPort{}, fmt.Errorf("it must be an IP address, names are not looked up")
}

// endpoint reads where the peer listens.
func (t *table) endpoint(into *netip.AddrPort) {
	s, ok := t.text("endpoint")
	if !ok {
		return
	}
	wrong := func(why string) {
		t.doc.wrong(t.at("endpoint"), fmt.Sprintf("link.endpoint %q cannot be reached: %s", s, why), `write "192.0.2.1" or "[2001:db8::1]:33536", or leave it out where the peer is to call`)
	}
	ap, err := parseEndpoint(s)
	switch {
	case err != nil:
		wrong(err.Error())
	case ap.Addr().IsUnspecified() || ap.Addr().IsMulticast() || ap.Addr() == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		wrong("it is not the address of one host")
	case ap.Port() == 0:
		wrong("port 0")
	default:
		*into = ap
	}
}

// prefixes reads a list of prefixes, each once, and hands every good one to check with its path.
func (t *table) prefixes(key string, check func(netip.Prefix, string) bool) []netip.Prefix {
	entries, _ := t.list(key)
	var out []netip.Prefix
	for _, e := range entries {
		p, err := netip.ParsePrefix(e.text)
		switch {
		case err != nil:
			t.doc.wrong(e.path, fmt.Sprintf("%s: %q is not a prefix", t.name(key), e.text), prefixHint(e.text))
		case p.Addr().Is4In6():
			t.doc.wrong(e.path, fmt.Sprintf("%s: %q is IPv4 in IPv6 form", t.name(key), e.text), "write the IPv4 prefix")
		case slices.Contains(out, p):
			t.doc.wrong(e.path, fmt.Sprintf("%s names %s twice", t.name(key), p), "remove one")
		case check(p, e.path):
			out = append(out, p)
		}
	}
	return out
}

func prefixHint(s string) string {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		return fmt.Sprintf("write \"%s/%d\" for the one address", s, a.BitLen())
	}
	return `write "10.7.0.0/24" or "2001:db8::/64"`
}

// addresses reads the interface's own addresses; they keep their host bits. The kernel routes the network
// of each into the link.
func (t *table) addresses(c *claims) []netip.Prefix {
	return t.prefixes("addresses", func(p netip.Prefix, path string) bool {
		if p.Addr().IsUnspecified() || p.Addr().IsMulticast() {
			t.doc.wrong(path, fmt.Sprintf("link.addresses: %s is not the address of one host", p.Addr()), "")
			return false
		}
		return p.IsSingleIP() || c.network(p, t, path)
	})
}

// allowed reads the prefixes behind the peer; a default route is one like any other.
func (r *reader) allowed(t *table) []netip.Prefix {
	return t.prefixes("allowed", func(p netip.Prefix, path string) bool {
		if p != p.Masked() {
			t.doc.wrong(path, fmt.Sprintf("link.allowed: %s has bits set after its length", p), fmt.Sprintf("did you mean %q?", p.Masked()))
			return false
		}
		return r.claims.prefix(p, t, path) && r.othersOutside(p, t, path)
	})
}
