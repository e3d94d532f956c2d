/*
 * (5) Both ends start at once (T13, I8): two honest ends, no attacker, and a network that delays, reorders
 * and doubles without limit and loses whatever is not sent again. At rest both ends have one and the
 * same link and nothing besides, and no end that had a link was ever without (make before break).
 *
 * The rule is that of daemon/lead.go and daemon/keeper.go: of two crossed attempts the one with the
 * smaller Nonce_1 gives way to one that is established. Runners and keepers act in steps of their own,
 * as their queues do.
 *
 * Attempt k is node k % 2's. It is lock step, so one bit for each of its ends says that the next message
 * waits there; copies of earlier ones change nothing. While its sender lives it will arrive, since it is
 * repeated, but whenever it likes; when he is gone it may also be lost for good.
 */
#ifndef ATTEMPTS
#define ATTEMPTS 2 /* of both nodes together; more than 2: with retries */
#endif
#ifndef FAILURES
#define FAILURES 0 /* of attempts whose both ends live; needs as many retries at each node */
#endif
#define NONE ATTEMPTS

/* States of a runner: the end of an attempt at a node. */
#define UNBORN    0
#define ASKED     1 /* A: sent its first response */
#define OPEN      2 /* B: got it, sent its flight */
#define AUTHED    3 /* A: got the flight, sent its last flight */
#define COMMANDED 4 /* B: got that, met its keeper, sent the command */
#define COMPLETED 5 /* A: got the command, sent the complete */
#define TAKING    6 /* got the last message that it needs; the engine gets the keys next */
#define LINKED    7 /* B: sent the accept */
#define GONE      8

/* What a keeper is told. */
#define AUTHENTICATED 0
#define AGREED        1
#define ENDED         2

#define BIT(k)     (1 << (k))
#define IS_A(n, k) ((n) == (k) % 2)
#define AT(n, k)   state[(n) * ATTEMPTS + (k)]
#define MAIL(n, k) mail[(n) * ATTEMPTS + (k)]
#define SEND(n, k) MAIL(1 - (n), k) = (AT(1 - (n), k) != GONE)
#define ALIVE(s)   ((s) != UNBORN && (s) != GONE)

byte nonce[ATTEMPTS]; /* Nonce_1, by size */

/* Of a runner: */
byte state[2 * ATTEMPTS];
bool mail[2 * ATTEMPTS];
bool told[2 * ATTEMPTS];   /* by its keeper, to end */
byte turn[2 * ATTEMPTS];   /* when it took the lead */
byte older[2 * ATTEMPTS];  /* the runners born before that, a bit each */
#define TOLD(n, k)  told[(n) * ATTEMPTS + (k)]
#define TURN(n, k)  turn[(n) * ATTEMPTS + (k)]
#define OLDER(n, k) older[(n) * ATTEMPTS + (k)]

/* Of a node: */
byte born[2];             /* its runners so far */
byte lead[2] = NONE;      /* the attempt that the engine sends with */
byte turns[2];            /* how often the lead was taken */
byte tries[2];            /* attempts of its own */
byte current[2] = NONE;   /* the keeper's link, */
byte attempts[2];         /* and what is under way */
chan news[2] = [3 * ATTEMPTS] of { byte, byte };
byte failures;
hidden byte other;

/* What a trail shows. */
#define TELL(n, k) printf("node %d: attempt %d is %d\n", n, k, AT(n, k))

/* A runner yields to an attempt that it crossed and that has the larger Nonce_1. */
#if defined MUTANT_FIRST_WINS
#define YIELDS(n, k, to) ((OLDER(n, to) & BIT(k)) && (k) != (to))
#elif defined MUTANT_LAST_WINS
#define YIELDS(n, k, to) false
#else
#define YIELDS(n, k, to) ((OLDER(n, to) & BIT(k)) && nonce[k] < nonce[to])
#endif
#define HAS_LOST(n, k) (lead[n] != NONE && YIELDS(n, k, lead[n]))

/* A runner that has lost goes no further, whatever it receives. */
#ifdef MUTANT_LOSER_GOES_ON
#define PASSED(n, k) false
#else
#define PASSED(n, k) HAS_LOST(n, k)
#endif

/* The engine has the keys of a link before the accept goes out. */
#ifdef MUTANT_ACCEPT_BEFORE_LEAD
#define EARLY_ACCEPT(n, k) SEND(n, k)
#define ACCEPT(n, k) skip
#else
#define EARLY_ACCEPT(n, k) skip
#define ACCEPT(n, k) if :: !IS_A(n, k) -> SEND(n, k) :: else fi
#endif

/* A keeper hears what its runners did before it starts an attempt. */
#ifdef MUTANT_KEEPER_LAGS
#define KEEPS_UP(n) true
#else
#define KEEPS_UP(n) empty(news[n])
#endif

/* An attempt that is authenticated does not end the link. */
#ifdef MUTANT_BREAK_BEFORE_MAKE
#define BREAK(n) if :: current[n] != NONE -> TOLD(n, current[n]) = true :: else fi
#else
#define BREAK(n) skip
#endif

inline leave(n, k) {
  assert(!(AT(n, k) == LINKED && lead[n] == k)); /* make before break: what the engine sends with lives */
  AT(n, k) = GONE; MAIL(n, k) = false; TELL(n, k);
  news[n] ! ENDED, k
}

