package dataplane_test

import (
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"pc5d/dataplane"
	"pc5d/dataplane/tundev"
	"pc5d/dataplane/udp"
)

// slowDevice is a device whose Read takes its time.
type slowDevice struct {
	reading, finish chan struct{}
	inside, bad     atomic.Bool
}

func (*slowDevice) Name() string              { return "slow" }
func (*slowDevice) Offloads() tundev.Offloads { return tundev.Offloads{} }
func (d *slowDevice) Read([]byte) (int, error) {
	d.inside.Store(true)
	close(d.reading)
	<-d.finish
	d.inside.Store(false)
	return 0, tundev.ErrAgain
}
func (*slowDevice) Write(b []byte) (int, error) { return len(b), nil }
func (d *slowDevice) Close() error {
	if d.inside.Load() {
		d.bad.Store(true)
	}
	return nil
}

// keyPoller gives what the test says.
type keyPoller struct {
	wait func(keys []uint32) (int, error)
}

func (keyPoller) Add(tundev.Device, uint32) error               { return nil }
func (keyPoller) Remove(tundev.Device) error                    { return nil }
func (p keyPoller) Wait(keys []uint32, block bool) (int, error) { return p.wait(keys) }
func (keyPoller) Close() error                                  { return nil }

// TestRemoveLinkWithoutKeysWaits: a link that is down is removed while the worker empties its queue.
// The descriptor must not be closed, and given to somebody else, under the worker's read.
func TestRemoveLinkWithoutKeysWaits(t *testing.T) {
	e := dataplane.New(dataplane.Config{Conn: udp.NewNetwork().Listen(outerA), Poller: keyPoller{}, Log: slog.New(slog.DiscardHandler)})
	d := &slowDevice{reading: make(chan struct{}), finish: make(chan struct{})}
	l, err := e.AddLink("x", d)
	if err != nil {
		t.Fatal(err)
	}
	turned := make(chan struct{})
	go func() { e.Turn(l.Key()); close(turned) }()
	<-d.reading
	removed := make(chan error)
	go func() { removed <- e.RemoveLink(l) }()
	time.Sleep(20 * time.Millisecond)
	close(d.finish)
	<-turned
	if err := <-removed; err != nil {
		t.Fatal(err)
	}
	if d.bad.Load() {
		t.Error("the device was closed while the worker was reading it")
	}
}
