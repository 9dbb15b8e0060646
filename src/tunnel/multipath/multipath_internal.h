/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * multipath_internal - What the files of this room know of each other
 *
 * In the order in which they may call: inner, path, feedback, queue, size,
 * again, schedule, release, machine. A member is written by the file that its
 * comment names.
 */
#ifndef MULTIPATH_MULTIPATH_INTERNAL_H
#define MULTIPATH_MULTIPATH_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/list.h"
#include "core/seq.h"
#include "core/turn.h"
#include "core/wheel.h"
#include "multipath/header.h"
#include "multipath/multipath.h"
#include "multipath/shelf.h"

/* Times, ns. */
#define MP_REPORT_WAIT	(20 * NS_PER_MS)  /* after bulk; else of thin packets */
#define MP_REPORT_THIN	(200 * NS_PER_MS) /* which tell nobody a rate */
#define MP_AGAIN_MOST	(2 * NS_PER_SEC)  /* nobody waits for an older one */
#define MP_HOLD_LEAST	(50 * NS_PER_MS)  /* for a hole of a lane */
#define MP_HOLD_MOST	(500 * NS_PER_MS)
#define MP_HOLD_UNTOLD	(200 * NS_PER_MS) /* before the other end told it */
#define MP_TIMEOUT_NEW	(250 * NS_PER_MS) /* of a path without a round trip */
#define MP_TIMEOUT_MOST (1 * NS_PER_SEC)  /* between probes of a silent path */
#define MP_SETTLE_WAIT	(20 * NS_PER_MS)  /* between two settles of a path */
#define MP_EQUAL_MORE	(2 * NS_PER_MS)	  /* beyond the slowest path's delay */

#define MP_PACKET 1514u /* bytes of a full packet, where one is meant */
#define MP_REPORT_BULK                                                         \
	5600u /* bytes after which a feedback is due: 4 packets */
#define MP_UNKNOWN   100000u	  /* rate of a path without one, bytes/s */
#define MP_RATE_MOST 25000000000u /* bytes/s; a faster report is wrong */
#define MP_SEEN	     4096u	  /* numbers of a lane behind its turn */
#define MP_AHEAD     32768u	  /* numbers of a path beyond the highest */
#define MP_LAST	     8		  /* packets that measuring copies repeat */
#define MP_SPAN_BITS 16		  /* fraction of ns a byte */
#define MP_ROUNDS    10		  /* of which the rate is the maximum */
#define MP_SECONDS   10		  /* of which delays are the minimum */

/* frame.flags of a frame of ours: holders in the low byte. */
enum {
	MP_F_HOLDERS = 0xff,
	MP_F_THIN = 0x100,  /* sent and released at once */
	MP_F_ONCE = 0x200,  /* never again: a later one says the same */
	MP_F_AGAIN = 0x400, /* in the list of what is sent again */
	MP_F_ACKED = 0x800  /* it has come, on some path */
};

/** struct mp_least - Minimum of the last MP_SECONDS, in slots of a second */
struct mp_least {
	uint64_t second; /* of the newest slot */
	int64_t value[MP_SECONDS];
	bool used[MP_SECONDS];
};

/** struct mp_most - Maximum of the last MP_ROUNDS limited rounds */
struct mp_most {
	uint32_t n;
	struct {
		uint64_t value;
		uint32_t round;
	} e[MP_ROUNDS + 2]; /* falling; the first is the maximum */
};

/** struct mp_sent - A number of a path whose fate is not known yet */
struct mp_sent {
	struct buf *frame; /* held; NULL: a copy or probe, lost without loss */
	uint64_t at;	   /* when it was sent */
	uint64_t total;	   /* path.tx with it */
	int64_t due;	   /* predicted way, as model.rel; or MP_NOT_DUE */
	uint32_t size;
	bool answered; /* a feedback will follow soon */
};

#define MP_NOT_DUE INT64_MIN

enum mp_timer_kind {
	MP_T_LOST,
	MP_T_REPORT,
	MP_T_HOLE,
	MP_T_EQUAL,
	MP_T_PACE,
	MP_T_SIZE,
};

