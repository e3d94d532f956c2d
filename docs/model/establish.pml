/*
 * The establishment of a link, tls13 and psk-dhe with fallback to tls13: agreement, no link with
 * oneself, no bidding down, single use of a kept key (C1, C4, T07, T08, T01, T72). README.md tells how
 * to read it and what it leaves out.
 *
 * Alice and Bob are honest, Eve has valid credentials of her own, and whoever is the network has Eve's.
 * A run is one attempt of one end. Its number stands for everything fresh that it makes: nonce, X25519
 * or TLS share, layer-2 ID, and the octets of its request that have no field of their own here (MINE).
 * EVIL stands for whatever the attacker makes up.
 *
 * No channel carries anything. A run that waits takes any message that the attacker can make by then:
 * one that a run has sent, from whomever to whomever and however often, or one of known parts only.
 * What a run has sent follows from its fields, so the runs are all the knowledge there is.
 */
#ifndef IA
#define IA 1 /* runs of Alice as UE_A, */
#endif
#ifndef IB
#define IB 0 /* of Bob as UE_A, */
#endif
#ifndef RA
#define RA 0 /* of Alice as UE_B, */
#endif
#ifndef RB
#define RB 1 /* of Bob as UE_B */
#endif
#define NI (IA + IB)
#define N  (NI + RA + RB)

#define ALICE 0
#define BOB   1
#define EVE   2
#define ANY   3 /* a request to everybody */

#define EVIL N
#define HIDDEN 3 /* user info: a pseudonym, or no target */

/* States of UE_A: ASKED, AUTHED, COMPLETED, DONE; of UE_B: OPEN, COMMANDED, DONE. What a run has sent
 * it may send again, so a later state includes what the earlier ones sent. */
#define IDLE      0
#define ASKED     1 /* sent the request, and after any cookie the ClientHello */
#define OPEN      1 /* got a request and a ClientHello, sent ServerHello..Finished */
#define AUTHED    2 /* got those, sent Certificate..Finished */
#define COMMANDED 3 /* sent the security mode command */
#define COMPLETED 3 /* got it, sent the complete */
#define DONE      4 /* UE_B: got the complete, sent the accept; UE_A: got the accept */

#define TLS13  1
#define PSKDHE 2

/* Kept keys, by whose they are: Eve has those that are hers. */
#define AB 0
#define WITHEVE 1
#define NOKEY 2
#define KEYOF(own, k) (2 * (own) + (k))
#define PEEROF(own, k) ((k) == AB -> 1 - (own) : EVE)

typedef Run {
  unsigned state : 3; unsigned own : 2;
  unsigned want : 2;       /* UE_A: the peer of the link, or ANY */
  unsigned peer : 2;       /* as proved */
  unsigned offer : 2;      /* UE_A: the kept key that the request names; UE_B: that it proved */
  unsigned src : 2; unsigned tgt : 2;   /* the request as this end has it: both names, */
  unsigned caps : 1; unsigned pol : 1;  /* capabilities (1: the strong algorithm, too), policy (1: ciphering), */
  unsigned nonce : 3; unsigned mine : 3; /* Nonce_1 and the rest */
  unsigned l2a : 3; unsigned l2b : 3;
  unsigned method : 2;
  unsigned x : 3; unsigned y : 3; /* shares of UE_A and UE_B */
  unsigned cert : 2;       /* tls13: whose certificate the server showed */
  unsigned nonce2 : 3; unsigned alg : 2; unsigned up : 1
}
Run R[N];
bool held[4];  /* kept keys of Alice and Bob, by KEYOF */
byte links[4]; /* made from each at each end */
hidden byte client, server, shown, source, pick; /* of one step only */

/* ---- what is checked; each macro MUTANT_... or WITHOUT_... takes one check away ---- */

/* What a TLS 1.3 signature covers: the whole handshake before it. */
#ifdef MUTANT_SIGNATURE_COVERS_NOTHING
#define STOLEN_SERVER_SIGNATURE(r, s) (R[r].own == s && R[r].state >= OPEN && R[r].method == TLS13 && R[r].x == EVIL)
#define STOLEN_CLIENT_SIGNATURE(i, c) (R[i].own == c && R[i].state >= AUTHED && R[i].y == EVIL)
#else
#define STOLEN_SERVER_SIGNATURE(r, s) false
#define STOLEN_CLIENT_SIGNATURE(i, c) false
#endif

/* The links of a node name its peers, and none is the node itself. */
#ifdef MUTANT_LINK_WITH_ONESELF
#define PROVISIONED(own, p) true
#else
#define PROVISIONED(own, p) ((p) != (own))
#endif

