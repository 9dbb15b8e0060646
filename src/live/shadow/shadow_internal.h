/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shadow_internal - What the files of the machine share
 */
#ifndef SHADOW_SHADOW_INTERNAL_H
#define SHADOW_SHADOW_INTERNAL_H

#include "core/histogram.h"
#include "core/rng.h"
#include "core/wheel.h"
#include "flow/known.h"
#include "shadow/shadow.h"

#define SYN_TRIES  5
#define SYN_DOUBT  2 /* tries after which a bare ack is an older incarnation */
#define DATA_TRIES 12
#define DUPACKS	   3
/* Longest payload of one effect: an IP datagram less the headers. */
#define GSO_MAX 64000u
/* A window that drains whatever the client last said (I11). */
#define DRAIN_WINDOW 65535u
#define WIN_FULL     65535u /* what a header can say, before it is scaled */
/* Bits of a client port that a substitute keeps. */
#define PORT_ALIKE 0xfu
#define WSCALE_MAX 14 /* RFC 7323 section 2.3 */
#define MSS_LEAST  64 /* less would be an attack on us */
/* RSTs a second to incarnations that a flow's SYN meets at a SUT. */
#define OLDER_RATE 1000
/* When less than this part of the pool is left, a flow that has bytes waiting
 * and brings more is ended: it is behind, and what is left is for those who are
 * not.
 */
#define POOL_SPARE 8
/* Requests that a SUT has not acked, which are passed over to find the one that
 * left; behind more of them its latency is not measured.
 */
#define LEFT_STEPS 64
/* Flows looked at in one call when a SUT has fallen silent. */
#define SWEEP_STEP 4096

/* While a SUT is silent one flow in so long is played all the same. */
#define TRIAL_EVERY (1 * NS_PER_SEC)

/**
 * struct rate - How many of something there were in the second from @since on
 */
struct rate {
	uint64_t since;
	uint32_t n;
};

/** struct target - A SUT; see time.c */
struct target {
	struct ipaddr ip;
	bool ready;
	bool silent;
	bool app_stalled; /* its kernel acks, its application says nothing */
	struct rate strays;
	uint64_t waiting; /* since when it owes us an ack; 0: it does not */
	uint64_t owed; /* since when it owes an answer that production gave */
	uint64_t owed_flow; /* whose */
	uint64_t canary; /* flow whose request is left outstanding; 0: none */
	uint64_t since;	 /* when it fell silent */
	uint64_t owing;	 /* since when it had owed something then */
	uint64_t trial;	 /* when a flow was last played to the silent SUT */
	uint64_t lag;	 /* age of what it acked last */
	uint64_t lag_at; /* when that was */
	uint64_t swept;	 /* when the flows of the silent SUT were looked at */
};

struct shadow {
	struct shadow_options opt;
	struct limits lim;
	size_t pool_scarce; /* bytes; above it who waits for the SUT must go */
	struct flow_table *flows; /* every connection, by its addresses */
	struct pool *pool;	  /* payload */
	struct list attention;	  /* flows with something for the engine */
	struct list more;	  /* flows that have more to send */
	bool waits_due;	   /* a wait is over, if the SUT's wire is empty */
	uint64_t sut_read; /* when that was read empty last */
	uint64_t stalled;  /* ns that this process stood still, in all */
	uint64_t watched;  /* when the SUTs' silence was looked at */
	bool two_sided;	   /* production is on the mirror, too */
	bool sweep;	   /* flows of a silent SUT are being ended */
	uint32_t sweep_at; /* where in @flows that goes on */
	uint32_t shaking;  /* legs whose SYN is not answered yet */
	struct rate older; /* acks to former connections of a tuple */
	struct rng rng;	   /* substitute client ports */
	struct target target[MAP_MAX];
	struct shadow_counters count;
	struct histogram behind; /* ns from due to sent */
	struct wheel wheel;
};

/**
 * struct turn - One call of the machine
 * @s:		The machine
 * @now:	When it is
 * @out:	What shall be done; NULL: in this call nothing is sent
 */
struct turn {
	struct shadow *s;
	uint64_t now;
	struct effects *out;
};

