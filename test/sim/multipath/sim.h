/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim - What the files of this simulator know of each other
 *
 * One world is one cell: two ends, paths with a link each way, and TCP connections
 * inside. Numbers of TCP are segments, not bytes.
 */
#ifndef SIM_MULTIPATH_SIM_H
#define SIM_MULTIPATH_SIM_H

#include <stdbool.h>
#include <stdint.h>

#include "core/rng.h"
#include "multipath/multipath.h"

#define MS	   NS_PER_MS
#define SEC	   NS_PER_SEC
#define FLOWS_MOST 31 /* bits of a word */
#define STEPS_MOST 4
#define SACKS	   3
#define TCP_RING   (1u << 16) /* segments a sender may have out */
#define OOO_MOST   512	      /* ranges a receiver may hold out of order */

/* What an inner packet has of itself: IPv4, TCP, options. */
#define INNER_HEAD  52
#define INNER_MSS   1408 /* 1500 - 28 (UDP, IPv4) - MP_HEADER - INNER_HEAD */
#define DIRECT_MSS  1448
#define DIRECT_OVER 14	/* Ethernet */
#define COPIED	    96u /* bytes of a datagram that are looked at */

/* link.c */

/** struct step - A link changes at a time */
struct step {
	uint64_t at;
	uint64_t rate; /* 0: as before */
	bool down;
};

/** struct link_plan - A link */
struct link_plan {
	uint64_t rate;	 /* bytes/s of frames with Ethernet header */
	uint64_t delay;	 /* ns */
	uint64_t jitter; /* ns; order is kept */
	double loss;
	uint32_t queue; /* packets */
	uint32_t burst; /* bytes */
	unsigned steps;
	struct step step[STEPS_MOST];
};

/** struct flight - A datagram on a link; its first bytes */
struct flight {
	uint64_t at;
	uint32_t len; /* without overhead */
	uint8_t p[MP_CONTROL_MAX];
};

struct link {
	struct link_plan plan;
	struct link *shared; /* all bytes pass this one, too; or NULL */
	uint64_t free;	     /* when the bucket is empty */
	uint64_t last;	     /* arrival of the last one */
	uint64_t *leave;     /* departures of what queues: a ring */
	uint32_t q_head, q_n;
	struct flight *ring;
	uint32_t head, n, cap;
	uint64_t drops, lost, bytes;
	unsigned step;
};

void link_open(struct link *l, const struct link_plan *p);
void link_close(struct link *l);
/**
 * link_send() - Put a datagram on a link
 * @len:	Its length; @over more bytes stand in front of it
 *
 * Return: room for its first MP_CONTROL_MAX bytes, or NULL: it is lost
 */
uint8_t *link_send(struct link *l, struct rng *rng, uint32_t len, uint32_t over,
		   uint64_t now);
/** link_next() - When the next one arrives; UINT64_MAX: never */
uint64_t link_next(const struct link *l);
/** link_take() - The one that arrives next. It is good until the next call */
struct flight *link_take(struct link *l);

/* tcp.c, cc.c */

enum cc { CC_CUBIC, CC_BBR, CC_OLD };

/** struct seg - A segment that is out */
struct seg {
	uint64_t sent;	    /* last time */
	uint64_t delivered; /* BBR: when it was sent */
	uint64_t delivered_at;
	uint64_t first_at;
	uint32_t prev, next; /* in order of sending */
	bool again, sacked, lost, listed;
};

struct bbr {
	uint64_t delivered, delivered_at, first_at;
	struct {
		double bw;
		uint64_t round;
	} q[64];
	uint32_t qn;
	uint64_t round, round_end;
	int mode;
	double full, gain;
	int same, phase;
	uint64_t phase_at, min_at, probe_end;
	bool probing;
	uint64_t probe_min, next_send;
};