/* The user info of a clear request has to be the proved name, or a pseudonym. */
#ifdef MUTANT_CLAIMED_NAME
#define PEER(claimed, proved) ((claimed) == HIDDEN -> (proved) : (claimed))
#define CLAIM(claimed, proved) true
#else
#define PEER(claimed, proved) (proved)
#define CLAIM(claimed, proved) ((claimed) == HIDDEN || (claimed) == (proved))
#endif

/* The server has to be the peer of the link, by its pin. */
#ifdef MUTANT_ANY_PIN
#define PINNED(want, s) true
#define MET(want, s) ((want) == ANY -> (s) : (want))
#else
#define PINNED(want, s) ((want) == ANY || (want) == (s))
#define MET(want, s) (s)
#endif

/* The command echoes capabilities and policy under its MAC. */
#ifdef MUTANT_NO_ECHO
#define ECHO(i, caps_, pol_) true
#else
#define ECHO(i, caps_, pol_) (R[i].caps == (caps_) && R[i].pol == (pol_))
#endif

/* A kept key ends at UE_A with the attempt that names it, */
#ifdef WITHOUT_TAKING_AT_A
#define TAKE_AT_A(own, k) skip
#else
#define TAKE_AT_A(own, k) held[KEYOF(own, k)] = false
#endif
/* and at UE_B with a complete, which finds it there or comes too late. */
#ifdef WITHOUT_LOOKING_AGAIN_AT_B
#define STILL_THERE(r) true
#else
#define STILL_THERE(r) (R[r].method == TLS13 || held[KEYOF(R[r].own, R[r].offer)])
#endif

/* ctx binds K_NRP: the octets of the request, both layer-2 IDs, and the names in the order of the roles. */
#ifdef WITHOUT_REQUEST_IN_CTX
#define SAME_REQUEST(i, r) true
#else
#define SAME_REQUEST(i, r) EQUAL_REQUEST(i, r)
#endif
#ifdef WITHOUT_LAYER_TWO_IN_CTX
#define SAME_LAYER_TWO(i, r) true
#else
#define SAME_LAYER_TWO(i, r) EQUAL_LAYER_TWO(i, r)
#endif
#ifdef WITHOUT_NAMES_IN_CTX
#define SAME_NAMES(i, r) true
#define BINDER_NAMES(i, own, peer) true
#else
#define SAME_NAMES(i, r) EQUAL_NAMES(i, r)
#define BINDER_NAMES(i, own_, peer_) (R[i].own == (peer_) && R[i].want == (own_))
#endif

/* ---- terms ---- */

#define EQUAL_REQUEST(i, r) (R[i].src == R[r].src && R[i].tgt == R[r].tgt && R[i].caps == R[r].caps && \
  R[i].pol == R[r].pol && R[i].nonce == R[r].nonce && R[i].mine == R[r].mine)
#define EQUAL_LAYER_TWO(i, r) (R[i].l2a == R[r].l2a && R[i].l2b == R[r].l2b)
#define EQUAL_NAMES(i, r) (R[i].own == R[r].peer && R[i].peer == R[r].own)

/* The kept key that two ends mean is one and the same. */
#define SAME_PSK(i, r) (R[i].offer == R[r].offer && (R[i].offer == AB || R[i].own == R[r].own))

/* The session keys of UE_A's run i and UE_B's run r are equal: their method's secret, ctx, both nonces. */
#define SAME_KEY(i, r) (R[i].method == R[r].method && R[i].x == R[r].x && R[i].y == R[r].y && \
  (R[i].method == TLS13 -> R[i].cert == R[r].cert : SAME_PSK(i, r)) && R[i].nonce == R[r].nonce && \
  R[i].nonce2 == R[r].nonce2 && SAME_REQUEST(i, r) && SAME_LAYER_TWO(i, r) && SAME_NAMES(i, r))

/* The attacker knows a run's session keys: he made the other share, and has the psk if there is one. */
#define KNOWN_TO_EVE(r, share) ((share) == EVIL && (R[r].method == TLS13 || R[r].offer == WITHEVE))

/* Run a is the other end of run me's keys. */
#define OTHER_END(a) (me < NI && a >= NI && R[a].state >= COMMANDED && SAME_KEY(me, a) || \
  me >= NI && a < NI && R[a].state >= COMPLETED && SAME_KEY(a, me))

/* Both ends mean the same in everything. */
#define AGREE(i, r) (EQUAL_REQUEST(i, r) && EQUAL_LAYER_TWO(i, r) && EQUAL_NAMES(i, r) && R[i].method == R[r].method && \
  R[i].x == R[r].x && R[i].y == R[r].y && R[i].nonce2 == R[r].nonce2 && R[i].alg == R[r].alg)