/* Did the client send it after it had acked production's FIN (I16)? */
static inline bool is_late(const struct flow *f, const struct buf *fr)
{
	return stream_has(&f->w.p, STREAM_ENDED) && seq_lt(f->w.p.fin, fr->ack);
}

/* The end of a leg that holds too much: it is behind, or nothing answers it. */
static inline enum flow_end behind(const struct flow *f)
{
	return f->leg.unheard ? FLOW_END_NO_PROGRESS : FLOW_END_BEHIND;
}

/* Has production acked all of it? */
static inline bool was_accepted(const struct flow *f, const struct buf *fr)
{
	return seq_le(fr->seq + fr->len, f->w.p_ack);
}

/* The files in the order in which they call each other: one calls those that
 * stand before it, never one behind it.
 */

/* due.c: deadlines, and what is wanted or left over; it calls nobody here */

void due_set(struct shadow *s, struct flow *f, enum flow_due d, uint64_t when);
void due_clear(struct flow *f, enum flow_due d);
/* Is @d due? Then it is cleared. */
bool due_take(struct flow *f, enum flow_due d, uint64_t now);
/* Arm the timer, which has fired, for what is due next. */
void due_rearm(struct shadow *s, struct flow *f);
/* The caller shall look at @f: WANT_ bits. */
void want(struct shadow *s, struct flow *f, uint16_t bits);
/* Effects did not fit: the flow is due at once. */
void more_later(struct shadow *s, struct flow *f);

/* target.c: is a SUT silent? */

/* Since when a SUT owes us anything; 0: it does not. */
uint64_t target_owes(const struct target *t);
/* A SUT that was silent has spoken: its flows are played again. */
void target_back(struct target *t);
/* Has a SUT that owes us something been silent for too long? While it is, its
 * trials are looked at.
 */
void targets_watch(const struct turn *t);

/* queue.c: the client's bytes towards the SUT */

/* Put a frame behind those that wait. Return: that is more than @f's share, or
 * what is left of the pool is not for it
 */
bool queue_add(const struct turn *t, struct flow *f, struct buf *fr);
/* Drop all, or what lies from @at on. */
void queue_drop(struct shadow *s, struct flow *f);
void queue_cut(struct shadow *s, struct flow *f, uint32_t at);
/* All that is here is to be sent, from the request on whose turn it is. */
void queue_rewind(struct shadow *s, struct flow *f);
/* Keep a frame that the SUT has acked, the head of the queue, in front of it.
 * Return: false: it is not to be kept, nor what is kept already
 */
bool kept_add(struct shadow *s, struct flow *f, struct buf *fr);
/* Free all that is kept; what the SUT will not be asked again. */
void kept_drop(struct shadow *s, struct flow *f);
void kept_trim(struct shadow *s, struct flow *f);

/* ack.c: the client's acks, rebased */

/** struct ack_plan - What would be sent to the SUT now */
struct ack_plan {
	uint32_t ack;	   /* never behind last_ack_sent */
	uint32_t adv_edge; /* never behind edge */
	bool partial;	   /* only as a forced partial ack */
	enum effect_cause cause;
};

/* Take the acks off the queue whose bytes the SUT has sent, and plan what it is
 * sent next; @force: all that it has sent is acked.
 */
struct ack_plan ack_plan(const struct turn *t, struct flow *f, bool force);
void ack_queue(const struct turn *t, struct flow *f, uint32_t ack,
	       uint32_t win);
/* Has the SUT's stream got as far as the client had acked production's? */
bool sut_reached(const struct flow *f, uint32_t p_ack);
/* Has the SUT answered all that production had answered up to @p_ack? */
bool answers_reached(const struct flow *f, uint32_t p_ack);

/* wait.c: the wait for an answer */

/* Begin, end or leave the wait of @f, by what is known now. */
void wait_watch(const struct turn *t, struct flow *f);
/* DUE_WAIT has come. */
void wait_due(const struct turn *t, struct flow *f);
void wait_stop(struct flow *f);

/* send.c: segments towards the SUT */

/* Start an effect that carries @plan; NULL: no room, the flow is due at once.
 * Fills in addresses, sequence number (SND.NXT), ack, window and options.
 */
