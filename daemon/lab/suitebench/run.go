package suitebench

import (
	"context"
	"fmt"
	"slices"
	"time"

	"pc5d/daemon/lab/machine"
	"pc5d/dataplane/suite"
)

// rounds of one measurement; what counts is their median.
const rounds = 5

// Config says how much is measured.
type Config struct {
	Time     time.Duration // of each measurement
	Progress func(string)  // tells people what is measured now; nil: nobody
}

// Result is what was measured.
type Result struct {
	Where string `json:"where"` // date, machine and versions
	Rows  []Row  `json:"rows"`
}

// Row is a suite in a mode with records of one length.
type Row struct {
	Suite  suite.ID `json:"suite"`
	Mode   string   `json:"mode"`
	Octets int      `json:"octets"` // of the text
	Seal   Cost     `json:"seal"`
	Open   Cost     `json:"open"`
}

// Cost is what one record takes.
type Cost struct {
	Nanoseconds float64 `json:"ns"`
	Rate        float64 `json:"gb_per_s"` // 1e9 octets of text
}

// Run measures all.
func Run(ctx context.Context, cfg Config) (Result, error) {
	if cfg.Time < rounds {
		return Result{}, fmt.Errorf("a time of %v to measure for: give one such as 20ms", cfg.Time)
	}
	if cfg.Progress == nil {
		cfg.Progress = func(string) {}
	}
	r := Result{Where: machine.String(time.Now())}
	for _, id := range []suite.ID{suite.AES128GCM, suite.AES256GCM, suite.ChaCha20Poly1305} {
		cfg.Progress(id.String())
		for _, mode := range []suite.Mode{suite.AEAD, suite.IntegrityOnly, suite.CipheringOnly, suite.Unprotected} {
			for _, octets := range []int{64, 256, 1408} {
				if err := ctx.Err(); err != nil {
					return Result{}, err
				}
				row, err := measure(id, mode, octets, cfg.Time)
				if err != nil {
					return Result{}, fmt.Errorf("measuring %s, %s, %d octets: %w", id, mode, octets, err)
				}
				r.Rows = append(r.Rows, row)
			}
		}
	}
	return r, nil
}

// measure measures one row.
func measure(id suite.ID, mode suite.Mode, octets int, d time.Duration) (Row, error) {
	b, err := newBatch(id, mode, octets)
	if err != nil {
		return Row{}, err
	}
	defer b.suite.Wipe()
	row := Row{Suite: id, Mode: mode.String(), Octets: octets}
	row.Seal = costOf(octets, d, b.seal)
	row.Open = costOf(octets, d, b.open)
	return row, b.check()
}

// costOf repeats what handles one batch.
func costOf(octets int, d time.Duration, do func()) Cost {
	do() // what is used first is slower
	var each []float64
	for range rounds {
		batches, begin := 0, time.Now()
		for time.Since(begin) < d/rounds {
			do()
			batches++
		}
		each = append(each, float64(time.Since(begin))/float64(batches*batchRecords))
	}
	slices.Sort(each)
	median := each[rounds/2]
	return Cost{Nanoseconds: median, Rate: float64(octets) / median}
}