#define ATOM(a) ((a) < NI -> (a) : EVIL) /* of a run of UE_A, or of nobody */

/* v becomes any of lo..hi, as the attacker likes. */
inline any(v, lo, hi) { v = lo; do :: v < hi -> v++ :: break od }

/* UE_B chooses by its own order: ciphering if A wants it, and the strong algorithm if A has it. */
#define CHOICE(caps_, pol_) ((pol_) * (1 + (caps_)))

/* ---- what holds when an end has its link ---- */

/* One property at a time where a search is meant to fail, else all. */
#ifdef PROPERTY
#define HOLDS(n, p) assert(PROPERTY != (n) || (p))
#else
#define HOLDS(n, p) assert(p)
#endif

/* A witness is meant to fail: it shows that honest ends do come to a link. */
#if defined WITNESS_TLS13
#define REACHED assert(!(R[me].method == TLS13 && R[me].peer == 1 - own_ && R[me].state == DONE))
#elif defined WITNESS_PSKDHE
#define REACHED assert(!(R[me].method == PSKDHE && R[me].peer == 1 - own_))
#elif defined WITNESS_FALLBACK
#define REACHED assert(!(R[me].method == TLS13 && R[me].peer == 1 - own_ && R[me].want != ANY && me < NI && R[me].offer == AB))
#else
#define REACHED skip
#endif

inline linked() {
  HOLDS(2, R[me].peer != own_); /* no link with oneself, */
  pick = 0; do :: pick < N && !(R[pick].own == own_ && OTHER_END(pick)) -> pick++ :: else -> break od;
  HOLDS(2, pick == N); /* nor with an own run that one takes for another's */
  if
  :: R[me].peer != EVE -> HOLDS(6, R[me].alg == 2) /* the best of what UE_A offered and UE_B has */
  :: else
  fi;
  if
  :: R[me].method == PSKDHE ->
    links[KEYOF(own_, R[me].offer)]++;
    HOLDS(4, links[KEYOF(own_, R[me].offer)] <= 1) /* single use */
  :: else
  fi;
  REACHED
}

/* Agreement. The accept tells UE_A that its peer has this very link; */
inline linkedAtA() {
  if
  :: R[me].peer != EVE ->
    HOLDS(1, !KNOWN_TO_EVE(me, R[me].y));
    server = NI; do :: server < N && !(R[server].state == DONE && AGREE(me, server) && R[server].up == R[me].up) -> server++ :: else -> break od;
    HOLDS(1, server < N)
  :: else
  fi;
  linked()
}

/* the complete tells UE_B that its peer has the same keys for the same, and waits for the accept. No
 * two runs of a peer agree with one run: each has a share of its own. */
inline linkedAtB() {
  if
  :: R[me].peer != EVE ->
    HOLDS(1, !KNOWN_TO_EVE(me, R[me].x));
    client = 0; do :: client < NI && !(R[client].state >= COMPLETED && AGREE(client, me) && R[client].up == R[me].up) -> client++ :: else -> break od;
    HOLDS(1, client < NI)
  :: else
  fi;
  if
  :: R[me].method == PSKDHE -> held[KEYOF(own_, R[me].offer)] = false
  :: else
  fi;
  linked()
}

/* ---- UE_A ---- */

