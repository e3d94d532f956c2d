package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"pc5d/daemon"
	"pc5d/daemon/auth"
	"pc5d/daemon/host"
	"pc5d/daemon/kept"
	"pc5d/daemon/keys"
	"pc5d/daemon/task"
	"pc5d/dataplane"
	"pc5d/dataplane/record"
	"pc5d/dataplane/suite"
	"pc5d/dataplane/tundev"
	"pc5d/dataplane/udp"
	"pc5d/dataplane/underlay"
	"pc5d/policy/provision"
)

// keptFile is the cache of resumption keys in the state directory.
const keptFile = "kept-keys"

// gcPercent is the garbage that may lie beside what is in use. Packets make none, only signalling does, and memory
// that is locked never goes back to the system.
const gcPercent = 25

// run opens everything, serves until ctx ends, and closes everything in the opposite order.
func run(ctx context.Context, o options, log *slog.Logger) error {
	if suite.Null {
		log.Error("TEST BUILD: no record of this pc5d is ciphered or authenticated; it is for measurements alone", "tag", "pc5null")
	}
	host.SealMemory(log)
	if o.clean {
		return clean()
	}
	learnt, err := daemon.Learnt(o.state)
	if err != nil {
		return err
	}
	p, err := provision.LoadWith(o.config, learnt)
	if err != nil {
		return err
	}
	identity, err := identityOf(p)
	if err != nil {
		return err
	}
	network, err := host.Open(p.Node.Mark)
	if err != nil {
		return err
	}
	defer network.Close()
	lanes, err := openLanes(p.Node.Listen, o.underlay(p, log))
	if err != nil {
		return err
	}
	defer closeLanes(lanes)
	return serve(ctx, o, log, p, identity, network, lanes)
}

// clean removes what earlier runs left, whatever their provisioning was.
func clean() error {
	network, err := host.Open(0)
	if err != nil {
		return err
	}
	defer network.Close()
	return network.Clean()
}

// serve wires the node to its engine and its control socket.
func serve(ctx context.Context, o options, log *slog.Logger, p *provision.Provisioning, identity *auth.Identity, network host.Network, lanes []dataplane.Lane) error {
	tasks := &task.Real{}
	defer tasks.Wait()
	var node *daemon.Node
	authentication, err := authenticationOf(o, p, identity, func() *daemon.Node { return node })
	if err != nil {
		return err
	}
	engine := dataplane.New(dataplane.Config{
		Conn: lanes[0].Conn, Poller: lanes[0].Poller, Lanes: lanes[1:], WithoutRing: o.without.ring, Log: log,
		Signalling: func(port dataplane.Port, from netip.AddrPort, datagram []byte) { node.Receive(port, from, datagram) },
		Stray:      func(port dataplane.Port, from netip.AddrPort, h underlay.Header) { node.Stray(port, from, h) },
		Stirred:    func(link string) { node.Stirred(link) },
		Sending:    func(link string) { node.Sending(link) },
		Echoed:     func(link string, token record.Token) { node.Echoed(link, token) },
		TooLong:    func(link string) { node.TooLong(link) },
		Exhausting: func(link string, id dataplane.ContextID) { node.Exhausting(link, id) },
		Elsewhere: func(link string, id dataplane.ContextID, from netip.AddrPort, octets int) {
			node.Elsewhere(link, id, from, octets)
		},
	})
	openKept, err := keptKeys(o, log, p, identity)
	if err != nil {
		return err
	}
	preShared, err := preSharedKeys(p)
	if err != nil {
		return err
	}
	ahead := tundev.OpenAhead(interfaces(p), func(w tundev.Wanted) (tundev.Device, error) { return tundev.Open(w.Name, w.MTU, o.without.tun) })
	node, err = daemon.New(daemon.Config{
		OpenKept: openKept, PreShared: preShared,
		Provisioning: p, Scheduler: tasks, Auth: authentication, Trust: authentication, Engine: engine, Network: network,
		OpenTUN: func(name string, mtu int) (tundev.Device, error) {
			return ahead.Take(tundev.Wanted{Name: name, MTU: mtu})
		},
		OpenPort: func() (udp.Conn, error) {
			return udp.Listen(netip.AddrPortFrom(p.Node.Listen.Addr(), 0), o.underlay(p, log))
		},
		Processor: host.Processor(), StateDir: o.state, Timers: daemon.TimersOf(p.Node.Timers), Log: log, Version: version(),
	})
	ahead.Close()
	debug.SetGCPercent(gcPercent)
	if err != nil {
		return err
	}
	servers, err := listen(o, log, p, node)
	if err != nil {
		return err
	}
	return supervise(ctx, o, log, node, append(servers, engine))
}

