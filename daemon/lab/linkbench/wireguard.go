package linkbench

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/vishvananda/netlink"

	"pc5d/daemon/lab"
)

const (
	wireguardPort = 51820
	// wireguardSockets is where wireguard-go puts its sockets, named after its interfaces, for all
	// networks of the machine.
	wireguardSockets = "/var/run/wireguard"
)

// wireguardEnd is one wireguard-go.
type wireguardEnd struct {
	host    *lab.Host
	device  string
	inner   netip.Addr
	key     *ecdh.PrivateKey
	process *lab.Process
	log     string
}

// startWireGuard starts two wireguard-go and tells each its key and its peer over its socket.
func startWireGuard(ctx context.Context, dir, program string) (_ *tunnel, err error) {
	_, absent := os.Stat(wireguardSockets)
	l, err := lab.New()
	if err != nil {
		return nil, err
	}
	device := fmt.Sprintf("pc5b%d-", os.Getpid()) // two runs must not meet at a socket
	ends := []*wireguardEnd{
		{host: l.A, device: device + "a", inner: netip.MustParseAddr("10.5.0.1")},
		{host: l.B, device: device + "b", inner: netip.MustParseAddr("10.5.0.2")},
	}
	stop := func() error {
		var err error
		for _, e := range ends {
			err = errors.Join(err, e.stop())
		}
		l.Close()
		if absent != nil {
			os.Remove(wireguardSockets) // it is empty, or somebody else's now
		}
		return err
	}
	defer func() {
		if err != nil {
			stop()
		}
	}()
	for _, e := range ends {
		e.log = filepath.Join(dir, e.device+".log")
		if e.key, err = ecdh.X25519().GenerateKey(rand.Reader); err != nil {
			return nil, err
		}
		if err := e.start(ctx, program); err != nil {
			return nil, fmt.Errorf("wireguard-go: %w", err)
		}
	}
	for i, e := range ends {
		if err := e.configure(ends[1-i]); err != nil {
			return nil, fmt.Errorf("wireguard-go: %w", err)
		}
	}
	return &tunnel{
		name: "wireguard-go", dir: dir, lab: l, port: wireguardPort, inner: ends[1].inner,
		sender: ends[0].process, receiver: ends[1].process, stop: stop,
	}, nil
}

// start starts the program and waits for its socket.
func (e *wireguardEnd) start(ctx context.Context, program string) error {
	log, err := os.Create(e.log)
	if err != nil {
		return err
	}
	defer log.Close()
	if e.process, err = e.host.Start(log, program, "--foreground", e.device); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, upTimeout)
	defer cancel()
	for {
		c, err := net.Dial("unix", e.socket())
		if err == nil {
			return c.Close()
		}
		select {
		case <-e.process.Done():
			said, _ := os.ReadFile(e.log)
			return fmt.Errorf("it ended: %w: %s", e.process.Err(), said)
		case <-ctx.Done():
			return fmt.Errorf("it does not answer: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (e *wireguardEnd) socket() string { return filepath.Join(wireguardSockets, e.device+".sock") }

// configure does what "wg setconf", "ip address" and "ip link" would do.
func (e *wireguardEnd) configure(peer *wireguardEnd) error {
	err := e.set(fmt.Sprintf("set=1\nprivate_key=%x\nlisten_port=%d\npublic_key=%x\nendpoint=%s\nallowed_ip=%s\n\n",
		e.key.Bytes(), wireguardPort, peer.key.PublicKey().Bytes(),
		netip.AddrPortFrom(peer.host.Address, wireguardPort), netip.PrefixFrom(peer.inner, 32)))
	if err != nil {
		return err
	}
	return e.host.Do(func() error {
		l, err := netlink.LinkByName(e.device)
		if err != nil {
			return err
		}
		a, err := netlink.ParseAddr(netip.PrefixFrom(e.inner, 24).String())
		if err != nil {
			return err
		}
		if err := netlink.AddrAdd(l, a); err != nil {
			return err
		}
		return netlink.LinkSetUp(l)
	})
}

// set is one operation of the configuration protocol.
func (e *wireguardEnd) set(operation string) error {
	c, err := net.Dial("unix", e.socket())
	if err != nil {
		return err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(upTimeout))
	if _, err := io.WriteString(c, operation); err != nil {
		return err
	}
	b := make([]byte, 256)
	n, err := c.Read(b)
	if err != nil {
		return err
	}
	if answer := strings.TrimSpace(string(b[:n])); answer != "errno=0" {
		return fmt.Errorf("it answers %q to its configuration", answer)
	}
	return nil
}

// stop ends the program. It removes its socket, unless it had to be killed.
func (e *wireguardEnd) stop() error {
	if e.process == nil {
		return nil
	}
	err := e.process.Stop(stopTimeout)
	os.Remove(e.socket())
	return err
}
