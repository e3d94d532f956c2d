package linkbench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

const (
	// echoInterval is short enough for percentiles and long enough to be no load.
	echoInterval = 10 * time.Millisecond
	iperfTimeout = 10 * time.Second // beyond what it is asked to measure
	omitted      = 1                // seconds at the beginning that do not count
)

// stream is what one TCP stream did.
type stream struct {
	Throughput  float64 // bit/s that arrived, without the beginning
	Octets      float64 // sent, with the beginning
	Retransmits int
}

// tcp sends one stream for so many seconds, with echoes beside it, and counts what it costs.
func (t *tunnel) tcp(ctx context.Context, seconds int) (s Sample, err error) {
	echoes := make(chan error, 1)
	count := uint16((time.Duration(seconds) * time.Second) / echoInterval)
	go func() {
		err := sleep(ctx, omitted*time.Second)
		if err == nil {
			s.Loaded, err = t.lab.A.Echoes(ctx, t.inner, echoInterval, count)
		}
		echoes <- err
	}()
	var got stream
	daemons, busy, err := t.cost(func() (err error) {
		got, err = t.stream(ctx, seconds)
		return err
	})
	if e := <-echoes; err == nil {
		err = e // both end with the context: once is enough
	}
	if err != nil {
		return Sample{}, fmt.Errorf("TCP through %s: %w", t.name, err)
	}
	s.Throughput, s.Retransmits = got.Throughput, got.Retransmits
	s.Daemons, s.Busy = daemons.Seconds()/(got.Octets/1e9), busy.Seconds()/(got.Octets/1e9)
	s.Resident, err = t.resident()
	return s, err
}

// cost is the processor time of both daemons, and of the machine, while something is done.
func (t *tunnel) cost(do func() error) (daemons, busy time.Duration, err error) {
	sender, receiver, err := t.daemonTimes()
	if err != nil {
		return 0, 0, err
	}
	before, err := busyTime()
	if err != nil {
		return 0, 0, err
	}
	if err := do(); err != nil {
		return 0, 0, err
	}
	after, err := busyTime()
	if err != nil {
		return 0, 0, err
	}
	s, r, err := t.daemonTimes()
	return s - sender + r - receiver, after - before, err
}

// stream runs one iperf3.
func (t *tunnel) stream(ctx context.Context, seconds int) (stream, error) {
	path := filepath.Join(t.dir, t.name+"-iperf3.json")
	out, err := os.Create(path)
	if err != nil {
		return stream{}, err
	}
	defer out.Close()
	p, err := t.lab.A.Start(out, "iperf3", "--client", t.inner.String(), "--connect-timeout", "3000",
		"--congestion", "cubic", "--omit", strconv.Itoa(omitted), "--time", strconv.Itoa(seconds), "--json")
	if err != nil {
		return stream{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(omitted+seconds)*time.Second+iperfTimeout)
	defer cancel()
	select {
	case <-p.Done():
	case <-ctx.Done():
		p.Stop(stopTimeout)
		return stream{}, fmt.Errorf("iperf3: %w", ctx.Err())
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return stream{}, err
	}
	s, err := parseIperf(b)
	if err != nil {
		return stream{}, fmt.Errorf("iperf3: %w", errors.Join(err, p.Err()))
	}
	return s, nil
}

// parseIperf reads what iperf3 --json says.
func parseIperf(b []byte) (stream, error) {
	var said struct {
		Error     string
		Intervals []struct {
			Sum struct{ Bytes float64 }
		}
		End struct {
			Sent     struct{ Retransmits int } `json:"sum_sent"`
			Received struct {
				Rate float64 `json:"bits_per_second"`
			} `json:"sum_received"`
		}
	}
	if err := json.Unmarshal(b, &said); err != nil {
		return stream{}, fmt.Errorf("%w in %q", err, b[:min(len(b), 200)])
	}
	if said.Error != "" {
		return stream{}, errors.New(said.Error)
	}
	s := stream{Throughput: said.End.Received.Rate, Retransmits: said.End.Sent.Retransmits}
	for _, i := range said.Intervals { // those at the beginning stand here, too
		s.Octets += i.Sum.Bytes
	}
	if s.Throughput <= 0 || s.Octets <= 0 {
		return stream{}, errors.New("nothing arrived")
	}
	return s, nil
}

// sleep waits, unless the context ends before.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