// interfaces are those of the provisioned links.
func interfaces(p *provision.Provisioning) []tundev.Wanted {
	var all []tundev.Wanted
	for _, l := range p.Links {
		all = append(all, tundev.Wanted{Name: l.Interface(), MTU: l.MTU})
	}
	return all
}

// supervise runs the parts. The node stops first, so that its releases still go out.
func supervise(ctx context.Context, o options, log *slog.Logger, node *daemon.Node, parts []part) error {
	outer, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	moved, err := host.Moved(outer)
	if err != nil {
		log.Warn("new addresses of this host go unnoticed: peers follow when it sends", "error", err)
	}
	failed := make(chan error, len(parts))
	for _, p := range parts {
		go func() { failed <- p.Run(outer) }()
	}
	stopped := make(chan error, 1)
	go func() { stopped <- node.Run(inner) }()
	host.Notify(host.Ready)
	log.Info("ready")
	err = nil
	pending := len(parts)
	for serving := true; serving; {
		select {
		case <-o.reload:
			// The node logs how it went; there is nobody else to tell.
			_, _ = node.Reload(inner)
		case <-moved:
			node.Moved()
		case err = <-failed:
			pending--
			cancel()
			err = errors.Join(err, <-stopped)
			serving = false
		case err = <-stopped:
			serving = false
		}
	}
	host.Notify(host.Stopping)
	stop()
	for range pending {
		err = errors.Join(err, <-failed)
	}
	return err
}

// keptKeys tells how to open the cache of resumption keys; nil: the provisioning wants none. A file
// of a former provisioning that wanted one does not outlive the change.
func keptKeys(o options, log *slog.Logger, p *provision.Provisioning, identity *auth.Identity) (func() *kept.Store, error) {
	file := filepath.Join(o.state, keptFile)
	log = daemon.LimitLog(log) // each establishment of a peer may write, and fail (T38)
	tell := func(text string, err error) { log.Warn("kept keys: "+text, "error", err) }
	c := kept.Config{Now: time.Now, Event: tell}
	if p.Node.KeptKeys != provision.KeptInFile {
		return func() *kept.Store {
			if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
				tell("the file is not wanted any more and stays: remove it by hand", err)
			}
			if p.Node.KeptKeys == provision.KeptNowhere {
				return nil
			}
			return kept.Open(c)
		}, nil
	}
	secret, err := identity.Secret("kept keys")
	if err != nil {
		return nil, err
	}
	c.Secret, c.File = secret, file
	return func() *kept.Store {
		defer secret.Wipe()
		return kept.Open(c)
	}, nil
}

// preSharedKeys reads the pre-shared keys of the links.
func preSharedKeys(p *provision.Provisioning) (map[string]keys.Secret, error) {
	loaded := map[string]keys.Secret{}
	for _, l := range p.Links {
		if l.PSK == "" {
			continue
		}
		key, err := auth.LoadPSK(l.PSK)
		if err != nil {
			return nil, fmt.Errorf("link %q: %w", l.Name, err)
		}
		loaded[l.Name] = key
	}
	return loaded, nil
}

// version is the module's version as the linker recorded it.
func version() string {
	v := "devel"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		v = info.Main.Version
	}
	if suite.Null {
		v += " TEST BUILD WITHOUT CRYPTOGRAPHY"
	}
	return v
}
