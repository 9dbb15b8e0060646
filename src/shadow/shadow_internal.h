/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shadow_internal - What the files of the machine share
 */
#ifndef SHADOW_SHADOW_INTERNAL_H
#define SHADOW_SHADOW_INTERNAL_H

#include "core/rng.h"
#include "core/wheel.h"
#include "shadow/shadow.h"

/* A leg with a hole in its client's stream ends after so long without progress
 * of the SUT, whatever is open.
 */
#define GAP_HOLD (1 * NS_PER_SEC)
/* Delayed partial ack. */
#define DACK_WAIT (20 * NS_PER_MS)
/* Our ACK of the SYN,ACK rides on the first data if that comes within this. */
#define HANDSHAKE_WAIT (2 * NS_PER_MS)
/* The SUT's bytes are acked after this long although the client has not acked
 * production's: just below Linux's shortest RTO.
 */
#define SPONT_WAIT (180 * NS_PER_MS)
/* A held FIN goes out after so long without progress of the SUT; a held RST. */
#define FIN_HOLD (10 * NS_PER_SEC)
#define RST_HOLD (2 * NS_PER_SEC)
/* Client bytes after production's FIN wait so long for the SUT's. */
#define LATE_HOLD (5 * NS_PER_SEC)
/* A new incarnation waits so long for the older one's end. */
#define REUSE_WAIT (1 * NS_PER_SEC)
/* How long an ended flow is remembered: mirror and SUT may repeat its end. */
#define TIME_WAIT (500 * NS_PER_MS)
/* RFC 6298: first RTO; Linux's lower bound; upper bound. */
#define RTO_FIRST (1 * NS_PER_SEC)
#define RTO_MIN	  (200 * NS_PER_MS)
#define RTO_MAX	  (10 * NS_PER_SEC)
/* What the sink could not send is tried again after this. */
#define UNSENT_WAIT (5 * NS_PER_MS)
#define SYN_TRIES   5
#define SYN_DOUBT   2 /* tries after which a bare ack is an older incarnation */
#define DATA_TRIES  12
#define DUPACKS	    3
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
/* When less than this part of the pool is left, a flow that has bytes waiting and
 * brings more is ended: it is behind, and what is left is for those who are not.
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

/** struct rate - How many of something there were in the second from @since on */
struct rate {
	uint64_t since;
	uint32_t n;
};

/** struct target - A SUT; see time.c */
struct target {
	struct ipaddr ip;
	bool ready;
	bool silent;
	bool mute; /* silent, though its kernel acks */
	struct rate strays;
	uint64_t waiting; /* since when it owes us an ack; 0: it does not */
	uint64_t owed; /* since when it owes an answer that production gave */
	uint64_t owed_flow; /* whose */
	uint64_t asked;	    /* flow whose request stayed with it, 0: none did */
	uint64_t since;	    /* when it fell silent */
	uint64_t owing;	    /* since when it had owed something then */
	uint64_t trial;	    /* when a flow was last played to the silent SUT */
	uint64_t lag;	    /* age of what it acked last */
	uint64_t lag_at;    /* when that was */
	uint64_t swept; /* when the flows of the silent SUT were looked at */
};

struct shadow {
	struct shadow_options opt;
	struct limits lim;
	size_t pool_scarce; /* bytes; above it who waits for the SUT must go */
	struct flow_table *flows;
	struct pool *pool;
	struct list attention;
	struct list more;
	bool waits_due;	   /* a wait is over, if the SUT's wire is empty */
	uint64_t sut_read; /* when that was read empty last */
	uint64_t stalled;  /* ns that this process stood still, in all */
	uint64_t now;	   /* of the call that is under way */
	uint64_t watched;  /* when the SUTs' silence was looked at */
	bool two_sided;	   /* production is on the mirror, too */
	bool sweep;	   /* flows of a silent SUT are being ended */
	uint32_t sweep_at;
	uint32_t shaking; /* legs whose SYN is not answered yet */
	struct rate older;
	struct rng rng;
	struct target target[MAP_MAX];
	struct shadow_counters count;
	struct histogram behind;
	struct wheel wheel;
};

