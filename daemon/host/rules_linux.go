package host

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// ruleOrder is where our first rule stands: behind what an operator writes, before the main table (32766).
const ruleOrder = 30336

// rules lead into the table of default routes through links. What the main table has a longer prefix for
// stays there, and so does the underlay, by its mark: its packets must not go into a link (T62).
func (s *system) rules(p netip.Prefix) []netlink.Rule {
	family := netlink.FAMILY_V6
	if p.Addr().Is4() {
		family = netlink.FAMILY_V4
	}
	known, rest := netlink.NewRule(), netlink.NewRule()
	known.Family, known.Protocol, known.Priority = family, routeProtocol, ruleOrder
	known.Table, known.SuppressPrefixlen = unix.RT_TABLE_MAIN, 0
	rest.Family, rest.Protocol, rest.Priority = family, routeProtocol, ruleOrder+1
	rest.Table, rest.Mark, rest.Invert = int(s.mark), s.mark, true
	return []netlink.Rule{*known, *rest}
}

// setRules makes our rules exactly these: the new ones first, so that nothing slips past them.
func (s *system) setRules(wanted []netlink.Rule) error {
	var there []netlink.Rule
	for _, family := range []int{netlink.FAMILY_V4, netlink.FAMILY_V6} {
		rules, err := s.handle.RuleList(family)
		if err != nil && !unknown(err) {
			return explain("list routing rules", err)
		}
		for _, r := range rules {
			if r.Protocol == routeProtocol {
				r.Family = family
				there = append(there, r)
			}
		}
	}
	for _, r := range wanted {
		if slices.ContainsFunc(there, func(o netlink.Rule) bool { return same(r, o) }) {
			continue
		}
		if err := s.handle.RuleAdd(&r); err != nil && !errors.Is(err, unix.EEXIST) {
			return explain(fmt.Sprintf("rule to table %d: node.fwmark needs policy routing", r.Table), err)
		}
	}
	for _, r := range there {
		if slices.ContainsFunc(wanted, func(o netlink.Rule) bool { return same(r, o) }) {
			continue
		}
		if err := s.handle.RuleDel(&r); err != nil && !gone(err) {
			return explain("remove routing rule", err)
		}
	}
	return nil
}

// same compares what our rules say.
func same(a, b netlink.Rule) bool {
	return a.Family == b.Family && a.Priority == b.Priority && a.Table == b.Table && a.Mark == b.Mark && a.Invert == b.Invert && a.SuppressPrefixlen == b.SuppressPrefixlen
}

// unknown tells that the kernel has no such thing: no policy routing, or no IPv6.
func unknown(err error) bool {
	return errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EAFNOSUPPORT)
}
