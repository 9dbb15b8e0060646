/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * multipath - One end of a connection of many paths
 *
 * Inner packets in, datagrams out, and the other way round; both ends are the
 * same machine. It makes no system call and reads no clock: time is an argument
 * (ns, never going back), packets are frames of its own pool, and what it wants
 * done it writes as effects. The program, the simulator and the fuzzers are its
 * callers.
 *
 * An owner's turn: mp_inner(), mp_outer() or mp_timeout() with an empty struct
 * mp_effects; send or deliver each effect and give it back by mp_done(); call
 * mp_timeout() when mp_next_timeout() has come. A call writes at most
 * MP_EFFECTS; what is left over is due at once.
 */
#ifndef MULTIPATH_MULTIPATH_H
#define MULTIPATH_MULTIPATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/hash.h"
#include "core/limits.h"
#include "multipath/counters.h"
#include "multipath/header.h"

#define MP_PATHS   16 /* that one end may have */
#define MP_EFFECTS EFFECTS_MAX
#define MP_GROUPS  8 /* of lanes, for counters: thin packets, and 7 of flows */

/* How a packet is brought to a path. */
enum mp_scheduler {
	MP_EARLIEST,   /* pulled by windows, delivered earliest, in order */
	MP_ROUNDROBIN, /* each packet the next path, at once */
	MP_WEIGHTS,    /* 1 packet on path 0, then weight on the others */
	MP_COPY,       /* each packet on all paths */
	MP_PIN,	       /* each lane has one path */
};

/* The same for packets of a class; MP_AS_ALL: as the end's scheduler says. */
enum mp_class {
	MP_AS_ALL,
	MP_CLASS_SPREAD,
	MP_CLASS_PIN,
	MP_CLASS_COPY,
};

/* How arrivals are put in order. */
enum mp_release {
	MP_RELEASE_ORDER, /* in order of the lane */
	MP_RELEASE_EQUAL, /* and not before the slowest path's delay */
	MP_RELEASE_OFF,	  /* as they come; copies are still dropped */
};

enum mp_tier {
	MP_PRIMARY,
	MP_SECONDARY, /* when all primary paths are full */
	MP_BACKUP,    /* when no other path is alive */
};

/**
 * struct mp_limits - Bounds of one end
 * @lanes:	Lanes, 2 to 65,535; flows beyond share them
 * @packets:	Packets that wait to be sent, and as many that wait to be
 *		released; a power of two. Full: an inner packet is dropped
 *		(drop_full), a lane gives up its hole (release_size)
 * @window:	Packets that may be out on one path; a power of two. Full: the
 *		path has no room
 * @pool:	Bytes of frames. Full: the owner cannot bring one, and drops it
 */
struct mp_limits {
	uint32_t lanes;
	uint32_t packets;
	uint32_t window;
	size_t pool;
};

/** struct mp_config - How an end works; may be changed by mp_configure() */
struct mp_config {
	enum mp_scheduler scheduler;
	enum mp_release release;
	uint32_t weight; /* of MP_WEIGHTS, at least 1 */
	bool again;	 /* send again what was lost */
	bool timed;	 /* packets bear the time of sending (equal release) */
	bool ethernet;	 /* inner packets are Ethernet frames, not IP */
	uint32_t size;	 /* packets that one lane may hold, then it gives up all
			  * holes; 0: until @limits.packets */
	bool timer;	 /* a hole is given up after some time */
};

/** mp_config_default() - earliest, in order, again, timer */
struct mp_config mp_config_default(void);

/** struct mp_path_config - A path */
struct mp_path_config {
	enum mp_tier tier;
	uint64_t cap;	 /* bytes that may be sent; 0: any */
	bool off;	 /* no packet of our own side is given to it */
	uint64_t rate;	 /* bytes a second that it is given at most; 0: any */
	uint32_t weight; /* of MP_WEIGHTS; 0 on all paths: struct mp_config's */
	/* Lengths of messages between which its limit is looked for (size.c);
	 * 0: it is not.
	 */
	uint32_t size_least;
	uint32_t size_most;
};

