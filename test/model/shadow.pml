/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shadow.pml - The shadow machine between a client, production and the SUT
 *
 * Theory of operation
 *
 * One process, one loop. Each turn, something happens that can happen: client or
 * production says something (the mirror shows it once, twice, later or not at
 * all), the SUT takes or sends a segment (or the wire loses it), or time passes to
 * the machine's or the SUT's next deadline. The machine then does all that it
 * does in one call of the engine, in one indivisible step. It is written function
 * by function as src/live/shadow is, under the same names, so that the two can be read
 * side by side; what is different is named in README.md.
 *
 * Units. Sequence numbers count units: SYN 0, then one for each segment of data,
 * then the FIN. A client's unit is a whole request, answers have one or two units.
 *
 * Time is in ms and exact: every deadline is what is left of it. While anybody
 * can speak it passes at most SLOW times in a run: that is how late, slow and
 * crossing segments come about. Otherwise it passes freely to the next deadline.
 *
 * The wire to the SUT takes all the delay and has a queue; what the SUT sends is
 * here at once. Only the order of the two counts, so nothing is lost by that.
 *
 * -DTRACES: for simulation; runs without end and prints what replay.c reads.
 */
#ifndef NREQ
#define NREQ 2 /* requests of a client: 0 to NREQ */
#endif
#ifndef NREQ_MIN
#define NREQ_MIN 0
#endif
#ifndef PLEN
#define PLEN 1 /* most units of production's answers */
#endif
#ifndef SLEN
#define SLEN 1 /* of the SUT's */
#endif
#ifndef CAPL
#define CAPL 0 /* packets that the mirror loses */
#endif
#ifndef DUP
#define DUP 0 /* that it shows twice, or the client repeats */
#endif
#ifndef SWAP
#define SWAP 0 /* that it shows after the next one */
#endif
#ifndef ILOSS
#define ILOSS 0 /* segments lost between us and the SUT, either way */
#endif
#ifndef SRST
#define SRST 0 /* resets of the SUT */
#endif
#ifndef CRST
#define CRST 0 /* 1: the client may reset */
#endif
#ifndef PRST
#define PRST 0 /* 1: production may reset */
#endif
#ifndef CZW
#define CZW 0 /* windows of 0 that the client tells */
#endif
#ifndef SZW
#define SZW 0 /* that the SUT tells */
#endif
#ifndef SLOW
#define SLOW 0 /* times that time passes while somebody could speak */
#endif
#ifndef SFIN
#define SFIN 0 /* 1: the SUT may close first */
#endif
#ifndef PFIN
#define PFIN 0 /* 1: production may close first */
#endif
#ifndef MUT
#define MUT 0 /* a planted fault of the machine, by number */
#endif

#define CLI 0
#define PRD 1
#define SUT 2
#define TIM 3

/* Kinds of segments. */
#define SYN    1
#define SYNACK 2
#define ACK    3
#define DATA   4
#define FIN    5
#define RST    6
#define PROBE  7 /* of a closed window: no data, one number back */

/* Event bits, as in flow.h. */
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

#define END_NONE        0
#define END_CLOSED      1
#define END_CLIENT_RST  2
#define END_PROD_RST    3
#define END_SUT_RST     4
#define END_SUT_REFUSED 5
#define END_SYN_TIMEOUT 6
#define END_NO_PROGRESS 7
#define END_GAP         8
#define END_LATE_DATA   9
#define END_IDLE        10

/* What of flow.flags counts here. */
#define LOST      1
#define PLOST     2
#define FIN_SENT  4
#define DRAIN     8
#define RECOVER   16
#define HANDSHAKE 32
#define GAP       64

#define CAUSE_ACK     0
#define CAUSE_PARTIAL 1
#define CAUSE_DRAIN   2
#define CAUSE_DUP     3
#define CAUSE_OTHER   4

/* Deadlines. */
#define RTO   0
#define DACK  1
#define SPONT 2
#define HOLD  3
#define GAPT  4
#define IDLE  5
#define NEVER (-1)

#define REORDER_WAIT   20
#define GAP_HOLD       1000
#define DACK_WAIT      20
#define HANDSHAKE_WAIT 2
#define SPONT_WAIT     180
#define FIN_HOLD       10000
#define RST_HOLD       2000
#define LATE_HOLD      5000
#define TIME_WAIT      500
#define UNSENT_WAIT    5
#define IDLE_WAIT      30000
#define SYN_TRIES      5
#define SYN_DOUBT      2
#define DATA_TRIES     12
#define SUT_RTO        300
#define AGE_MAX        10000

#ifndef W
#define W 20 /* units of an open window: more than any stream has */
#endif
#define UNITS 9	 /* of a stream, with SYN and FIN */
#define XS    4	 /* exchanges */
#define Q     8	 /* segments on their way to the SUT */

/* Exchange bits. */
#define X_C 1
#define X_P 2
#define X_S 4
#define X_PASSED 8
#define X_JUDGED 16
#define X_BEGUN 32
#define X_CBEGUN 64

#define has(v, b) (((v) & (b)) != 0)

/* --- what really happens --- */
byte nreq; /* requests that the client will send */
byte plen[XS], slen[XS];
byte k_snd, k_rcv; /* client: next unit to send, to receive */
bit k_up, k_fin, k_open = 1;
byte g_snd, g_rcv, g_acked, g_ans, g_left; /* production */
bit g_up, g_fin;
bit over; /* reset */
byte capl = CAPL, dups = DUP, swaps = SWAP, iloss = ILOSS, srst = SRST;
byte crst = CRST, prst = PRST, czw = CZW, szw = SZW, slow = SLOW;
byte ksn[UNITS]; /* production's answers that the client had acked, by unit */
byte finsn, rstsn; /* when it sent its FIN; when somebody reset */

/* The mirror shows this after the next one. */
bit held_one, held_new;
byte h_src, h_kind, h_seq, h_ack, h_win;
bit again; /* show the last one a second time */

/* The wire to the SUT. */
byte qn;
byte qk[Q], qs[Q], qa[Q], qw[Q];

/* The SUT. */
byte t_state; /* 0 closed, 1 SYN received, 2 open, 3 done */
byte t_rcv, t_snd, t_una, t_edge, t_ans, t_left, t_done;
byte t_ooo; /* units that came early, by bit */
bit t_aborted, t_fin, t_finrx, t_closed, t_rx;
short t_rto = NEVER;
byte t_legs;

/* --- the machine --- */
bit fl;	  /* there is a flow */
bit tw;	  /* only remembered */
short ev;
byte leg, why_ended, flags, tries, dupacks;
byte c_iss, c_nxt, c_fin, c_ack, c_win, p_ack, rst_ack;
short c_early;
bit c_fink, c_ended;
byte facks[UNITS]; /* ack that came with a client's unit */
byte age[2 * UNITS]; /* of early units: the client's, then production's */
byte packs[UNITS]; /* ack that came with an early unit of production's */
bit untaken; /* met in the middle: production has acked nothing of it yet */
bit heard; /* production, at all */
bit early; /* its SYN,ACK, before the client's SYN */
bit p_on, p_fink, p_ended;
byte p_nxt, p_fin;
short p_early;
byte s_nxt, s_fin;
short s_early;
bit s_fink, s_ended;
byte snd_una, snd_nxt, q_end, recover_;
bit snd_wnd;
byte ack_sent, edge, a_cur, a_win, p_base, s_base;
byte ack_n;
byte aq[8], aw[8];
bit dup_ack, hold_passed, framed;
byte gap_c, gap_p; /* age of a hole plus 1, 0: none */
short due[6];
short progress;	 /* since the SUT's last progress */
int srtt, rttvar;
short rtt_at = NEVER;
byte rtt_seq;
bit w_judge, w_sync, w_phole, w_free;
byte xh, xn; /* exchanges xh .. xn - 1 are open */
byte xf[XS], xep[XS], xes[XS], xack[XS];
byte mc, mp, ms; /* marks */

/* --- ghosts: for the assertions only --- */
bit lossy;	 /* a copy was lost: production may be misread */
bit acked_any;	 /* an ack was told on this leg */
byte legs;	 /* legs begun */
byte stand;	 /* deadlines since anybody said anything new */
byte ends;	 /* and ended */

/* --- of the step under way; 0 between steps --- */
byte m_src, m_kind, m_seq, m_ack, m_win; /* what comes in */
byte m_data; /* unit of data in it, 0: none */
bit answer; /* the SUT answers it */
bit hole;   /* production's hole is believed */
byte sy;    /* look for a message to start at */
#define SYNC_EARLY 1
#define SYNC_SEG   2
bit go;	    /* the machine looks at the whole flow */
short jump; /* how far time goes */

/* --- scratch: written before it is read, within one step --- */
hidden int pk, base_p, base_s, at, ix, jx, unit, cand, nedge, to_ack, to_edge, win, fresh, num, dur;
hidden byte open_, stop, part, ok, yes, keep;
hidden byte cause, why, kind_, seq_, force_;