proctype Initiator(byte me; byte own_) {
  atomic {
    R[me].own = own_;
    any(pick, 1, 3);
    R[me].want = (pick == 1 -> 1 - own_ : pick);
    R[me].offer = NOKEY;
    if
    :: R[me].want == EVE && held[KEYOF(own_, WITHEVE)] -> R[me].offer = WITHEVE; TAKE_AT_A(own_, WITHEVE)
    :: R[me].want == 1 - own_ && held[KEYOF(own_, AB)] -> R[me].offer = AB; TAKE_AT_A(own_, AB)
    :: true
    fi;
    if
    :: R[me].src = own_; R[me].tgt = (R[me].want == ANY -> HIDDEN : R[me].want)
    :: R[me].src = HIDDEN; R[me].tgt = HIDDEN
    fi;
    R[me].caps = 1; R[me].pol = 1; R[me].nonce = me; R[me].mine = me; R[me].l2a = me; R[me].l2b = EVIL; R[me].x = me;
    R[me].state = ASKED
  }
end:
  do
  :: atomic { /* ServerHello..Finished under the handshake keys; its source is whatever the header says */
      R[me].state == ASKED ->
      any(server, NI, N);
      if
      :: server < N && R[server].state >= OPEN && R[server].method == TLS13 && R[server].x == me -> shown = R[server].own
      :: server == EVIL -> shown = EVE
      :: server == EVIL -> any(pick, NI, N - 1); shown = EVE; if :: STOLEN_SERVER_SIGNATURE(pick, R[pick].own) -> shown = R[pick].own :: else fi
      :: else -> shown = ANY
      fi;
      any(source, NI, N);
      if
      :: shown != ANY && PINNED(R[me].want, shown) && PROVISIONED(own_, shown) ->
        R[me].y = server; R[me].cert = shown; R[me].peer = MET(R[me].want, shown); R[me].l2b = source; R[me].method = TLS13; R[me].state = AUTHED
      :: else
      fi
    }
  :: atomic { /* the security mode command after tls13 */
      R[me].state == AUTHED ->
      any(server, NI, N);
      if
      :: server < N && R[server].state >= COMMANDED -> R[me].nonce2 = R[server].nonce2;
        if
        :: SAME_KEY(me, server) && ECHO(me, R[server].caps, R[server].pol) -> R[me].alg = R[server].alg; R[me].state = COMPLETED
        :: else -> R[me].nonce2 = 0
        fi
      :: server == EVIL && KNOWN_TO_EVE(me, R[me].y) -> R[me].nonce2 = EVIL; any(pick, 0, 2); R[me].alg = pick; R[me].state = COMPLETED
      :: else
      fi;
      if :: R[me].state == COMPLETED -> any(pick, 0, 1); R[me].up = pick :: else fi
    }
  :: atomic { /* the security mode command of psk-dhe, for which tls13 need not have begun */
      R[me].offer != NOKEY && (R[me].state == ASKED || R[me].state == AUTHED) ->
      any(server, NI, N); shown = R[me].y; source = R[me].peer; /* kept, for a command that does not verify */
      R[me].y = server; R[me].peer = PEEROF(own_, R[me].offer); R[me].method = PSKDHE;
      any(pick, NI, N);
      if
      :: R[me].state == ASKED -> R[me].l2b = pick
      :: else
      fi;
      if
      :: server < N && R[server].state >= COMMANDED -> R[me].nonce2 = R[server].nonce2;
        if
        :: SAME_KEY(me, server) && ECHO(me, R[server].caps, R[server].pol) -> R[me].alg = R[server].alg; R[me].cert = 0; goto completed
        :: else
        fi
      :: server == EVIL && KNOWN_TO_EVE(me, R[me].y) ->
        R[me].nonce2 = EVIL; any(pick, 0, 2); R[me].alg = pick; R[me].cert = 0; goto completed
      :: else
      fi;
      R[me].y = shown; R[me].peer = source; R[me].nonce2 = 0;
      if
      :: R[me].state == ASKED -> R[me].l2b = EVIL; R[me].method = 0
      :: else -> R[me].method = TLS13
      fi;
      goto forget;
completed:
      R[me].state = COMPLETED; any(pick, 0, 1); R[me].up = pick;
forget:
    }
  :: atomic { /* the accept */
      R[me].state == COMPLETED ->
      any(server, NI, N);
      if
      :: server < N && R[server].state == DONE && SAME_KEY(me, server) -> R[me].state = DONE
      :: server == EVIL && KNOWN_TO_EVE(me, R[me].y) -> R[me].state = DONE
      :: else
      fi;
      if
      :: R[me].state == DONE -> linkedAtA()
      :: else
      fi
    }
  od
}

/* ---- UE_B ---- */

