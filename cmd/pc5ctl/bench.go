package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"pc5d/daemon/lab/authbench"
)

// benchCommand measures parts of the daemon on this machine.
func benchCommand() *cobra.Command {
	c := &cobra.Command{Use: "bench", Short: "measure parts of the daemon on this machine"}
	c.AddCommand(benchAuthCommand())
	return c
}

func benchAuthCommand() *cobra.Command {
	var jsonLine bool
	cfg := authbench.Config{}
	c := &cobra.Command{
		Use:   "auth",
		Short: "measure authentication on this processor, beside bare TLS handshakes",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg.Progress = func(what string) { fmt.Fprintf(c.ErrOrStderr(), "measuring %s\n", what) }
			r, err := authbench.Run(c.Context(), cfg)
			if err != nil {
				return err
			}
			if !jsonLine {
				return r.Print(c.OutOrStdout())
			}
			if err := r.Print(c.ErrOrStderr()); err != nil {
				return err
			}
			line, err := r.Line()
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "%s\n", line)
			return err
		},
	}
	c.Flags().BoolVar(&jsonLine, "json", false, "print one line of JSON; the table goes to standard error")
	c.Flags().DurationVar(&cfg.Time, "time", 2*time.Second, "processor time of each measurement, about")
	return c
}
