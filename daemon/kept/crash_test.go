package kept_test

import (
	"errors"
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	"pc5d/daemon/kept"
	"pc5d/daemon/kept/kepttest"
	"pc5d/daemon/keys"
)

// story is a run of a store in which every call writes in another situation, with what has to be
// true of its disk: what was put and what was confirmed gone.
type story struct {
	*bench
	put       map[keys.KNRPID]kept.Entry
	here      map[keys.KNRPID]bool // Put returned, and nothing that ends it was called
	gone      map[keys.KNRPID]bool // what ended it returned
	confirmed func() bool          // whether what returned counts: not after the crash
}

// tell runs the story until its machine is dead.
func (s *story) run() {
	put := func(e kept.Entry, ends ...keys.KNRPID) func() {
		return func() {
			s.put[e.ID] = e
			s.ending(ends...)
			s.Put(e)
			if s.confirmed() {
				s.here[e.ID] = true
				s.ended(ends...)
			}
		}
	}
	end := func(call func(), ends ...keys.KNRPID) func() {
		return func() {
			s.ending(ends...)
			call()
			if s.confirmed() {
				s.ended(ends...)
			}
		}
	}
	for _, step := range []func(){
		put(entry(1, "alice", "voice")),
		put(entry(2, "bob", "voice")),
		put(entry(3, "carol", "voice")),
		func() { s.Accept(2, 1<<63) },
		end(func() { s.Take(1) }, 1),
		end(func() { s.Take(1) }, 1),
		put(entry(4, "alice", "voice")),
		put(entry(5, "bob", "voice"), 2),
		end(func() { s.Forget("carol") }, 3),
		put(entry(6, "carol", "voice")),
		put(entry(7, "dave", "voice")),
		end(func() { s.Retain(func(e kept.Entry) bool { return e.Peer != "dave" }) }, 7),
		end(func() { s.Take(4); s.Take(6) }, 4, 6),
		put(entry(8, "erin", "voice")),
	} {
		step()
		if !s.confirmed() {
			return
		}
	}
}

func (s *story) ending(ids ...keys.KNRPID) {
	for _, id := range ids {
		delete(s.here, id)
	}
}

func (s *story) ended(ids ...keys.KNRPID) {
	for _, id := range ids {
		s.gone[id] = true
	}
}

// newStory opens a store on a disk with a fault.
func newStory(t *testing.T, disk *kepttest.Disk, confirmed func() bool) *story {
	s := &story{bench: &bench{t: t, disk: disk, now: noon}, put: map[keys.KNRPID]kept.Entry{},
		here: map[keys.KNRPID]bool{}, gone: map[keys.KNRPID]bool{}, confirmed: confirmed}
	s.open(secret(1))
	return s
}

// after reopens the disk in every way that a crash can leave it.
func (s *story) after(visit func(how string, b *bench)) {
	for names := range s.disk.Pending() + 1 {
		for octets := range kepttest.AllOctets {
			b := &bench{t: s.t, disk: s.disk.Crash(names, octets), now: s.now}
			b.open(secret(1))
			visit(fmt.Sprintf("%d names, octets %d", names, octets), b)
		}
	}
}

// look compares what a reopened store has with the story: whole entries of it only, none that was
// confirmed gone, and, where nothing but the crash went wrong, all that were confirmed kept.
func (s *story) look(how string, b *bench, all bool) {
	s.t.Helper()
	found := map[keys.KNRPID]bool{}
	b.Each(func(e kept.Entry) bool {
		found[e.ID] = true
		want, ok := s.put[e.ID]
		want.Newest = e.Newest
		if !ok || differ(e, want) != "" {
			s.t.Fatalf("%s: %v is no entry that was put", how, e)
		}
		if s.gone[e.ID] {
			s.t.Fatalf("%s: %d is back", how, e.ID)
		}
		if b.Accept(e.ID, uint64(noon.UnixNano())) {
			s.t.Fatalf("%s: a timestamp from before the crash is accepted under %d", how, e.ID)
		}
		return true
	})
	for id := range s.here {
		if all && !found[id] {
			s.t.Fatalf("%s: %d is lost; told %q", how, id, b.told)
		}
	}
	if all && len(b.told) > 0 {
		s.t.Fatalf("%s: told %q of a file that should be whole", how, b.told)
	}
}

