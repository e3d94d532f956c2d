package kept_test

import (
	"bytes"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pc5d/daemon/kept"
	"pc5d/daemon/kept/kepttest"
	"pc5d/daemon/keys"
)

// TestConcurrentUse is for the race detector: everything at once, the disk failing now and then,
// callbacks that call back. A key in somebody's hands is never half wiped; a timestamp is accepted
// once; and in the end the disk has what the memory has.
func TestConcurrentUse(t *testing.T) {
	disk := kepttest.New()
	var store atomic.Pointer[kept.Store]
	var faults atomic.Bool
	faults.Store(true)
	disk.Fault = func(n int, _ kepttest.Operation) kepttest.Fault {
		if faults.Load() && n%17 == 0 {
			return kepttest.Fault{Err: fmt.Errorf("call %d", n)}
		}
		return kepttest.Fault{}
	}
	cfg := kept.Config{File: path, FS: disk, Secret: secret(1), Now: func() time.Time { return noon }}
	cfg.Event = func(string, error) {
		if s := store.Load(); s != nil {
			s.ByID(1)
			s.Take(1000)
		}
	}
	s := kept.Open(cfg)
	store.Store(s)
	whole := func(e kept.Entry) bool {
		if e.Key.Bytes() != nil && !bytes.Equal(e.Key.Bytes(), entry(e.ID, "", "").Key.Bytes()) {
			t.Errorf("the key of %d is not whole", e.ID)
		}
		return true
	}
	var accepted atomic.Int64
	s.Put(entry(500, "zoe", "voice"))
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			for i := range 60 {
				id := keys.KNRPID(1 + (i*7+g)%20)
				peer := fmt.Sprint("peer ", id%5)
				switch (i + g) % 8 {
				case 0, 1:
					s.Put(entry(id, peer, fmt.Sprint(id%3)))
				case 2:
					if e, ok := s.ByID(id); ok {
						whole(e)
						s.Take(id)
						whole(e)
					}
				case 3:
					if e, ok := s.ForPeer(peer, "1"); ok {
						whole(e)
					}
				case 4:
					s.Each(whole)
				case 5:
					s.Retain(func(e kept.Entry) bool { s.ByID(e.ID); return whole(e) && e.ID != id })
				case 6:
					s.Forget(peer)
				}
				if s.Accept(500, uint64(1000<<32+i)) {
					accepted.Add(1)
				}
			}
		})
	}
	all.Wait()
	if n := accepted.Load(); n < 1 || n > 60 {
		t.Errorf("60 timestamps were accepted %d times", n)
	}
	faults.Store(false)
	s.Put(entry(501, "yves", "voice"))
	again := kept.Open(kept.Config{File: path, FS: disk.Crash(0, kepttest.Lost), Secret: secret(1), Now: cfg.Now})
	n := 0
	s.Each(func(e kept.Entry) bool {
		n++
		if got, ok := again.ByID(e.ID); !ok || got.Peer != e.Peer || got.Service != e.Service {
			t.Errorf("%d is not on the disk", e.ID)
		}
		return true
	})
	again.Each(func(kept.Entry) bool { n--; return true })
	if n != 0 {
		t.Errorf("%d entries more in memory than on the disk", n)
	}
	s.Close()
}

// TestT72_TakenWhileItCloses: of takes and a Close at one time none leaves a taken key in the file.
func TestT72_TakenWhileItCloses(t *testing.T) {
	for range 200 {
		b := newBench(t, kepttest.New())
		for id := range keys.KNRPID(4) {
			b.Put(entry(id, fmt.Sprint("peer ", id), "voice"))
		}
		var all sync.WaitGroup
		var gone [4]bool
		for id := range keys.KNRPID(4) {
			all.Go(func() {
				n := b.Forget(fmt.Sprint("peer ", id))
				gone[id] = n == 1
			})
		}
		all.Go(b.Close)
		all.Wait()
		b.restart()
		for id, was := range gone {
			if _, ok := b.ByID(keys.KNRPID(id)); ok == was {
				t.Fatalf("%d was taken: %v; it is in the file: %v", id, was, ok)
			}
		}
	}
}
