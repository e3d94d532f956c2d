package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"pc5d/daemon/control"
	"pc5d/daemon/control/client"
)

// upCommand establishes a link and says how it went.
func upCommand(socket *string) *cobra.Command {
	var wait time.Duration
	c := &cobra.Command{
		Use:   "up LINK",
		Short: "establish a link and wait for it",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			ctx, cancel := context.WithTimeout(c.Context(), wait+5*time.Second)
			defer cancel()
			s, err := client.New(*socket).Up(ctx, args[0], wait)
			if err != nil {
				return err
			}
			if s.State != "established" {
				return notEstablished(s)
			}
			fmt.Fprintf(c.OutOrStdout(), "established %s: %s\n", s.Name, protection(s))
			return nil
		},
	}
	c.Flags().DurationVar(&wait, "wait", 20*time.Second, "how long to wait")
	return c
}

// notEstablished says why, and what the peer seems to think of it.
func notEstablished(s control.LinkStatus) error {
	reason := s.LastError
	if reason == "" {
		reason = "no answer yet"
	}
	if s.Hint != "" && s.Hint != reason {
		reason += "; " + s.Hint
	}
	return fmt.Errorf("link %s is %s: %s", s.Name, s.State, reason)
}

// downWait is longer than a release can take.
const downWait = 5 * time.Second

// downCommand releases a link.
func downCommand(socket *string) *cobra.Command {
	return &cobra.Command{
		Use:   "down LINK",
		Short: "release a link; its traffic is dropped, never sent another way",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			ctx, cancel := context.WithTimeout(c.Context(), downWait+5*time.Second)
			defer cancel()
			s, err := client.New(*socket).Down(ctx, args[0], downWait)
			if err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "%s %s\n", s.State, s.Name)
			return nil
		},
	}
}
