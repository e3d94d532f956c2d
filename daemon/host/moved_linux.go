package host

import (
	"context"
	"strings"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// movedWait is how long addresses have to be quiet: a new network brings several.
const movedWait = 200 * time.Millisecond

// Moved tells, until ctx ends, that the host has a new address: what it sends may come from there now.
// Addresses inside links do not count. Several that come together are told once.
func Moved(ctx context.Context) (<-chan struct{}, error) {
	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, explain("watch addresses", err)
	}
	updates, told := make(chan netlink.AddrUpdate), make(chan struct{}, 1)
	if err := netlink.AddrSubscribe(updates, ctx.Done()); err != nil {
		h.Close()
		return nil, explain("watch addresses", err)
	}
	go func() {
		defer h.Close()
		quiet := time.NewTimer(movedWait)
		quiet.Stop()
		for {
			select {
			case u, open := <-updates:
				if !open {
					return
				}
				if u.NewAddr && !inLink(h, u.LinkIndex) {
					quiet.Reset(movedWait)
				}
			case <-quiet.C:
				select {
				case told <- struct{}{}:
				default: // it is told already
				}
			}
		}
	}()
	return told, nil
}

// inLink tells whether an interface is a link's. One that is gone again is nobody's.
func inLink(h *netlink.Handle, index int) bool {
	l, err := h.LinkByIndex(index)
	return err != nil || strings.HasPrefix(l.Attrs().Name, linkPrefix)
}