// calls counts the calls of the story on a good disk.
func calls(t *testing.T) int {
	s := newStory(t, kepttest.New(), func() bool { return true })
	s.run()
	s.wantTold("a good disk")
	if n := s.disk.Calls(); n > 50 {
		return n
	}
	t.Fatal("the story makes no calls")
	return 0
}

// step is how many calls to go on to the next run: with the race detector not all runs are made.
func step() int {
	if testing.Short() {
		return 5
	}
	return 1
}

// TestT72_C11_CrashAtEachCall: the machine dies at each call to the file system, before it, in the
// middle and behind it, and leaves any of what was not synced. What was confirmed gone is never
// back, what was confirmed kept is there, no entry is half, and the store goes on.
func TestT72_C11_CrashAtEachCall(t *testing.T) {
	for at := range calls(t) + 1 {
		for _, halfway := range []bool{false, true} {
			dead := false
			disk := kepttest.New()
			disk.Fault = func(n int, _ kepttest.Operation) kepttest.Fault {
				dead = dead || n >= at
				if !dead {
					return kepttest.Fault{}
				}
				return kepttest.Fault{Err: errors.New("the machine is dead"), Halfway: halfway && n == at}
			}
			s := newStory(t, disk, func() bool { return !dead })
			s.run()
			disk.Fault = nil
			s.after(func(how string, b *bench) {
				how = fmt.Sprintf("dead at call %d (halfway %v), %s", at, halfway, how)
				s.look(how, b, true)
				b.Forget("")
				b.Put(entry(9, "alice", "voice"))
				b.restart()
				b.want(how+", and on", 9)
			})
		}
	}
}

// TestT72_C11_FaultAtEachCall: one call fails, before or behind its work. Memory goes on, the
// operator is told, and a crash at any later time brings nothing back: one fault is never enough
// to leave a file that has what is gone.
func TestT72_C11_FaultAtEachCall(t *testing.T) {
	n := calls(t)
	for at := range n {
		for _, halfway := range []bool{false, true} {
			disk := kepttest.New()
			crash := func() {}
			disk.Fault = func(n int, _ kepttest.Operation) kepttest.Fault {
				if n != at {
					return kepttest.Fault{}
				}
				return kepttest.Fault{Err: syscall.EIO, Halfway: halfway}
			}
			s := newStory(t, disk, func() bool { crash(); return true })
			crash = func() {
				s.after(func(how string, b *bench) {
					s.look(fmt.Sprintf("fault at call %d (halfway %v), %s", at, halfway, how), b, false)
				})
			}
			s.run()
			s.want(fmt.Sprintf("fault at call %d, in memory", at), 5, 8)
			if s.stale {
				t.Errorf("fault at call %d: one fault leaves a file that is not to be trusted: %q", at, s.told)
			}
			s.after(func(how string, b *bench) { s.look(how, b, at < n-8) }) // the last write was good
		}
	}
}

// TestT72_C11_TwoFaults: any two calls fail. Either nothing comes back, or the operator was told
// that it can.
func TestT72_C11_TwoFaults(t *testing.T) {
	n := calls(t)
	for first := range n {
		for second := first + 1; second < min(n, first+12); second += step() {
			disk := kepttest.New()
			disk.Fault = func(n int, _ kepttest.Operation) kepttest.Fault {
				if n != first && n != second {
					return kepttest.Fault{}
				}
				return kepttest.Fault{Err: syscall.EIO, Halfway: (first+second)%2 == 0}
			}
			s := newStory(t, disk, nil)
			s.confirmed = func() bool {
				if c := disk.Calls(); !s.stale && c > first && c < second+12 { // then a write was good
					s.after(func(how string, b *bench) {
						s.look(fmt.Sprintf("faults at calls %d and %d, %s", first, second, how), b, false)
					})
				}
				return true
			}
			s.run()
			s.want("in memory", 5, 8)
		}
	}
}