struct mp_timer {
	struct timer t;
	enum mp_timer_kind kind;
	uint32_t of; /* path or lane */
};

enum mp_state { MP_MEASURING, MP_KNOWN };

/** struct mp_model - What a sender believes of a path; path.c */
struct mp_model {
	enum mp_state state;
	uint64_t rate; /* bytes/s, 0: none yet */
	uint64_t span; /* ns a byte << MP_SPAN_BITS, of @rate or MP_UNKNOWN */
	uint64_t min_rtt; /* ns; UINT64_MAX: none yet */
	uint64_t min_at;  /* when one near it was seen */
	bool draining;	  /* half a window for this round */
	uint64_t rtt;	  /* ns, the last */
	uint64_t srtt;	  /* ns, 0: none yet */
	uint64_t var;	  /* ns */
	int64_t rel;	  /* ns, one way beyond the common offset */
	bool has_rel;
	uint64_t late[2];   /* ns beyond it that the last ones came */
	uint64_t ahead;	    /* the least of three: what queues on the way */
	int64_t bias;	    /* ns by which predictions were too early; >= 0 */
	uint64_t window;    /* bytes */
	uint64_t flight;    /* bytes of what is out that queue nowhere */
	uint64_t cap;	    /* bytes, after loss; 0: none */
	uint32_t cap_round; /* in which it was set */
	struct mp_most rates;
	struct mp_least rtts;
	struct mp_least rels;
	/* The interval that the next sample is taken over. */
	bool counting;
	uint32_t from_bytes;
	uint32_t from_at;
	uint32_t skip_to; /* numbers before it do not count */
	/* The round, and what it saw. */
	uint32_t round;
	uint32_t round_end;
	uint32_t round_lost;
	uint32_t round_came;
	uint64_t round_ahead; /* ns, the least; UINT64_MAX: none yet */
	uint32_t loss;	      /* mean share, of 2^16 */
	bool limited;	      /* schedule.c: something waited for room */
	bool queued;
	bool sampled;	/* the rate */
	uint32_t boost; /* the step up, doubled while it grows */
	/* Does the rate still grow? */
	uint64_t grown;
	uint32_t same;
};

/** struct mp_in - What came on a path; feedback.c */
struct mp_in {
	uint32_t highest;
	uint32_t bytes;
	uint64_t at;	 /* when @highest came */
	uint32_t unsaid; /* bytes since the last feedback */
	bool any;	 /* something came since then */
	bool bulk;	 /* and not only thin packets */
	bool now;	 /* feedback is due at once */
	uint32_t ranges;
	struct mp_range range[MP_RANGES];
	/* Equal release; release.c */
	struct mp_least ways; /* arrival less sending, us */
	int64_t least;	      /* of these */
	bool has_least;
	uint64_t due;	   /* of the last one that waits */
	struct buf *first; /* waiting for their time, in order */
	struct buf **last;
};

/** struct mp_size - How long a message may be on a path; size.c */
struct mp_size {
	uint32_t limit; /* what is believed; 0: it is not looked for */
	uint32_t found; /* what the last search came to; 0: none is over */
	uint32_t low;	/* passes, or is the least */
	uint32_t high;	/* does not pass */
	uint32_t told;	/* passes, says a router; 0: none does */
	uint32_t probe; /* under way; 0: none */
	uint16_t id;	/* of it */
	uint32_t tries;
	uint64_t next;	/* when something is tried again, at the earliest */
	uint64_t raise; /* when a longer one is */
};

