/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reuse.pml - One tuple, several connections one after the other (I23)
 *
 * Theory of operation
 *
 * A client opens INC connections from the same address and port, each with a higher
 * initial sequence number: after it has closed the one before, after a reset, or
 * (CRASH) at any moment, as a host does that has forgotten. The SUT's server may be
 * slow, so the older one's leg is then open still. The machine is that of src/live/shadow
 * and src/live/flow, function by function, cut down to what decides which connection a
 * segment belongs to, when a leg begins, from which port, and how it ends; flow F is
 * that of incarnation F. shadow.pml has all the rest, for one connection.
 *
 * Units as in shadow.pml: SYN 0, a request or an answer 1, then the FIN. Windows are
 * open, and bare acks of ours are not modelled; those of the SUT are. The SUT's
 * kernel takes what is on the wire before time passes, its server need not speak
 * for SLOW steps of time. Both wires keep their order. What is lost (LOSS) is a SYN,
 * a SYN,ACK or a RST.
 *
 * LATE copies of segments of an incarnation that is over come at any moment. A copy of a
 * SYN comes while the machine remembers its connection: later it is a new one for
 * whoever looks on.
 *
 * Time passes to the next deadline, or by PAUSE. Deadlines of two flows that come
 * at once are taken in either order; a trace in which that happens ends with Z.
 *
 * -DTRACES: for simulation; prints what replay.c reads.
 */
#ifndef INC
#define INC 2 /* incarnations */
#endif
#ifndef CRASH
#define CRASH 0 /* 1: the client may forget a connection */
#endif
#ifndef RESET
#define RESET 0 /* resets by client or production */
#endif
#ifndef LOSS
#define LOSS 0
#endif
#ifndef LATE
#define LATE 0
#endif
#ifndef SLOW
#define SLOW 2 /* times that time passes while somebody could speak */
#endif
#ifndef SFIN
#define SFIN 0 /* 1: the SUT may close first */
#endif
#ifndef PFIN
#define PFIN 0 /* 1: production may */
#endif
#ifndef MUT
#define MUT 0 /* a planted fault, by number */
#endif

#define CLI 0
#define PRD 1
#define SUT 2

#define SYN    1
#define SYNACK 2
#define ACK    3
#define DATA   4
#define FIN    5
#define RST    6

#define EV_C_ACK    1
#define EV_P_SYNACK 2
#define EV_S_SYNACK 4
#define EV_C_FIN    8
#define EV_P_FIN    16
#define EV_S_FIN    32
#define EV_S_ACKFIN 64
#define EV_C_RST    128
#define EV_P_RST    256

#define LEG_NONE     0
#define LEG_WAITING  1
#define LEG_SYN_SENT 2
#define LEG_OPEN     3
#define LEG_CLOSED   4

/* As in shadow.pml; END_REUSED is this model's own. */
#define END_NONE       0
#define END_CLOSED     1
#define END_CLIENT_RST 2
#define END_PROD_RST   3
#define END_IDLE       10
#define END_REUSED     11

#define NEVER	    (-1)
#define REUSE_WAIT  1000
#define FIN_HOLD    10000
#define RST_HOLD    2000
#define TIME_WAIT   500
#define UNSENT_WAIT 5
#define IDLE_WAIT   30000
#define SYN_DOUBT   2
#define RTO_FIRST   1000
#define PAUSE	    300
#define AGE_MAX	    10000
#define Q	    6 /* segments on their way to the SUT */
#define NOBODY	    255

#define has(v, b) (((v) & (b)) != 0)

/* --- what really happens, by incarnation --- */
byte now_inc; /* the client's newest, plus 1 */
bit req[INC]; /* it asks something */
byte k_snd[INC], k_rcv[INC];
bit k_fin[INC], k_rst[INC];
byte g_snd[INC], g_rcv[INC], g_acked[INC];
bit g_fin[INC], g_rst[INC];
byte loss = LOSS, lates = LATE, slow = SLOW, resets = RESET;

/* The wire to the SUT. */
byte qn, qk[Q], qi[Q], qs[Q], qp[Q];

/* The SUT's connections, by the client's port: 0 its own, else a substitute. */
byte t_inc[INC + 1]; /* whose it is, plus 1 */
byte t_state[INC + 1]; /* 0 none, 1 it has answered a SYN or more, 3 over */
byte t_rcv[INC + 1], t_snd[INC + 1];
bit t_answered[INC + 1], t_fin[INC + 1], t_finrx[INC + 1];

/* --- the machine, by flow --- */
bit fl[INC], tw[INC], sup[INC], bound[INC], hold_passed[INC];
short ev[INC];
byte leg[INC], ended[INC], port[INC], tries[INC];
byte older[INC], newer[INC]; /* flow, plus 1 */
short hold[INC], idle[INC], rto[INC], progress[INC];
bit asked[INC], q_sent[INC], c_fink[INC];
byte c_ack[INC], rst_ack[INC], snd_una[INC];
bit p_on[INC], p_ans[INC], p_fink[INC], s_ans[INC], s_fink[INC], fin_sent[INC];
bit more[INC]; /* it is to be looked at again in this step */

