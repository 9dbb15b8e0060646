/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * router - The program that routes spliced connections, and its tables
 *
 * A router belongs to one thread. Its pairs are named by struct join_name; a
 * name that is out of date is answered with -ESTALE.
 */
#ifndef ROUTE_ROUTER_H
#define ROUTE_ROUTER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/dir.h"
#include "core/sip.h"
#include "route/table.h"
#include "os/errbuf.h"
#include "splice/begin.h"
#include "splice/over.h"
#include "splice/pair.h"

struct router;

/**
 * struct router_config - What it is opened with
 * @pairs:	Most pairs at once, 1 to JOIN_PAIRS; then router_intend() says
 *		-ENOSPC
 * @limits:	How long pairs that are made of a SYN may say nothing;
 *		@limits.timewait: of all
 * @key:	Of rendezvous.h
 * @mark:	As struct join_config has it
 * @pin:	Folder of a bpffs, which is made if its parent is there; tables
 *		are pinned in it, so that pairs outlive us, and those that lie
 *		there are taken over. NULL: pairs end with us
 */
struct router_config {
	uint32_t pairs;
	struct splice_limits limits;
	struct hash_key key;
	uint32_t mark;
	const char *pin;
};

/**
 * router_open() - Load the program
 *
 * Needs CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON, or root.
 *
 * Return: 0 or -Exxx, with @e; -EBUSY: another process has the tables of @pin
 */
int router_open(struct router **out, const struct router_config *c,
		struct errbuf *e);

/**
 * router_close() - Unload it; pairs end, if they are not pinned. NULL is
 * allowed
 */
void router_close(struct router *r);

/**
 * router_fd() - A descriptor, the router's, that is readable when there are
 * events
 */
int router_fd(const struct router *r);

/** router_tables() - Descriptors, the router's, of join_ends and join_slots */
void router_tables(const struct router *r, int fd[2]);

/** router_program() - Descriptor of the program, for hook_attach() */
int router_program(const struct router *r);

/**
 * router_intend() - Begin to watch two connections
 * @client, @server: Tuples of what their peers send
 * @ip6:	Family of both
 * @way:	To their peers
 * @name:	Result
 * @peer:	Result: what the client's has agreed on
 *
 * Return: 0; -ENOSPC: there is no place; -EEXIST: one of the tuples is a pair's
 */
int router_intend(struct router *r, const struct splice_tuple *client,
		  const struct splice_tuple *server, bool ip6,
		  const struct join_way way[DIR_COUNT], struct join_name *name,
		  struct join_peer *peer);

/** router_move() - The ways to the peers have changed. Return: 0 or -ESTALE */
int router_move(struct router *r, const struct join_name *name,
		const struct join_way way[DIR_COUNT]);

/**
 * router_splice() - Splice the two sockets of a pair
 * @pending:	Bytes that will still be written to the peer of each side
 * @cut:	As splice_socket.cut of each side; NULL: there is none
 * @events:	Result: SPLICE_EV_ bits
 *
 * Return: 0; -ESTALE; -ENOTCONN: a socket is not open, or not in this network
 * namespace; -EOPNOTSUPP: one of them has timestamps
 */
int router_splice(struct router *r, const struct join_name *name,
		  const uint32_t pending[DIR_COUNT],
		  const uint32_t cut[DIR_COUNT], uint32_t *events);

/**
 * router_cut() - A pair is to end at a cut: as @what says, see splice/cut.h
 * @cut:	Of JOIN_CUT_READY; else NULL
 * @events:	Result: SPLICE_EV_ bits
 *
 * Return: 0; -EINVAL: the pair cannot do that, or not any more; -ESTALE
 */
int router_cut(struct router *r, const struct join_name *name,
	       enum join_cutting what, const uint32_t cut[DIR_COUNT],
	       uint32_t *events);

/** router_look() - Copy a pair. Return: 0 or -ESTALE */
int router_look(const struct router *r, const struct join_name *name,
		struct splice_pair *p);

/**
 * router_each() - Go through all pairs
 * @at:		0 at first; where the next call goes on
 * @name, @p:	Result
 *
 * Return: 1; 0: there are no more
 */
int router_each(const struct router *r, uint32_t *at, struct join_name *name,
		struct splice_pair *p);

/** router_put() - Overwrite a pair, but for its tuples. Return: 0 or -ESTALE */
int router_put(struct router *r, const struct join_name *name,
	       const struct splice_pair *p);

/**
 * router_forget() - A pair is over: its tuples are nobody's. Return: 0 or
 * -ESTALE
 */
int router_forget(struct router *r, const struct join_name *name);

/**
 * router_sweep() - Look at an eighth of all places, and 1024: what is over
 * goes, and is told of by JOIN_EV_OVER
 * @l, @now:	As splice_is_over(); of those that were made of a SYN, of which
 *		nothing is told, limits are router_config's
 * @at:		Place to begin with, 0 at first; where the next call goes on
 *
 * About 50 ns a place.
 */
void router_sweep(struct router *r, const struct splice_limits *l, uint64_t now,
		  uint32_t *at);

/**
 * router_forward() - Pass on SYNs, from now on
 * @at:		Where they come in
 * @f:		Where they go; @next is not looked at
 *
 * In place of what was said of @at before. Return: 0 or -Exxx; -ENOSPC
 */
int router_forward(struct router *r, const struct join_at *at,
		   const struct join_forward *f);

/** router_served() - How many were passed on, by join_server.served. Return: 0
 * or -Exxx
 */
int router_served(const struct router *r, uint32_t at, uint64_t *n);

/** router_unforward() - Pass on none of @at. Its pairs go on */
void router_unforward(struct router *r, const struct join_at *at);

/** router_state() - What there is one of. Return: 0 or -Exxx */
int router_state(const struct router *r, struct join_state *s);

/** router_next() - The next event. Return: 1; 0: there is none */
int router_next(struct router *r, struct join_event *e);

/**
 * router_counts() - Read all counters, by enum join_count. Return: 0 or -Exxx
 */
int router_counts(const struct router *r, uint64_t n[JOIN_COUNTS]);

#endif /* ROUTE_ROUTER_H */