#define p_end (p_nxt + p_ended)
#define c_end (c_nxt + c_ended)
#define s_end (s_nxt + s_ended)
#define snd_seq (snd_nxt + (has(flags, FIN_SENT)))
#define q_send (snd_nxt < q_end)
#define played (leg != LEG_NONE && leg != LEG_CLOSED)
#define late(x) (p_ended && p_fin < facks[x])
#define mirror_over (has(ev, EV_C_RST | EV_P_RST) || \
		     (has(ev, EV_C_FIN) && has(ev, EV_P_FIN)))
#define client_hole (c_end < p_ack && !c_ended && !has(flags, LOST | GAP))
/* Production's next unit is here, and waits for what it acks. */
#define prod_waits has(p_early, 1 << p_nxt)
#define prod_hole (p_on && !p_ended && !has(flags, PLOST) && !prod_waits && \
		   p_end < c_ack)
/* Is the one unit that is missing the FIN? (Its width is a byte.) */
#define clean (!lossy && srst == SRST && !over)

inline event_bits(b) {
	ev = ev | (b)
}

/* Put a segment on the wire to the SUT. */
inline wire(k, s, a, w) {
	printf("U %d %d %d %d\n", k, s, a, w);
	if
	:: k == ACK && qn > 0 && qk[qn - 1] == ACK ->
		qs[qn - 1] = s;
		qa[qn - 1] = a;
		qw[qn - 1] = w
	:: else ->
		assert(qn < Q);
		qk[qn] = k;
		qs[qn] = s;
		qa[qn] = a;
		qw[qn] = w;
		qn++
	fi
}

/* --- ack.c --- */

/* place_of(): where production's number lies in the SUT's stream: pl, open */
inline place(x) {
	pk = x;
	if :: p_fink && p_fin < pk -> pk = p_fin :: else fi;
	open_ = 0;
	if
	:: has(flags, PLOST) -> at = s_nxt
	:: else ->
		base_p = p_base;
		base_s = s_base;
		ix = xh;
		stop = 0;
		do
		:: stop || ix >= xn -> break
		:: else ->
			if
			:: has(xf[ix], X_PASSED) -> ix++
			:: else ->
				if
				:: !has(xf[ix], X_P) || pk < xep[ix] -> stop = 1
				:: else ->
					if
					:: !has(xf[ix], X_S) ->
						open_ = 1;
						stop = 1
					:: else ->
						base_p = xep[ix];
						base_s = xes[ix];
						ix++
					fi
				fi
			fi
		od;
		if
		:: open_ -> at = s_nxt
		:: else ->
			at = base_s + (pk - base_p);
			if
			:: ix < xn ->
				if
				:: has(xf[ix], X_S) && xes[ix] < at -> at = xes[ix]
				:: else
				fi
			:: else
			fi
		fi
	fi
}

/* sut_reached(): ok */
inline sut_reached(x) {
	if
	:: s_ended -> ok = 1
	:: !s_ended && has(flags, PLOST) -> ok = (ms >= mc)
	:: !s_ended && !has(flags, PLOST) && prod_hole && p_end < x -> ok = 0
	:: else ->
		place(x);
		ok = (!open_ && at <= s_nxt)
	fi
}

inline data_ack(x) {
	pk = x;
	if :: p_fink && p_fin < pk -> pk = p_fin :: else fi
}

inline pass(x) {
	data_ack(x);
	ix = xh;
	do
	:: ix >= xn -> break
	:: else ->
		if
		:: has(xf[ix], X_PASSED)
		:: !has(xf[ix], X_PASSED) && has(xf[ix], X_P) &&
		   has(xf[ix], X_S) && pk >= xep[ix] ->
			xf[ix] = xf[ix] | X_PASSED;
			p_base = xep[ix];
			s_base = xes[ix];
			if :: a_cur < p_base -> a_cur = p_base :: else fi
		:: else -> break
		fi;
		ix++
	od
}

inline ack_queue(a, w) {
	if
	:: ack_n < 8 -> ack_n++
	:: else
	fi;
	aq[ack_n - 1] = a;
	aw[ack_n - 1] = w
}

inline consume() {
	do
	:: ack_n == 0 -> break
	:: else ->
		pass(aq[0]);
		place(aq[0]);
		if
		:: open_ || s_nxt < at -> break
		:: else
		fi;
		data_ack(aq[0]);
		if :: a_cur < pk -> a_cur = pk :: else fi;
		a_win = aw[0];
		ack_n--;
		jx = 0;
		do
		:: jx >= ack_n -> break
		:: else ->
			aq[jx] = aq[jx + 1];
			aw[jx] = aw[jx + 1];
			jx++
		od;
		aq[ack_n] = 0;
		aw[ack_n] = 0
	od
}

#define draining (has(flags, DRAIN) || \
		  (has(ev, EV_C_FIN) && has(ev, EV_P_FIN) && \
		   has(flags, FIN_SENT)))

/* ack_plan(): pa, pe, part, cause */
inline ack_plan(force) {
	consume();
	place(a_cur);
	cand = at;
	if :: s_nxt < cand -> cand = s_nxt :: else fi;
	nedge = cand + a_win;
	part = 0;
	cause = CAUSE_ACK;
	if
	:: draining ->
		cand = s_nxt;
		cause = CAUSE_DRAIN;
#if MUT == 3
		nedge = cand + a_win
#else
		nedge = cand + W
#endif
	:: !draining && ack_n > 0 ->
		place(aq[0]);
		if
		:: cand < s_nxt ->
			cand = s_nxt;
			part = !open_;
			cause = (open_ -> CAUSE_ACK : CAUSE_PARTIAL)
		:: else
		fi;
		nedge = at + aw[0];
#if MUT == 4
		cand = aq[0]
#endif
	:: else
	fi;
	if :: force -> cand = s_nxt :: else fi;
	to_ack = (ack_sent < cand -> cand : ack_sent);
	to_edge = (edge < nedge -> nedge : edge);
	if :: s_ended && to_ack == s_nxt -> to_ack = s_nxt + 1 :: else fi
}

/* --- send.c --- */

/* effect_tcp(): a segment with the ack and window that may be told now */
inline effect(kind, seq, why_, force) {
	ack_plan(force);
	if
	:: part && why_ != CAUSE_PARTIAL && why_ != CAUSE_ACK -> to_ack = ack_sent
	:: else
	fi;
	win = to_edge - to_ack;
	if :: win > W -> win = W :: else fi;
	assert(has(ev, EV_C_ACK) && has(ev, EV_P_SYNACK) &&
	       has(ev, EV_S_SYNACK));	      /* I21 */
	assert(to_ack <= t_snd);		      /* I6 */
	assert(!acked_any || to_ack >= ack_sent); /* I7 */
	assert(to_ack + win >= edge);	      /* I38 */
	assert(why_ != CAUSE_DRAIN || win > 0); /* I11 */
	acked_any = 1;
	ack_sent = to_ack;
	edge = to_ack + win;
	dup_ack = 0;
	flags = flags & ~HANDSHAKE;
	due[DACK] = NEVER;
	if :: ack_sent == s_end -> due[SPONT] = NEVER :: else fi;
	wire(kind, seq, to_ack, win);
	if :: why_ == CAUSE_DRAIN -> flags = flags | DRAIN :: else fi
}

/* rto_of(): t */
inline rto_of() {
	dur = 1000;
	if
	:: srtt != 0 ->
		dur = (srtt + 4 * rttvar) / 1000;
		if :: dur < 200 -> dur = 200 :: else fi
	:: else
	fi;
	num = (tries < 6 -> tries : 6);
	do :: num > 0 -> dur = dur * 2; num-- :: else -> break od;
	if :: dur > 10000 -> dur = 10000 :: else fi
}

inline sent_something() {
	if
	:: due[RTO] == NEVER ->
		rto_of();
		due[RTO] = dur
	:: else
	fi
}

/* released(): ok */
inline released(x) {
	ok = 1;
	if
	:: late(x) && !s_ended && !(hold_passed && x + 1 <= p_ack) ->
		ok = 0;
		if
		:: due[HOLD] == NEVER && !hold_passed -> due[HOLD] = LATE_HOLD
		:: else
		fi
	:: else ->
		if
		:: has(flags, PLOST)
		:: !has(flags, PLOST) && p_end < facks[x] -> ok = 0
		:: else ->
			place(facks[x]);
#if MUT == 6
			skip
#else
			ok = (s_ended || !open_)
#endif
		fi
	fi
}

inline send_data() {
	stop = 0;
	do
	:: !q_send || stop -> break
	:: else ->
		unit = snd_nxt;
		released(unit);
		stop = !ok;
		if
		:: ok && !snd_wnd ->
			sent_something();
			stop = 1
		:: ok && snd_wnd ->
			/* I16b */
			assert(!clean || legs > 1 || t_done >= ksn[unit] || t_fin);
			/* I16 */
			assert(!clean || !late(unit) || s_ended || hold_passed);
			effect(DATA, unit, CAUSE_OTHER, 0);
			if
			:: rtt_at == NEVER ->
				rtt_at = 0;
				rtt_seq = snd_nxt
			:: else
			fi;
			snd_nxt++;
			sent_something();
			stop = 0
		:: else
		fi
	od
}