struct tcp {
	enum cc cc;
	uint32_t mss, rwnd;
	uint32_t una, nxt;
	double cwnd, ssthresh;
	struct seg *seg;
	uint32_t first, tail; /* order of sending; UINT32_MAX: none */
	uint32_t *lostq;      /* ring of segments to be sent again */
	uint32_t lost_head, lost_n;
	uint32_t inflight, hi;
	uint64_t srtt, var, min_rtt, rto, rto_at;
	unsigned backoff;
	bool recovering;
	uint32_t recover;
	uint64_t rack_sent;
	bool reordered;
	uint32_t dupthresh;
	/* what an undo needs */
	bool undo;
	double undo_cwnd, undo_ssthresh;
	uint32_t undo_una;
	uint64_t undo_at;
	/* CUBIC, HyStart */
	double wmax, k, origin, west;
	uint64_t epoch;
	bool has_epoch;
	uint32_t h_round, h_count;
	uint64_t h_min;
	struct bbr b;
	struct rng rng;
	uint64_t retx, rtos;
	/* The receiver */
	uint32_t rcv_nxt;
	struct {
		uint32_t from, to;
	} ooo[OOO_MOST];
	uint32_t ooo_n, ooo_last;
	uint32_t pending; /* segments not acked yet */
	uint64_t pending_ts, delack_at;
	uint64_t came_at, gap_most;
};

/** struct ack - What a receiver says */
struct ack {
	uint32_t cum;
	uint32_t sacks;
	uint32_t from[SACKS], to[SACKS];
	uint64_t tsecr;
};

void tcp_open(struct tcp *t, enum cc cc, uint32_t mss, uint32_t rwnd,
	      uint64_t rtt, uint64_t seed);
void tcp_close(struct tcp *t);
/** tcp_pull() - The next segment that may be sent now. Return: false: none */
bool tcp_pull(struct tcp *t, uint64_t now, uint32_t *seq);
void tcp_ack(struct tcp *t, const struct ack *a, uint64_t now);
/** tcp_data() - A segment came. Return: whether to ack now */
bool tcp_data(struct tcp *t, uint32_t seq, uint64_t ts, uint64_t now);
/** tcp_make_ack() - What to say */
void tcp_make_ack(struct tcp *t, struct ack *a);
/** tcp_next() - When tcp_timeout() is due */
uint64_t tcp_next(const struct tcp *t, uint64_t now);
/** tcp_timeout() - Return: whether an ack is due */
bool tcp_timeout(struct tcp *t, uint64_t now);

/* cc.c: what the congestion control makes of an ack */
void cc_open(struct tcp *t, uint64_t rtt);
void cc_sent(struct tcp *t, struct seg *s, uint64_t now);
void cc_delivered(struct tcp *t, const struct seg *s, uint64_t rtt,
		  uint64_t now);
void cc_acked(struct tcp *t, uint32_t n, uint32_t lost, uint64_t rtt,
	      uint64_t now);
void cc_timeout(struct tcp *t);
/** cc_may_send() - When the next segment may be sent; pacing */
uint64_t cc_may_send(const struct tcp *t);

/* world.c */

/** struct cell - What is played */
struct cell {
	char name[96];
	unsigned paths;
	struct link_plan to[MP_PATHS], back[MP_PATHS];
	uint64_t shared; /* rate of a link that all share, both ways; 0: none */
	struct mp_config config;
	bool direct; /* no tunnel: TCP on path 0 */
	enum cc cc;
	uint32_t rwnd; /* segments */
	unsigned flows;
	uint64_t from, until; /* what is measured */
	uint64_t ping;	      /* a thin packet each so many ns; 0: none */
	uint64_t seed;
	bool every;  /* mp_check() after each call, not each 64th */
	double want; /* a figure to be compared with; 0: none */
};

/** struct result - What came of it */
struct result {
	double goodput; /* bytes/s of payload in the measured time */
	double whole;	/* the same from the start */
	double share;	/* of the sum of direct connections, percent */
	double nominal; /* of what direct connections could carry at most */
	double later;	/* of a drawn cell under 80: the share 30 s later */
	double gap;	/* ms without progress, longest */
	double ping50, ping99; /* ms */
	double jain;
	uint64_t packets, retx, rtos, given_up, again, measured, drops;
	uint64_t rate[MP_PATHS];
	char broken[160]; /* an invariant that did not hold; "" */
};

void world_run(const struct cell *c, struct result *r);

#endif /* SIM_MULTIPATH_SIM_H */
