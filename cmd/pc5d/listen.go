package main

import (
	"context"
	"log/slog"

	"pc5d/daemon"
	"pc5d/daemon/control"
	"pc5d/daemon/metrics"
	"pc5d/dataplane/suite"
	"pc5d/policy/provision"
)

// part is one long-lived part of the daemon.
type part interface {
	Run(ctx context.Context) error
}

// listen opens the control socket and, where it is provisioned, the address of the metrics.
func listen(o options, log *slog.Logger, p *provision.Provisioning, node *daemon.Node) ([]part, error) {
	scrapes := metrics.NewHandler(node, metrics.Build{Version: version(), Null: suite.Null})
	server, err := control.Listen(o.socket, node, scrapes, log)
	if err != nil {
		return nil, err
	}
	if !p.Node.Metrics.IsValid() {
		return []part{server}, nil
	}
	listener, err := metrics.Listen(p.Node.Metrics, scrapes, log)
	if err != nil {
		server.Close()
		return nil, err
	}
	if !p.Node.Metrics.Addr().IsLoopback() {
		log.Info("metrics are served in clear to whoever reaches the address", "address", p.Node.Metrics.String())
	}
	return []part{server, listener}, nil
}