/* Did the client send it after it had acked production's FIN (I16)? */
static inline bool is_late(const struct flow *f, const struct frame *fr)
{
	return stream_has(&f->p, STREAM_ENDED) && seq_lt(f->p.fin, fr->ack);
}

/* The end of a leg that holds too much: it is behind, or nothing answers it. */
static inline enum flow_end behind(const struct flow *f)
{
	return f->unheard ? FLOW_END_NO_PROGRESS : FLOW_END_BEHIND;
}

/* Has production acked all of it? */
static inline bool was_accepted(const struct flow *f, const struct frame *fr)
{
	return seq_le(fr->seq + fr->len, f->p_ack);
}

/* begin.c */

/* Production's stream begins at @seq, and so does all that is counted from it. */
void prod_start(struct flow *f, uint32_t seq);
/* Give up what is before @c and @p in the two streams, and count what of it was
 * never seen.
 */
void count_missing(struct shadow *s, struct flow *f, uint32_t c, uint32_t p);

/* What is the SUT's leg's begins anew. */
void forget_leg(struct flow *f);

/* reopen.c: a SUT that closes a connection on which the client goes on */

/* The SUT's side of a flow begins anew, with the request whose turn it is and what is
 * queued; @a_cur is where production's answers before it end.
 */
void leg_anew(struct shadow *s, struct flow *f, uint64_t now);

/* shed.c: flows that are behind */

/* It is to be shed. */
void shed_want(struct shadow *s, struct flow *f);
void shed_push(struct shadow *s, struct flow *f, uint64_t now,
	       struct effects *out);
/* The SUT has acked what was captured at @since. */
void shed_lag(struct shadow *s, const struct flow *f, uint64_t since,
	      uint64_t now);

/* Does it go on at the client's next message, though its place is lost? */
bool shed_resumes(const struct shadow *s, const struct flow *f);

/* span.c: put a frame behind those that wait for the SUT */
void queue_add(struct shadow *s, struct flow *f, struct frame *fr,
	       uint64_t now);

/* What may still be done on a leg that the SUT has closed. */
enum shut {
	SHUT_NOT,     /* all: it has not, or it does not matter */
	SHUT_TO_DATA, /* it may end */
	SHUT_TO_ALL,  /* nothing: it begins again, or waits to */
};

/* Begin another connection for the request whose turn it is, if the SUT has closed
 * this one.
 */
enum shut reopen_push(struct shadow *s, struct flow *f, uint64_t now,
		      struct effects *out);
/* The SUT has reset the connection. Return: another one begins */
bool reopen_reset(struct shadow *s, struct flow *f, const struct segment *seg,
		  uint64_t now);
/* Keep a frame that the SUT has acked, the head of the queue, in front of it. Return:
 * false: it is not to be kept, nor what is kept already
 */
bool kept_add(struct shadow *s, struct flow *f, struct frame *fr);
/* Free all that is kept. */
void kept_drop(struct shadow *s, struct flow *f);
/* The next request has its turn. */
void turn_moved(struct shadow *s, struct flow *f);

/* time.c */
void due_set(struct shadow *s, struct flow *f, enum flow_due d, uint64_t when);
void due_clear(struct flow *f, enum flow_due d);
void want(struct shadow *s, struct flow *f, uint16_t bits);
/* A SUT that was silent has spoken: its flows are played again. */
void target_back(struct target *t);
/* Effects did not fit: the flow is due at once. */
void more_later(struct shadow *s, struct flow *f);

/* send.c: segments towards the SUT */

/* Start an effect; NULL: no room, the flow is due at once. Fills in addresses,
 * sequence number (SND.NXT), ack, window and options.
 */
struct effect *effect_tcp(struct shadow *s, struct flow *f, struct effects *out,
			  enum effect_cause cause, uint8_t flags);