/* --- ghosts --- */
bit begun[INC]; /* its SYN has gone out */
bit s_got[INC]; /* the SUT has its request */
byte gone[INC]; /* how its leg ended */
byte stand;

/* --- of the step under way --- */
byte m_src, m_kind, m_seq, m_ack, m_inc, m_port;
bit m_late, answer, tie;
short jump;

hidden byte f, g, found, ix, n, who;
hidden byte snd_seq_, ok, y, known;
hidden int dur;

#define alive(x) (fl[x] && (leg[x] == LEG_SYN_SENT || leg[x] == LEG_OPEN))
#define mirror_over(x) (has(ev[x], EV_C_RST | EV_P_RST) || sup[x] || \
			(has(ev[x], EV_C_FIN) && has(ev[x], EV_P_FIN)))
#define snd_seq(x) (1 + q_sent[x] + fin_sent[x])
#define last_of(x) (1 + req[x]) /* unit of a FIN */

inline wire(k, i, s, p) {
	printf("C %d\n", i + 1);
	printf("U %d %d %d 0\n", k, s, p);
	assert(qn < Q);
	qk[qn] = k;
	qi[qn] = i;
	qs[qn] = s;
	qp[qn] = p;
	qn++
}

/* --- life.c --- */

inline remember_if_over(x) {
	if
	:: mirror_over(x) && (leg[x] == LEG_NONE || leg[x] == LEG_CLOSED) && !tw[x] ->
		tw[x] = 1;
		idle[x] = TIME_WAIT
	:: else
	fi
}

inline let_go(x) {
	if
	:: newer[x] != 0 ->
		older[newer[x] - 1] = 0;
		more[newer[x] - 1] = 1;
		newer[x] = 0
	:: else
	fi
}

inline leg_over(x, why) {
	if
	:: leg[x] == LEG_NONE || leg[x] == LEG_CLOSED
	:: else ->
		leg[x] = (why == END_CLOSED -> LEG_CLOSED : LEG_NONE);
		if :: why != END_CLOSED -> bound[x] = 0 :: else fi;
		ended[x] = why;
		assert(gone[x] == END_NONE); /* I24: once */
		gone[x] = why;
		rto[x] = NEVER;
		hold[x] = NEVER;
		let_go(x);
		remember_if_over(x)
	fi
}

inline shadow_end(x, why) {
	if
	:: leg[x] == LEG_NONE || leg[x] == LEG_CLOSED
	:: else ->
		if
		:: leg[x] != LEG_WAITING ->
			snd_seq_ = snd_seq(x);
			wire(RST, x, snd_seq_, port[x])
		:: else
		fi;
		leg_over(x, why)
	fi
}

inline sent_something(x) {
	if
	:: rto[x] == NEVER ->
		n = tries[x];
		dur = RTO_FIRST;
		do :: n > 0 -> dur = dur * 2; n-- :: else -> break od;
		rto[x] = (dur < AGE_MAX -> dur : AGE_MAX)
	:: else
	fi
}

/* Who is bound to the client's own port? found */
inline find_own_port() {
	found = NOBODY;
	ix = 0;
	do
	:: ix == INC -> break
	:: else ->
		if :: fl[ix] && bound[ix] && port[ix] == 0 -> found = ix :: else fi;
		ix++
	od
}

inline start_leg(x) {
	find_own_port();
	port[x] = 0;
	if
	:: found != NOBODY && leg[found] == LEG_CLOSED -> bound[found] = 0
	:: found != NOBODY && leg[found] != LEG_CLOSED ->
#if MUT != 3
		port[x] = x + 1
#else
		skip
#endif
	:: else
	fi;
	hold[x] = NEVER;
	hold_passed[x] = 0;
	bound[x] = 1;
	leg[x] = LEG_SYN_SENT;
	tries[x] = 0;
	begun[x] = 1;
	wire(SYN, x, 0, port[x]);
	sent_something(x)
}

/* ok: has it passed? */
inline hold_over(x, limit) {
	ok = 0;
	if
	:: progress[x] >= limit -> ok = 1
	:: else -> hold[x] = limit - progress[x]
	fi
}

/* sut_reached(): ok. With an answer that production gave and the SUT did not, only
 * what the client had acked before that answer is reached.
 */
inline sut_reached(x) {
	ok = (s_fink[x] || rst_ack[x] < 2 || !req[x] || s_ans[x])
}