inline retransmit() {
	rtt_at = NEVER;
	kind_ = 0;
	if
	:: snd_una == snd_seq && q_send ->
		kind_ = PROBE;
		seq_ = snd_una - 1
	:: !(snd_una == snd_seq && q_send) && snd_una < snd_nxt &&
	   snd_una < q_end ->
		kind_ = DATA;
		seq_ = snd_una;
		recover_ = snd_nxt;
		flags = flags | RECOVER
	:: !(snd_una == snd_seq && q_send) &&
	   !(snd_una < snd_nxt && snd_una < q_end) && snd_una != snd_seq ->
		kind_ = FIN;
		seq_ = c_fin
	:: else -> tries = 0
	fi;
	if
	:: kind_ != 0 ->
		if
		:: MUT == 2 && kind_ == DATA
		:: else -> effect(kind_, seq_, CAUSE_OTHER, 0)
		fi;
		rto_of();
		due[RTO] = dur
	:: else
	fi
}

/* --- life.c --- */

inline remember() {
	if
	:: !tw ->
		tw = 1;
		due[IDLE] = TIME_WAIT
	:: else
	fi
}

#define resumes(y) (y == END_SUT_RST || y == END_SUT_REFUSED || \
		    y == END_SYN_TIMEOUT || y == END_NO_PROGRESS || y == END_GAP)

inline leg_over(y) {
	if
	:: leg == LEG_NONE || leg == LEG_CLOSED
	:: else ->
		q_end = snd_nxt;
		s_early = 0;
		leg = (y == END_CLOSED -> LEG_CLOSED : LEG_NONE);
		why_ended = y;
		if :: untaken && legs == ends -> legs++ :: else fi; /* never begun */
		ends++;
		assert(ends == legs); /* I24: once a leg */
		ack_n = 0;
		ix = 0;
		do
		:: ix == 8 -> break
		:: else ->
			aq[ix] = 0;
			aw[ix] = 0;
			ix++
		od;
		due[RTO] = NEVER;
		due[DACK] = NEVER;
		due[SPONT] = NEVER;
		due[HOLD] = NEVER;
		w_judge = 1;
		if
		:: resumes(y) ->
			w_sync = 1;
			flags = flags | LOST
		:: else
		fi;
		if :: mirror_over -> remember() :: else fi
	fi
}

inline shadow_end(y) {
	if
	:: leg == LEG_NONE || leg == LEG_CLOSED
	:: else ->
		if
		:: leg == LEG_SYN_SENT -> wire(RST, snd_seq, 0, 0)
		:: leg == LEG_OPEN -> wire(RST, snd_seq, ack_sent, 0)
		:: else
		fi;
		leg_over(y)
	fi
}

inline start_leg() {
	due[HOLD] = NEVER;
	hold_passed = 0;
	leg = LEG_SYN_SENT;
	tries = 0;
	legs++;
	acked_any = 0;
	rtt_at = 0;
	rtt_seq = c_iss;
	wire(SYN, c_iss, 0, W);
	sent_something()
}

/* hold_over(): ok */
inline hold_over(limit) {
	ok = 0;
	if
	:: progress >= limit -> ok = 1
	:: else -> due[HOLD] = limit - progress
	fi
}

#define data_pending (q_send && !late(snd_nxt))

inline push_rst() {
	why = (has(ev, EV_C_RST) -> END_CLIENT_RST : END_PROD_RST);
	ok = 0;
	if
	:: leg == LEG_OPEN && !data_pending && snd_una == snd_seq ->
		sut_reached(rst_ack)
	:: else
	fi;
	if
	:: ok -> shadow_end(why)
	:: else ->
		hold_over(RST_HOLD);
		if :: ok -> shadow_end(why) :: else fi
	fi
}

inline push_fin() {
	if
	:: has(flags, FIN_SENT) || q_send || snd_nxt != c_fin
	:: else ->
#if MUT == 5
		ok = 1;
#else
		sut_reached(rst_ack);
		if :: !ok -> hold_over(FIN_HOLD) :: else fi;
#endif
		if
		:: ok ->
			/* I16a */
			assert(!clean || legs > 1 || t_done >= finsn || t_fin ||
			       progress >= FIN_HOLD);
			effect(FIN, snd_nxt, CAUSE_OTHER, 0);
			flags = flags | FIN_SENT;
			due[HOLD] = NEVER;
			sent_something()
		:: else
		fi
	fi
}

inline close_push() {
	if
	:: has(ev, EV_C_RST | EV_P_RST) -> push_rst()
	:: else ->
		if
		:: q_send && !data_pending && hold_passed && !s_ended &&
		   late(snd_nxt) && !(snd_nxt + 1 <= p_ack) ->
			shadow_end(END_LATE_DATA)
		:: else
		fi;
		if
		:: leg == LEG_OPEN && has(ev, EV_C_FIN) -> push_fin()
		:: else
		fi;
		if
		:: leg == LEG_OPEN && has(ev, EV_S_ACKFIN) && s_ended &&
		   ack_sent == s_end -> leg_over(END_CLOSED)
		:: else
		fi
	fi
}

/* --- ack.c, once more --- */

#define edge_matters (edge < to_edge && (edge == ack_sent || to_edge - edge >= W / 2))

inline ack_push() {
	ack_plan(0);
	fresh = to_ack - ack_sent;
	yes = 1;
	why = CAUSE_DUP;
	if
	:: dup_ack
	:: !dup_ack && has(flags, HANDSHAKE) && s_nxt == 1 ->
		yes = 0;
		if
		:: due[DACK] == NEVER -> due[DACK] = HANDSHAKE_WAIT
		:: else
		fi
	:: !dup_ack && has(flags, HANDSHAKE) && s_nxt != 1 ->
		why = (part -> CAUSE_DUP : cause)
	:: else ->
		if
		:: fresh != 0 && !part -> why = cause
		:: !(fresh != 0 && !part) && edge_matters -> why = CAUSE_OTHER
		:: else ->
			yes = 0;
			if
			:: fresh != 0 && due[DACK] == NEVER ->
				due[DACK] = DACK_WAIT
			:: else
			fi
		fi
	fi;
	if :: yes -> effect(ACK, snd_seq, why, 0) :: else fi;
	if
	:: ack_sent == s_end -> due[SPONT] = NEVER
	:: else ->
		if
		:: due[SPONT] == NEVER -> due[SPONT] = SPONT_WAIT
		:: else
		fi
	fi
}

/* --- gap.c --- */

/* Age of the hole in front of the first early unit: n */
inline hole_age(bits, from, noticed) {
	num = noticed - 1;
	jx = 1;
	do
	:: jx >= UNITS -> break
	:: else ->
		if
		:: has(bits, 1 << jx) ->
			if :: age[from + jx] > num -> num = age[from + jx] :: else fi;
			break
		:: else
		fi;
		jx++
	od
}

inline gap_watch() {
	if
	:: w_phole || w_sync
	:: else ->
		due[GAPT] = NEVER;
		if
		:: client_hole ->
			if :: gap_c == 0 -> gap_c = 1 :: else fi;
			hole_age(c_early, 0, gap_c);
			due[GAPT] = REORDER_WAIT - num
		:: else -> gap_c = 0
		fi;
		if
		:: prod_hole ->
			if :: gap_p == 0 -> gap_p = 1 :: else fi;
			hole_age(p_early, UNITS, gap_p);
			if
			:: due[GAPT] == NEVER || REORDER_WAIT - num < due[GAPT] ->
				due[GAPT] = REORDER_WAIT - num
			:: else
			fi
		:: else -> gap_p = 0
		fi
	fi
}

inline gap_lost() {
	flags = (flags | LOST) & ~GAP;
	if :: c_fink -> event_bits(EV_C_FIN) :: else fi;
	w_sync = 1
}

/* What is missing is one number, the FIN's: the model knows it by its place. */
inline gap_timeout() {
#if MUT != 7
	if
	:: client_hole ->
		hole_age(c_early, 0, gap_c);
		if
		:: gap_c != 0 && num >= REORDER_WAIT ->
			gap_c = 0;
			if :: prod_waits -> w_phole = 1 :: else fi;
			if
			:: k_fin && c_end == k_snd - 1 && p_ack == k_snd &&
			   c_early == 0 && !c_fink &&
			   (p_fink || has(ev, EV_P_FIN)) ->
				event_bits(EV_C_ACK);
				rst_ack = c_ack;
				c_fink = 1;
				c_fin = c_nxt;
				c_ended = 1
			:: else ->
				if
				:: leg == LEG_NONE || leg == LEG_CLOSED ->
					gap_lost()
				:: else ->
					flags = flags | GAP;
					progress = 0
				fi
			fi
		:: else
		fi
	:: else
	fi;
#endif
	if
	:: prod_hole ->
		hole_age(p_early, UNITS, gap_p);
		if
		:: gap_p != 0 && num >= REORDER_WAIT ->
			gap_p = 0;
			if
			:: g_fin && p_end == g_snd - 1 && c_ack == g_snd &&
			   p_early == 0 && !p_fink && c_fink ->
				p_fink = 1;
				p_fin = p_nxt;
				p_ended = 1
			:: else
			fi;
			w_phole = 1
		:: else
		fi
	:: else
	fi
}

inline gap_push() {
	if
	:: has(flags, GAP) ->
		ok = (!q_send && snd_una == snd_nxt && ms >= mc);
		if
		:: !ok && leg != LEG_WAITING && progress < GAP_HOLD ->
			due[HOLD] = GAP_HOLD - progress
		:: else ->
			shadow_end(END_GAP);
			if :: leg == LEG_NONE -> gap_lost() :: else fi
		fi
	:: else
	fi
}