proctype Responder(byte me; byte own_) {
  R[me].own = own_; /* nobody looks at it before the run is OPEN */
end:
  do
  :: atomic { /* a request, alone or within a first response; the screen has passed it */
      R[me].state == IDLE ->
      any(pick, 0, NI); R[me].mine = ATOM(pick);
#ifdef REQUEST_IS_ONE /* passed on as it was, or made up as a whole */
      R[me].nonce = R[me].mine; R[me].l2a = R[me].mine;
      if
      :: pick < NI -> R[me].src = R[pick].src; R[me].tgt = R[pick].tgt; R[me].caps = R[pick].caps; R[me].pol = R[pick].pol
      :: else -> any(pick, 0, 3); R[me].src = pick; R[me].tgt = own_; R[me].caps = 1; R[me].pol = 1
      fi;
#else
      any(pick, 0, NI); R[me].nonce = ATOM(pick);
      any(pick, 0, NI); R[me].l2a = ATOM(pick);
      any(pick, 0, 3); R[me].src = pick;
      any(pick, 0, 1); R[me].tgt = (pick -> own_ : HIDDEN);
      any(pick, 0, 1); R[me].caps = pick;
      any(pick, 0, 1); R[me].pol = pick;
#endif
      any(pick, 0, NI); R[me].x = ATOM(pick);
      any(pick, 1, 2); R[me].method = pick;
      R[me].l2b = me; R[me].y = me; R[me].nonce2 = me; R[me].offer = NOKEY;
      if
      :: R[me].src == own_ || R[me].tgt != own_ && R[me].tgt != HIDDEN -> goto nothing
      :: R[me].nonce != EVIL && R[R[me].nonce].state < ASKED -> goto nothing
      :: R[me].mine != EVIL && R[R[me].mine].state < ASKED -> goto nothing
      :: R[me].l2a != EVIL && R[R[me].l2a].state < ASKED -> goto nothing
      :: R[me].x != EVIL && R[R[me].x].state < ASKED -> goto nothing
      :: else
      fi;
      if
      :: R[me].method == TLS13 -> R[me].cert = own_; R[me].state = OPEN; goto opened
      :: else
      fi;
      /* psk-dhe: the binder is of an honest run over this very request, or by a key of Eve's. */
      client = R[me].mine;
      if
      :: client != EVIL && R[client].offer != NOKEY && R[me].x == client && EQUAL_REQUEST(client, me) ->
        R[me].offer = R[client].offer;
        if
        :: !(R[client].offer == AB || R[client].own == own_) || !BINDER_NAMES(client, own_, PEEROF(own_, R[client].offer)) -> goto nothing
        :: else
        fi
      :: client == EVIL -> R[me].offer = WITHEVE
      :: else -> goto nothing
      fi;
      if
      :: held[KEYOF(own_, R[me].offer)] && CLAIM(R[me].src, PEEROF(own_, R[me].offer)) ->
        R[me].peer = PEER(R[me].src, PEEROF(own_, R[me].offer)); R[me].alg = CHOICE(R[me].caps, R[me].pol);
        R[me].state = COMMANDED; goto opened
      :: else
      fi;
nothing: /* dropped, or answered by a cookie as any request: both leave nothing */
      R[me].src = 0; R[me].tgt = 0; R[me].caps = 0; R[me].pol = 0; R[me].nonce = 0; R[me].mine = 0; R[me].l2a = 0;
      R[me].x = 0; R[me].method = 0; R[me].l2b = 0; R[me].y = 0; R[me].nonce2 = 0; R[me].offer = 0;
opened:
    }
  :: atomic { /* Certificate..Finished under the handshake keys; the command follows */
      R[me].state == OPEN ->
      any(client, 0, NI); pick = ANY;
      if
      :: client < NI && R[client].state >= AUTHED && R[client].method == TLS13 && R[me].x == client && R[client].y == me && R[client].cert == own_ -> pick = R[client].own
      :: client == NI && R[me].x == EVIL -> pick = EVE
      :: client < NI && R[me].x == EVIL && STOLEN_CLIENT_SIGNATURE(client, R[client].own) -> pick = R[client].own
      :: else
      fi;
      if
      :: pick != ANY && CLAIM(R[me].src, pick) && PROVISIONED(own_, pick) ->
        R[me].peer = PEER(R[me].src, pick); R[me].alg = CHOICE(R[me].caps, R[me].pol); R[me].state = COMMANDED
      :: else
      fi
    }
#ifdef MUTANT_UNCONFIRMED
  :: atomic { R[me].state == COMMANDED -> R[me].state = DONE; linkedAtB() }
#endif
  :: atomic { /* the complete */
      R[me].state == COMMANDED ->
      any(client, 0, NI);
      if
      :: client < NI && R[client].state >= COMPLETED && SAME_KEY(client, me) && STILL_THERE(me) -> R[me].up = R[client].up; R[me].state = DONE
      :: client == NI && KNOWN_TO_EVE(me, R[me].x) && STILL_THERE(me) -> any(pick, 0, 1); R[me].up = pick; R[me].state = DONE
      :: else
      fi;
      if
      :: R[me].state == DONE -> linkedAtB()
      :: else
      fi
    }
  od
}

init {
  byte n;
  atomic {
    held[0] = true; held[1] = true; held[2] = true; held[3] = true;
    n = 0;
    do
    :: n < IA -> run Initiator(n, ALICE); n++
    :: n >= IA && n < NI -> run Initiator(n, BOB); n++
    :: n >= NI && n < NI + RA -> run Responder(n, ALICE); n++
    :: n >= NI + RA && n < N -> run Responder(n, BOB); n++
    :: else -> break
    od;
    n = 0
  }
}