inline push_rst(x) {
	y = (has(ev[x], EV_C_RST) -> END_CLIENT_RST :
	     (has(ev[x], EV_P_RST) -> END_PROD_RST : END_REUSED));
	ok = 0;
	if
	:: leg[x] == LEG_OPEN && !(asked[x] && !q_sent[x]) &&
	   snd_una[x] == snd_seq(x) -> sut_reached(x)
	:: else
	fi;
	if
	:: ok -> shadow_end(x, y)
	:: else ->
		hold_over(x, RST_HOLD);
		if :: ok -> shadow_end(x, y) :: else fi
	fi
}

inline push_fin(x) {
	if
	:: fin_sent[x] || (asked[x] && !q_sent[x])
	:: else ->
		sut_reached(x);
		if :: !ok -> hold_over(x, FIN_HOLD) :: else fi;
		if
		:: ok ->
			snd_seq_ = snd_seq(x);
			wire(FIN, x, snd_seq_, port[x]);
			fin_sent[x] = 1;
			hold[x] = NEVER;
			sent_something(x)
		:: else
		fi
	fi
}

inline close_push(x) {
	if
#if MUT == 4
	:: has(ev[x], EV_C_RST | EV_P_RST) -> push_rst(x)
#else
	:: has(ev[x], EV_C_RST | EV_P_RST) ||
	   (sup[x] && !has(ev[x], EV_C_FIN)) -> push_rst(x)
#endif
	:: else ->
		if
		:: leg[x] == LEG_OPEN && has(ev[x], EV_C_FIN) -> push_fin(x)
		:: else
		fi;
		if
		:: leg[x] == LEG_OPEN && has(ev[x], EV_S_ACKFIN) && s_fink[x] ->
			leg_over(x, END_CLOSED)
		:: else
		fi
	fi
}

/* --- shadow.c --- */

inline shadow_push(x) {
	more[x] = 0;
	if :: c_fink[x] -> ev[x] = ev[x] | EV_C_FIN :: else fi;
	if :: p_fink[x] -> ev[x] = ev[x] | EV_P_FIN :: else fi;
	if :: s_fink[x] -> ev[x] = ev[x] | EV_S_FIN :: else fi;
	if
	:: leg[x] == LEG_WAITING ->
		if
		:: older[x] != 0 && hold_passed[x] ->
			newer[older[x] - 1] = 0;
			older[x] = 0
		:: else
		fi;
		/* I23: the wait is bounded. */
		assert(older[x] == 0 || hold[x] != NEVER);
		if :: older[x] == 0 -> start_leg(x) :: else fi
	:: else
	fi;
	if
	:: leg[x] == LEG_OPEN && has(ev[x], EV_C_ACK) && asked[x] && !q_sent[x] ->
		wire(DATA, x, 1, port[x]);
		q_sent[x] = 1;
		sent_something(x)
	:: else
	fi;
	if
	:: leg[x] == LEG_OPEN || leg[x] == LEG_SYN_SENT -> close_push(x)
	:: else
	fi;
	remember_if_over(x)
}

/* Whose is a segment of the mirror? found */
inline shadow_find() {
	found = NOBODY;
	ix = 0;
	do
	:: ix == INC -> break
	:: else ->
#if MUT == 6
		if :: fl[ix] -> found = ix :: else fi;
#else
		if :: fl[ix] && !sup[ix] -> found = ix :: else fi;
#endif
		ix++
	od
}

inline free_flow(x) {
	/* I24, I15: it has ended, as its connection did. */
	assert(leg[x] == LEG_NONE || leg[x] == LEG_CLOSED);
	assert(begun[x]);
	assert(!(k_fin[x] && g_fin[x] && !k_rst[x] && !g_rst[x]) ||
	       (gone[x] == END_CLOSED && s_got[x] == req[x]));
	assert(!(k_rst[x] && !g_rst[x] && !sup[x]) || gone[x] == END_CLIENT_RST ||
	       (k_fin[x] && gone[x] == END_CLOSED)); /* I22 */
	if :: older[x] != 0 -> newer[older[x] - 1] = 0 :: else fi;
	let_go(x);
	fl[x] = 0;
	tw[x] = 0;
	bound[x] = 0;
	sup[x] = 0;
	older[x] = 0;
	more[x] = 0;
	ev[x] = 0;
	port[x] = 0;
	tries[x] = 0;
	hold_passed[x] = 0;
	hold[x] = NEVER;
	idle[x] = NEVER;
	rto[x] = NEVER;
	progress[x] = 0;
	leg[x] = 0;
	ended[x] = 0;
	c_ack[x] = 0;
	rst_ack[x] = 0;
	snd_una[x] = 0;
	asked[x] = 0;
	q_sent[x] = 0;
	c_fink[x] = 0;
	p_on[x] = 0;
	p_ans[x] = 0;
	p_fink[x] = 0;
	s_ans[x] = 0;
	s_fink[x] = 0;
	fin_sent[x] = 0
}

/* --- begin.c --- */

