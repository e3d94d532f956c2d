package kept_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pc5d/daemon/kept"
	"pc5d/daemon/kept/kepttest"
	"pc5d/daemon/keys"
)

const path = "/state/kept"

// bench is a store with its clock, its disk and what it told.
type bench struct {
	*kept.Store
	t     *testing.T
	disk  *kepttest.Disk
	now   time.Time
	told  []string
	stale bool // an event said that the file has what is gone
}

// newBench opens a store at noon; disk nil: memory only.
func newBench(t *testing.T, disk *kepttest.Disk) *bench {
	t.Helper()
	b := &bench{t: t, disk: disk, now: noon}
	b.open(secret(1))
	return b
}

func (b *bench) open(s keys.Secret) {
	cfg := kept.Config{Secret: s, Now: func() time.Time { return b.now }, Event: b.tell}
	if b.disk != nil {
		cfg.File, cfg.FS = path, b.disk
	}
	b.Store = kept.Open(cfg)
}

func (b *bench) tell(text string, err error) {
	if err != nil {
		text += ": " + err.Error()
	}
	b.told = append(b.told, text)
	b.stale = b.stale || strings.Contains(text, "nor their file removed")
}

// restart opens the disk again, after a crash that left what was synced.
func (b *bench) restart() {
	b.disk = b.disk.Crash(0, kepttest.Lost)
	b.open(secret(1))
}

// want compares the IDs that are kept, in the order of Each.
func (b *bench) want(when string, want ...keys.KNRPID) {
	b.t.Helper()
	var got []keys.KNRPID
	b.Each(func(e kept.Entry) bool {
		got = append(got, e.ID)
		return true
	})
	if !slices.Equal(got, want) {
		b.t.Errorf("%s: kept are %v, want %v", when, got, want)
	}
}

// wantTold compares what was told since the last time.
func (b *bench) wantTold(when string, want ...string) {
	b.t.Helper()
	ok := len(b.told) == len(want)
	for i := range want {
		ok = ok && strings.Contains(b.told[i], want[i])
	}
	if !ok {
		b.t.Errorf("%s: told %q, want %q", when, b.told, want)
	}
	b.told = nil
}

// TestOneKeyForPeerAndService: a newer key replaces the older one; a Take, a Forget and a Retain
// end what they name, and nothing else; all of it holds after a restart too.
func TestOneKeyForPeerAndService(t *testing.T) {
	for _, disk := range []*kepttest.Disk{nil, kepttest.New()} {
		b := newBench(t, disk)
		again := func(when string, want ...keys.KNRPID) {
			t.Helper()
			b.want(when, want...)
			if disk != nil {
				b.restart()
				b.want(when+", restarted", want...)
			}
		}
		b.Put(entry(1, "bob", "voice"))
		b.Put(entry(2, "bob", "data"))
		b.Put(entry(3, "alice", "voice"))
		b.Put(entry(4, "carol", ""))
		again("four puts", 3, 2, 1, 4)
		b.Put(entry(5, "bob", "voice"))
		again("a newer key", 3, 2, 5, 4)
		if e, ok := b.ForPeer("bob", "voice"); !ok || e.ID != 5 || !e.Key.Equal(entry(5, "", "").Key.Secret) {
			t.Errorf("bob's key for voice is %v, %v; want 5", e.ID, ok)
		}
		if e, ok := b.ByID(2); !ok || e.Peer != "bob" || e.Service != "data" || !e.CertificateEnd.Equal(noon.AddDate(1, 0, 0)) {
			t.Errorf("2 is of %s for %s, %v", e.Peer, e.Service, ok)
		}
		if _, ok := b.ByID(1); ok {
			t.Error("the replaced key is there")
		}
		if _, ok := b.ForPeer("bob", ""); ok {
			t.Error("a key for a service that has none")
		}
		b.Rename(2, 20)
		b.Rename(20, 2)
		b.Rename(99, 98)
		b.Rename(2, 2)
		again("renamed and back", 3, 2, 5, 4)
		b.Rename(5, 50)
		again("renamed", 3, 2, 50, 4)
		if e, ok := b.ByID(50); !ok || !e.Key.Equal(entry(5, "", "").Key.Secret) {
			t.Error("the key is not found by its new name")
		}
		if _, ok := b.ByID(5); ok {
			t.Error("the key is found by its old name")
		}
		b.Rename(50, 3)
		again("renamed to a name that another has", 3, 2, 4)
		b.Put(entry(5, "bob", "voice"))
		if !b.Take(5) || b.Take(5) {
			t.Error("not the first take, or another one, has the key")
		}
		again("a take", 3, 2, 4)
		if _, ok := b.ForPeer("bob", "voice"); ok {
			t.Error("a taken key is found")
		}
		b.Retain(func(e kept.Entry) bool { return e.Peer != "alice" && e.Key.Bytes() == nil })
		again("alice is no longer admitted", 2, 4)
		b.Put(entry(6, "bob", "voice"))
		if n := b.Forget("bob"); n != 2 {
			t.Errorf("%d forgotten, want 2", n)
		}
		again("bob is forgotten", 4)
		if n := b.Forget(""); n != 1 {
			t.Errorf("%d forgotten, want 1", n)
		}
		again("all are forgotten")
		b.wantTold("no fault")
	}
}

