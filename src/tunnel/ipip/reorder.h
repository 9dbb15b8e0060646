/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reorder - Packets of TCP connections are put in the order of their numbers
 *
 * Packets and time in (ns, never going back), the same packets out, each once.
 * It makes no system call and reads no clock; frames are of its own pool. A
 * packet is IPv4, whole, as long as its header says.
 *
 *	f = reorder_frame(r, len);		NULL: count it, and drop
 *	memcpy(f->data, packet, len);
 *	reorder_put(r, f, now);
 *	while ((f = reorder_next(r))) { hand on f; reorder_done(r, f); }
 *
 * and reorder_timeout() when reorder_next_timeout() has come, with the same
 * loop behind it.
 */
#ifndef IPIP_REORDER_H
#define IPIP_REORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/hash.h"
#include "ipip/counters.h"

/**
 * struct reorder_limits - Bounds
 * @flows:	Connections that are known, by direction; 1 and up. Full: the
 *		one that was silent longest gives up what it holds and is
 *		forgotten (evicted)
 * @held:	Segments that wait, of all together; 1 and up. Full: the
 *		connection that wants one more gives up its holes (flushed),
 *		and if it has none its segment goes on as it is (no_room)
 * @pool:	Bytes of frames. Full: the owner cannot bring one, and drops it
 */
struct reorder_limits {
	uint32_t flows;
	uint32_t held;
	size_t pool;
};

/**
 * struct reorder_config - How it works; may be changed at any time
 * @on:		Put in order; else all goes on as it comes
 * @size:	Segments that one connection may hold; one more, and all go on
 *		as though there were no buffer. 0: @reorder_limits.held
 * @hold:	How long a hole may hold up a connection, ns; 0: until its size
 *		is reached
 */
struct reorder_config {
	bool on;
	uint32_t size;
	uint64_t hold;
};

struct reorder;

/** reorder_size() - Arena bytes; SIZE_MAX: beyond all memory */
size_t reorder_size(const struct reorder_limits *l);

/**
 * reorder_init() - Make an empty one
 * @out:	In the arena
 * @a:		Arena with reorder_size() bytes left
 * @key:	Of the hash of connections
 * @now:	ns
 *
 * Return: 0; -EINVAL: a bound is 0; -ENOMEM: the arena is too small (@out
 * untouched)
 */
int reorder_init(struct reorder **out, struct arena *a,
		 const struct reorder_limits *l, const struct reorder_config *c,
		 const struct hash_key *key, uint64_t now);

/** reorder_configure() - Work otherwise from now on; what is held goes on */
void reorder_configure(struct reorder *r, const struct reorder_config *c);

/** reorder_frame() - A frame for a packet of @len bytes; NULL: the pool is full
 */
struct buf *reorder_frame(struct reorder *r, uint32_t len);

/** reorder_put() - A packet came; it is given away */
void reorder_put(struct reorder *r, struct buf *f, uint64_t now);

/** reorder_next() - The next one that goes on, or NULL. Its owner is the caller
 */
struct buf *reorder_next(struct reorder *r);

/** reorder_done() - It went on */
void reorder_done(struct reorder *r, struct buf *f);

/** reorder_timeout() - Give up the holes whose time has come */
void reorder_timeout(struct reorder *r, uint64_t now);

/** reorder_next_timeout() - When it should be called; UINT64_MAX: never */
uint64_t reorder_next_timeout(const struct reorder *r);

/** reorder_held() - Segments that wait now */
uint32_t reorder_held(const struct reorder *r);

/** reorder_used() - Bytes of frames that are in use; 0 when none is */
size_t reorder_used(const struct reorder *r);

const struct reorder_counters *reorder_counters(const struct reorder *r);

/**
 * reorder_check() - Test what must hold between two calls
 *
 * Return: NULL, or what does not hold
 */
const char *reorder_check(const struct reorder *r);

#endif /* IPIP_REORDER_H */