// TestT72_C11_DiskFullOrReadOnly: from any moment on every call of a kind fails. Memory goes on;
// nothing comes back unless the operator was told so, once; and when the disk is good again the
// next write brings all.
func TestT72_C11_DiskFullOrReadOnly(t *testing.T) {
	only := func(ops ...kepttest.Operation) func(kepttest.Operation) bool {
		return func(op kepttest.Operation) bool { return slices.Contains(ops, op) }
	}
	for _, c := range []struct {
		name    string
		fails   func(kepttest.Operation) bool
		err     error
		trusted bool // the file can be ended all the same
	}{
		{"full", only(kepttest.Write), syscall.ENOSPC, true},
		{"full, no new names", only(kepttest.Create, kepttest.Write), syscall.ENOSPC, true},
		{"full, the file cannot be cut", only(kepttest.Create, kepttest.Write, kepttest.Empty), syscall.ENOSPC, true},
		{"directory not writable", only(kepttest.Create, kepttest.Rename, kepttest.Remove), syscall.EACCES, true},
		{"no sync", only(kepttest.Sync), syscall.EIO, true},
		{"no rename", only(kepttest.Rename), syscall.EIO, true},
		{"no sync of directories", only(kepttest.SyncDirectory), syscall.EIO, false},
		{"read-only", kepttest.Operation.Changes, syscall.EROFS, false},
		{"nothing works", func(kepttest.Operation) bool { return true }, syscall.EIO, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			for at := 0; at < calls(t); at += step() {
				disk := kepttest.New()
				good := false
				disk.Fault = func(n int, op kepttest.Operation) kepttest.Fault {
					if good || n < at || !c.fails(op) {
						return kepttest.Fault{}
					}
					return kepttest.Fault{Err: c.err}
				}
				s := newStory(t, disk, nil)
				s.confirmed = func() bool {
					if !s.stale && disk.Calls() > at {
						s.after(func(how string, b *bench) { s.look(fmt.Sprintf("from call %d, %s", at, how), b, false) })
					}
					return true
				}
				s.run()
				s.want("in memory", 5, 8)
				if c.trusted && s.stale {
					t.Fatalf("from call %d: the file could have been ended: %q", at, s.told)
				}
				if len(s.told) > 4 {
					t.Fatalf("from call %d: told %d times: %q", at, len(s.told), s.told)
				}
				good = true
				s.Close()
				s.after(func(how string, b *bench) { s.look("good again, "+how, b, true) })
			}
		})
	}
}

// TestT72_BadFilesAreIgnored: torn, altered, foreign, huge, old or new, wrongly keyed or open to
// others: told, and the store is empty. It works, its next write replaces the file, and Forget
// ends it even where the store has nothing.
func TestT72_BadFilesAreIgnored(t *testing.T) {
	body := kept.Encode(noon, entry(1, "alice", "voice"))
	good := kept.Seal(secret(1), 1, body)
	for _, c := range []struct {
		name, want string
		file       []byte
		public     bool
	}{
		{"empty", "no key cache", nil, false},
		{"text", "no key cache", []byte("[node]\nname = \"alice\"\n"), false},
		{"its beginning", "cut short", good[:20], false},
		{"torn", "altered", good[:len(good)-1], false},
		{"zeros at its end", "altered", append(slices.Clone(good[:len(good)-9]), make([]byte, 9)...), false},
		{"zeros", "no key cache", make([]byte, len(good)), false},
		{"old version", "version 0", kept.Seal(secret(1), 0, body), false},
		{"new version", "version 2", kept.Seal(secret(1), 2, body), false},
		{"another secret", "another secret", kept.Seal(secret(2), 1, body), false},
		{"half an entry", "cut short", kept.Seal(secret(1), 1, body[:len(body)-1]), false},
		{"huge", "longer than any", make([]byte, kept.MaxFileLength+1), false},
		{"open to others", "open to other users", good, true},
	} {
		for _, end := range []func(*bench){func(b *bench) { b.Put(entry(2, "bob", "voice")) }, func(b *bench) { b.Forget("") },
			func(b *bench) { b.Take(1) }, func(b *bench) { b.Retain(func(kept.Entry) bool { return true }) }} {
			b := newBench(t, kepttest.New())
			b.disk.Set(path, c.file, c.public)
			b.open(secret(1))
			b.want(c.name)
			b.wantTold(c.name, c.want)
			end(b)
			if now, _ := b.disk.Get(path); slices.Equal(now, c.file) {
				t.Errorf("%s: the file is still there", c.name)
			}
			b.restart()
			b.wantTold(c.name + ", restarted")
			b.Put(entry(3, "carol", "voice"))
			b.restart()
			if _, ok := b.ByID(3); !ok {
				t.Errorf("%s: the store does not go on", c.name)
			}
		}
	}
}

