package main

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"path/filepath"
	"runtime/debug"
	"time"

	"pc5d/daemon"
	"pc5d/daemon/auth"
	"pc5d/daemon/control"
	"pc5d/daemon/host"
	"pc5d/daemon/kept"
	"pc5d/daemon/task"
	"pc5d/dataplane"
	"pc5d/dataplane/tundev"
	"pc5d/dataplane/udp"
	"pc5d/dataplane/underlay"
	"pc5d/policy"
	"pc5d/policy/provision"
)

// keptFile is the cache of resumption keys in the state directory.
const keptFile = "kept-keys"

// run opens everything, serves until ctx ends, and closes everything in the opposite order.
func run(ctx context.Context, o options, log *slog.Logger) error {
	network, err := host.Open()
	if err != nil {
		return err
	}
	defer network.Close()
	if o.clean {
		return network.Clean()
	}
	learnt, err := daemon.Learnt(o.state)
	if err != nil {
		return err
	}
	p, err := provision.LoadWith(o.config, learnt)
	if err != nil {
		return err
	}
	identity, err := auth.LoadIdentity(p.Node.Identity, p.Node.Name, time.Now())
	if err != nil {
		return err
	}
	conn, err := udp.Listen(p.Node.Listen, log)
	if err != nil {
		return err
	}
	defer conn.Close()
	return serve(ctx, o, log, p, identity, network, conn)
}

// serve wires the node to its engine and its control socket.
func serve(ctx context.Context, o options, log *slog.Logger, p *provision.Provisioning, identity *auth.Identity, network host.Network, conn udp.Conn) error {
	poller, err := tundev.NewPoller()
	if err != nil {
		return err
	}
	defer poller.Close()
	tasks := &task.Real{}
	defer tasks.Wait()
	var node *daemon.Node
	engine := dataplane.New(dataplane.Config{
		Conn: conn, Poller: poller, Log: log,
		Signalling: func(port dataplane.Port, from netip.AddrPort, datagram []byte) { node.Receive(port, from, datagram) },
		Stray:      func(port dataplane.Port, from netip.AddrPort, h underlay.Header) { node.Stray(port, from, h) },
		Stirred:    func(link string) { node.Stirred(link) },
		Exhausting: func(link string, id dataplane.ContextID) { node.Exhausting(link, id) },
	})
	openKept, err := keptKeys(o, log, p, identity)
	if err != nil {
		return err
	}
	node, err = daemon.New(daemon.Config{
		Auth: auth.New(auth.Config{
			Identity: identity, Now: time.Now,
			Trust:    pinned(func(name string) []policy.Fingerprint { return node.Pinned(name) }),
			FirstUse: func(name string) bool { return node.FirstUse(name) },
		}),
		OpenKept:     openKept,
		Provisioning: p, Scheduler: tasks, Engine: engine, Network: network,
		OpenTUN:  func(name string, mtu int) (tundev.Device, error) { return tundev.Open(name, mtu) },
		OpenPort: func() (udp.Conn, error) { return udp.Listen(netip.AddrPortFrom(p.Node.Listen.Addr(), 0), log) }, StateDir: o.state, Timers: daemon.TimersOf(p.Node.Timers), Log: log, Version: version(),
	})
	if err != nil {
		return err
	}
	server, err := control.Listen(o.socket, node, log)
	if err != nil {
		return err
	}
	return supervise(ctx, log, engine, node, server)
}

// supervise runs the parts. The node stops first, so that its releases still go out.
func supervise(ctx context.Context, log *slog.Logger, engine *dataplane.Engine, node *daemon.Node, server *control.Server) error {
	outer, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	failed := make(chan error, 2)
	go func() { failed <- server.Run(outer) }()
	go func() { failed <- engine.Run(outer) }()
	stopped := make(chan error, 1)
	go func() { stopped <- node.Run(inner) }()
	host.Notify(host.Ready)
	log.Info("ready")
	var err error
	pending := 2
	select {
	case err = <-failed:
		pending--
		cancel()
		err = errors.Join(err, <-stopped)
	case err = <-stopped:
	}
	host.Notify(host.Stopping)
	stop()
	for range pending {
		err = errors.Join(err, <-failed)
	}
	return err
}

// keptKeys tells how to open the cache of resumption keys; nil: the provisioning wants none.
func keptKeys(o options, log *slog.Logger, p *provision.Provisioning, identity *auth.Identity) (func() *kept.Store, error) {
	if p.Node.KeptKeys == provision.KeptNowhere {
		return nil, nil
	}
	c := kept.Config{Now: time.Now, Event: func(text string, err error) { log.Warn("kept keys: "+text, "error", err) }}
	if p.Node.KeptKeys == provision.KeptInFile {
		secret, err := identity.Secret("kept keys")
		if err != nil {
			return nil, err
		}
		c.Secret, c.File = secret, filepath.Join(o.state, keptFile)
	}
	return func() *kept.Store { return kept.Open(c) }, nil
}

// pinned asks the node which keys are pinned: that changes while it runs.
type pinned func(name string) []policy.Fingerprint

// Pinned implements auth.Trust.
func (p pinned) Pinned(name string) []policy.Fingerprint { return p(name) }

// version is the module's version as the linker recorded it.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "devel"
	}
	return info.Main.Version
}
