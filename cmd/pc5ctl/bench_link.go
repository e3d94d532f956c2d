package main

import (
	"github.com/spf13/cobra"

	"pc5d/daemon/lab/linkbench"
)

// benchLinkCommand measures a link of two daemons in two private networks.
func benchLinkCommand() *cobra.Command {
	var jsonLine bool
	cfg := linkbench.SingleConfig{}
	c := &cobra.Command{
		Use:   "link",
		Short: "measure a live link of two daemons in two private networks (root)",
		Long: `Measure a live link of two daemons in two private networks of this machine: one TCP stream, and
pings beside it and without it. It needs root, iperf3, and the pc5d that stands beside pc5ctl.

With --loss or --reorder the networks are joined by a process that loses and reorders packets, and
that carries some hundred Mbit/s at most; else by a veth pair.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := besides(&cfg.Program); err != nil {
				return err
			}
			cfg.Progress = measuring(c)
			r, err := linkbench.Single(c.Context(), cfg)
			if err != nil {
				return err
			}
			return printMeasured(c, r, jsonLine)
		},
	}
	lineFlag(c, &jsonLine)
	c.Flags().Float64Var(&cfg.Loss, "loss", 0, "`percent` of the packets that are lost in each direction")
	c.Flags().Float64Var(&cfg.Reorder, "reorder", 0, "`percent` of the packets that up to 16 later ones overtake")
	return c
}
