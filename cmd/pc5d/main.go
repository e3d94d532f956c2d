// Command pc5d establishes secured one-to-one PC5 links and routes IP traffic over them. It
// runs in the foreground, logs to standard error, and releases its links on SIGTERM.
// On SIGHUP it reads anew whom it trusts, as pc5ctl reload does.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
)

// options are the command line.
type options struct {
	config, socket, state string
	clean, debug          bool
	without               without
	reload                <-chan os.Signal // SIGHUP
}

func main() {
	var o options
	flag.StringVar(&o.config, "config", "/etc/pc5/pc5d.toml", "provisioning `FILE`; links.d/*.toml beside it is read too")
	flag.StringVar(&o.socket, "socket", "/run/pc5/control.sock", "control socket `PATH` for pc5ctl")
	flag.StringVar(&o.state, "state", "/var/lib/pc5", "state `DIR`")
	flag.BoolVar(&o.clean, "clean", false, "remove the guard routes and rules that earlier runs left, and exit")
	flag.BoolVar(&o.debug, "debug", false, "log every message")
	flag.Var(&o.without, "without", "for tests only: `OFFLOADS` of the kernel to leave unused, as pc5ctl status names them")
	flag.Parse()
	if flag.NArg() != 0 {
		fmt.Fprintf(os.Stderr, "pc5d: unexpected argument %q; see pc5d -h\n", flag.Arg(0))
		os.Exit(2)
	}
	level := slog.LevelInfo
	if o.debug {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	o.reload = hangups
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx, o, log); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintf(os.Stderr, "pc5d: %v\n", err)
		stop()
		os.Exit(1)
	}
}
