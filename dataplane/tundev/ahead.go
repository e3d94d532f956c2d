package tundev

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Wanted is an interface that will be asked for.
type Wanted struct {
	Name string
	MTU  int
}

// Ahead opens interfaces on all processors before they are asked for, in the order in which they will be: of the
// millisecond that each takes, most is not the kernel's.
type Ahead struct {
	open    func(Wanted) (Device, error)
	wanted  []Wanted
	slots   []chan opened  // of each; capacity 1
	places  map[string]int // in both, of those that nobody has taken; Take's and Close's only
	next    atomic.Int64   // to be opened
	workers sync.WaitGroup
}

type opened struct {
	device Device
	err    error
}

// OpenAhead starts to open; open is called by several goroutines at a time. Whoever calls OpenAhead calls Close, too.
func OpenAhead(wanted []Wanted, open func(Wanted) (Device, error)) *Ahead {
	a := &Ahead{open: open, wanted: wanted, slots: make([]chan opened, len(wanted)), places: make(map[string]int, len(wanted))}
	for i, w := range wanted {
		a.slots[i], a.places[w.Name] = make(chan opened, 1), i
	}
	for range min(len(wanted), runtime.GOMAXPROCS(0)) {
		a.workers.Go(a.work)
	}
	return a
}

func (a *Ahead) work() {
	for {
		i := a.next.Add(1) - 1
		if i >= int64(len(a.wanted)) {
			return
		}
		d, err := a.open(a.wanted[i])
		a.slots[i] <- opened{d, err}
	}
}

// Take gives an interface that was wanted, when it is open; once. Any other one it opens. Until Close one
// goroutine may call it.
func (a *Ahead) Take(w Wanted) (Device, error) {
	at, ok := a.places[w.Name]
	if !ok {
		return a.open(w)
	}
	delete(a.places, w.Name)
	o := <-a.slots[at]
	return o.device, o.err
}

// Close ends what was opened for nobody. Take goes on to open.
func (a *Ahead) Close() {
	a.next.Store(int64(len(a.wanted)))
	a.workers.Wait()
	for _, at := range a.places {
		select {
		case o := <-a.slots[at]:
			if o.err == nil {
				_ = o.device.Close() // it carried nothing
			}
		default: // not begun
		}
	}
	a.places = nil
}