/* --- shadow.c --- */

inline settle() {
	if :: c_fink && c_nxt == c_fin -> c_ended = 1 :: else fi;
	if :: p_fink && p_nxt == p_fin -> p_ended = 1 :: else fi;
	if :: s_fink && s_nxt == s_fin -> s_ended = 1 :: else fi
}

inline push_bytes() {
	settle();

	if :: c_ended -> ev = ev | EV_C_FIN :: else fi;
	if :: p_ended -> ev = ev | EV_P_FIN :: else fi;
	if :: s_ended -> ev = ev | EV_S_FIN :: else fi;
	gap_watch();
	if
	:: leg == LEG_WAITING && !untaken -> start_leg()
	:: leg == LEG_WAITING && untaken && has(ev, EV_C_RST | EV_P_RST) ->
		leg_over((has(ev, EV_C_RST) -> END_CLIENT_RST : END_PROD_RST))
	:: else
	fi;
	if
#if MUT == 8
	:: leg == LEG_OPEN ->
#else
	:: leg == LEG_OPEN && has(ev, EV_C_ACK) ->
#endif
		send_data();
		ack_push()
	:: else
	fi
}

inline push_end() {
	gap_push();
	if
	:: leg == LEG_OPEN || leg == LEG_SYN_SENT -> close_push()
	:: else
	fi;
	if
	:: leg == LEG_CLOSED && dup_ack -> effect(ACK, snd_seq, CAUSE_DUP, 0)
	:: else
	fi;
	if
	:: mirror_over && (leg == LEG_NONE || leg == LEG_CLOSED) -> remember()
	:: else
	fi;
	/* shadow_retire() of a leg that has ended */
	if
	:: leg == LEG_NONE || leg == LEG_CLOSED ->
		do
		:: xh < xn && has(xf[xh], X_P) && has(xf[xh], X_C) &&
		   has(xf[xh], X_JUDGED) -> drop_exchange()
		:: else -> break
		od
	:: else
	fi
}

/* --- exchange.c --- */

inline drop_exchange() {
	xf[xh] = 0;
	xep[xh] = 0;
	xes[xh] = 0;
	xack[xh] = 0;
	xh++;
	if :: mc < xh -> mc = xh :: else fi;
	if :: mp < xh -> mp = xh :: else fi;
	if :: ms < xh -> ms = xh :: else fi;
	if :: xn < xh -> xn = xh :: else fi
}

inline exchange_open(k) {
	assert(k < XS);
	if :: xn <= k -> xn = k + 1 :: else fi
}

inline try_judge(k) {
	if
	:: has(xf[k], X_P) && (has(xf[k], X_S) || leg == LEG_NONE) ->
		xf[k] = xf[k] | X_JUDGED
	:: else
	fi
}

inline mark_prod(seq) {
	exchange_open(mp);
	xf[mp] = xf[mp] | X_P | X_BEGUN;
	xep[mp] = seq;
	try_judge(mp);
	mp++
}

inline mark_sut(seq) {
	exchange_open(ms);
	xf[ms] = xf[ms] | X_S | X_BEGUN;
	xes[ms] = seq;
	try_judge(ms);
	ms++
}

/* --- read.c, stream.c --- */

/* Which answer of production ends with unit x? yes: one does. */
inline answer_ends(x) {
	jx = 0;
	num = 1;
	yes = 0;
	do
	:: jx >= XS || num > x -> break
	:: else ->
		num = num + plen[jx];
		if :: num == x + 1 -> yes = 1 :: else fi;
		jx++
	od
}

inline read_prod_early() {
	do
	:: has(p_early, 1 << p_nxt) && !(p_fink && p_nxt >= p_fin) &&
	   !(c_end < packs[p_nxt] && client_hole) ->
		p_early = p_early & ~(1 << p_nxt);
		age[UNITS + p_nxt] = 0;
		packs[p_nxt] = 0;
		prod_in_order()
	:: else -> break
	od
}

inline prod_in_order() {
	p_nxt++;
	gap_p = 0; /* gap_progress() */
	if
	:: !framed && c_end < p_ack -> flags = flags | PLOST
	:: else
	fi;
	if
	:: has(flags, PLOST)
	:: else ->
		answer_ends(p_nxt - 1);
		exchange_open(mp);
		xf[mp] = xf[mp] | X_BEGUN;
		if :: yes -> mark_prod(p_nxt) :: else fi
	fi
}

inline skip_prod(to) {
	num = to;
	if :: p_fink && p_fin < num -> num = p_fin :: else fi;
	do
	:: p_nxt < num ->
		p_early = p_early & ~(1 << p_nxt);
		age[UNITS + p_nxt] = 0;
		packs[p_nxt] = 0;
		p_nxt++
	:: else -> break
	od;
	settle()
}

inline resync_prod(a, k) {
	if
	:: a < p_nxt
	:: else ->
		skip_prod(a);
		flags = flags & ~PLOST;
		do
		:: mp < k -> mark_prod(a)
		:: else -> break
		od;
		read_prod_early()
	fi
}

/* A client's unit that is next. */
inline client_in_order(x) {
	c_nxt = x + 1;
	gap_c = 0; /* gap_progress() */
	if :: played -> q_end = c_nxt :: else fi;
	framed = 1;
	if
	:: has(flags, PLOST) -> resync_prod(facks[x], mc)
	:: else
	fi;
	exchange_open(mc);
	xf[mc] = xf[mc] | X_C | X_CBEGUN | X_BEGUN;
	xack[mc] = facks[x];
	mc++
}

inline read_client(x, a) {
	cause = (x == c_nxt); /* its ack is in the queue already */
	if
	:: x == 0 || (c_fink && x >= c_fin) || x < c_nxt ||
	   has(c_early, 1 << x)
	:: else ->
		c_early = c_early | (1 << x);
		facks[x] = a;
		age[x] = 0
	fi;
	do
	:: has(c_early, 1 << c_nxt) ->
		unit = c_nxt;
		c_early = c_early & ~(1 << unit);
		age[unit] = 0;
		if
		:: !cause && played && a_cur < facks[unit] ->
			ack_queue(facks[unit], c_win)
		:: else
		fi;
		cause = 0;
		client_in_order(unit)
	:: else -> break
	od;
	settle()
}

inline read_prod(x, a) {
	if
	:: x == 0 || x < p_nxt || (p_fink && x >= p_fin && !has(flags, PLOST))
	:: else ->
		if
		:: !has(p_early, 1 << x) ->
			p_early = p_early | (1 << x);
			packs[x] = a;
			age[UNITS + x] = 0
		:: else
		fi
	fi;
	if
	:: !has(flags, PLOST) -> read_prod_early()
	:: else
	fi;
	settle()
}

inline read_hole() {
	dur = c_ack;
	jx = 1;
	do
	:: jx >= UNITS -> break
	:: else ->
		if :: has(p_early, 1 << jx) -> dur = jx; break :: else fi;
		jx++
	od;
	ix = p_nxt;
	if :: p_end < dur -> skip_prod(dur) :: else fi;
	if
	:: p_nxt > ix ->
		exchange_open(mp);
		if :: framed -> flags = flags | PLOST :: else fi
	:: else
	fi;
	if
	:: has(flags, PLOST) ->
		ix = xh;
		do
		:: ix >= xn -> break
		:: else ->
			if
			:: has(xf[ix], X_CBEGUN) && ix >= mp && p_nxt <= xack[ix] ->
				resync_prod(xack[ix], ix);
				break
			:: else
			fi;
			ix++
		od
	:: else -> read_prod_early()
	fi;
	settle()
}

/* --- tcp.c of the engine, begin.c --- */

inline drop_all() {
	do :: xh < xn -> drop_exchange() :: else -> break od
}

inline prod_start(seq) {
	p_on = 1;
	p_nxt = seq;
	p_fink = 0;
	p_ended = 0;
	c_ack = seq;
	a_cur = seq;
	p_base = seq;
	rst_ack = seq
}

inline client_start(iss) {
	c_iss = iss;
	c_nxt = iss + 1;
	c_fink = 0;
	c_ended = 0;
	p_ack = iss + 1;
	snd_una = iss + 1;
	snd_nxt = iss + 1;
	q_end = iss + 1;
	c_win = W;
	a_win = W;
	edge = W
}

/* read_restart(): keep */
inline read_restart(a) {
	keep = 0;
	if
	:: framed && !has(flags, PLOST) && p_on ->
		num = p_base;
		do
		:: xh < xn && has(xf[xh], X_P) && xep[xh] <= a ->
			num = xep[xh];
			drop_exchange()
		:: else -> break
		od;
		keep = (num == a);
		ix = xh;
		do
		:: ix >= xn -> break
		:: else ->
			if :: has(xf[ix], X_C | X_S) -> keep = 0 :: else fi;
			ix++
		od
	:: else
	fi;
	if
	:: keep ->
		mc = (xh < xn -> xh : mp);
		ms = mc;
		ix = xh;
		do
		:: ix >= xn -> break
		:: else ->
			xf[ix] = xf[ix] & (X_P | X_BEGUN);
			ix++
		od
	:: else ->
		drop_all();
		xh = 0;
		xn = 0;
		mc = 0;
		mp = 0;
		ms = 0
	fi
}