struct effect *effect_tcp(const struct turn *t, struct flow *f,
			  const struct ack_plan *plan, enum effect_cause cause,
			  uint8_t flags);
/* There is room for it. */
void send_syn(const struct turn *t, struct flow *f, enum effect_cause cause);
void send_data(const struct turn *t, struct flow *f);
bool send_rst(const struct turn *t, struct flow *f);
void retransmit(const struct turn *t, struct flow *f);
void sent_something(const struct turn *t, struct flow *f);
uint64_t rto_of(const struct flow *f);
/* One round trip was measured (RFC 6298 section 2). */
void rtt_sample(struct flow *f, uint64_t ns);
/* An ack of the SUT: frees what it covers, times it. */
void sut_acked(const struct turn *t, struct flow *f, const struct segment *seg);
/* Requests that the SUT has acked whole. */
void deliver(const struct turn *t, struct flow *f);
uint32_t payload_mss(const struct flow *f);

/* ack_send.c: when an ack or a window is sent to the SUT */

void ack_push(const struct turn *t, struct flow *f);
/* Answer a repetition after the end. */
void ack_again(const struct turn *t, struct flow *f);

/* life.c: opening and closing */
void start_leg(const struct turn *t, struct flow *f);
void close_push(const struct turn *t, struct flow *f);
void leg_over(const struct turn *t, struct flow *f, enum flow_end why);
/* The same with a RST, if the SUT has seen anything of it. */
void end_leg(const struct turn *t, struct flow *f, enum flow_end why);
/* If nothing more can come, the flow is only remembered for a while. */
void close_if_done(const struct turn *t, struct flow *f);

/* gap.c: holes in the capture */

/* A hole was looked for since, and bytes have come in order: its age begins
 * anew, as far as what is behind it does not tell otherwise.
 */
void gap_progress(const struct turn *t, struct flow *f, enum who who);
void gap_watch(const struct turn *t, struct flow *f);
void gap_timeout(const struct turn *t, struct flow *f);
/* End the leg if a hole stands and what is before it has been answered. */
void gap_push(const struct turn *t, struct flow *f);
/* The client's place is lost: look for a message to start at. */
void gap_lost(struct shadow *s, struct flow *f);

/* reopen.c: a SUT that closes a connection that the client still uses */

/* The SUT's side of a flow begins anew, with the request whose turn it is and
 * what is queued; watch.p_base is where production's answers before it end.
 */
void leg_anew(const struct turn *t, struct flow *f);

/* What may still be done on a leg that the SUT has closed. */
enum shut {
	SHUT_NOT,     /* all: it has not, or it does not matter */
	SHUT_TO_DATA, /* it may end */
	SHUT_TO_ALL,  /* nothing: it begins again, or waits to */
};

/* Begin another connection for the request whose turn it is, if the SUT has
 * closed this one.
 */
enum shut reopen_push(const struct turn *t, struct flow *f);
/* The SUT has reset the connection. Return: another one begins */
bool reopen_reset(const struct turn *t, struct flow *f,
		  const struct segment *seg);
/* Go on behind what is left out, if all that is in front of it is done. */
void left_push(const struct turn *t, struct flow *f);
/* The next request has its turn. */
void turn_moved(struct shadow *s, struct flow *f);

/* shed.c: flows that are behind */

/* It is to be shed. */
void shed_want(struct shadow *s, struct flow *f);
void shed_push(const struct turn *t, struct flow *f);

/* Was it shed, and is there no room to take it up again? */
bool shed_stays(const struct turn *t, const struct flow *f);

/* begin.c and span.c, which the others do not call */

/* Production's stream begins at @seq, and so does all that is counted from it.
 */
void prod_start(struct flow *f, uint32_t seq);
/* Give up what is before @c and @p in the two streams, and count what of it was
 * never seen.
 */
void count_missing(struct shadow *s, struct flow *f, uint32_t c, uint32_t p);

/* shadow.c; then sut.c and time.c, which the others do not call */

/* Do all that may be done for @f now. */
void push_flow(const struct turn *t, struct flow *f);

#endif /* SHADOW_SHADOW_INTERNAL_H */
