package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"pc5d/daemon/control/client"
)

// metricsCommand prints the metrics of the daemon.
func metricsCommand(socket *string) *cobra.Command {
	return &cobra.Command{
		Use:   "metrics",
		Short: "print the metrics of the node and its links, as Prometheus reads them",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeout(c.Context(), 5*time.Second)
			defer cancel()
			return client.New(*socket).Metrics(ctx, c.OutOrStdout())
		},
	}
}