/* There is room for it. */
void send_syn(struct shadow *s, struct flow *f, uint64_t now,
	      struct effects *out, enum effect_cause cause);
void send_data(struct shadow *s, struct flow *f, uint64_t now,
	       struct effects *out);
bool send_rst(struct shadow *s, struct flow *f, struct effects *out);
void retransmit(struct shadow *s, struct flow *f, uint64_t now,
		struct effects *out);
void sent_something(struct shadow *s, struct flow *f, uint64_t now);
uint64_t rto_of(const struct flow *f);
/* One round trip was measured (RFC 6298 section 2). */
void rtt_sample(struct flow *f, uint64_t ns);
/* An ack of the SUT: frees what it covers, times it. */
void sut_acked(struct shadow *s, struct flow *f, const struct segment *seg,
	       uint64_t now, struct effects *out);
/* Requests that the SUT has acked whole. */
void deliver(struct shadow *s, struct flow *f, uint64_t now);
uint32_t payload_mss(const struct flow *f);

/* ack.c: the client's acks, rebased */

/** struct ack_plan - What would be told to the SUT now */
struct ack_plan {
	uint32_t ack;  /* never behind ack_sent */
	uint32_t edge; /* never behind edge */
	bool partial;  /* only as a forced partial ack */
	enum effect_cause cause;
};

struct ack_plan ack_plan(struct flow *f, uint64_t now,
			 const struct shadow_options *opt, bool force);
void ack_queue(struct shadow *s, struct flow *f, uint32_t ack, uint32_t win,
	       uint64_t now);
void ack_push(struct shadow *s, struct flow *f, uint64_t now,
	      struct effects *out);
/* Answer a repetition after the end. */
void ack_again(struct shadow *s, struct flow *f, struct effects *out);
/* Has the SUT's stream got as far as the client had acked production's? */
bool sut_reached(const struct flow *f, uint32_t p_ack);
/* Has the SUT answered all that production had answered up to @p_ack? */
bool answers_reached(const struct flow *f, uint32_t p_ack);

/* wait.c: the wait for an answer */

/* Begin, end or leave the wait of @f, by what is known now. */
void wait_watch(struct shadow *s, struct flow *f, uint64_t now);
/* DUE_WAIT has come. */
void wait_due(struct shadow *s, struct flow *f, uint64_t now);
void wait_stop(struct flow *f);

/* gap.c: holes in the capture */

/* Has the client sent what is not here, and is not given up yet? */
bool client_hole(const struct flow *f);
/* Has production? */
bool prod_hole(const struct flow *f);
/* Are the client's next bytes here, and wait for production's that they ack? */
bool client_waits(const struct flow *f);
/* A hole was looked for since, and bytes have come in order: its age begins anew,
 * as far as what is behind it does not tell otherwise.
 */
void gap_progress(struct shadow *s, struct flow *f, enum who who, uint64_t now);
void gap_watch(struct shadow *s, struct flow *f, uint64_t now);
void gap_timeout(struct shadow *s, struct flow *f, uint64_t now);
/* End the leg if a hole stands and what is before it has been answered. */
void gap_push(struct shadow *s, struct flow *f, uint64_t now,
	      struct effects *out);
/* The client's place is lost: look for a message to start at. */
void gap_lost(struct shadow *s, struct flow *f);

/* life.c: opening and closing */
void start_leg(struct shadow *s, struct flow *f, uint64_t now,
	       struct effects *out);
void close_push(struct shadow *s, struct flow *f, uint64_t now,
		struct effects *out);
void leg_over(struct shadow *s, struct flow *f, enum flow_end why,
	      uint64_t now);
bool mirror_over(const struct flow *f);
/* Who ended it otherwise than by FIN: the end that a leg has by that, or
 * FLOW_END_NONE.
 */
enum flow_end reset_by(const struct flow *f);
/* If nothing more can come, the flow is only remembered for a while. */
void remember_if_over(struct shadow *s, struct flow *f, uint64_t now);

#endif /* SHADOW_SHADOW_INTERNAL_H */
