package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"pc5d/daemon/control/client"
)

// reloadCommand lets the daemon read anew whom it trusts.
func reloadCommand(socket *string) *cobra.Command {
	return &cobra.Command{
		Use:   "reload",
		Short: "read CAs, revocation lists and denied keys anew; links and kept keys of who is not admitted any more end",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeout(c.Context(), 10*time.Second)
			defer cancel()
			r, err := client.New(*socket).Reload(ctx)
			if err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "reloaded; kept keys ended: %d\n", r.Keys)
			return nil
		},
	}
}