inline shadow_restart(seq, a) {
	/* count_missing() */
	jx = 1;
	do
	:: jx >= UNITS -> break
	:: else ->
		if
		:: jx < seq ->
			c_early = c_early & ~(1 << jx);
			age[jx] = 0
		:: else
		fi;
		jx++
	od;
	if :: p_on && !keep -> skip_prod(c_ack) :: else fi;
	pk = p_ack;
	base_p = c_ack;
	base_s = rst_ack;
	yes = c_fink;
	fresh = c_win;
	client_start(seq - 1);
	c_fink = yes;
	c_win = fresh;
	a_win = fresh;
	if :: p_ack < pk -> p_ack = pk :: else fi;
	untaken = heard && p_ack <= seq;
	flags = 0;
	dur = p_nxt;
	yes = p_on;
	ok = p_fink;
	open_ = p_ended;
	prod_start(a);
	rst_ack = base_s;
	if
	:: keep || yes ->
		p_nxt = dur;
		p_fink = ok;
		p_ended = open_;
		if
		:: !keep && (dur != a || p_early != 0) -> flags = PLOST
		:: else
		fi
	:: else
	fi;
	if :: a < base_p -> c_ack = base_p :: else fi;
	ev = EV_C_ACK | EV_P_SYNACK | (ev & (EV_C_RST | EV_P_RST | EV_P_FIN));
	s_nxt = 0;
	s_fink = 0;
	s_ended = 0;
	s_early = 0;
	srtt = 0;
	rttvar = 0;
	rtt_at = NEVER;
	tries = 0;
	why_ended = END_NONE;
	leg = LEG_WAITING;
	progress = 0;
	gap_c = 0;
	gap_p = 0;
	hold_passed = 0;
	tw = 0;
	due[IDLE] = IDLE_WAIT
}

/* seg: is there a segment of the client with data? */
inline sync() {
	if
	:: leg == LEG_NONE && resumes(why_ended) ->
		unit = 0;
		jx = 1;
		do
		:: jx >= UNITS -> break
		:: else ->
			if :: has(c_early, 1 << jx) -> unit = jx; break :: else fi;
			jx++
		od;
		num = (sy == SYNC_SEG -> m_data : 0);
		if
		:: unit == 0 && num != 0 && num >= c_nxt ->
			unit = num;
			facks[unit] = m_ack
		:: else
		fi;
		if
		:: unit == 0 -> c_early = 0
		:: else ->
			cand = facks[unit];
			read_restart(cand);
			shadow_restart(unit, cand);
			num = (sy == SYNC_SEG -> m_data : 0);
			read_client(num, m_ack)
		fi
	:: else
	fi;
	sy = 0
}

inline attend() {
	if
	:: w_judge ->
		w_judge = 0;
		ix = xh;
		do
		:: ix >= xn -> break
		:: else ->
			if
			:: has(xf[ix], X_BEGUN) &&
			   !((why_ended == END_CLOSED || why_ended == END_SUT_RST) &&
			     !has(xf[ix], X_P)) ->
				xf[ix] = xf[ix] | X_JUDGED
			:: else
			fi;
			ix++
		od
	:: else
	fi;
	if :: w_sync -> sy = SYNC_EARLY :: else fi;
	hole = w_phole;
	w_sync = 0;
	w_phole = 0;
	if
	:: w_free -> free_flow()
	:: else -> go = 1
	fi
}

/* The flow is given back; what is known of it is forgotten. */
inline free_flow() {
	final_check();
	fl = 0;
	tw = 0;
	w_free = 0;
	ev = 0;
	flags = 0;
	tries = 0;
	dupacks = 0;
	c_early = 0;
	p_early = 0;
	untaken = 0;
	ix = 0;
	do
	:: ix == UNITS -> break
	:: else ->
		packs[ix] = 0;
		ix++
	od;
	s_early = 0;
	p_on = 0;
	p_fink = 0;
	p_ended = 0;
	gap_c = 0;
	gap_p = 0;
	framed = 0;
	dup_ack = 0;
	hold_passed = 0;
	srtt = 0;
	rttvar = 0;
	rtt_at = NEVER;
	progress = 0;
	s_nxt = 0;
	s_fink = 0;
	s_ended = 0;
	recover_ = 0;
	ix = 0;
	do
	:: ix == 6 -> break
	:: else ->
		due[ix] = NEVER;
		ix++
	od;
	drop_all();
	xh = 0;
	xn = 0;
	mc = 0;
	mp = 0;
	ms = 0
}

#define told_all (t_finrx && t_rcv == k_snd && t_fin && \
		  (t_una == t_snd || qn > 0 || iloss < ILOSS))

inline final_check() {
	assert(why_ended != END_NONE && ends == legs);		   /* I24 */
	assert(!client_hole);					   /* I17 */
	assert(why_ended != END_IDLE || lossy);			   /* I19 */
	assert(why_ended != END_SYN_TIMEOUT && why_ended != END_NO_PROGRESS);  /* I15 */
	/* I12, I15, I19: whatever the order, all is delivered and closed */
	assert(!clean || why_ended == END_LATE_DATA ||
	       (why_ended == END_CLOSED && told_all))
}

/* A flow, from nothing: by the SYN, or in the middle (shadow_join()). */
inline flow_make() {
	fl = 1;
	tw = 0;
	leg = LEG_WAITING;
	why_ended = END_NONE;
	progress = 0;
	due[IDLE] = IDLE_WAIT
}

inline client_window() {
	if
	:: c_ack < m_ack || (m_ack == c_ack && m_win != c_win) ->
		c_ack = m_ack;
		c_win = m_win;
		if
		:: played && !has(flags, DRAIN) -> ack_queue(m_ack, m_win)
		:: else
		fi
	:: else
	fi
}

inline shadow_client() {
	due[IDLE] = (tw -> due[IDLE] : IDLE_WAIT);
	if
	:: m_kind == RST ->
		if :: !has(ev, EV_C_RST) -> rst_ack = c_ack :: else fi;
		event_bits(EV_C_RST)
	:: else ->
		if
		:: !has(ev, EV_C_ACK) ->
			event_bits(EV_C_ACK);
			if
			:: !has(ev, EV_P_SYNACK) ->
#if MUT != 1
				event_bits(EV_P_SYNACK);
				prod_start(m_ack)
#else
				skip
#endif
			:: else
			fi
		:: else
		fi;
		client_window();
		if
		:: m_kind == FIN ->
			if
			:: has(flags, LOST) -> event_bits(EV_C_FIN)
			:: else
			fi;
			if
			:: !c_fink ->
				if
				:: m_seq >= c_nxt ->
					rst_ack = m_ack;
					c_fink = 1;
					c_fin = m_seq;
					c_ended = (c_nxt == c_fin)
				:: else
				fi
			:: else
			fi
		:: else
		fi
	fi
}

/* What production said before the client's SYN. Where the capture has no SYN and
 * the flow begins with data, it tells nothing new.
 */
inline take_early() {
	if
	:: early && !p_on ->
		event_bits(EV_P_SYNACK);
		prod_start(1)
	:: else
	fi;
	early = 0
}

inline from_client() {
	yes = 1;
	if
	:: m_kind == SYN && !fl ->
		flow_make();
		client_start(0)
	:: m_kind == SYN && fl -> due[IDLE] = (tw -> due[IDLE] : IDLE_WAIT)
	:: m_kind != SYN && !fl ->
		if
		:: m_kind == DATA ->
			flow_make();
			client_start(m_seq - 1);
			ev = EV_C_ACK | EV_P_SYNACK;
			prod_start(m_ack);
			untaken = heard;
			take_early()
		:: else -> yes = 0
		fi
	:: else
	fi;
	if
	:: yes && m_kind == SYN ->
		take_early();
		go = 1
	:: yes && m_kind != SYN ->
		shadow_client();
		if
		:: has(flags, LOST) -> sy = SYNC_SEG
		:: else ->
			read_client(m_data, m_ack);
			if
			:: !has(flags, PLOST) -> read_prod_early()
			:: else
			fi;
			settle()
		fi;
		go = 1
	:: else
	fi
}

inline from_prod() {
	heard = 1;
	if
	:: fl ->
		due[IDLE] = (tw -> due[IDLE] : IDLE_WAIT);
		if
		:: m_kind == RST ->
			if
			:: !has(ev, EV_P_RST | EV_C_RST) ->
				rst_ack = (p_on -> p_nxt : c_ack)
			:: else
			fi;
			event_bits(EV_P_RST)
		:: else ->
			if
			:: !p_on ->
				event_bits(EV_P_SYNACK);
				prod_start((m_kind == SYNACK -> 1 : m_seq))
			:: else
			fi;
			if
			:: p_ack < m_ack ->
				p_ack = m_ack;
				untaken = 0
			:: else
			fi;
			if
			:: m_kind == FIN ->
				if
				:: !p_fink && m_seq >= p_nxt ->
					p_fink = 1;
					p_fin = m_seq;
					p_ended = (p_nxt == p_fin)
				:: else
				fi;
				if
				:: has(flags, PLOST) -> event_bits(EV_P_FIN)
				:: else
				fi
			:: else
			fi
		fi;
		read_prod(m_data, m_ack);
		go = 1
	:: !fl && m_kind == SYNACK -> early = 1
	:: else
	fi
}

