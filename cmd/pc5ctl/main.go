// Command pc5ctl controls a running pc5d, makes keys, checks provisioning files and shows a
// whole link on one machine.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	err := root().ExecuteContext(ctx)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "pc5ctl: %v\n", err)
		os.Exit(1)
	}
}

// root is the command tree; each verb stands in a file of its own.
func root() *cobra.Command {
	var socket string
	c := &cobra.Command{
		Use:           "pc5ctl",
		Short:         "control pc5d, the PC5 link daemon",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	c.PersistentFlags().StringVar(&socket, "socket", "/run/pc5/control.sock", "control socket of pc5d")
	c.AddCommand(initCommand(), keyCommand(), caCommand(), checkCommand(), upCommand(&socket), downCommand(&socket), rekeyCommand(&socket), updateCommand(&socket), solicitCommand(&socket), forgetCommand(&socket), inviteCommand(&socket), joinCommand(&socket), unpairCommand(&socket), reloadCommand(&socket), statusCommand(&socket), metricsCommand(&socket), demoCommand(), benchCommand())
	return c
}
