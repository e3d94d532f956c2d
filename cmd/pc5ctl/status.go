package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pc5d/daemon/control"
	"pc5d/daemon/control/client"
	"pc5d/daemon/link"
	"pc5d/policy"
)

// statusCommand prints what the daemon says of itself.
func statusCommand(socket *string) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "status",
		Short: "show the node and its links",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeout(c.Context(), 5*time.Second)
			defer cancel()
			s, err := client.New(*socket).Status(ctx)
			if err != nil {
				return err
			}
			if asJSON {
				e := json.NewEncoder(c.OutOrStdout())
				e.SetIndent("", "  ")
				return e.Encode(s)
			}
			printStatus(c.OutOrStdout(), s)
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// printStatus writes the status for people. Text that came from a peer is quoted.
func printStatus(w io.Writer, s control.Status) {
	fmt.Fprintf(w, "node %q  %s  listening on %s\n", s.Node.Name, s.Node.Fingerprint, s.Node.Listen)
	if s.Version != "" {
		fmt.Fprintf(w, "  version     %s\n", s.Version)
	}
	if end := s.Node.CertificateEnd; !end.IsZero() {
		fmt.Fprintf(w, "  certificate %s\n", until(end))
	}
	fmt.Fprintf(w, "  offloads    %s\n", nodeOffloads(s.Node.Offloads))
	if c := s.Strangers; c.Cookies > 0 {
		fmt.Fprintf(w, "strangers: %d answered by a cookie, %d came back with it, %d unfinished\n", c.Cookies, c.Admitted, c.HalfOpen)
	}
	for _, l := range s.Links {
		fmt.Fprintf(w, "\nlink %s  %s  peer %q  %s\n", l.Name, l.Interface, l.Peer, l.State)
		if len(l.Addresses)+len(l.Allowed) > 0 {
			fmt.Fprintf(w, "  inside      here %s, there %s\n", inside(l.Addresses), inside(l.Allowed))
		}
		if l.Trust != "" {
			fmt.Fprintf(w, "  trust       %s\n", trust(l))
		}
		if l.Learnt {
			fmt.Fprintf(w, "  learnt      pc5ctl unpair %s removes it\n", l.Name)
		}
		if l.Protection != nil {
			fmt.Fprintf(w, "  since %s as %s with %s\n", l.Since.Format(time.RFC3339), l.Role, l.Endpoint)
			fmt.Fprintf(w, "  peer        %s\n", proof(l.Authentication))
			fmt.Fprintf(w, "  protection  %s\n", protection(l))
			if l.Path != nil {
				fmt.Fprintf(w, "  path        %s\n", path(l.Path))
			}
			if end := l.CertificateEnd; !end.IsZero() {
				fmt.Fprintf(w, "  certificate %s\n", until(end))
			}
			fmt.Fprintf(w, "  keys        made %s ago, %d re-keyings, %d identifier updates\n", time.Since(l.Keys).Round(time.Second), l.Rekeyings, l.Updates)
		}
		fmt.Fprintf(w, "  offloads    %s\n", linkOffloads(l.Offloads))
		fmt.Fprintf(w, "  received %d packets, %d octets; sent %d packets, %d octets\n", l.RxPackets, l.RxOctets, l.TxPackets, l.TxOctets)
		if l.LastError != "" {
			fmt.Fprintf(w, "  last error  %s\n", l.LastError)
		}
		if l.Hint != "" && l.Hint != l.LastError {
			fmt.Fprintf(w, "  hint        %s\n", l.Hint)
		}
	}
	for _, i := range s.Invites {
		fmt.Fprintf(w, "\ninvite %s  open until %s\n", i.Link, i.Expires.Format(time.RFC3339))
		if i.Peer != "" {
			fmt.Fprintf(w, "  for         %q alone\n", i.Peer)
		}
	}
}

// inside writes prefixes, single addresses without their length.
func inside(prefixes []netip.Prefix) string {
	if len(prefixes) == 0 {
		return "nothing"
	}
	words := make([]string, len(prefixes))
	for i, p := range prefixes {
		if words[i] = p.String(); p.IsSingleIP() {
			words[i] = p.Addr().String()
		}
	}
	return strings.Join(words, " ")
}

// trust says what makes the peer's key the right one.
func trust(l control.LinkStatus) string {
	switch {
	case l.Pin == "":
		return l.Trust + " (no key pinned yet)"
	case l.Pinned.IsZero():
		return fmt.Sprintf("%s %s", l.Trust, l.Pin)
	}
	return fmt.Sprintf("%s (pinned %s on %s)", l.Trust, l.Pin, l.Pinned.Format(time.DateOnly))
}

// proof names what the peer showed. C3: whoever has a pre-shared key can pose as either end to the
// other, so that is said.
func proof(a *control.Authentication) string {
	if a == nil {
		return "not authenticated"
	}
	text := fmt.Sprintf("proved %s %s; in full %s ago", a.Proof, a.Key, time.Since(a.Full).Round(time.Second))
	if a.Proof == link.ByPreSharedKey.String() {
		text += "; who steals this key can pose as either end"
	}
	return text
}

// until tells when a certificate ends, loudly where it is soon.
func until(end time.Time) string {
	left := time.Until(end)
	switch days := int(left / (24 * time.Hour)); {
	case left <= 0:
		return fmt.Sprintf("HAS ENDED, at %s", end.UTC().Format(time.RFC3339))
	case days < 14:
		return fmt.Sprintf("ENDS IN %d DAYS, at %s", days, end.UTC().Format(time.RFC3339))
	default:
		return fmt.Sprintf("until %s, %d days", end.UTC().Format(time.RFC3339), days)
	}
}

// path tells how long the packets on the underlay are.
func path(p *control.Path) string {
	text := fmt.Sprintf("MTU %d in use, records of %d octets", p.MTU, p.Content)
	if p.Searching {
		text += "; being searched"
	}
	return text
}

// protection names what protects a link.
func protection(l control.LinkStatus) string {
	p := l.Protection
	if p == nil {
		return "none: no packet passes"
	}
	return fmt.Sprintf("signalling %s+%s, then %s; user plane %s (integrity %s, ciphering %s)%s",
		p.Signalling.Integrity, p.Signalling.Ciphering, p.Signalling.Form, userPlane(p), onOff(p.UserPlane.Integrity), onOff(p.UserPlane.Ciphering), mark(p.UserPlane))
}

// userPlane names the form of user data and its algorithms: a suite of records, or those of signalling.
func userPlane(p *control.Protection) string {
	if p.UserPlane.Form != policy.FormPDCP.String() {
		return p.UserPlane.Suite + " record"
	}
	words := []string{p.UserPlane.Form}
	if p.UserPlane.Integrity {
		words = append(words, p.Signalling.Integrity)
	}
	if p.UserPlane.Ciphering {
		words = append(words, p.Signalling.Ciphering)
	}
	return strings.Join(words, " ")
}

// mark says what user data lacks. (T56)
func mark(u control.UserPlane) string {
	if u.Insecure {
		return " INSECURE: packets can be altered and repeated on the way"
	}
	lacks := ""
	if !u.Ciphering {
		lacks += " NOT CIPHERED: packets can be read on the way"
	}
	if u.Form == policy.FormPDCP.String() {
		lacks += " SHORT TAG: one guess in 2^32 at a packet is taken"
	}
	return lacks
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}