inline flow_make(x) {
	assert(!fl[x]);
	fl[x] = 1;
	leg[x] = LEG_WAITING;
	idle[x] = IDLE_WAIT;
	snd_una[x] = 1;
	more[x] = 1
}

/* @o is the older one of the tuple that is newest */
inline supersede(o, x) {
	sup[o] = 1;
	if
	:: !c_fink[o] && !has(ev[o], EV_C_RST | EV_P_RST) -> rst_ack[o] = c_ack[o]
	:: else
	fi;
	if
	:: leg[o] == LEG_NONE || leg[o] == LEG_CLOSED -> remember_if_over(o)
	:: else ->
		older[x] = o + 1;
		newer[o] = x + 1;
#if MUT != 2
		hold[x] = REUSE_WAIT;
#endif
		more[o] = 1
	fi
}

inline shadow_syn() {
	found = NOBODY;
	ix = 0;
	do
	:: ix == INC -> break
	:: else ->
		if :: fl[ix] -> found = ix :: else fi;
		ix++
	od;
	if
#if MUT == 5
	:: found != NOBODY && m_inc != found && fl[m_inc] ->
		/* A late copy is taken for a new connection. */
		sup[found] = 1;
		more[found] = 1
#endif
	:: fl[m_inc] -> /* a repetition */
		idle[m_inc] = (tw[m_inc] -> idle[m_inc] : IDLE_WAIT);
		more[m_inc] = 1
#if MUT == 1
	:: found != NOBODY && !fl[m_inc] -> more[found] = 1
	:: found == NOBODY && !fl[m_inc] -> flow_make(m_inc)
#else
	:: else ->
		flow_make(m_inc);
		if :: found != NOBODY -> supersede(found, m_inc) :: else fi
#endif
	fi
}

/* I23: what is of incarnation i gets to flow x only if that is it, or is a later
 * one that must not heed it.
 */
inline from_client() {
	if
	:: m_kind == SYN -> shadow_syn()
	:: else ->
		shadow_find();
		f = found;
		if
		:: f == NOBODY
		:: f != NOBODY && f != m_inc ->
			assert(m_late && f > m_inc);
			more[f] = 1;
			idle[f] = (tw[f] -> idle[f] : IDLE_WAIT)
		:: else ->
			idle[f] = (tw[f] -> idle[f] : IDLE_WAIT);
			more[f] = 1;
			if
			:: m_kind == RST ->
				if
				:: !has(ev[f], EV_C_RST) -> rst_ack[f] = c_ack[f]
				:: else
				fi;
				ev[f] = ev[f] | EV_C_RST
			:: else ->
				ev[f] = ev[f] | EV_C_ACK;
				if :: c_ack[f] < m_ack -> c_ack[f] = m_ack :: else fi;
				if :: m_kind == DATA -> asked[f] = 1 :: else fi;
				if
				:: m_kind == FIN && !c_fink[f] ->
					rst_ack[f] = m_ack;
					c_fink[f] = 1
				:: else
				fi
			fi
		fi
	fi
}

/* The incarnation whose numbers are next to what production acks; none if the newest
 * is gone.
 */
inline shadow_find_acked() {
	shadow_find();
	if
	:: found != NOBODY && fl[m_inc] && m_kind != RST -> found = m_inc
	:: else
	fi
}

inline from_prod() {
	shadow_find_acked();
	f = found;
	if
	:: f == NOBODY
	:: f != NOBODY && f != m_inc ->
		assert(m_late && f > m_inc);
		idle[f] = (tw[f] -> idle[f] : IDLE_WAIT);
		more[f] = 1
	:: else ->
		idle[f] = (tw[f] -> idle[f] : IDLE_WAIT);
		more[f] = 1;
		if
		:: m_kind == RST ->
			if
			:: !has(ev[f], EV_P_RST | EV_C_RST) ->
				rst_ack[f] = (p_on[f] -> 1 + p_ans[f] : c_ack[f])
			:: else
			fi;
			ev[f] = ev[f] | EV_P_RST
		:: else ->
			if
			:: !p_on[f] ->
				p_on[f] = 1;
				ev[f] = ev[f] | EV_P_SYNACK;
				c_ack[f] = 1;
				rst_ack[f] = 1
			:: else
			fi;
			if :: m_kind == DATA -> p_ans[f] = 1 :: else fi;
			if :: m_kind == FIN -> p_fink[f] = 1 :: else fi
		fi
	fi
}

/* --- sut.c --- */

inline stray() {
	if
	:: m_kind != RST ->
		who = t_inc[m_port] - 1;
		wire(RST, who, m_ack, m_port)
	:: else
	fi
}