struct mp_path {
	bool used;
	bool alive;
	bool fresh; /* not probed yet */
	bool heard; /* some feedback came since it was added */
	struct mp_path_config config;
	struct mp_sent *sent; /* ring of limits.window */
	uint32_t next;	      /* number of the next packet */
	uint32_t done;	      /* fate of it and those before is known */
	uint64_t tx;	      /* bytes sent in all */
	uint64_t acked;	      /* of these, bytes not out any more */
	uint32_t bulk_out;    /* numbers out that a feedback answers soon */
	uint64_t paced_at;    /* when its pace has caught up; path.c */
	uint64_t rated_at;    /* the same of config.rate */
	uint64_t sent_at;     /* when something was sent last */
	uint64_t data_at;     /* and a packet that was no copy */
	uint64_t heard_at;    /* when feedback came last */
	uint64_t deadline;    /* of the probe timer */
	uint32_t silent;      /* probe timers without feedback */
	uint64_t measure_at;  /* when it was measured anew last */
	uint64_t copied;      /* bytes of copies, in all */
	uint64_t spent;	      /* of these, of this measuring */
	uint64_t settled_at;
	bool owes_settle;
	struct mp_timer lost;
	struct mp_timer report;
	struct mp_timer size_timer;
	struct mp_size size;
	struct mp_model model;
	struct mp_in in;
	struct mp_path_counters n;
};

/** struct mp_lane - Both directions of a lane */
struct mp_lane {
	/* Sending; queue.c */
	struct list link; /* in mp.active */
	uint32_t head;	  /* lowest number that may wait */
	uint32_t next;	  /* number of the next packet */
	uint32_t waiting;
	uint64_t bytes;
	int32_t deficit;
	bool dropping; /* CoDel: over its target for an interval */
	uint32_t count;
	uint64_t
		above_at; /* since when over it, plus an interval; 0: it is not */
	uint64_t drop_at;
	/* Releasing; release.c */
	uint32_t turn; /* number that is released next */
	uint32_t top;  /* highest that is held, plus 1 */
	uint32_t low;  /* lowest that is held; valid with @held */
	uint32_t held;
	uint64_t low_at;   /* when it came */
	uint64_t moved_at; /* when @turn itself came last */
	bool ready;	   /* in mp.ready: something can be released */
	struct mp_timer hole;
	struct list ready_link;
	uint64_t *seen; /* MP_SEEN bits: numbers before @turn that came */
};

struct mp {
	struct mp_limits limits;
	struct mp_config config;
	struct hash_key key;
	struct pool *pool;
	struct wheel wheel;
	uint64_t now;
	bool more;     /* something was left over */
	bool together; /* more datagrams are to come: feedback waits */
	struct mp_path path[MP_PATHS];
	uint32_t path_n;    /* those in use are below */
	uint64_t gone_sent; /* numbers of paths that were removed */
	uint64_t gone_came;
	struct mp_lane *lane;
	uint64_t *seen_base; /* all lanes' bits */
	/* queue.c */
	struct shelf queue;
	struct list active;
	uint32_t active_n;
	uint64_t queued; /* bytes */
	uint64_t bound;
	uint64_t bound_at;
	uint64_t bulk_at;  /* when a bulk packet came last */
	uint64_t inner_at; /* when any inner packet came last */
	/* again.c */
	struct buf *again_first;
	struct buf **again_last;
	/* schedule.c */
	struct buf *last[MP_LAST]; /* bulk packets sent last, held */
	uint32_t last_n;
	struct turn turn;   /* of paths with weights */
	uint32_t turn_path; /* round robin */
	uint32_t turn_count;
	struct mp_timer pace; /* some path waits for its pace only */
	/* path.c: the first difference of clocks is the offset of all paths */
	bool has_offset;
	uint32_t offset; /* us */
	/* release.c */
	struct shelf held;
	struct list ready;
	uint64_t hold;	     /* ns, as the other end told it */
	uint64_t more_delay; /* ns, for equal release */
	uint64_t told_hold;  /* ns, what we told the other end; again.c */
	uint64_t told_at;
	bool has_in_offset;
	uint32_t in_offset; /* us: of the clocks, as of the first packet */
	struct mp_timer equal;
	uint32_t waiting_equal;
	struct mp_counters n;
	struct mp_lane_counters group[MP_GROUPS];
};

/** mp_group() - Counters of the group that a lane is in */
static inline struct mp_lane_counters *mp_group(struct mp *m, uint32_t lane)
{
	return &m->group[lane == 0 ? 0 : 1 + lane % (MP_GROUPS - 1)];
}

/** mp_us() - A time as it stands in messages */
static inline uint32_t mp_us(uint64_t ns)
{
	return (uint32_t)(ns / NS_PER_US);
}

