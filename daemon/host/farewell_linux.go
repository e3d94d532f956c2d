package host

import (
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// firstGroup is where a group of interfaces is looked for that nobody uses.
const firstGroup = 33536

// Close implements Network. The interfaces end all at once: with the process they would end one after the
// other, and for each the kernel waits until all processors have let it go, 17 ms. What fails here is
// done then.
func (s *system) Close() {
	defer s.handle.Close()
	group, err := s.freeGroup()
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, index := range s.configured {
		// One that was removed before is no matter.
		_ = s.handle.LinkSetGroup(&netlink.Device{LinkAttrs: netlink.LinkAttrs{Index: index}}, group)
	}
	if len(s.configured) > 0 {
		_ = deleteGroup(group)
	}
}

// freeGroup finds a group without interfaces, because all of it will be deleted.
func (s *system) freeGroup() (int, error) {
	links, err := s.handle.LinkList()
	if err != nil {
		return 0, err
	}
	used := map[int]bool{}
	for _, l := range links {
		used[int(l.Attrs().Group)] = true
	}
	group := firstGroup
	for used[group] {
		group++
	}
	return group, nil
}

// deleteGroup deletes all interfaces of a group.
func deleteGroup(group int) error {
	r := nl.NewNetlinkRequest(unix.RTM_DELLINK, unix.NLM_F_ACK)
	r.AddData(nl.NewIfInfomsg(unix.AF_UNSPEC))
	r.AddData(nl.NewRtAttr(unix.IFLA_GROUP, nl.Uint32Attr(uint32(group))))
	_, err := r.Execute(unix.NETLINK_ROUTE, 0)
	return err
}