// TestT14_AnIDStandsOnce: a K_NRP ID that stands for another peer or service is not kept a second
// time. The one that has it stays as it is; the older key of the newcomer ends all the same.
func TestT14_AnIDStandsOnce(t *testing.T) {
	for _, other := range []kept.Entry{entry(1, "bob", "voice"), entry(1, "alice", "data")} {
		b := newBench(t, kepttest.New())
		first := entry(1, "alice", "voice")
		older := entry(9, other.Peer, other.Service)
		b.Put(first)
		b.Put(older)
		b.Put(other)
		for range 2 {
			if e, ok := b.ByID(1); !ok || differ(e, kept.Entry{ID: 1, Peer: "alice", Service: "voice", Fingerprint: first.Fingerprint, Key: first.Key,
				Made: first.Made, Authenticated: first.Authenticated, CertificateEnd: first.CertificateEnd, Newest: e.Newest}) != "" {
				t.Errorf("the first with the ID is gone or changed: %v", e)
			}
			b.want("the ID came twice", 1)
			b.restart()
		}
	}
	b := newBench(t, nil)
	b.Put(entry(1, "alice", "voice"))
	b.now = noon.Add(8 * time.Hour)
	late := entry(1, "bob", "voice")
	late.Made, late.Authenticated = b.now, b.now
	b.Put(late)
	b.want("the ID of one that is over", 1)
	if _, ok := b.ForPeer("bob", "voice"); !ok {
		t.Error("the ID of one that is over is not free")
	}
}

// TestKeysEnd: each end of an entry, to the nanosecond, whichever is first.
func TestKeysEnd(t *testing.T) {
	hours := func(n float64) time.Time { return noon.Add(time.Duration(n * float64(time.Hour))) }
	for name, c := range map[string]struct {
		made, authenticated, certificate, end time.Time
		life, reauthenticate                  time.Duration
	}{
		"24 h":                  {made: noon, authenticated: hours(20), end: hours(24)},
		"8 h":                   {made: hours(7), authenticated: noon, end: hours(8)},
		"certificate":           {made: noon, authenticated: noon, certificate: hours(1), end: hours(1)},
		"certificate far away":  {made: noon, authenticated: noon, certificate: hours(1e5), end: hours(8)},
		"configured life":       {made: noon, authenticated: noon, life: time.Hour, end: hours(1)},
		"configured 8 h":        {made: noon, authenticated: noon, reauthenticate: time.Minute, end: hours(1. / 60)},
		"certificate was over":  {made: noon, authenticated: noon, certificate: hours(-1), end: noon},
		"life was over on Put":  {made: hours(-24), authenticated: noon, end: noon},
		"8 h were over on Put":  {made: noon, authenticated: hours(-8), end: noon},
		"years, all configured": {made: noon, authenticated: noon, life: 1e5 * time.Hour, reauthenticate: 1e5 * time.Hour, end: hours(1e5)},
	} {
		t.Run(name, func(t *testing.T) {
			now := noon
			disk := kepttest.New()
			cfg := kept.Config{File: path, FS: disk, Secret: secret(1), Now: func() time.Time { return now }, Life: c.life, Reauthenticate: c.reauthenticate}
			s := kept.Open(cfg)
			e := entry(1, "alice", "voice")
			e.Made, e.Authenticated, e.CertificateEnd = c.made, c.authenticated, c.certificate
			now = noon
			if c.authenticated.After(now) {
				now = c.authenticated
			}
			if c.made.After(now) {
				now = c.made
			}
			s.Put(e)
			look := func(when string, want bool) {
				t.Helper()
				for _, s := range []*kept.Store{s, kept.Open(kept.Config{File: path, FS: disk.Crash(0, kepttest.Lost), Secret: secret(1), Now: cfg.Now, Life: c.life, Reauthenticate: c.reauthenticate})} {
					_, byPeer := s.ForPeer("alice", "voice")
					_, byID := s.ByID(1)
					if byPeer != want || byID != want {
						t.Errorf("%s: found by peer %v, by ID %v; want %v", when, byPeer, byID, want)
					}
				}
			}
			if c.end.After(now) {
				now = c.end.Add(-1)
				look("before its end", true)
			}
			now = c.end
			if s.Accept(1, 1<<63) {
				t.Error("a timestamp is accepted under a key that is over")
			}
			look("at its end", false)
			now = noon
			if _, ok := s.ByID(1); ok {
				t.Error("found again with the clock set back")
			}
		})
	}
}

