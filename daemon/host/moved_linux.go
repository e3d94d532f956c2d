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

// movedBuffer holds the addresses of thousands of links, which come faster than they are looked at.
const movedBuffer = 16 << 20

// Moved tells, until ctx ends, that the host has a new address: what it sends may come from there now.
// Addresses inside links do not count. Several that come together are told once.
func Moved(ctx context.Context) (<-chan struct{}, error) {
	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, explain("watch addresses", err)
	}
	told := make(chan struct{}, 1)
	updates, end, err := addresses(ctx)
	if err != nil {
		h.Close()
		return nil, err
	}
	go func() {
		defer h.Close()
		quiet := time.NewTimer(movedWait)
		quiet.Stop()
		for {
			select {
			case u, open := <-updates:
				if open && u.NewAddr && !inLink(h, u.LinkIndex) {
					quiet.Reset(movedWait)
				}
				if open {
					continue
				}
				end()
				if updates, end = again(ctx); updates == nil {
					return
				}
				quiet.Reset(movedWait) // nobody knows what was lost
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

// addresses subscribes to new addresses. The channel is closed when ctx ends, and when more of them came at once
// than the socket holds.
func addresses(ctx context.Context) (<-chan netlink.AddrUpdate, context.CancelFunc, error) {
	ctx, end := context.WithCancel(ctx)
	updates := make(chan netlink.AddrUpdate)
	o := netlink.AddrSubscribeOptions{ReceiveBufferSize: movedBuffer, ReceiveBufferForceSize: true}
	if err := netlink.AddrSubscribeWithOptions(updates, ctx.Done(), o); err != nil {
		end()
		return nil, nil, explain("watch addresses", err)
	}
	return updates, end, nil
}

// again subscribes once more, until it can or ctx ends: nil.
func again(ctx context.Context) (<-chan netlink.AddrUpdate, context.CancelFunc) {
	for {
		select {
		case <-ctx.Done():
			return nil, nil
		case <-time.After(movedWait):
		}
		if updates, end, err := addresses(ctx); err == nil {
			return updates, end
		}
	}
}

// inLink tells whether an interface is a link's. One that is gone again is nobody's.
func inLink(h *netlink.Handle, index int) bool {
	l, err := h.LinkByIndex(index)
	return err != nil || strings.HasPrefix(l.Attrs().Name, linkPrefix)
}