/* --- sut.c --- */

inline established() {
	leg = LEG_OPEN;
	event_bits(EV_S_SYNACK);
	s_nxt = 1;
	s_fink = 0;
	s_ended = 0;
	s_base = 1;
	ack_sent = 1;
	edge = 1 + edge;
	snd_wnd = m_win;
	flags = flags | HANDSHAKE;
	tries = 0;
	progress = 0;
	if
	:: rtt_at != NEVER ->
		srtt = (rtt_at == 0 -> 1 : rtt_at * 1000);
		rttvar = srtt / 2;
		rtt_at = NEVER
	:: else
	fi;
	due[RTO] = NEVER
}

inline rtt_sample() {
	if
	:: rtt_at != NEVER && rtt_seq < m_ack ->
		num = (rtt_at == 0 -> 1 : rtt_at * 1000);
		if
		:: srtt == 0 ->
			srtt = num;
			rttvar = num / 2
		:: else ->
			dur = (srtt > num -> srtt - num : num - srtt);
			rttvar = (3 * rttvar + dur) / 4;
			srtt = (7 * srtt + num) / 8
		fi;
		rtt_at = NEVER
	:: else
	fi
}

inline sut_acked() {
	ok = 0; /* is something to be sent again? */
	if
	:: m_ack > snd_seq || m_ack < snd_una
	:: m_ack > snd_una && m_ack <= snd_seq ->
		snd_wnd = (m_win != 0);
		yes = (m_ack == snd_seq);
		snd_una = m_ack;
		tries = 0;
		dupacks = 0;
		progress = 0;
		rtt_sample();
		if
		:: c_fink && m_ack == c_fin + 1 -> event_bits(EV_S_ACKFIN)
		:: else
		fi;
		if
		:: yes -> due[RTO] = NEVER
		:: else ->
			rto_of();
			due[RTO] = dur
		fi;
		if
		:: has(flags, RECOVER) ->
			if
			:: recover_ <= m_ack -> flags = flags & ~RECOVER
			:: else -> ok = 1
			fi
		:: else
		fi
	:: else -> /* m_ack == snd_una */
		if
		:: m_kind != DATA && m_win == snd_wnd && snd_una != snd_seq &&
		   m_kind != FIN ->
			if
			:: dupacks < 3 ->
				dupacks++;
				if
				:: dupacks == 3 && !has(flags, RECOVER) -> ok = 1
				:: else
				fi
			:: else
			fi
		:: else ->
			if
			:: !snd_wnd && !m_win -> tries = 0
			:: else
			fi
		fi;
		yes = 1
	fi;
	if :: ok -> retransmit() :: else fi;
	if :: m_ack == snd_una -> snd_wnd = (m_win != 0) :: else fi
}

inline read_sut() {
	if
	:: m_kind == DATA && m_seq >= s_nxt && !(s_fink && m_seq >= s_fin) ->
		if
		:: m_seq > s_nxt ->
			s_early = s_early | (1 << m_seq);
			dup_ack = 1
		:: else ->
			sut_in_order()
		fi
	:: else
	fi;
	do
	:: has(s_early, 1 << s_nxt) ->
		s_early = s_early & ~(1 << s_nxt);
		sut_in_order()
	:: else -> break
	od;
	settle()
}

/* t_ends: units of the SUT's stream that end an answer, by bit */
short t_ends;

inline sut_in_order() {
	exchange_open(ms);
	xf[ms] = xf[ms] | X_BEGUN;
	s_nxt++;
	if
	:: has(t_ends, 1 << (s_nxt - 1)) -> mark_sut(s_nxt)
	:: else
	fi
}

inline sut_segment() {
	if
	:: m_kind == SYNACK ||
	   (m_seq < s_end &&
	    !has(flags, HANDSHAKE)) ->
		dup_ack = 1
	:: else
	fi;
	if :: leg == LEG_OPEN -> sut_acked() :: else fi;
	if
	:: m_kind == FIN ->
		if
		:: !s_fink && m_seq >= s_nxt ->
			s_fink = 1;
			s_fin = m_seq;
			s_ended = (s_nxt == s_fin)
		:: else
		fi;
		progress = 0
	:: m_kind == DATA -> progress = 0
	:: else
	fi
}

inline from_sut() {
	if
	:: !fl || leg == LEG_NONE || leg == LEG_WAITING ->
		if
		:: m_kind != RST -> wire(RST, m_ack, 0, 0)
		:: else
		fi
	:: else ->
		due[IDLE] = (tw -> due[IDLE] : IDLE_WAIT);
		if
		:: leg == LEG_SYN_SENT ->
			if
			:: m_kind == RST && m_ack == c_iss + 1 ->
				leg_over(END_SUT_REFUSED)
			:: m_kind == SYNACK && m_ack == c_iss + 1 ->
				established()
			:: m_kind != RST &&
			   (m_ack != c_iss + 1 ||
			    (m_kind != SYNACK && tries >= SYN_DOUBT)) ->
				wire(RST, m_ack, 0, 0);
				due[RTO] = UNSENT_WAIT
			:: else
			fi
		:: leg != LEG_SYN_SENT && m_kind == RST ->
			if
			:: leg == LEG_OPEN && m_seq + 1 >= ack_sent ->
				leg_over(END_SUT_RST)
			:: else
			fi
		:: else -> sut_segment()
		fi;
		if :: leg == LEG_OPEN -> read_sut() :: else fi;
		go = 1
	fi
}

/* --- time.c --- */

inline timed_rto() {
	if
	:: due[RTO] == 0 ->
		due[RTO] = NEVER;
		if
		:: leg == LEG_NONE
		:: leg == LEG_SYN_SENT ->
			if
			:: tries >= SYN_TRIES -> shadow_end(END_SYN_TIMEOUT)
			:: else ->
				tries++;
				rtt_at = NEVER;
				rtt_seq = c_iss;
				wire(SYN, c_iss, 0, W);
				sent_something()
			fi
		:: else ->
			if
			:: tries >= DATA_TRIES -> shadow_end(END_NO_PROGRESS)
			:: else ->
				tries++;
				retransmit()
			fi
		fi
	:: else
	fi
}

inline timed_acks() {
	force_ = (due[SPONT] == 0);
	yes = (due[DACK] == 0);
	if :: force_ -> due[SPONT] = NEVER :: else fi;
	if :: yes -> due[DACK] = NEVER :: else fi;
	if
	:: leg == LEG_OPEN && (yes || force_) &&
	   (MUT == 8 || has(ev, EV_C_ACK)) ->
		ack_plan(force_);
		why = (part || force_ -> CAUSE_PARTIAL : CAUSE_ACK);
		if
		:: to_ack == ack_sent && !has(flags, HANDSHAKE)
		:: else -> effect(ACK, snd_seq, why, force_)
		fi
	:: else
	fi
}

inline flow_timeout() {
	if
	:: due[IDLE] == 0 ->
		due[IDLE] = NEVER;
		if :: !tw -> shadow_end(END_IDLE) :: else fi;
		w_free = 1
	:: else
	fi;
	if
	:: due[GAPT] == 0 ->
		due[GAPT] = NEVER;
		gap_timeout()
	:: else
	fi;
	timed_rto();
	timed_acks();
	if
	:: due[HOLD] == 0 ->
		due[HOLD] = NEVER;
		hold_passed = 1
	:: else
	fi;
	go = !w_free
}

/* Time passes to the next deadline: jump, or NEVER. */
inline next_deadline() {
	jump = NEVER;
	ix = 0;
	do
	:: ix == 6 -> break
	:: else ->
		if
		:: due[ix] != NEVER && (jump == NEVER || due[ix] < jump) ->
			jump = (due[ix] < 0 -> 0 : due[ix])
		:: else
		fi;
		ix++
	od;
	if
	:: t_rto != NEVER && (jump == NEVER || t_rto < jump) -> jump = t_rto
	:: else
	fi
}

inline older(x, max) {
	if
	:: x + jump < max -> x = x + jump
	:: else -> x = max
	fi
}

inline pass_time() {
	ix = 0;
	do
	:: ix == 6 -> break
	:: else ->
		if
		:: due[ix] != NEVER ->
			due[ix] = (due[ix] > jump -> due[ix] - jump : 0)
		:: else
		fi;
		ix++
	od;
	if
	:: t_rto != NEVER ->
		t_rto = t_rto - jump;
		if
		:: t_rto == 0 ->
			t_rto = NEVER;
			t_rx = 1
		:: else
		fi
	:: else
	fi;
	ix = 1;
	do
	:: ix == UNITS -> break
	:: else ->
		if
		:: has(c_early, 1 << ix) -> older(age[ix], REORDER_WAIT)
		:: else
		fi;
		if
		:: has(p_early, 1 << ix) -> older(age[UNITS + ix], REORDER_WAIT)
		:: else
		fi;
		ix++
	od;
	if :: gap_c != 0 -> older(gap_c, REORDER_WAIT + 1) :: else fi;
	if :: gap_p != 0 -> older(gap_p, REORDER_WAIT + 1) :: else fi;
	if :: fl -> older(progress, AGE_MAX) :: else fi;
	if :: rtt_at != NEVER -> older(rtt_at, AGE_MAX) :: else fi
}

