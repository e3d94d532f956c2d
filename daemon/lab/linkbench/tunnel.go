package linkbench

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"pc5d/daemon/lab"
)

const (
	stopTimeout = 2 * time.Second
	upTimeout   = 10 * time.Second
	proof       = 8 << 20
)

// tunnel is one pair of daemons that carry traffic, with a wire of their own.
type tunnel struct {
	name     string
	lab      *lab.Lab
	port     uint16 // of the underlay
	inner    netip.Addr
	sender   *lab.Process // the daemons
	receiver *lab.Process
	iperf    *lab.Process // the server, at the receiver
	dir      string       // for files
	stop     func() error // ends the daemons and the networks
}

// close ends everything.
func (t *tunnel) close() error {
	var err error
	if t.iperf != nil {
		t.iperf.Stop(stopTimeout) // it ends by a signal, which is no failure
	}
	if e := t.stop(); e != nil {
		err = fmt.Errorf("%s: %w", t.name, e)
	}
	return err
}

// open starts the server and lets traffic through once, which must arrive as it was sent.
func (t *tunnel) open(ctx context.Context) error {
	if err := t.forgetMetrics(); err != nil {
		return err
	}
	if err := t.awaitEcho(ctx); err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(t.dir, t.name+"-iperf3.log"))
	if err != nil {
		return err
	}
	defer log.Close()
	if t.iperf, err = t.lab.B.Start(log, "iperf3", "--server", "--bind", t.inner.String()); err != nil {
		return err
	}
	_, err = t.lab.A.Transfer(t.lab.B, t.inner, proof, []byte(t.name), upTimeout)
	return err
}

// forgetMetrics keeps TCP from beginning a stream with what it learnt in the one before.
func (t *tunnel) forgetMetrics() error {
	for _, h := range []*lab.Host{t.lab.A, t.lab.B} {
		err := h.Do(func() error {
			return os.WriteFile("/proc/sys/net/ipv4/tcp_no_metrics_save", []byte("1"), 0)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// awaitEcho sends echoes until one comes back.
func (t *tunnel) awaitEcho(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, upTimeout)
	defer cancel()
	for {
		took, err := t.lab.A.Echoes(ctx, t.inner, 50*time.Millisecond, 1)
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			return fmt.Errorf("%s: nothing came through the tunnel in %s", t.name, upTimeout)
		case err != nil:
			return err
		case took[0] < lab.EchoWait:
			return nil
		}
	}
}

// daemonTimes is the processor time of the two daemons so far.
func (t *tunnel) daemonTimes() (sender, receiver time.Duration, err error) {
	if sender, err = processorTime(t.sender.PID()); err != nil {
		return 0, 0, fmt.Errorf("%s has ended: %w", t.name, err)
	}
	if receiver, err = processorTime(t.receiver.PID()); err != nil {
		return 0, 0, fmt.Errorf("%s has ended: %w", t.name, err)
	}
	return sender, receiver, nil
}

// resident is the memory of the larger daemon.
func (t *tunnel) resident() (float64, error) {
	a, err := t.sender.Usage()
	if err != nil {
		return 0, err
	}
	b, err := t.receiver.Usage()
	return float64(max(a.Resident, b.Resident)), err
}
