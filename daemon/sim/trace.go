package sim

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"time"
)

// maxLines bounds what a trace shows; its hash covers everything.
const maxLines = 50000

// Trace is what happened, line by line.
type Trace struct {
	sum   hash.Hash
	lines []string
	// Logs adds the daemons' own log lines; they do not count for the hash.
	Logs bool
}

func newTrace() *Trace { return &Trace{sum: sha256.New()} }

// Hash names the run: the same seed gives the same one.
func (t *Trace) Hash() string { return hex.EncodeToString(t.sum.Sum(nil)[:8]) }

// WriteTo writes the lines.
func (t *Trace) WriteTo(w io.Writer) (int64, error) {
	var total int64
	for _, line := range t.lines {
		n, err := fmt.Fprintln(w, line)
		total += int64(n)
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

func (t *Trace) note(at time.Duration, text string) {
	line := fmt.Sprintf("%12.6f  %s", at.Seconds(), text)
	io.WriteString(t.sum, line)
	t.show(line)
}

func (t *Trace) show(line string) {
	if len(t.lines) < maxLines {
		t.lines = append(t.lines, line)
	}
}

// datagram notes who sent what; its octets go into the hash.
func (t *Trace) datagram(d Datagram) {
	t.sum.Write(d.Octets)
	arrow := "->"
	if d.Forged {
		arrow = "~>"
	}
	t.note(d.At, fmt.Sprintf("%s %s %s  %s", d.From.Addr(), arrow, d.To.Addr(), Describe(d.Octets)))
}

// logWriter makes lines of the trace of what a daemon logs.
type logWriter struct{ host *Host }

func (l logWriter) Write(b []byte) (int, error) {
	w := l.host.world
	w.Trace.show(fmt.Sprintf("%12.6f      %s: %s", w.Now().Seconds(), l.host.Name, string(b[:len(b)-1])))
	return len(b), nil
}

// Lines are what the trace shows.
func (t *Trace) Lines() []string { return t.lines }