/* The next message takes a runner on, or finds that it has lost. */
inline step(n, k, to) {
  MAIL(n, k) = false;
  if
  :: PASSED(n, k) -> leave(n, k)
  :: else -> AT(n, k) = to; TELL(n, k);
    if
    :: to != TAKING -> SEND(n, k)
    :: to == TAKING && !IS_A(n, k) -> EARLY_ACCEPT(n, k)
    :: else
    fi
  fi
}

proctype Runner(byte n; byte k) {
end:
  do
  :: atomic { MAIL(n, k) && AT(n, k) == ASKED -> step(n, k, AUTHED) }
  :: atomic { MAIL(n, k) && AT(n, k) == AUTHED -> step(n, k, COMPLETED) }
  :: atomic { MAIL(n, k) && AT(n, k) == COMPLETED -> step(n, k, TAKING) }
    /* UE_B has no keeper, and so has not lost, before its peer is authenticated */
  :: atomic { MAIL(n, k) && AT(n, k) == UNBORN ->
      MAIL(n, k) = false; born[n] = born[n] | BIT(k); AT(n, k) = OPEN; TELL(n, k); SEND(n, k)
    }
  :: atomic { MAIL(n, k) && AT(n, k) == OPEN ->
      MAIL(n, k) = false; AT(n, k) = COMMANDED; TELL(n, k); SEND(n, k); news[n] ! AUTHENTICATED, k
    }
  :: atomic { MAIL(n, k) && AT(n, k) == COMMANDED -> step(n, k, TAKING) }
  :: atomic { AT(n, k) == TAKING -> /* lead.take: one after the other at a node */
      if
      :: HAS_LOST(n, k) -> leave(n, k)
      :: else ->
        turns[n]++; lead[n] = k; TURN(n, k) = turns[n]; OLDER(n, k) = born[n];
        AT(n, k) = LINKED; TELL(n, k); news[n] ! AGREED, k; ACCEPT(n, k)
      fi
    }
  :: atomic { TOLD(n, k) && ALIVE(AT(n, k)) && AT(n, k) != TAKING -> leave(n, k) }
    /* time runs out, however the peer's end is, ... */
  :: atomic { failures < FAILURES && ALIVE(AT(n, k)) && AT(n, k) < COMPLETED -> failures++; leave(n, k) }
    /* ... or because it is gone: its last message may be lost, and then time runs out */
  :: atomic { MAIL(n, k) && AT(1 - n, k) == GONE -> MAIL(n, k) = false }
  :: atomic { !MAIL(n, k) && AT(1 - n, k) == GONE && ALIVE(AT(n, k)) && AT(n, k) < TAKING -> leave(n, k) }
  od
}

proctype Keeper(byte n) {
  byte k;
end:
  do
  :: atomic { KEEPS_UP(n) && current[n] == NONE && attempts[n] == 0 && n + 2 * tries[n] < ATTEMPTS ->
      k = n + 2 * tries[n]; tries[n]++;
      born[n] = born[n] | BIT(k); attempts[n] = attempts[n] | BIT(k);
      AT(n, k) = ASKED; TELL(n, k); SEND(n, k); k = 0
    }
  :: atomic { news[n] ? AUTHENTICATED, k -> attempts[n] = attempts[n] | BIT(k); BREAK(n); k = 0 }
  :: atomic { news[n] ? ENDED, k ->
      attempts[n] = attempts[n] & ~BIT(k);
      if :: current[n] == k -> current[n] = NONE :: else fi;
      k = 0
    }
  :: atomic { news[n] ? AGREED, k ->
      attempts[n] = attempts[n] & ~BIT(k);
      if
      :: current[n] != NONE && TURN(n, k) < TURN(n, current[n]) -> TOLD(n, k) = true
      :: else ->
        if :: current[n] != NONE -> TOLD(n, current[n]) = true :: else fi;
        current[n] = k;
        other = 0;
        do
        :: other < ATTEMPTS ->
          if
          :: (attempts[n] & BIT(other)) && YIELDS(n, other, k) -> TOLD(n, other) = true
          :: else
          fi;
          other++
        :: else -> break
        od
      fi;
      k = 0
    }
  od
}

init {
  byte k;
  atomic {
    other = 0;
    do /* the order of the Nonce_1 is any */
    :: other < ATTEMPTS && nonce[0] == 0 -> other++; nonce[0] = other
    :: other < ATTEMPTS && nonce[1] == 0 -> other++; nonce[1] = other
#if ATTEMPTS > 2
    :: other < ATTEMPTS && nonce[2] == 0 -> other++; nonce[2] = other
#endif
#if ATTEMPTS > 3
    :: other < ATTEMPTS && nonce[3] == 0 -> other++; nonce[3] = other
#endif
    :: other == ATTEMPTS -> break
    od;
    run Keeper(0); run Keeper(1);
    do :: k < ATTEMPTS -> run Runner(0, k); run Runner(1, k); k++ :: else -> break od;
    k = 0
  }
  timeout -> /* at rest */
  atomic {
#ifdef WITNESS_REPLACED
    assert(turns[0] < 2); /* meant to fail: one link does replace the other */
#endif
#ifdef WITNESS_RETRY
    assert(lead[0] < 2); /* meant to fail: a later attempt can be the one */
#endif
    k = lead[0];
    assert(k != NONE && lead[1] == k && current[0] == k && current[1] == k && AT(0, k) == LINKED && AT(1, k) == LINKED);
    other = 0;
    do
    :: other < ATTEMPTS -> assert(other == k || !ALIVE(AT(0, other)) && !ALIVE(AT(1, other))); other++
    :: else -> break
    od
  }
}