inline from_sut() {
	found = NOBODY;
	ix = 0;
	do
	:: ix == INC -> break
	:: else ->
		if
		:: fl[ix] && bound[ix] && port[ix] == m_port -> found = ix
		:: else
		fi;
		ix++
	od;
	f = found;
	if
	:: f == NOBODY -> stray()
	:: else ->
		idle[f] = (tw[f] -> idle[f] : IDLE_WAIT);
		more[f] = 1;
		if
		:: leg[f] == LEG_SYN_SENT ->
			if
			:: m_inc == f && m_kind == SYNACK ->
				leg[f] = LEG_OPEN;
				ev[f] = ev[f] | EV_S_SYNACK;
				tries[f] = 0;
				progress[f] = 0;
				rto[f] = NEVER
			:: m_inc == f && m_kind == ACK && m_ack == 1 &&
			   tries[f] < SYN_DOUBT
			:: else ->
				stray();
				rto[f] = UNSENT_WAIT
			fi
		:: leg[f] == LEG_OPEN ->
			/* What follows our SYN on an orderly wire is of it. */
			assert(m_inc == f);
			if
			:: m_ack > snd_una[f] ->
				snd_una[f] = m_ack;
				tries[f] = 0;
				progress[f] = 0;
				rto[f] = NEVER;
				if
				:: c_fink[f] && m_ack == 2 + asked[f] ->
					ev[f] = ev[f] | EV_S_ACKFIN
				:: else
				fi
			:: else
			fi;
			if :: m_kind == DATA -> s_ans[f] = 1; progress[f] = 0 :: else fi;
			if :: m_kind == FIN -> s_fink[f] = 1; progress[f] = 0 :: else fi
		:: else
		fi
	fi
}

/* --- time.c --- */

inline flow_timeout(x) {
	if
	:: idle[x] == 0 ->
		idle[x] = NEVER;
		assert(tw[x]); /* nobody is forgotten before the end */
		free_flow(x)
	:: else ->
		if
		:: rto[x] == 0 ->
			rto[x] = NEVER;
			assert(leg[x] == LEG_SYN_SENT && tries[x] < 5);
			tries[x]++;
			wire(SYN, x, 0, port[x]);
			sent_something(x)
		:: else
		fi;
		if
		:: hold[x] == 0 ->
			hold[x] = NEVER;
			hold_passed[x] = 1
		:: else
		fi;
		more[x] = 1
	fi
}

#define due(x) (fl[x] && (idle[x] == 0 || rto[x] == 0 || hold[x] == 0))

inline nearer(d) {
	if
	:: d != NEVER && (jump == NEVER || d < jump) -> jump = d
	:: else
	fi
}

inline next_deadline() {
	jump = NEVER;
	ix = 0;
	do
	:: ix == INC -> break
	:: else ->
		nearer(idle[ix]);
		nearer(rto[ix]);
		nearer(hold[ix]);
		ix++
	od
}

inline later(d) {
	if :: d != NEVER -> d = (d > jump -> d - jump : 0) :: else fi
}

inline pass_time() {
	n = 0;
	ix = 0;
	do
	:: ix == INC -> break
	:: else ->
		later(idle[ix]);
		later(rto[ix]);
		later(hold[ix]);
		if
		:: fl[ix] ->
			progress[ix] = (progress[ix] + jump < AGE_MAX ->
					progress[ix] + jump : AGE_MAX)
		:: else
		fi;
		if :: due(ix) -> n++ :: else fi;
		ix++
	od;
	tie = (n > 1)
}

/* --- the SUT's kernel and server --- */

inline sut_sends(k, p, s, a) {
	answer = 1;
	m_src = SUT;
	m_kind = k;
	m_port = p;
	m_inc = t_inc[p] - 1;
	m_seq = s;
	m_ack = a
}

inline sut_take() {
	m_kind = qk[0];
	m_inc = qi[0];
	m_seq = qs[0];
	m_port = qp[0];
	qn--;
	ix = 0;
	do
	:: ix >= qn -> break
	:: else ->
		qk[ix] = qk[ix + 1];
		qi[ix] = qi[ix + 1];
		qs[ix] = qs[ix + 1];
		qp[ix] = qp[ix + 1];
		ix++
	od;
	qk[qn] = 0;
	qi[qn] = 0;
	qs[qn] = 0;
	qp[qn] = 0
}

#define t_live(p) (t_state[p] == 1)

