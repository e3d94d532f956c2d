package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"pc5d/daemon/lab/authbench"
	"pc5d/daemon/lab/suitebench"
)

// benchCommand measures parts of the daemon on this machine.
func benchCommand() *cobra.Command {
	c := &cobra.Command{Use: "bench", Short: "measure parts of the daemon on this machine"}
	c.AddCommand(benchAuthCommand(), benchSuitesCommand(), benchLinkCommand(), benchLinksCommand())
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
			cfg.Progress = measuring(c)
			r, err := authbench.Run(c.Context(), cfg)
			if err != nil {
				return err
			}
			return printMeasured(c, r, jsonLine)
		},
	}
	lineFlag(c, &jsonLine)
	c.Flags().DurationVar(&cfg.Time, "time", 2*time.Second, "processor time of each measurement, about")
	return c
}

func benchSuitesCommand() *cobra.Command {
	var jsonLine bool
	cfg := suitebench.Config{}
	c := &cobra.Command{
		Use:   "suites",
		Short: "measure the protection suites of user data on this processor",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg.Progress = measuring(c)
			r, err := suitebench.Run(c.Context(), cfg)
			if err != nil {
				return err
			}
			return printMeasured(c, r, jsonLine)
		},
	}
	lineFlag(c, &jsonLine)
	c.Flags().DurationVar(&cfg.Time, "time", 50*time.Millisecond, "time of each of the 72 measurements")
	return c
}

func lineFlag(c *cobra.Command, jsonLine *bool) {
	c.Flags().BoolVar(jsonLine, "json", false, "print one line of JSON; the table goes to standard error")
}

func measuring(c *cobra.Command) func(string) {
	return func(what string) { fmt.Fprintf(c.ErrOrStderr(), "measuring %s\n", what) }
}

// measured is the result of a measurement.
type measured interface {
	Print(io.Writer) error // the table for people
	Line() ([]byte, error) // the line for machines
}

// printMeasured prints the table, or the line and the table beside it.
func printMeasured(c *cobra.Command, r measured, jsonLine bool) error {
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
}

// besides sets the path of the pc5d that stands beside this program.
func besides(pc5d *string) error {
	self, err := os.Executable()
	*pc5d = filepath.Join(filepath.Dir(self), "pc5d")
	return err
}
