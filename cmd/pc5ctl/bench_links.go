package main

import (
	"time"

	"github.com/spf13/cobra"

	"pc5d/daemon/lab/manybench"
)

// benchLinksCommand measures many links of two daemons in two private networks.
func benchLinksCommand() *cobra.Command {
	var jsonLine bool
	cfg := manybench.Config{}
	c := &cobra.Command{
		Use:   "links",
		Short: "measure many links of two daemons in two private networks (root)",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := besides(&cfg.Program); err != nil {
				return err
			}
			cfg.Progress = measuring(c)
			r, err := manybench.Run(c.Context(), cfg)
			if err != nil {
				return err
			}
			return printMeasured(c, r, jsonLine)
		},
	}
	lineFlag(c, &jsonLine)
	c.Flags().IntVar(&cfg.Links, "links", 1000, "links of each daemon")
	c.Flags().DurationVar(&cfg.Idle, "idle", 10*time.Second, "how long the idle daemons are watched")
	c.Flags().DurationVar(&cfg.KeepAlive, "keepalive", time.Minute, "silence after which a link asks for a sign of life")
	return c
}
