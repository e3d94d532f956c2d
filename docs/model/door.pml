/*
 * (3) The door of UE_B: no state for an address that did not return a cookie, and no more of it than was
 * proved (T05, T30, T31; threats without credentials). It is daemon/link/admission.go, door.go and
 * half_open.go.
 *
 * The attacker sees what comes to MINE, which stands for every place where he can read, and nothing of
 * what goes to YOURS, from where he can only seem to send. An address here is UDP address, port and
 * layer-2 ID together. He has a request of his own and one that a peer with a kept key made (its
 * timestamp is its number), he may hold it back from the door, and the door may restart.
 */
#define MINE  0
#define YOURS 1

#define FORGED   0 /* a request that proves nothing */
#define REQUESTS 2 /* from 1 on: made with a kept key */

#define TIMES 3 /* a cookie is good at the time of its making and at the next */

#define CONVERSATION(a, q) ((a) * REQUESTS + (q))
#define COOKIE(q, t)       ((q) * TIMES + (t)) /* those that went to MINE */

byte now;
byte asked;       /* requests 1 to asked are made */
byte newest;      /* timestamp that the door accepted */
bool restarted;
bool made[REQUESTS * TIMES];     /* cookies under the secret of today */
bool open[2 * REQUESTS];         /* half-open conversations, */
byte until[2 * REQUESTS];        /* and until when those that ended are remembered; 0: not at all */

bool cookied[REQUESTS * TIMES]; /* what was opened with each cookie, */
bool proved[REQUESTS];           /* and without one, by each request */

hidden byte from, which, brought, at; /* of one step only */

#ifdef MUTANT_NO_COOKIE
#define STATELESS false
#else
#define STATELESS true
#endif

#ifdef MUTANT_COOKIE_WITHOUT_ADDRESS
#define SAME_ADDRESS(a) true
#else
#define SAME_ADDRESS(a) ((a) == MINE)
#endif

#ifdef MUTANT_COOKIE_WITHOUT_REQUEST
#define OF_REQUEST(c, q) true
#else
#define OF_REQUEST(c, q) ((c) == (q))
#endif

#ifdef MUTANT_COOKIE_FOR_EVER
#define FRESH(t) true
#else
#define FRESH(t) (now <= (t) + 1)
#endif

/* A conversation that ended is known for a cookie's life. */
#ifdef MUTANT_ENDED_IS_FORGOTTEN
#define KNOWN(a, q) open[CONVERSATION(a, q)]
#else
#define KNOWN(a, q) (open[CONVERSATION(a, q)] || until[CONVERSATION(a, q)] > now)
#endif

/* A timestamp counts once, and is newer than the one before. */
#ifdef MUTANT_OLD_TIMESTAMP
#define ACCEPTED(q) true
#else
#define ACCEPTED(q) ((q) > newest)
#endif

/* After a restart all timestamps up to then are old. */
#ifdef MUTANT_RESTART_FORGETS_TIMESTAMPS
#define NEWEST_AFTER_RESTART 0
#else
#define NEWEST_AFTER_RESTART asked
#endif

inline any(v, lo, hi) { v = lo; do :: v < hi -> v++ :: break od }

active proctype Door() {
end:
  do
  :: atomic { asked < REQUESTS - 1 -> asked++ } /* a peer makes a request with its kept key */
  :: atomic { now < TIMES - 1 -> now++ }
  :: atomic { !restarted ->
      restarted = true; newest = NEWEST_AFTER_RESTART;
      brought = 0; do :: brought < REQUESTS * TIMES -> made[brought] = false; cookied[brought] = false; brought++ :: else -> break od;
      brought = 0; do :: brought < 2 * REQUESTS -> open[brought] = false; until[brought] = 0; brought++ :: else -> break od
    }
  :: atomic { /* a request comes from anywhere */
      any(from, MINE, YOURS); any(which, 0, asked);
      if
      :: which != FORGED && ACCEPTED(which) && !KNOWN(from, which) ->
        newest = which; open[CONVERSATION(from, which)] = true;
        assert(!proved[which]); proved[which] = true /* one half-open for a proof, wherever it came from */
      :: which == FORGED || !ACCEPTED(which) ->
        if
        :: STATELESS
        :: !STATELESS && !KNOWN(from, which) -> open[CONVERSATION(from, which)] = true; assert(which != FORGED)
        :: !STATELESS && KNOWN(from, which)
        fi;
        if
        :: from == MINE -> made[COOKIE(which, now)] = true
        :: else
        fi
      :: else
      fi
    }
  :: atomic { /* a first response comes from anywhere, with a cookie that the attacker has seen */
      any(from, MINE, YOURS); any(which, 0, asked); any(brought, 0, asked); any(at, 0, now);
      if
      :: made[COOKIE(brought, at)] && SAME_ADDRESS(from) && OF_REQUEST(brought, which) && FRESH(at) && !KNOWN(from, which) ->
        open[CONVERSATION(from, which)] = true;
        assert(from == MINE); /* no state for who did not return a cookie, */
        assert(!cookied[COOKIE(brought, at)]); cookied[COOKIE(brought, at)] = true /* nor twice for one */
      :: else
      fi;
#ifdef WITNESS_COOKIE
      assert(!open[CONVERSATION(MINE, FORGED)])
#endif
    }
  :: atomic { /* a half-open ends: its time is over, or its peer is authenticated */
      any(from, MINE, YOURS); any(which, 0, asked);
      if
      :: open[CONVERSATION(from, which)] -> open[CONVERSATION(from, which)] = false; until[CONVERSATION(from, which)] = now + 2
      :: else
      fi
    }
  od
}