inline report() {
	if
	:: fl -> printf("X %d %d %d %d %d %d %d %d %d\n", ev, leg, why_ended, c_nxt,
			(p_on -> p_nxt : 0), s_nxt, snd_una, snd_nxt,
			(leg >= LEG_OPEN -> ack_sent : 0))
	:: else -> printf("X -\n")
	fi
}

/* --- the SUT's kernel and server --- */

/* It sends: either it gets to us, or the wire loses it. */
inline sut_sends(k, s, a) {
	m_src = SUT;
	m_kind = k;
	m_seq = s;
	m_ack = a;
	m_win = t_open
}
bit t_open = 1;

inline sut_take() {
	m_kind = qk[0];
	m_seq = qs[0];
	m_ack = qa[0];
	m_win = qw[0];
	qn--;
	ix = 0;
	do
	:: ix >= qn -> break
	:: else ->
		qk[ix] = qk[ix + 1];
		qs[ix] = qs[ix + 1];
		qa[ix] = qa[ix + 1];
		qw[ix] = qw[ix + 1];
		ix++
	od;
	qk[qn] = 0;
	qs[qn] = 0;
	qa[qn] = 0;
	qw[qn] = 0
}

inline t_unit(f) {
	if :: f -> t_finrx = 1 :: else fi;
	t_rcv++
}

inline sut_gets() {
	answer = 0;
	if
	:: t_state == 0 || t_state == 3 ->
		if
		:: m_kind == SYN ->
			t_state = 1;
			t_rcv = m_seq + 1;
			t_ans = t_rcv;
			t_snd = 1;
			t_una = 0;
			t_done = 0;
			t_left = 0;
			t_ooo = 0;
			t_fin = 0;
			t_finrx = 0;
			t_ends = 0;
			t_open = 1;
			t_edge = 1;
			t_legs++;
			t_aborted = 0;
			t_rto = SUT_RTO;
			t_rx = 0;
			answer = 1;
			sut_sends(SYNACK, 0, t_rcv)
		:: m_kind != SYN && m_kind != RST && t_aborted ->
			answer = 1;
			sut_sends(RST, m_ack, 0)
		:: else
		fi
	:: else ->
		if
		:: m_kind == SYN ->
			answer = 1;
			if
			:: t_state == 1 && m_seq + 1 == t_rcv ->
				sut_sends(SYNACK, 0, t_rcv)
			:: else -> sut_sends(ACK, t_snd, t_rcv)
			fi
		:: m_kind == RST ->
			if
			:: m_seq == t_rcv ->
				t_state = 3;
				t_aborted = 1;
				t_rto = NEVER;
				t_rx = 0
			:: else ->
				answer = 1;
				sut_sends(ACK, t_snd, t_rcv)
			fi
		:: m_kind != SYN && m_kind != RST ->
			if
			:: m_ack > t_una ->
				t_una = m_ack;
				t_state = 2;
				t_rto = (t_una < t_snd -> SUT_RTO : NEVER);
				t_rx = 0
			:: else
			fi;
			if
			:: m_ack + m_win > t_edge -> t_edge = m_ack + m_win
			:: else
			fi;
			/* The window told is closed and there is more to say. */
			if
			:: t_edge <= t_snd && t_left > 0 && t_rto == NEVER ->
				t_rto = SUT_RTO
			:: else
			fi;
			if
			:: (m_kind == DATA && t_open) || m_kind == FIN ->
				answer = 1;
				/* I12, I23 */
				assert(m_kind == FIN || m_seq <= nreq);
				if
				:: m_seq == t_rcv ->
					t_unit(m_kind == FIN);
					do
					:: has(t_ooo, 1 << t_rcv) ->
						t_ooo = t_ooo & ~(1 << t_rcv);
						t_unit(k_fin && t_rcv == k_snd - 1)
					:: else -> break
					od
				:: m_seq > t_rcv ->
					t_ooo = t_ooo | (1 << m_seq)
				:: else
				fi;
				sut_sends(ACK, t_snd, t_rcv)
			:: m_kind == PROBE || (m_kind == DATA && !t_open) ->
				answer = 1;
				sut_sends(ACK, t_snd, t_rcv)
			:: else
			fi;
			if
			:: t_fin && t_finrx && t_una == t_snd -> t_state = 3
			:: else
			fi
		fi
	fi
}

/* Can the SUT's server go on? */
#define t_req (t_rcv - t_finrx - t_ans) /* requests that it has not answered */
#define t_data (t_state == 2 && !t_fin && (t_left > 0 || t_req > 0) && \
		t_snd < t_edge)
#define t_ends_now (t_state == 2 && !t_fin && t_left == 0 && t_req == 0 && \
		    (t_finrx || (SFIN && t_snd > 1)))

inline sut_data() {
	if
	:: t_left == 0 -> t_left = slen[t_ans - 1]
	:: else
	fi;
	t_left--;
	if
	:: t_left == 0 ->
		t_ends = t_ends | (1 << t_snd);
		t_ans++;
		t_done++
	:: else
	fi;
	sut_sends(DATA, t_snd, t_rcv);
	t_snd++;
	if :: t_rto == NEVER -> t_rto = SUT_RTO :: else fi
}

/* The oldest thing that is not acked once more, or a probe of our window. */
inline sut_again() {
	t_rx = 0;
	t_rto = NEVER;
	if
	:: t_una < t_snd ->
		t_rto = SUT_RTO;
		if
		:: t_una == 0 -> sut_sends(SYNACK, 0, t_rcv)
		:: t_una > 0 && t_fin && t_una == t_snd - 1 ->
			sut_sends(FIN, t_una, t_rcv)
		:: else -> sut_sends(DATA, t_una, t_rcv)
		fi
	:: else ->
		if :: t_left > 0 && t_edge <= t_snd -> t_rto = SUT_RTO :: else fi;
		sut_sends(ACK, t_snd - 1, t_rcv)
	fi
}

/* --- client and production --- */

inline say(who, kind, seq, ack, w) {
	m_src = who;
	m_kind = kind;
	m_seq = seq;
	m_ack = ack;
	m_win = w
}

/* Production's answers that the client has received whole: n */
inline answers_had(x) {
	num = 0;
	jx = 1;
	do
	:: num >= g_ans -> break
	:: else ->
		jx = jx + plen[num];
		if :: jx <= x -> num++ :: else -> break fi
	od
}

#define conv (!over)
#define k_sent_all (k_snd > nreq)
/* Production closes when it has answered all that came. */
#define g_idle (g_left == 0 && g_ans + 1 == g_rcv - (k_fin && g_rcv == k_snd))

#define c_can_rcv (conv && k_rcv < g_snd)
#define c_can_data (conv && k_up && !k_fin && !k_sent_all && k_rcv >= 1)
#define c_can_fin (conv && k_up && !k_fin && k_sent_all && k_rcv >= 1)
#define c_can_open (conv && !k_open && !(k_fin && g_fin && k_rcv == g_snd))
#define p_can_ack (conv && g_up && g_acked < g_rcv)
#define p_can_data (conv && g_up && !g_fin && k_rcv >= 1 && \
		    (g_left > 0 || g_ans + 1 < g_rcv - (k_fin && g_rcv == k_snd)))
#define p_can_fin (conv && g_up && !g_fin && k_rcv >= 1 && g_idle && \
		   ((PFIN && g_rcv > 1) || (k_fin && g_rcv == k_snd)))
#define mirror_can ((k_snd == 0) || (k_up && !g_up && conv) || c_can_rcv || \
		    c_can_data || c_can_fin || c_can_open || p_can_ack || \
		    p_can_data || p_can_fin)
#define sut_can (qn > 0 || t_data || t_ends_now || t_rx || !t_open)

/* Is there a deadline before the idle limit that it makes sense to wait for? */
#define may_wait ((tw || due[IDLE] > FIN_HOLD) && \
		  (tw || t_rto != NEVER || due[RTO] != NEVER || \
		   due[DACK] != NEVER || due[SPONT] != NEVER || \
		   due[HOLD] != NEVER || due[GAPT] != NEVER))

/* Nothing is left of the flow and nobody has anything to say. */
#define all_over (!fl && k_snd > 0 && !held_one && !again)

inline choose_lengths() {
	if :: nreq = NREQ_MIN
	   :: NREQ > NREQ_MIN -> nreq = NREQ_MIN + 1
	   :: NREQ > NREQ_MIN + 1 -> nreq = NREQ
	fi;
	ix = 0;
	do
	:: ix >= nreq -> break
	:: else ->
		if :: plen[ix] = 1 :: PLEN > 1 -> plen[ix] = 2 fi;
		if :: slen[ix] = 1 :: SLEN > 1 -> slen[ix] = 2 fi;
		ix++
	od;
	printf("R %d %d %d %d %d %d %d\n", nreq, plen[0], plen[1], plen[2],
	       slen[0], slen[1], slen[2]);
	ix = 0
}

