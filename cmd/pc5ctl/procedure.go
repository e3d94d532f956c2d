package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"pc5d/daemon/control"
	"pc5d/daemon/control/client"
)

// rekeyCommand makes new keys for a link.
func rekeyCommand(socket *string) *cobra.Command {
	return procedureCommand("rekey LINK", "make new keys for an established link; no packet waits or is lost for it", "re-keyed", func(ctx context.Context, link string, wait time.Duration) (control.LinkStatus, error) {
		return client.New(*socket).Rekey(ctx, link, wait)
	})
}

// updateCommand makes new keys and identifiers for a link.
func updateCommand(socket *string) *cobra.Command {
	return procedureCommand("update LINK", "make new keys and new identifiers, so that an observer loses the link's track", "updated", func(ctx context.Context, link string, wait time.Duration) (control.LinkStatus, error) {
		return client.New(*socket).Update(ctx, link, wait)
	})
}

// procedureCommand is a verb that runs a procedure of an established link and waits for its end.
func procedureCommand(use, short, done string, run func(ctx context.Context, link string, wait time.Duration) (control.LinkStatus, error)) *cobra.Command {
	var wait time.Duration
	c := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			ctx, cancel := context.WithTimeout(c.Context(), wait+5*time.Second)
			defer cancel()
			s, err := run(ctx, args[0], wait)
			if err != nil {
				return fmt.Errorf("link %s: %w", args[0], err)
			}
			fmt.Fprintf(c.OutOrStdout(), "%s %s: %s\n", done, s.Name, protection(s))
			return nil
		},
	}
	c.Flags().DurationVar(&wait, "wait", 20*time.Second, "how long to wait")
	return c
}
