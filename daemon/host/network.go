package host

import (
	"net/netip"

	"github.com/coreos/go-systemd/v22/daemon"
)

// Interface is what a link's TUN interface gets.
type Interface struct {
	Name      string
	MTU       int
	Addresses []netip.Prefix
	LinkLocal netip.Addr // IPv6, /64
	Routes    []netip.Prefix
}

// Network changes the host's network configuration.
type Network interface {
	// Configure sets an existing interface up; it may be repeated. Its routes are guarded before. Where
	// the last Guard found a route of somebody else in the place of one of them, it fails.
	Configure(Interface) error
	// Guard makes the guard routes exactly those of the prefixes, and the rules those that lead to them.
	Guard([]netip.Prefix) error
	// Taken tells what of the host has an address, or is directly beside it, without a link: "" is
	// nothing.
	Taken(netip.Addr) (string, error)
	// Clean removes every guard route and rule.
	Clean() error
	// Close ends the interfaces that Configure has set up.
	Close()
}

// Notification is a word for the service manager.
type Notification string

const (
	Ready    Notification = daemon.SdNotifyReady
	Stopping Notification = daemon.SdNotifyStopping
)

// Notify tells systemd, where there is one; without it nothing happens.
func Notify(n Notification) {
	daemon.SdNotify(false, string(n)) // no socket is no error, and a broken one nobody's but systemd's
}
