package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pc5d/daemon/control"
	"pc5d/daemon/control/client"
	"pc5d/policy/provision"
)

// inviteOptions are the flags of pc5ctl invite.
type inviteOptions struct {
	endpoint, peer     string
	expires            time.Duration
	addresses, allowed []string
	qr, revoke         bool
}

// inviteCommand makes an invite for another host.
func inviteCommand(socket *string) *cobra.Command {
	var o inviteOptions
	c := &cobra.Command{
		Use:   "invite LINK",
		Short: "invite another host: print a token that it joins with, once",
		Long: "Print a token. The host where pc5ctl join TOKEN runs first gets link LINK to this one; each end then knows the\n" +
			"other's key. The token is a secret until it is used or expires: whoever has it can join instead.\n" +
			"Without --addresses and --allowed the link gets private IPv6 addresses of its own.",
		Example: "  pc5ctl invite bob\n  pc5ctl invite bob --endpoint 192.0.2.1:33536 --addresses 10.5.0.1 --allowed 10.5.0.2 --qr",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			ctx, cancel := context.WithTimeout(c.Context(), 10*time.Second)
			defer cancel()
			if o.revoke {
				if err := client.New(*socket).Revoke(ctx, args[0]); err != nil {
					return err
				}
				fmt.Fprintf(c.OutOrStdout(), "revoked the invite for %s\n", args[0])
				return nil
			}
			r, err := o.request(ctx, *socket, args[0])
			if err != nil {
				return err
			}
			i, err := client.New(*socket).Invite(ctx, r)
			if err != nil {
				return err
			}
			return printInvite(c.OutOrStdout(), c.ErrOrStderr(), i, o.qr)
		},
	}
	f := c.Flags()
	f.StringVar(&o.endpoint, "endpoint", "", "where the joiner reaches this host, ADDRESS[:PORT]; default: this host's only address")
	f.DurationVar(&o.expires, "expires", time.Hour, "how long the token is good for, 1m to 168h")
	f.StringVar(&o.peer, "peer", "", "who alone may join, by its node name; default: any host that has no link yet")
	f.StringSliceVar(&o.addresses, "addresses", nil, "this end's addresses in the link")
	f.StringSliceVar(&o.allowed, "allowed", nil, "the joiner's addresses in the link")
	f.BoolVar(&o.qr, "qr", false, "show the token as a QR code, too")
	f.BoolVar(&o.revoke, "revoke", false, "end the open invite for LINK instead")
	return c
}

// printInvite writes the token alone to the output, so that it can be piped, and the rest beside it.
func printInvite(out, beside io.Writer, i control.Invite, qr bool) error {
	fmt.Fprintf(beside, "On the other host, before %s:\n\n  pc5ctl join TOKEN\n\nIt reaches this host at %s. Here: %s, there: %s. The token is a secret:\n\n",
		i.Expires.Local().Format(time.RFC3339), i.Endpoint, strings.Join(i.Addresses, " "), strings.Join(i.Allowed, " "))
	if qr {
		if err := printQR(beside, i.Token); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(out, i.Token)
	return err
}

// request puts the flags together.
func (o *inviteOptions) request(ctx context.Context, socket, name string) (control.InviteRequest, error) {
	r := control.InviteRequest{Link: name, Peer: o.peer, Expires: o.expires.String()}
	var err error
	if r.Endpoint, err = o.reachedAt(ctx, socket); err != nil {
		return r, err
	}
	if r.Addresses, err = hostAddresses("--addresses", o.addresses); err != nil {
		return r, err
	}
	r.Allowed, err = hostAddresses("--allowed", o.allowed)
	return r, err
}

// hostAddresses reads single addresses, also as prefixes of one.
func hostAddresses(flag string, words []string) ([]netip.Addr, error) {
	var out []netip.Addr
	for _, w := range words {
		a, err := netip.ParseAddr(w)
		if p, prefixErr := netip.ParsePrefix(w); prefixErr == nil && p.IsSingleIP() {
			a, err = p.Addr(), nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s %q is no address: an invite has single addresses such as 10.5.0.1; write whole prefixes into the provisioning", flag, w)
		}
		out = append(out, a)
	}
	return out, nil
}

// reachedAt is the endpoint that was given, or else the only address of this host and the port of its
// daemon.
func (o *inviteOptions) reachedAt(ctx context.Context, socket string) (netip.AddrPort, error) {
	port := uint16(provision.DefaultPort)
	if at, err := netip.ParseAddrPort(o.endpoint); err == nil {
		return at, nil
	}
	s, err := client.New(socket).Status(ctx)
	if err != nil {
		return netip.AddrPort{}, err
	}
	if at, err := netip.ParseAddrPort(s.Node.Listen); err == nil {
		port = at.Port()
		if o.endpoint == "" && !at.Addr().IsUnspecified() {
			return at, nil
		}
	}
	if o.endpoint != "" {
		a, err := netip.ParseAddr(o.endpoint)
		if err != nil {
			return netip.AddrPort{}, fmt.Errorf("--endpoint %q is no ADDRESS or ADDRESS:PORT, such as 192.0.2.1:33536", o.endpoint)
		}
		return netip.AddrPortFrom(a, port), nil
	}
	candidates, err := ownAddresses()
	if err != nil {
		return netip.AddrPort{}, err
	}
	if len(candidates) != 1 {
		return netip.AddrPort{}, fmt.Errorf("this host has %d addresses %v: say which one the joiner reaches, --endpoint ADDRESS", len(candidates), candidates)
	}
	return netip.AddrPortFrom(candidates[0], port), nil
}

// ownAddresses are this host's addresses that others may reach: IPv4 where there is any, and nothing
// of a link's interface.
func ownAddresses() ([]netip.Addr, error) {
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("addresses of this host: %w", err)
	}
	var four, six []netip.Addr
	for _, i := range interfaces {
		if i.Flags&net.FlagUp == 0 || strings.HasPrefix(i.Name, "pc5-") {
			continue
		}
		addresses, err := i.Addrs()
		if err != nil {
			return nil, fmt.Errorf("addresses of %s: %w", i.Name, err)
		}
		for _, a := range addresses {
			p, err := netip.ParsePrefix(a.String())
			if err != nil || !p.Addr().IsGlobalUnicast() || slices.Contains(four, p.Addr()) {
				continue
			}
			if p.Addr().Is4() {
				four = append(four, p.Addr())
			} else {
				six = append(six, p.Addr())
			}
		}
	}
	if len(four) > 0 {
		return four, nil
	}
	return six, nil
}