// TestT72_StaleFileIsEndedLater: a file that could not be ended when it had to be is ended by the
// next call that can, also one that finds nothing to take; until then only the first failure is
// told.
func TestT72_StaleFileIsEndedLater(t *testing.T) {
	b := newBench(t, kepttest.New())
	b.Put(entry(1, "alice", "voice"))
	bad := true
	b.disk.Fault = func(_ int, op kepttest.Operation) kepttest.Fault {
		if bad && op.Changes() {
			return kepttest.Fault{Err: syscall.EROFS}
		}
		return kepttest.Fault{}
	}
	b.Take(1)
	b.Take(1)
	b.Put(entry(2, "bob", "voice"))
	b.wantTold("read-only", "nor their file removed")
	bad = false
	b.Take(1)
	b.wantTold("good again", "written again")
	b.restart()
	b.want("restarted", 2)
}

// TestT72_GoodEntriesOutliveAFullDisk: a key that cannot be written takes no file away that has
// only good ones. One that was used does, and then the calls that change nothing leave the disk
// alone.
func TestT72_GoodEntriesOutliveAFullDisk(t *testing.T) {
	b := newBench(t, kepttest.New())
	b.Put(entry(1, "alice", "voice"))
	b.Put(entry(2, "bob", "voice"))
	b.Take(1)
	b.disk.Fault = func(_ int, op kepttest.Operation) kepttest.Fault {
		if op == kepttest.Write {
			return kepttest.Fault{Err: syscall.ENOSPC}
		}
		return kepttest.Fault{}
	}
	b.Put(entry(3, "carol", "voice"))
	b.wantTold("full", "lacks the newest")
	again := &bench{t: t, disk: b.disk.Crash(0, kepttest.Lost), now: noon}
	again.open(secret(1))
	again.want("restarted while the disk is full", 2)

	b.Take(2)
	b.wantTold("full", "their file was removed")
	if _, ok := b.disk.Get(path); ok {
		t.Error("the file is there")
	}
	before := b.disk.Calls()
	b.Take(2)
	if n := b.disk.Calls() - before; n != 0 {
		t.Errorf("%d calls for what is gone already", n)
	}
	b.want("in memory", 3)
}

// TestT72_NothingUnknownWrites: what a stranger can make a node ask for causes no I/O.
func TestT72_NothingUnknownWrites(t *testing.T) {
	b := newBench(t, kepttest.New())
	b.Put(entry(1, "alice", "voice"))
	before := b.disk.Calls()
	b.now = noon.Add(9 * time.Hour) // over, too
	b.ByID(2)
	b.ByID(1)
	b.ForPeer("alice", "voice")
	b.Each(func(kept.Entry) bool { return true })
	b.Accept(2, 1<<63)
	if n := b.disk.Calls() - before; n != 0 {
		t.Errorf("%d calls", n)
	}
	b.Take(2) // the disk still has what is over
	before = b.disk.Calls()
	b.Take(2)
	b.Forget("nobody")
	b.Retain(func(kept.Entry) bool { return false })
	if n := b.disk.Calls() - before; n != 0 {
		t.Errorf("%d calls for what there is not", n)
	}
}

// TestWeakSecret: a file under a secret that can be guessed is not written.
func TestWeakSecret(t *testing.T) {
	b := &bench{t: t, disk: kepttest.New(), now: noon}
	b.open(keys.NewSecret(make([]byte, 15)))
	b.wantTold("15 octets", "memory only")
	b.Put(entry(1, "alice", "voice"))
	b.want("memory", 1)
	b.Take(1)
	if b.disk.Calls() > 0 {
		t.Error("the disk was touched")
	}
}