/* Why an effect is. */
#define MP_WHYS(X)                                                             \
	X(MP_WHY_FIRST, "earliest")  /* head of its lane on its best path */   \
	X(MP_WHY_AHEAD, "ahead")     /* due when this path delivers it */      \
	X(MP_WHY_THIN, "thin")	     /* passes the queue */                    \
	X(MP_WHY_TURN, "turn")	     /* round robin, weights, pin */           \
	X(MP_WHY_AGAIN, "again")     /* lost */                                \
	X(MP_WHY_TWIN, "twin")	     /* on all paths by policy */              \
	X(MP_WHY_MEASURE, "measure") /* a copy that measures a path */         \
	X(MP_WHY_PROBE, "probe")     /* is the path there? */                  \
	X(MP_WHY_REPORT, "report")   /* feedback */                            \
	X(MP_WHY_SETTLE, "settle")   /* answers one that names losses */       \
	X(MP_WHY_SIZE, "size")	     /* how long may it be? */                 \
	X(MP_WHY_ORDER, "in order")  /* delivered in its turn */               \
	X(MP_WHY_LATE, "late")	     /* delivered behind its turn */

enum mp_why {
#define X(id, name) id,
	MP_WHYS(X)
#undef X
		MP_WHY_COUNT
};

/** mp_why_name() - As a trace spells it */
const char *mp_why_name(enum mp_why why);

/**
 * struct mp_effect - One datagram to be sent, or one packet to be delivered
 * @send:	To be sent on @path; else to be delivered to our own side
 * @path:	0 to MP_PATHS - 1
 * @why:	For a trace
 * @frame:	Whose bytes are to be sent or delivered; NULL: none. Given back
 *		by mp_done()
 * @off:	First byte of it
 * @len:	Bytes of it
 * @n:		Bytes at @bytes, in front of it
 * @pad:	Bytes of zeros behind it; of MP_WHY_SIZE, which no router may
 *		cut
 * @bytes:	Header, or a whole message; of what is sent only
 */
struct mp_effect {
	bool send;
	uint8_t path;
	enum mp_why why;
	struct buf *frame;
	uint32_t off;
	uint32_t len;
	uint32_t n;
	uint32_t pad;
	uint8_t bytes[MP_CONTROL_MAX];
};

struct mp_effects {
	uint32_t n;
	struct mp_effect e[MP_EFFECTS];
};

/** struct mp_path_info - What is known of a path; 0 where nothing is */
struct mp_path_info {
	bool used;
	bool alive;
	bool measuring;
	uint64_t rate;	  /* bytes a second */
	uint64_t window;  /* bytes that may be out */
	uint64_t out;	  /* bytes that are */
	uint64_t min_rtt; /* ns */
	uint64_t srtt;	  /* ns */
	int64_t delay; /* one way, beyond an offset that all paths share, ns */
	uint32_t size; /* of the longest message, as far as it is known */
	struct mp_path_counters n;
};

struct mp;

/** mp_size() - Arena bytes of an end; SIZE_MAX: beyond all memory */
size_t mp_size(const struct mp_limits *l);

/**
 * mp_init() - Make an end without paths
 * @out:	End, in the arena
 * @a:		Arena with mp_size() bytes left
 * @l:		Bounds
 * @c:		How it works
 * @key:	Of the hash that gives flows their lanes
 * @now:	ns
 *
 * Return: 0; -EINVAL: a bound is out of its range; -ENOMEM: the arena is too
 * small (@out untouched)
 */
int mp_init(struct mp **out, struct arena *a, const struct mp_limits *l,
	    const struct mp_config *c, const struct hash_key *key,
	    uint64_t now);

/** mp_configure() - Work otherwise from now on. Return: 0 or -EINVAL */
int mp_configure(struct mp *m, const struct mp_config *c);

/**
 * mp_restart() - The other end is new: all numbers begin again
 *
 * What waits or is held goes (drop_restart), paths stay and are unknown.
 */
void mp_restart(struct mp *m, uint64_t now);

/**
 * mp_path_add() - Use path @path from now on; it is probed at once
 *
 * Return: 0; -EINVAL: @path or a member is out of range; -EEXIST
 */