/** mp_hold() - One more holder of @f */
static inline void mp_hold(struct buf *f)
{
	f->flags++;
}

/** mp_drop() - One less; the last one frees it */
void mp_drop(struct mp *m, struct buf *f);

/** mp_effect() - The next effect, or NULL: none is left, and more is due */
struct mp_effect *mp_effect(struct mp *m, struct mp_effects *out);

/** mp_arm() - Set @t to @when unless it is armed for an earlier time */
void mp_arm(struct mp *m, struct mp_timer *t, uint64_t when);

/** mp_size_of() - Bytes on a path of a payload of @len bytes */
static inline uint32_t mp_size_of(uint32_t len)
{
	return len + MP_HEADER + MP_OVERHEAD;
}

/* inner.c */

/** struct mp_look - What an inner packet is */
struct mp_look {
	uint32_t lane; /* 0: thin */
	bool once;  /* a TCP segment without data: a later one says the same */
	bool marks; /* its ends understand a mark (ECT) */
	uint32_t ip_at; /* of such a one, where its IP header is */
};

void mp_look(const struct mp *m, const uint8_t *p, uint32_t n,
	     enum mp_class class, struct mp_look *out);

/* path.c */
/** mp_least_of() - Add @v. Return: the least of the last MP_SECONDS */
int64_t mp_least_of(struct mp_least *l, int64_t v, uint64_t now);
void mp_model_init(struct mp_model *d);
/**
 * mp_measure() - Measure anew; the old figures hold until there are new ones
 */
void mp_measure(struct mp_path *p);
/** mp_may_measure() - Test whether copies may be spent on a path */
bool mp_may_measure(const struct mp_path *p);
/** mp_out() - Bytes out */
static inline uint64_t mp_out(const struct mp_path *p)
{
	return p->tx - p->acked;
}
/** mp_time() - What @bytes take on a path, ns */
static inline uint64_t mp_time(const struct mp_model *d, uint64_t bytes)
{
	return bytes * d->span >> MP_SPAN_BITS;
}
/**
 * mp_eta() - When @size more bytes would have arrived, ns from now, relative
 */
int64_t mp_eta(const struct mp_path *p, uint32_t size);
/** mp_room() - Test whether the window has room for a packet */
bool mp_room(const struct mp *m, const struct mp_path *p);
/**
 * mp_paced_until() - When only its pace keeps it; UINT64_MAX: it is not that
 */
uint64_t mp_paced_until(const struct mp *m, const struct mp_path *p);
/** mp_allowed() - Test whether its configuration lets it carry packets */
bool mp_allowed(const struct mp_path *p);
/** mp_usable() - Test whether a path may be given packets at all */
bool mp_usable(const struct mp_path *p);
/** mp_number() - Take the next number of @p for @f (NULL: a copy or probe) */
uint32_t mp_number(struct mp *m, struct mp_path *p, struct buf *f,
		   uint32_t size, bool predict, bool answered, uint64_t now);
/** mp_learn() - What a feedback says of delay and rate */
void mp_learn(struct mp *m, struct mp_path *p, const struct mp_report *r,
	      uint64_t now);
/** mp_round() - End the round, if it is over, and set the window */
void mp_round(struct mp_path *p, uint64_t now);
/** mp_skew() - Slowest less fastest way, with two packets of each, ns */
uint64_t mp_skew(const struct mp *m);
/** mp_losses() - Of all live paths in @ns, in thousandths of a packet */
uint64_t mp_losses(const struct mp *m, uint64_t ns);
/** mp_lossy() - Does it lose more than one packet of 500? */
bool mp_lossy(const struct mp_path *p);
/** mp_total_rate() - Of all live paths, at least MP_UNKNOWN, bytes/s */
uint64_t mp_total_rate(const struct mp *m);

/* feedback.c */
/**
 * mp_came() - Number @seq came on a path. Return: false: far off its numbers
 */
bool mp_came(struct mp *m, struct mp_path *p, uint32_t seq, uint32_t size,
	     bool bulk, uint64_t now);
