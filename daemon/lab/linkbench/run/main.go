// Command run measures a link of pc5d beside wireguard-go: `make bench` and `make bench-quick`. It
// builds what it measures from the tree that it is started in. Progress and tables go to standard
// error, the line for machines to standard output.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"pc5d/daemon/lab/linkbench"
)

func main() {
	measure := linkbench.Full
	flag.BoolFunc("quick", "measure the deciding ratios only, in less than 50 seconds", func(string) error {
		measure = linkbench.Quick
		return nil
	})
	programs := flag.String("programs", "bin/bench", "`folder` for the programs that are built")
	page := flag.String("page", "", "`file` whose tables are replaced; the chart is written beside it, with the suffix svg")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	context.AfterFunc(ctx, stop) // the second signal ends the process at once
	if err := run(ctx, measure, *programs, *page); err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

type measure func(context.Context, linkbench.Config) (linkbench.Result, error)

func run(ctx context.Context, m measure, programs, page string) error {
	r, err := m(ctx, linkbench.Config{Programs: programs, Progress: func(what string) { fmt.Fprintln(os.Stderr, what) }})
	if err != nil {
		return err
	}
	if err := r.Print(os.Stderr); err != nil {
		return err
	}
	if page != "" {
		if err := r.Document(page, strings.TrimSuffix(page, filepath.Ext(page))+".svg"); err != nil {
			return err
		}
	}
	line, err := r.Line()
	if err != nil {
		return err
	}
	_, err = fmt.Printf("%s\n", line)
	return err
}