int mp_path_add(struct mp *m, unsigned path, const struct mp_path_config *c,
		uint64_t now);

/**
 * mp_path_configure() - Use it otherwise from now on. Return: 0, -EINVAL,
 * -ENOENT
 */
int mp_path_configure(struct mp *m, unsigned path,
		      const struct mp_path_config *c);

/**
 * mp_path_remove() - Leave it; what is out on it goes again. Return: 0, -ENOENT
 */
int mp_path_remove(struct mp *m, unsigned path, uint64_t now);

/**
 * mp_size_told() - A router says that no message over @size passes on a path
 *
 * It is tried, not believed.
 */
void mp_size_told(struct mp *m, unsigned path, uint32_t size, uint64_t now);

/** mp_path_alive() - Does anything come back on it? */
bool mp_path_alive(const struct mp *m, unsigned path);

/**
 * mp_together() - Bytes that a path sends in a millisecond; 0: nobody knows
 */
uint32_t mp_together(const struct mp *m, unsigned path);

/** mp_path_info() - What is known of a path. @path: 0 to MP_PATHS - 1 */
void mp_path_info(const struct mp *m, unsigned path, struct mp_path_info *out);

/**
 * mp_frame() - A frame for an inner packet or a datagram of @len bytes
 *
 * Return: the frame; whoever calls mp_inner() or mp_outer() with it gives it
 * away. NULL: the pool is full or @len is too long
 */
struct buf *mp_frame(struct mp *m, uint32_t len);

/** mp_frame_free() - Give one back that is not needed after all */
void mp_frame_free(struct mp *m, struct buf *f);

/** mp_inner() - Packet @f, from our own side, of class @class */
void mp_inner(struct mp *m, struct buf *f, enum mp_class class, uint64_t now,
	      struct mp_effects *out);

/**
 * mp_inner_part() - The same with a part of @whole, @n bytes: it goes in the
 * lane of the whole, but may bear no mark
 */
void mp_inner_part(struct mp *m, struct buf *f, const uint8_t *whole,
		   uint32_t n, enum mp_class class, uint64_t now,
		   struct mp_effects *out);

/**
 * mp_outer_begin() - Several datagrams have come together
 *
 * Until mp_outer_end() no feedback is sent: one then says as much as one after
 * each four packets, whose sending and taking costs more than theirs does.
 */
void mp_outer_begin(struct mp *m);

/** mp_outer_end() - These were all */
void mp_outer_end(struct mp *m, uint64_t now, struct mp_effects *out);

/** mp_outer() - Datagram @f came on @path */
void mp_outer(struct mp *m, unsigned path, struct buf *f, uint64_t now,
	      struct mp_effects *out);

/** mp_timeout() - Do what is due */
void mp_timeout(struct mp *m, uint64_t now, struct mp_effects *out);

/** mp_next_timeout() - When mp_timeout() should be called; UINT64_MAX: never */
uint64_t mp_next_timeout(const struct mp *m);

/** mp_done() - The effect was sent or delivered, or could not be */
void mp_done(struct mp *m, struct mp_effect *e);

/**
 * mp_group_counters() - What was counted of lanes @group, 0 (thin) to MP_GROUPS
 * - 1
 */
const struct mp_lane_counters *mp_group_counters(const struct mp *m,
						 unsigned group);

/** mp_counters() - What was counted */
const struct mp_counters *mp_counters(const struct mp *m);

/** mp_size_limit() - The longest inner packet that all paths take; 0: any */
uint32_t mp_size_limit(const struct mp *m);

/** mp_queued() - Bytes that wait to be sent for the first time */
uint64_t mp_queued(const struct mp *m);

/** mp_bound() - Bytes that may wait */
uint64_t mp_bound(const struct mp *m);

/** mp_pool() - Where its frames are from */
struct pool *mp_pool(const struct mp *m);

/**
 * mp_check() - Test what must hold between two calls
 * @deep:	Also what takes long: it walks all packets and lanes
 *
 * Return: NULL, or what does not hold
 */
const char *mp_check(const struct mp *m, bool deep);

#endif /* MULTIPATH_MULTIPATH_H */
