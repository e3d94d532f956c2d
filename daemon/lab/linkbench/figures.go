package linkbench

import (
	"fmt"
	"time"
)

// Sample is what one tunnel did in one round. What was not measured is zero.
type Sample struct {
	Throughput         float64 // bit/s
	Retransmits        int
	Daemons, Busy      float64 // processor seconds per 1e9 octets: of both daemons, of the machine
	Resident           float64 // octets, of the larger daemon after load
	Loaded, Idle       []time.Duration
	Packets            float64 // delivered per second
	Sending, Receiving float64 // processor seconds of a daemon for one delivered packet
}

// add takes over what another sample measured.
func (s *Sample) add(o Sample) {
	if o.Throughput > 0 {
		s.Throughput, s.Retransmits, s.Daemons, s.Busy, s.Resident, s.Loaded = o.Throughput, o.Retransmits, o.Daemons, o.Busy, o.Resident, o.Loaded
	}
	if o.Packets > 0 {
		s.Packets, s.Sending, s.Receiving = o.Packets, o.Sending, o.Receiving
	}
	if o.Idle != nil {
		s.Idle = o.Idle
	}
}

// figure is a row of the tables.
type figure struct {
	name   string
	unit   string
	digits int
	of     func(Sample) float64
	goal   string
}

// streamFigures are those of one TCP stream.
func streamFigures() []figure {
	return []figure{
		{"TCP, one stream", "Gbit/s", 2, func(s Sample) float64 { return s.Throughput / 1e9 }, ">= 2.2, better 3"},
		{"processor time of both daemons", "s/GB", 2, func(s Sample) float64 { return s.Daemons }, "<= 0.45, better 0.33"},
		{"busy time of the machine", "s/GB", 2, func(s Sample) float64 { return s.Busy }, ""},
		{"ping under the stream, p50", "ms", 3, func(s Sample) float64 { return milliseconds(s.Loaded, 50) }, "<= 0.15, better 0.06"},
		{"ping under the stream, p90", "ms", 3, func(s Sample) float64 { return milliseconds(s.Loaded, 90) }, ""},
		{"ping under the stream, p99", "ms", 3, func(s Sample) float64 { return milliseconds(s.Loaded, 99) }, "<= 0.2, better 0.08"},
		{"memory of the larger daemon", "MB", 1, func(s Sample) float64 { return s.Resident / 1e6 }, "pc5d <= 32 MB, better 20"},
	}
}

// allFigures are those of a whole round.
func allFigures() []figure {
	return append(streamFigures(),
		figure{"64-octet UDP, delivered", "kpps", 1, func(s Sample) float64 { return s.Packets / 1e3 }, ">= 4, better 6"},
		figure{"64-octet UDP, sending daemon", "us/packet", 2, func(s Sample) float64 { return s.Sending * 1e6 }, "pc5d <= 1.5 us"},
		figure{"64-octet UDP, receiving daemon", "us/packet", 2, func(s Sample) float64 { return s.Receiving * 1e6 }, "pc5d <= 1.5 us, better 1"},
		figure{"ping, idle, p50", "ms", 3, func(s Sample) float64 { return milliseconds(s.Idle, 50) }, "<= 0.8, better 0.6"},
		figure{"ping, idle, p90", "ms", 3, func(s Sample) float64 { return milliseconds(s.Idle, 90) }, ""},
		figure{"ping, idle, p99", "ms", 3, func(s Sample) float64 { return milliseconds(s.Idle, 99) }, ""},
	)
}

// lossFigures are those that count when datagrams are lost.
func lossFigures() []figure {
	return []figure{
		{"TCP, one stream, goodput", "Gbit/s", 3, func(s Sample) float64 { return s.Throughput / 1e9 }, ">= 1, better 1.5"},
		{"processor time of both daemons", "s/GB", 2, func(s Sample) float64 { return s.Daemons }, ""},
	}
}

func milliseconds(values []time.Duration, percent int) float64 {
	return float64(percentile(values, percent)) / float64(time.Millisecond)
}

// Row is a figure that was compared.
type Row struct {
	Name, Unit string
	Digits     int
	Goal       string
	Comparison
}

// rows compares the figures of rounds.
func rows(figures []figure, ours, theirs []Sample) ([]Row, error) {
	var all []Row
	for _, f := range figures {
		c, err := compare(values(f.of, ours), values(f.of, theirs))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		all = append(all, Row{Name: f.name, Unit: f.unit, Digits: f.digits, Goal: f.goal, Comparison: c})
	}
	return all, nil
}

func values(of func(Sample) float64, samples []Sample) []float64 {
	v := make([]float64, len(samples))
	for i, s := range samples {
		v[i] = of(s)
	}
	return v
}