// TestPutEndsWhatIsOver: with each Put, in whatever order ends come, the entries are gone that are
// over by then, and no others: the store looks for them only when there may be some.
func TestPutEndsWhatIsOver(t *testing.T) {
	b := newBench(t, nil)
	defer b.Close()
	ends := map[keys.KNRPID]time.Time{}
	for i := range 60 {
		b.now = b.now.Add(7 * time.Minute)
		id := keys.KNRPID(i + 1)
		e := entry(id, fmt.Sprintf("peer-%d", i), "ip")
		e.Made, e.Authenticated = b.now, b.now
		e.CertificateEnd = b.now.Add(time.Duration(1+i*37%100) * time.Minute)
		b.Put(e)
		ends[id] = e.CertificateEnd
		if i%9 == 4 { // one of them is used up
			b.Take(id)
			delete(ends, id)
		}
		want := 0
		for _, end := range ends {
			if b.now.Before(end) {
				want++
			}
		}
		if got := b.Len(); got != want {
			t.Fatalf("after Put %d: %d entries, want %d", i, got, want)
		}
	}
}

// TestT76_ClockJumps: no jump of the wall clock, while the store is open or between, makes a key
// live longer; it costs the keys at most.
func TestT76_ClockJumps(t *testing.T) {
	b := newBench(t, kepttest.New())
	early := entry(1, "alice", "voice")
	early.Made = noon.Add(time.Minute)
	b.Put(early)
	early = entry(2, "bob", "voice")
	early.Authenticated = noon.Add(time.Minute + 1)
	b.Put(early)
	early = entry(3, "carol", "voice")
	early.Made = noon.Add(time.Minute + 1)
	b.Put(early)
	b.want("from the future, by a minute and more", 1)
	b.now = noon.Add(time.Second)
	b.want("the clock caught up", 1, 2, 3)
	b.Forget("")

	b.Put(entry(4, "alice", "voice"))
	b.now = noon.Add(7 * time.Hour)
	b.want("7 h later", 4)
	b.now = noon.Add(7*time.Hour - time.Minute)
	b.want("back by a minute", 4)
	b.now = b.now.Add(-1)
	b.want("back by more")
	b.now = noon
	for range 2 {
		b.want("back by 7 h")
		if b.Accept(4, 1<<63) {
			t.Error("a timestamp is accepted while no age is known")
		}
		b.Close() // writes the time that was seen
		b.open(secret(1))
	}
	b.now = noon.Add(7 * time.Hour)
	b.want("and forward again", 4)
	b.now = noon
	b.Put(entry(5, "bob", "voice"))
	b.want("a new key while the clock is back ends the others", 5)
	b.restart()
	b.want("restarted", 5)
	b.wantTold("jumps")

	for _, years := range []int{-10, 10, -3000} {
		b.now = noon.AddDate(years, 0, 0)
		b.want(fmt.Sprintf("%d years away", years))
		b.restart()
		b.want(fmt.Sprintf("started %d years away", years))
	}
}