/** mp_report() - Send the feedback that is due */
void mp_report(struct mp *m, struct mp_path *p, uint64_t now,
	       struct mp_effects *out);
/** mp_settled() - The other end knows the fate of @seq and those before */
void mp_settled(struct mp_path *p, uint32_t seq);

/* queue.c */
/** mp_enqueue() - Number a bulk packet and let it wait, or drop it */
void mp_enqueue(struct mp *m, struct buf *f, const struct mp_look *look,
		uint64_t now);
/** mp_take() - Take number @seq of a lane out of the queue */
struct buf *mp_take(struct mp *m, struct mp_lane *l, uint32_t seq);
/** mp_head() - Its first packet; the lane has one */
struct buf *mp_head(struct mp *m, struct mp_lane *l);
/** mp_bound_now() - Bytes that may wait */
uint64_t mp_bound_now(struct mp *m, uint64_t now);

/* again.c */
/** mp_feedback() - A feedback came */
void mp_feedback(struct mp *m, const struct mp_report *r, uint64_t now);
/** mp_again_next() - The next packet to be sent again, or NULL; held for us */
struct buf *mp_again_next(struct mp *m, uint64_t now);
/** mp_arm_lost() - Let the probe timer of a path run */
void mp_arm_lost(struct mp *m, struct mp_path *p, uint64_t now);
/** mp_lost_timeout() - It ran out */
void mp_lost_timeout(struct mp *m, struct mp_path *p, uint64_t now,
		     struct mp_effects *out);
/** mp_leave() - Give up what is out on a path; it goes again */
void mp_leave(struct mp *m, struct mp_path *p);
/** mp_probe() - Send a probe */
void mp_probe(struct mp *m, struct mp_path *p, uint64_t now,
	      struct mp_effects *out);
/** mp_wake() - Our own side speaks again: probe paths that nobody probed */
void mp_wake(struct mp *m, uint64_t now, struct mp_effects *out);
/** mp_settle() - Say what is settled, if that is owed */
void mp_settle(struct mp *m, struct mp_path *p, uint64_t now,
	       struct mp_effects *out);

/* schedule.c */
/** mp_push() - Send all that may be sent */
void mp_push(struct mp *m, uint64_t now, struct mp_effects *out);
/** mp_thin() - Number a thin packet and send it at once */
void mp_thin(struct mp *m, struct buf *f, uint64_t now, struct mp_effects *out);

/* size.c */
/** mp_size_begin() - Nothing is known of a path, which takes what it may */
void mp_size_begin(struct mp *m, struct mp_path *p);
/** mp_size_used() - A packet was given to a path: its limit matters */
void mp_size_used(struct mp *m, struct mp_path *p, uint64_t now);
/** mp_size_timeout() - Something is due to be tried, or has not come */
void mp_size_timeout(struct mp *m, struct mp_path *p, uint64_t now,
		     struct mp_effects *out);
/** mp_size_came() - The other end tries a length: tell it */
void mp_size_came(struct mp *m, const struct mp_header *h,
		  struct mp_effects *out);
/** mp_sized() - A length that was tried has come */
void mp_sized(struct mp *m, const struct mp_header *h, uint64_t now);

/* release.c */
/** mp_arrive() - An inner packet came; @f is given away */
void mp_arrive(struct mp *m, struct mp_path *p, const struct mp_header *h,
	       struct buf *f, uint32_t off, uint64_t now,
	       struct mp_effects *out);
/** mp_drain() - Release what was left over */
void mp_drain(struct mp *m, uint64_t now, struct mp_effects *out);
/** mp_hole_timeout() - A lane has waited long enough */
void mp_hole_timeout(struct mp *m, struct mp_lane *l, uint64_t now,
		     struct mp_effects *out);
/** mp_equal_timeout() - Something's time to be released has come */
void mp_equal_timeout(struct mp *m, uint64_t now, struct mp_effects *out);
/** mp_release_reset() - Forget what came, and drop what waits */
void mp_release_reset(struct mp *m);

#endif /* MULTIPATH_MULTIPATH_INTERNAL_H */