inline sut_gets() {
	answer = 0;
	g = t_inc[m_port];
	if
	:: m_kind == SYN ->
		if
		:: t_live(m_port) && g == m_inc + 1 ->
			if
			:: t_rcv[m_port] == 1 && t_snd[m_port] == 1 ->
				sut_sends(SYNACK, m_port, 0, 1)
			:: else -> sut_sends(ACK, m_port, t_snd[m_port], t_rcv[m_port])
			fi
		:: t_live(m_port) && g != m_inc + 1 ->
			/* I23: a leg is never opened over one that lives. */
			assert(!alive(g - 1) || port[g - 1] != m_port);
			/* It remembers: RFC 5961 section 4.2. */
			sut_sends(ACK, m_port, t_snd[m_port], t_rcv[m_port])
		:: else ->
			t_state[m_port] = 1;
			t_inc[m_port] = m_inc + 1;
			t_rcv[m_port] = 1;
			t_snd[m_port] = 1;
			t_answered[m_port] = 0;
			t_fin[m_port] = 0;
			t_finrx[m_port] = 0;
			sut_sends(SYNACK, m_port, 0, 1)
		fi
	:: m_kind == RST ->
		if
		:: t_live(m_port) && g == m_inc + 1 && m_seq == t_rcv[m_port] ->
			t_state[m_port] = 3
		:: t_live(m_port) && !(g == m_inc + 1 && m_seq == t_rcv[m_port]) ->
			sut_sends(ACK, m_port, t_snd[m_port], t_rcv[m_port])
		:: else
		fi
	:: else ->
		/* I23: no byte of one connection enters another one. */
		assert(g == m_inc + 1 && t_state[m_port] != 0);
		if
		:: t_live(m_port) ->
			assert(m_seq == t_rcv[m_port]);
			t_rcv[m_port]++;
			if
			:: m_kind == FIN -> t_finrx[m_port] = 1
			:: else -> s_got[m_inc] = 1
			fi;
			sut_sends(ACK, m_port, t_snd[m_port], t_rcv[m_port]);
			if
			:: t_fin[m_port] && t_finrx[m_port] -> t_state[m_port] = 3
			:: else
			fi
		:: else
		fi
	fi
}

#define t_can_answer(p) (t_live(p) && s_got[t_inc[p] - 1] && !t_answered[p])
#define t_can_end(p) (t_live(p) && !t_fin[p] && \
		      ((t_finrx[p] && (t_answered[p] || !s_got[t_inc[p] - 1])) || \
		       (SFIN && t_answered[p])))

inline sut_ends(p) {
	sut_sends(FIN, p, t_snd[p], t_rcv[p]);
	t_snd[p]++;
	t_fin[p] = 1;
	if :: t_finrx[p] -> t_state[p] = 3 :: else fi
}

/* --- client and production --- */

inline say(src, i, kind, seq, ack) {
	m_src = src;
	m_inc = i;
	m_kind = kind;
	m_seq = seq;
	m_ack = ack
}

#define cur (now_inc - 1)
#define up (now_inc > 0 && !k_rst[cur] && !g_rst[cur])
#define shut (now_inc > 0 && k_fin[cur] && g_fin[cur] && \
	      k_rcv[cur] == g_snd[cur] && g_rcv[cur] == k_snd[cur])
#define c_can_open (now_inc < INC && (now_inc == 0 || !up || shut))
#define c_can_crash (CRASH && now_inc > 0 && now_inc < INC && up && !shut)
#define p_can_open (up && g_snd[cur] == 0)
#define c_can_rcv (up && k_rcv[cur] < g_snd[cur])
#define c_can_data (up && k_rcv[cur] == 1 && req[cur] && k_snd[cur] == 1)
#define c_can_fin (up && !k_fin[cur] && k_rcv[cur] >= last_of(cur) && \
		   k_snd[cur] == last_of(cur))
#define p_can_ack (up && g_acked[cur] < g_rcv[cur] && g_snd[cur] > 0)
#define p_can_data (up && req[cur] && g_snd[cur] == 1 && g_rcv[cur] == 2)
#define p_can_fin (up && !g_fin[cur] && g_snd[cur] == last_of(cur) && \
		   k_rcv[cur] >= 1 && (k_fin[cur] || (PFIN && req[cur])))
#define mirror_can (c_can_open || p_can_open || c_can_rcv || c_can_data || \
		    c_can_fin || p_can_ack || p_can_data || p_can_fin)

inline any_sut() {
	ok = 0;
	ix = 0;
	do
	:: ix > INC -> break
	:: else ->
		if :: t_can_answer(ix) || t_can_end(ix) -> ok = 1 :: else fi;
		ix++
	od
}

inline any_flow() {
	found = 0;
	ix = 0;
	do
	:: ix == INC -> break
	:: else ->
		if :: fl[ix] -> found = 1 :: else fi;
		ix++
	od
}

/* A late copy of something that incarnation m_inc said. Without any flow, data
 * would begin one in the middle (shadow_join()): that is shadow.pml's.
 */