#ifdef TRACES
inline new_run() {
	printf("E\n");
	stand = 0; t_aborted = 0; nreq = 0; k_snd = 0; k_rcv = 0; k_up = 0; k_fin = 0; k_open = 1;
	g_snd = 0; g_rcv = 0; g_acked = 0; g_ans = 0; g_left = 0; g_up = 0;
	g_fin = 0; over = 0; capl = CAPL; dups = DUP; swaps = SWAP;
	iloss = ILOSS; srst = SRST; crst = CRST; prst = PRST; czw = CZW;
	szw = SZW; slow = SLOW; held_one = 0; again = 0; finsn = 0; lossy = 0;
	qn = 0; t_state = 0; t_fin = 0; t_finrx = 0; t_rto = NEVER; t_rx = 0;
	t_open = 1; t_left = 0; t_legs = 0; t_snd = 0; t_edge = 0; t_una = 0;
	t_rcv = 0; t_ans = 0; t_done = 0;
	leg = 0; why_ended = 0; legs = 0; ends = 0; acked_any = 0; c_ack = 0;
	untaken = 0; heard = 0; early = 0;
	a_cur = 0; ack_sent = 0; rst_ack = 0; snd_wnd = 0;
	ix = 0;
	do
	:: ix == Q -> break
	:: else -> qk[ix] = 0; qs[ix] = 0; qa[ix] = 0; qw[ix] = 0; ix++
	od
}
#endif

active proctype world() {
	d_step {
		ix = 0;
		do
		:: ix == 6 -> break
		:: else -> due[ix] = NEVER; ix++
		od
	};
begin:
	atomic { choose_lengths() };
end_:
	do
	:: atomic { held_one && !held_new -> /* its turn, behind another */
		d_step {
			held_one = 0;
			m_src = h_src; m_kind = h_kind; m_seq = h_seq;
			m_ack = h_ack; m_win = h_win;
			h_src = 0; h_kind = 0; h_seq = 0; h_ack = 0; h_win = 0
		};
		goto deliver }
	:: atomic { !(held_one && !held_new) && mirror_can ->
		d_step { m_kind = 0 };
		if
		:: k_snd == 0 -> d_step { say(CLI, SYN, 0, 0, W); k_snd = 1; k_up = 1 }
		:: k_up && !g_up && conv -> d_step {
			g_up = 1; g_rcv = 1; g_acked = 1; g_snd = 1;
			say(PRD, SYNACK, 0, 1, W) }
		:: c_can_rcv -> d_step { k_rcv++;
			say(CLI, ACK, k_snd, k_rcv, (k_open -> W : 0)) };
			if :: czw > 0 && k_open && k_rcv > 1 -> d_step {
				czw--; k_open = 0; m_win = 0 }
			   :: true
			fi
		:: c_can_data -> d_step {
			say(CLI, DATA, k_snd, k_rcv, (k_open -> W : 0));
			answers_had(k_rcv);
			ksn[k_snd] = num;
			k_snd++; g_rcv++ }
		:: c_can_fin -> d_step {
			say(CLI, FIN, k_snd, k_rcv, (k_open -> W : 0));
			answers_had(k_rcv);
			finsn = num;
			printf("F 0 %d\n", k_snd);
			k_fin = 1; k_snd++; g_rcv++ }
		:: c_can_open -> d_step { k_open = 1;
			say(CLI, ACK, k_snd, k_rcv, W) }
		:: crst > 0 && conv && k_rcv >= 1 -> d_step { crst--; over = 1;
			say(CLI, RST, k_snd, 0, 0) }
		:: dups > 0 && conv && k_rcv >= 1 && k_snd > 1 && !k_fin -> d_step {
			dups--; /* the client repeats its last request */
			say(CLI, DATA, k_snd - 1, k_rcv, (k_open -> W : 0)) }
		:: p_can_ack -> d_step { g_acked = g_rcv;
			say(PRD, ACK, g_snd, g_rcv, W) }
		:: p_can_data -> d_step {
			if :: g_left == 0 -> g_left = plen[g_ans] :: else fi;
			g_left--;
			if :: g_left == 0 -> g_ans++ :: else fi;
			say(PRD, DATA, g_snd, g_rcv, W);
			g_acked = g_rcv; g_snd++ }
		:: p_can_fin -> d_step { printf("F 1 %d\n", g_snd); g_fin = 1; g_acked = g_rcv;
			say(PRD, FIN, g_snd, g_rcv, W); g_snd++ }
		:: prst > 0 && conv && g_up && k_rcv >= 1 -> d_step { prst--;
			over = 1; say(PRD, RST, g_snd, g_rcv, 0) }
		fi;
		goto mirror }
	:: atomic { !(held_one && !held_new) && qn > 0 ->
		d_step { sut_take() };
		if
		:: iloss > 0 -> iloss--; goto next
		:: szw > 0 && m_kind == DATA && t_open && t_state == 2 ->
			d_step { szw--; sut_gets(); t_open = 0; m_win = 0 }
		:: true -> d_step { sut_gets() }
		fi;
		if
		:: !answer -> goto next
		:: answer && iloss > 0 -> iloss--; goto next
		:: answer -> goto deliver
		fi }
	:: atomic { !(held_one && !held_new) && t_data ->
		d_step { sut_data() };
		if :: iloss > 0 -> iloss--; goto next :: goto deliver fi }
	:: atomic { !(held_one && !held_new) && t_ends_now ->
		d_step { t_fin = 1; sut_sends(FIN, t_snd, t_rcv); t_snd++;
			if :: t_rto == NEVER -> t_rto = SUT_RTO :: else fi };
		if :: iloss > 0 -> iloss--; goto next :: goto deliver fi }
	:: atomic { !(held_one && !held_new) && t_rx ->
		d_step { sut_again() };
		if :: iloss > 0 -> iloss--; goto next :: goto deliver fi }
	:: atomic { !(held_one && !held_new) && !t_open ->
		d_step { t_open = 1; sut_sends(ACK, t_snd, t_rcv) };
		if :: iloss > 0 -> iloss--; goto next :: goto deliver fi }
	:: atomic { !(held_one && !held_new) && srst > 0 && (t_state == 1 || t_state == 2) ->
		d_step { srst--; sut_sends(RST, t_snd, t_rcv);
			t_state = 3; t_aborted = 1; t_rto = NEVER; t_rx = 0;
			t_open = 1 };
		goto deliver }
	:: atomic { !(held_one && !held_new) && ((slow > 0 && may_wait) || !(mirror_can || sut_can)) && !all_over ->
		d_step { next_deadline() };
		if
		:: held_one -> held_new = 0; goto next /* not overtaken after all */
		:: !held_one && jump == NEVER -> assert(0) /* stuck for ever */
		:: else
		fi;
		if
		:: mirror_can || sut_can -> slow--
		:: else
		fi;
		d_step {
			printf("T %d\n", jump);
			m_src = TIM; m_kind = 0; m_seq = 0; m_ack = 0; m_win = 0;
			stand++;
			assert(stand < 100); /* every run ends */
			pass_time() };
		goto deliver }
	:: all_over && !mirror_can && !sut_can -> break
	od;
#ifdef TRACES
	skip;
	d_step { new_run() };
	goto begin;
#endif
	goto done;
mirror:	/* what the mirror makes of it */
	atomic {
		if
		:: true -> goto deliver
		:: capl > 0 && !(m_src == PRD && m_kind == DATA && PLEN > 1) ->
			capl--; lossy = 1; goto next
		:: dups > 0 && m_kind != RST -> dups--; again = 1; goto deliver
		:: swaps > 0 && !held_one -> d_step { swaps--; held_one = 1; held_new = 1;
			h_src = m_src; h_kind = m_kind; h_seq = m_seq;
			h_ack = m_ack; h_win = m_win };
			goto next
		fi
	};
deliver:
	atomic {
		go = 0;
		d_step {
			printf("I %d %d %d %d %d\n", m_src, m_kind, m_seq, m_ack,
			       m_win);
			if :: held_one && held_new && m_src < SUT -> held_new = 0 :: else fi;
			if
			:: m_src < SUT || (m_src == SUT && m_kind == DATA &&
					   m_seq == t_snd - 1) -> stand = 0
			:: else
			fi;
			m_data = (m_kind == DATA -> m_seq : 0)
		};
		if
		:: m_src == CLI -> d_step { from_client() }
		:: m_src == PRD -> d_step { from_prod() }
		:: m_src == SUT -> d_step { from_sut() }
		:: m_src == TIM && fl -> d_step { flow_timeout() }
		:: else
		fi;
		do
		:: sy != 0 -> d_step { sync() }
		:: sy == 0 && hole -> d_step { read_hole(); hole = 0 }
		:: sy == 0 && !hole && go ->
			d_step { push_bytes() };
			d_step { push_end(); go = 0 }
		:: sy == 0 && !hole && !go && (w_judge || w_sync || w_phole || w_free) ->
			d_step { attend() }
		:: else -> break
		od;
		go = 0;
		d_step { report() };
		if
		:: again -> again = 0; goto deliver
		:: else
		fi
	};
next:
	atomic { go = 0; d_step {
		m_src = 0; m_kind = 0; m_seq = 0; m_ack = 0; m_win = 0; m_data = 0;
		answer = 0; jump = 0
	};
	goto end_ };
done:
	skip
}
