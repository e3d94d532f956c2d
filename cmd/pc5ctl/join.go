package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pc5d/daemon/auth/invite"
	"pc5d/daemon/control"
	"pc5d/daemon/control/client"
)

// maxToken is longer than any token.
const maxToken = 4096

// joinCommand takes an invite up.
func joinCommand(socket *string) *cobra.Command {
	var name string
	var wait time.Duration
	c := &cobra.Command{
		Use:   "join TOKEN",
		Short: "join with a token that pc5ctl invite printed on another host",
		Long: "Take up an invite: the link is made, and is established as soon as the other host answers, also later.\n" +
			"A TOKEN of - is read from the input, where no other user of this host can see it.",
		Example: "  pc5ctl join PC5IAEQ...\n  pc5ctl join - < token",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			token, err := tokenFrom(args[0], c.InOrStdin())
			if err != nil {
				return err
			}
			if err := announce(c.ErrOrStderr(), token, wait); err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(c.Context(), wait+5*time.Second)
			defer cancel()
			s, err := client.New(*socket).Join(ctx, token, name, wait)
			if err != nil {
				return err
			}
			return printJoined(c.OutOrStdout(), s)
		},
	}
	c.Flags().StringVar(&name, "name", "", "name of the link here; default: made of the inviter's name")
	c.Flags().DurationVar(&wait, "wait", 20*time.Second, "how long to wait for the link")
	return c
}

// tokenFrom is the argument, or the first line of the input.
func tokenFrom(arg string, in io.Reader) (string, error) {
	if arg != "-" {
		return arg, nil
	}
	line, err := bufio.NewReader(io.LimitReader(in, maxToken)).ReadString('\n')
	if err != nil && err != io.EOF {
		return "", fmt.Errorf("token: %w", err)
	}
	return strings.TrimSpace(line), nil
}

// announce says what a token leads to, before anybody waits for it.
func announce(w io.Writer, token string, wait time.Duration) error {
	t, err := invite.Parse(token)
	if err != nil {
		return err
	}
	t.Secret.Wipe()
	_, err = fmt.Fprintf(w, "joining %q at %s, for at most %s\n", t.Name, t.Endpoint, wait)
	return err
}

func printJoined(w io.Writer, s control.LinkStatus) error {
	if s.State != "established" {
		return fmt.Errorf("%w\nThe link is tried again by itself until the token expires; pc5ctl unpair %s gives it up. pc5ctl status at the other host lists the invites that are still open", notEstablished(s), s.Name)
	}
	_, err := fmt.Fprintf(w, "established %s, %s, to %q at %s: here %s, there %s\n", s.Name, s.Interface, s.Peer, s.Endpoint, inside(s.Addresses), inside(s.Allowed))
	return err
}