inline late_kind() {
	if
	:: fl[m_inc] -> say(CLI, m_inc, SYN, 0, 0)
	:: g_snd[m_inc] > 0 -> say(PRD, m_inc, SYNACK, 0, 1)
	:: k_rcv[m_inc] > 0 -> say(CLI, m_inc, ACK, k_snd[m_inc], k_rcv[m_inc])
	:: req[m_inc] && k_snd[m_inc] > 1 && known -> say(CLI, m_inc, DATA, 1, 1)
	:: k_fin[m_inc] -> say(CLI, m_inc, FIN, last_of(m_inc), last_of(m_inc))
	:: k_rst[m_inc] -> say(CLI, m_inc, RST, k_snd[m_inc], 0)
	:: g_snd[m_inc] > 0 -> say(PRD, m_inc, ACK, g_snd[m_inc], g_rcv[m_inc])
	:: req[m_inc] && g_snd[m_inc] > 1 -> say(PRD, m_inc, DATA, 1, 2)
	:: g_fin[m_inc] -> say(PRD, m_inc, FIN, last_of(m_inc), g_rcv[m_inc])
	:: g_snd[m_inc] > 0 -> say(PRD, m_inc, RST, g_snd[m_inc], g_rcv[m_inc])
	:: else -> goto next
	fi
}

inline report() {
	printf("S\n");
	ix = 0;
	do
	:: ix == INC -> break
	:: else ->
		if
		:: fl[ix] ->
			printf("Y %d %d %d %d %d %d\n", ix + 1, leg[ix], ended[ix],
			       ev[ix], sup[ix], (leg[ix] >= LEG_SYN_SENT && port[ix] != 0))
		:: else -> printf("Y %d -\n", ix + 1)
		fi;
		ix++
	od;
	ix = 0
}

inline begin() {
	ix = 0;
	do
	:: ix == INC -> break
	:: else ->
		hold[ix] = NEVER;
		idle[ix] = NEVER;
		rto[ix] = NEVER;
		ix++
	od;
	ix = 0;
	printf("R 1 1 1 1 1 1 1\n")
}

#ifdef TRACES
inline new_run() {
	now_inc = 0; loss = LOSS; lates = LATE; slow = SLOW; resets = RESET;
	stand = 0; qn = 0; n = 0;
	do
	:: n == INC -> break
	:: else ->
		req[n] = 0; k_snd[n] = 0; k_rcv[n] = 0; k_fin[n] = 0;
		k_rst[n] = 0; g_snd[n] = 0; g_rcv[n] = 0; g_acked[n] = 0;
		g_fin[n] = 0; g_rst[n] = 0; begun[n] = 0; s_got[n] = 0;
		gone[n] = 0; newer[n] = 0;
		n++
	od;
	n = 0;
	do
	:: n > INC -> break
	:: else -> t_state[n] = 0; t_inc[n] = 0; n++
	od;
	n = 0
}
#endif

