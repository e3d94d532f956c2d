package host

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// defaultMetric is what the kernel gives an IPv6 route that names none.
const defaultMetric = 1024

// place is what the routes to a prefix have in common.
type place struct {
	prefix netip.Prefix
	table  int
}

// place is where the routes to a prefix stand.
func (s *system) place(p netip.Prefix) place {
	if p.Bits() == 0 && s.mark != 0 {
		return place{p.Masked(), int(s.mark)}
	}
	return place{p.Masked(), unix.RT_TABLE_MAIN}
}

// survey is what the kernel has, read at once: there may be thousands of links.
type survey struct {
	guards map[place]netlink.Route   // ours
	others map[place][]netlink.Route // to just the prefixes that are asked for
}

func (s *system) survey(wanted map[place]bool) (survey, error) {
	found := survey{guards: map[place]netlink.Route{}, others: map[place][]netlink.Route{}}
	everywhere := &netlink.Route{Table: unix.RT_TABLE_UNSPEC}
	for _, family := range []int{netlink.FAMILY_V4, netlink.FAMILY_V6} {
		err := s.handle.RouteListFilteredIter(family, everywhere, netlink.RT_FILTER_TABLE, func(r netlink.Route) bool {
			at := place{destination(family, r.Dst), r.Table}
			switch {
			case r.Protocol == routeProtocol && r.Type == unix.RTN_UNREACHABLE:
				found.guards[at] = r
			case wanted[at]:
				found.others[at] = append(found.others[at], r)
			}
			return true
		})
		if err != nil {
			return found, explain("list routes", err)
		}
	}
	return found, nil
}

// Guard implements Network: the new guards first, then the rules into their tables, then the old ones go.
func (s *system) Guard(prefixes []netip.Prefix) error {
	wanted := map[place]bool{}
	var rules []netlink.Rule
	for _, p := range prefixes {
		at := s.place(p)
		if at.table != unix.RT_TABLE_MAIN && !wanted[at] {
			rules = append(rules, s.rules(p)...)
		}
		wanted[at] = true
	}
	found, err := s.survey(wanted)
	if err != nil {
		return err
	}
	s.others = found.others
	for at := range wanted {
		if _, there := found.guards[at]; there {
			continue
		}
		err := s.handle.RouteAdd(&netlink.Route{
			Dst: ipNet(at.prefix), Table: at.table, Type: unix.RTN_UNREACHABLE, Priority: guardMetric, Protocol: routeProtocol,
		})
		if errors.Is(err, unix.EEXIST) {
			err = fmt.Errorf("%w, and not by pc5d: remove it, or take the prefix out of the link's allowed", err)
		}
		if err != nil {
			return explain(fmt.Sprintf("guard route to %s at metric %d", at.prefix, uint32(guardMetric)), err)
		}
	}
	if err := s.setRules(rules); err != nil {
		return err
	}
	return s.removeGuards(found.guards, wanted)
}

// Clean implements Network.
func (s *system) Clean() error {
	found, err := s.survey(nil)
	if err != nil {
		return err
	}
	if err := s.setRules(nil); err != nil {
		return err
	}
	return s.removeGuards(found.guards, nil)
}

func (s *system) removeGuards(guards map[place]netlink.Route, wanted map[place]bool) error {
	for at, r := range guards {
		if wanted[at] {
			continue
		}
		if err := s.handle.RouteDel(&r); err != nil && !gone(err) {
			return explain("remove guard route", err)
		}
	}
	return nil
}

// gone tells that somebody else was faster.
func gone(err error) bool { return errors.Is(err, unix.ESRCH) || errors.Is(err, unix.ENOENT) }

// route leads a prefix into a link. A route of somebody else to just this prefix would be lost, or would
// take the link's packets, so it has to go first, or the prefix has to.
func (s *system) route(p netip.Prefix, l netlink.Link) error {
	at, metric := s.place(p), 0
	if p.Addr().Is6() {
		metric = defaultMetric
	}
	for _, r := range s.others[at] {
		if r.LinkIndex != l.Attrs().Index && r.Priority <= metric { // what has a worse metric stays behind ours
			return fmt.Errorf("%s is there already: remove it, or take %s out of the link's allowed", s.describe(r), p)
		}
	}
	return s.handle.RouteReplace(&netlink.Route{
		LinkIndex: l.Attrs().Index, Dst: ipNet(at.prefix), Table: at.table, Protocol: routeProtocol, Scope: netlink.SCOPE_LINK,
	})
}

// describe names a route for people.
func (s *system) describe(r netlink.Route) string {
	text := fmt.Sprintf("a route by protocol %s", r.Protocol)
	if l, err := s.handle.LinkByIndex(r.LinkIndex); r.LinkIndex > 0 && err == nil {
		text += ", interface " + l.Attrs().Name
	}
	if r.Gw != nil {
		text += ", gateway " + r.Gw.String()
	}
	return text
}