// TestAcceptOnce: a timestamp is accepted once, also by many who ask at once, and after a restart
// only what is newer than its beginning.
func TestAcceptOnce(t *testing.T) {
	b := newBench(t, kepttest.New())
	e := entry(1, "alice", "voice")
	e.Newest = 100
	b.Put(e)
	for i, c := range []struct {
		timestamp uint64
		want      bool
	}{{0, false}, {99, false}, {100, false}, {101, true}, {101, false}, {100, false}, {1 << 62, true}, {1 << 62, false}, {1<<64 - 1, true}, {1<<64 - 1, false}, {0, false}} {
		if got := b.Accept(1, c.timestamp); got != c.want {
			t.Errorf("%d: accepted is %v for %d, want %v", i, got, c.timestamp, c.want)
		}
	}
	if b.Accept(2, 1<<63) {
		t.Error("accepted for no entry")
	}
	if e, _ := b.ByID(1); e.Newest != 1<<64-1 {
		t.Errorf("newest is %d", e.Newest)
	}

	b.Put(entry(2, "bob", "voice"))
	b.now = noon.Add(time.Hour)
	calls := b.disk.Calls()
	b.Accept(2, uint64(noon.UnixNano()))
	if b.disk.Calls() != calls {
		t.Error("Accept writes")
	}
	b.restart() // a crash: the timestamp was not written
	for _, c := range []struct {
		at   time.Time
		want bool
	}{{noon, false}, {noon.Add(time.Hour), false}, {noon.Add(time.Hour + 1), true}} {
		if got := b.Accept(2, uint64(c.at.UnixNano())); got != c.want {
			t.Errorf("after a restart accepted is %v for %v, want %v", got, c.at, c.want)
		}
	}
	b.Close()
	b.open(secret(1))
	if b.Accept(2, uint64(noon.Add(time.Hour+1).UnixNano())) {
		t.Error("accepted again after Close and Open")
	}
}

// TestBounded: at most 4096 entries, the oldest goes.
func TestBounded(t *testing.T) {
	b := newBench(t, nil)
	b.now = noon.Add(time.Hour)
	for i := range kept.MaxEntries {
		e := entry(keys.KNRPID(i+1), fmt.Sprintf("peer %04d", i), "voice")
		e.Made = noon.Add(time.Duration((i+100)%kept.MaxEntries) * time.Millisecond) // the oldest is in the middle
		b.Put(e)
	}
	oldest := keys.KNRPID(kept.MaxEntries - 100 + 1)
	if _, ok := b.ByID(oldest); !ok {
		t.Fatal("the oldest is gone too early")
	}
	b.Put(entry(1e6, "one more", "voice"))
	if _, ok := b.ByID(oldest); ok {
		t.Error("the oldest is still there")
	}
	n := 0
	b.Each(func(kept.Entry) bool { n++; return true })
	if _, ok := b.ByID(1e6); !ok || n != kept.MaxEntries {
		t.Errorf("%d entries, the newest among them: %v", n, ok)
	}
}

// TestNoHalfEntryIsPut: what nobody could use is not kept, above all a key that was wiped: with it
// anybody could compute a binder.
func TestNoHalfEntryIsPut(t *testing.T) {
	for want, spoil := range map[string]func(*kept.Entry){
		"was wiped":       func(e *kept.Entry) { e.Key.Wipe() },
		"key of 31":       func(e *kept.Entry) { e.Key.Secret = keys.NewSecret(make([]byte, 31)) },
		"key of 0":        func(e *kept.Entry) { e.Key = keys.ResumptionKey{} },
		"names of 0":      func(e *kept.Entry) { e.Peer = "" },
		"names of 256":    func(e *kept.Entry) { e.Peer = strings.Repeat("a", 256) },
		"and 256":         func(e *kept.Entry) { e.Service = strings.Repeat("a", 256) },
		"years 1 to 9999": func(e *kept.Entry) { e.CertificateEnd = time.Unix(1<<50, 0) },
	} {
		b := newBench(t, nil)
		e := entry(1, "alice", "voice")
		spoil(&e)
		b.Put(e)
		b.want(want)
		b.wantTold(want, want)
	}
}

// TestEachGoesOn: whoever looks at an entry may change the store, and look again.
func TestEachGoesOn(t *testing.T) {
	b := newBench(t, nil)
	for i := range 6 {
		b.Put(entry(keys.KNRPID(i+1), fmt.Sprint("peer ", i), "voice"))
	}
	var seen []keys.KNRPID
	var stopped kept.Entry
	b.Each(func(e kept.Entry) bool {
		seen = append(seen, e.ID)
		b.Take(e.ID)
		b.Take(e.ID + 1)
		b.Retain(func(kept.Entry) bool { _, ok := b.ByID(6); return ok })
		stopped = e
		return e.ID < 5
	})
	if !slices.Equal(seen, []keys.KNRPID{1, 3, 5}) {
		t.Errorf("seen %v", seen)
	}
	if !stopped.Key.Equal(entry(5, "", "").Key.Secret) {
		t.Error("the entry at which the search stopped has no key")
	}
	b.want("after all", nil...)
}