active proctype world() {
again:
	skip;
	d_step { begin() };
end_:
	do
	:: atomic { c_can_open || c_can_crash ->
		if :: req[now_inc] = 0 :: req[now_inc] = 1 fi;
		d_step {
			say(CLI, now_inc, SYN, 0, 0);
			k_snd[now_inc] = 1;
			g_rcv[now_inc] = 1;
			g_acked[now_inc] = 1;
			now_inc++
		};
		goto deliver }
	:: atomic { p_can_open -> d_step {
		g_snd[cur] = 1;
		say(PRD, cur, SYNACK, 0, 1) };
		goto deliver }
	:: atomic { c_can_rcv -> d_step {
		k_rcv[cur]++;
		say(CLI, cur, ACK, k_snd[cur], k_rcv[cur]) };
		goto deliver }
	:: atomic { c_can_data -> d_step {
		say(CLI, cur, DATA, 1, 1);
		k_snd[cur]++;
		g_rcv[cur]++ };
		goto deliver }
	:: atomic { c_can_fin -> d_step {
		printf("C %d\n", cur + 1);
		printf("F 0 %d\n", k_snd[cur]);
		say(CLI, cur, FIN, k_snd[cur], k_rcv[cur]);
		k_snd[cur]++;
		k_fin[cur] = 1;
		g_rcv[cur]++ };
		goto deliver }
	:: atomic { p_can_ack -> d_step {
		g_acked[cur] = g_rcv[cur];
		say(PRD, cur, ACK, g_snd[cur], g_rcv[cur]) };
		goto deliver }
	:: atomic { p_can_data -> d_step {
		g_acked[cur] = g_rcv[cur];
		say(PRD, cur, DATA, 1, 2);
		g_snd[cur]++ };
		goto deliver }
	:: atomic { p_can_fin -> d_step {
		printf("C %d\n", cur + 1);
		printf("F 1 %d\n", g_snd[cur]);
		g_acked[cur] = g_rcv[cur];
		say(PRD, cur, FIN, g_snd[cur], g_rcv[cur]);
		g_snd[cur]++;
		g_fin[cur] = 1 };
		goto deliver }
	:: atomic { resets > 0 && up && k_rcv[cur] >= 1 && !shut -> d_step {
		resets--;
		k_rst[cur] = 1;
		say(CLI, cur, RST, k_snd[cur], 0) };
		goto deliver }
	:: atomic { resets > 0 && up && k_rcv[cur] >= 1 && !shut -> d_step {
		resets--;
		g_rst[cur] = 1;
		say(PRD, cur, RST, g_snd[cur], g_rcv[cur]) };
		goto deliver }
	:: atomic { lates > 0 && now_inc > 1 ->
		d_step { shadow_find(); known = (found != NOBODY) };
		if
		:: m_inc = 0
		:: now_inc > 2 || !fl[1] -> m_inc = 1
		fi;
		late_kind();
		d_step { lates--; m_late = 1 };
		goto deliver }
	:: atomic { qn > 0 ->
		d_step { sut_take() };
		if
		:: loss > 0 && m_kind != DATA && m_kind != FIN -> loss--; goto next
		:: true -> d_step { sut_gets() }
		fi;
		if
		:: !answer -> goto next
		:: answer && loss > 0 && m_kind == SYNACK -> loss--; goto next
		:: answer -> goto deliver
		fi }
	:: atomic { t_can_answer(0) -> d_step {
		sut_sends(DATA, 0, 1, t_rcv[0]); t_answered[0] = 1; t_snd[0]++ };
		goto deliver }
	:: atomic { t_can_end(0) -> d_step { sut_ends(0) }; goto deliver }
	:: atomic { t_can_answer(2) -> d_step {
		sut_sends(DATA, 2, 1, t_rcv[2]); t_answered[2] = 1; t_snd[2]++ };
		goto deliver }
	:: atomic { t_can_end(2) -> d_step { sut_ends(2) }; goto deliver }
#if INC > 2
	:: atomic { t_can_answer(3) -> d_step {
		sut_sends(DATA, 3, 1, t_rcv[3]); t_answered[3] = 1; t_snd[3]++ };
		goto deliver }
	:: atomic { t_can_end(3) -> d_step { sut_ends(3) }; goto deliver }
#endif
	:: atomic { qn == 0 ->
		d_step { any_sut(); any_flow(); next_deadline() };
		if
		:: !found -> goto next_or_over
		:: found && (mirror_can || ok) && slow == 0 -> goto next
		:: found && (mirror_can || ok) && slow > 0 && jump < 10000 -> slow--
		:: found && !mirror_can && !ok
		:: else -> goto next
		fi;
		if
		:: jump > PAUSE && (mirror_can || ok) -> jump = PAUSE
		:: true
		fi;
		d_step {
			printf("T %d\n", jump);
			stand++;
			assert(stand < 60); /* every run ends */
			pass_time();
			if :: tie -> printf("Z\n") :: else fi
		};
		goto timeouts }
	:: !mirror_can && now_inc == INC -> d_step { any_flow(); any_sut() };
		if
		:: found == 0 && qn == 0 && !ok -> break
		:: else
		fi
	od;
	goto done;
next_or_over:
	atomic {
		if
		:: mirror_can || ok -> goto next
		:: else -> goto done
		fi };
timeouts:	/* in any order */
	atomic {
		if
		:: due(0) -> d_step { flow_timeout(0) }; goto pushes
		:: due(1) -> d_step { flow_timeout(1) }; goto pushes
#if INC > 2
		:: due(2) -> d_step { flow_timeout(2) }; goto pushes
#endif
		:: else -> goto told
		fi };
deliver:
	atomic { d_step {
		printf("C %d\n", m_inc + 1);
		printf("I %d %d %d %d 1\n", m_src, m_kind, m_seq, m_ack);
		if :: !m_late -> stand = 0 :: else fi;
		if
		:: m_src == CLI -> from_client()
		:: m_src == PRD -> from_prod()
		:: else -> from_sut()
		fi
	} };
pushes:
	atomic {
		if
		:: m_kind == SYN && m_src == CLI && !m_late && more[m_inc] ->
			d_step { shadow_push(m_inc) }; m_kind = 0; goto pushes
		:: else
		fi;
		if
		:: more[0] -> d_step { shadow_push(0) }; goto pushes
		:: else
		fi;
		if
		:: more[1] -> d_step { shadow_push(1) }; goto pushes
		:: else
		fi;
#if INC > 2
		if
		:: more[2] -> d_step { shadow_push(2) }; goto pushes
		:: else
		fi;
#endif
		goto timeouts
	};
told:
	atomic { d_step { report() } };
next:
	atomic { d_step {
		m_src = 0; m_kind = 0; m_seq = 0; m_ack = 0; m_inc = 0; m_port = 0;
		m_late = 0; answer = 0; jump = 0; tie = 0
	};
	goto end_ };
done:
	skip;
	d_step {
		/* Every connection was played. */
		ix = 0;
		do
		:: ix == INC -> break
		:: else ->
			assert(begun[ix] && gone[ix] != END_NONE);
			ix++
		od;
		printf("E\n")
	};
#ifdef TRACES
	skip;
	d_step { new_run() };
	goto again
#endif
}
