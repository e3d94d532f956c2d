package link

import "time"

// Timer is one request timer and its repetitions.
type Timer struct {
	Initial time.Duration // first waiting time
	Factor  float64       // each next one is so many times longer; 1: all are equal
	Max     time.Duration // and never longer than this
	Repeats int           // repetitions of one message before the procedure has failed
}

// Timers are the procedure timers (TS 24.554, 12), their profiles and what bounds them.
type Timers struct {
	T5080 Timer // A: establishment request, then each answer until the accept
	T5081 Timer // modification request
	T5082 Timer // identifier update request
	T5083 Timer // identifier update accept
	T5085 Timer // keep-alive request
	T5087 Timer // release request
	T5089 Timer // B: security mode command
	T5091 Timer // A: re-keying request, then the security mode complete
	T5092 Timer // B: authentication request

	T5084      time.Duration // without authentic traffic, before a keep-alive request is sent
	Unanswered time.Duration // the same, after the first sending that nothing answered; 0: none
	T5090      time.Duration // lifetime of the own layer-2 ID, with up to a quarter of jitter less; 0: no end
	Inactivity time.Duration // maximum inactivity period that is announced to the peer; 0: none

	HalfOpen   time.Duration // deadline of a responder that is not established
	Release    time.Duration // deadline of a release; 0: T5087's repetitions alone
	Quiet      time.Duration // a repeated message is answered at most once in this time
	Grace      time.Duration // old keys and old layer-2 IDs receive so long
	RekeyEvery time.Duration // age of a key at which it is replaced; 0: never by age
	KeyEnd     time.Duration // age of a key at which it is not used any more; 0: no end
	RekeyMin   time.Duration // least time between two re-keyings

	Reauthenticate    time.Duration // after a full authentication the owner makes the next; 0: never
	ReauthenticateEnd time.Duration // after it the owner ends the link; 0: never
}

// common is what both profiles share (limits chosen).
func common() Timers {
	return Timers{
		Quiet: 100 * time.Millisecond, Grace: 10 * time.Second,
		RekeyEvery: time.Hour, KeyEnd: 2 * time.Hour, RekeyMin: 5 * time.Second,
		Reauthenticate: 8 * time.Hour, ReauthenticateEnd: 9 * time.Hour,
	}
}

// ProfileIP is the default profile, for IP underlays. Extension: the standard's timers are
// made for a radio and take minutes to get through a lossy path.
func ProfileIP() Timers {
	request := Timer{Initial: 300 * time.Millisecond, Factor: 1.5, Max: 2 * time.Second, Repeats: 8}
	// A peer that restarted knows neither the link nor the attempt: 10 s later there is to be a new
	// one (T91), so these are given up sooner.
	soon := request
	soon.Repeats = 5
	t := common()
	t.T5080, t.T5081, t.T5082, t.T5083, t.T5087, t.T5089, t.T5091, t.T5092 = soon, request, request, request, request, request, request, request
	t.T5085 = soon
	t.T5084, t.Unanswered = time.Minute, time.Second
	t.HalfOpen, t.Release = 20*time.Second, time.Second
	return t
}

// ProfileStandard is the profile with the values of TS 24.554, 12 (T5080, T5084, T5085 and
// T5087 corroborated, the others recalled; three repetitions chosen).
func ProfileStandard() Timers {
	every := func(d time.Duration) Timer { return Timer{Initial: d, Factor: 1, Max: d, Repeats: 3} }
	five := every(5 * time.Second)
	t := common()
	t.T5080 = every(8 * time.Second)
	t.T5081, t.T5082, t.T5083, t.T5085, t.T5087, t.T5089, t.T5091, t.T5092 = five, five, five, five, five, five, five, five
	t.T5084 = 5 * time.Second
	t.HalfOpen = time.Minute
	return t
}

// earliest is the first of the times that are set; zero: none is.
func earliest(times ...time.Time) time.Time {
	var first time.Time
	for _, t := range times {
		if !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	return first
}

// due tells whether a deadline that is set has come.
func due(at, now time.Time) bool { return !at.IsZero() && !now.Before(at) }

// after is a deadline d from now; no d, no deadline.
func after(now time.Time, d time.Duration) time.Time {
	if d == 0 {
		return time.Time{}
	}
	return now.Add(d)
}
