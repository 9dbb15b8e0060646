/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * world - The three endpoints round an engine, in virtual time
 *
 * Frames of the endpoints go in, effects come out into a queue; each is held
 * against the contract as it comes (contract.c), whatever the script expects.
 */
#ifndef SCRIPT_WORLD_H
#define SCRIPT_WORLD_H

#include "engine/engine.h"
#include "shadow/shadow.h"
#include "script.h"

#define STREAM_MAX 65536 /* bytes of a client's stream that a script may send */
#define SEEN_MAX   1024	 /* effects that no line has asked for yet */
#define EDGE_NONE  UINT32_MAX

/**
 * struct conn - One connection of a client
 * @used:	A line has named it
 * @port:	The client's
 * @leg_port:	The one that U plays it from
 * @older_port:	The one of an older leg, which a newer one has overtaken: data
 *		behind the client's end is a connection of its own; 0: none
 * @iss:	Initial sequence numbers; all others are relative to these
 * @stream, @known: The client's bytes by relative sequence number, STREAM_MAX
 * @learnt:	All known ones are below this
 * @syn_len:	Bytes of the client's SYN, of which it is open how many production
 *		took
 * @syn:	U has sent a SYN; what follows is of the leg that it opened
 * @synack:	The SUT has answered it
 * @s_max:	Behind the highest that the SUT has sent
 * @acked, @last_ack, @last_edge: Highest ack and right edge told to the SUT
 * @snd_nxt:	Behind the highest that U has sent
 * @s_edge:	Right edge that the SUT has told
 * @scale_c, @scale_s: Window scales in use towards and from the SUT
 * @offer:	Options of U's SYN
 * @agreed:	Options of both
 * @s_mss:	The SUT's
 */
struct conn {
	bool used;
	uint16_t port;
	uint16_t leg_port;
	uint16_t older_port;
	uint32_t iss[WHO_COUNT];
	uint8_t *stream;
	bool *known;
	uint32_t learnt;
	uint32_t syn_len;
	bool syn;
	bool synack;
	bool acked;
	uint32_t s_max;
	uint32_t last_ack;
	uint32_t last_edge;
	uint32_t snd_nxt;
	uint32_t s_edge;
	uint8_t scale_c;
	uint8_t scale_s;
	struct tcp_opts offer;
	uint16_t agreed;
	uint16_t s_mss;
};

/** struct seen - An effect that U sent */
struct seen {
	uint64_t at;
	struct effect e;
	struct tcp_opts opts;
	struct conn *conn; /* NULL: of no connection */
	uint8_t *data;
};

struct world {
	const char *path;
	unsigned line; /* that is being played */
	bool verbose;
	bool failed;
	bool began;
	bool v6;
	bool strict;	/* every bare ack must be asked for */
	bool deaf;	/* the SUT's wire is never read empty */
	bool shrink;	/* production was told a smaller window, too */
	bool other_way; /* the SUT answers clients by another wire */
	uint64_t
		deaf_from; /* and answers no probe from here on, since @start */
	uint64_t deaf_until; /* until then; 0: it always does */
	uint64_t start;
	uint64_t now;
	struct engine_config cfg;
	struct arena arena;
	struct engine *engine;
	struct conn conn[CONNS];
	struct conn *cur;
	uint16_t sent; /* segments of the endpoints */
	/* Takes an effect and calls engine_sent(), now or later; NULL: at once */
	void (*sink)(struct world *w, const struct effect *e);
	uint32_t seen;
	struct seen queue[SEEN_MAX];
};

/** world_fail() - Something is not as it should be */
void world_fail(struct world *w, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** world_defaults() - Configuration before any `set` */
void world_defaults(struct world *w);

/** world_set() - Apply `set NAME VALUE`; false: not known */
bool world_set(struct world *w, const struct line *l);

/** world_assert() - Check `= NAME ...` */
void world_assert(struct world *w, const struct line *l);

/** world_begin() - Make the engine, and open the SUT's wire */
bool world_begin(struct world *w);

/** world_stop() - Stop the engine */
void world_stop(struct world *w);

/** world_end() - Stop, if that was not done; all must have come back */
void world_end(struct world *w);

/** world_conn() - Select connection @n; @as: whose port it uses, 0: its own */
void world_conn(struct world *w, unsigned n, unsigned as);

/** world_send() - One endpoint sends a segment now */
void world_send(struct world *w, const struct line *l);

/** world_advance() - Let time pass up to @until, timeouts included */
void world_advance(struct world *w, uint64_t until);

/** world_step() - Let time pass to the next timeout. Return: false if there is
 * none up to @until; the time is then @until
 */
bool world_step(struct world *w, uint64_t until);

/** world_drop() - Forget the first @n effects of the queue */
void world_drop(struct world *w, uint32_t n);

/** world_addr() - Address of an endpoint */
struct ipaddr world_addr(const struct world *w, enum who who);

/** seen_text() - An effect in the notation; a static buffer */
const char *seen_text(const struct world *w, const struct seen *s);

/** seen_is_ack() - It is a bare ack */
static inline bool seen_is_ack(const struct seen *s)
{
	return s->e.kind == EFFECT_TCP && s->e.len == 0 &&
	       (s->e.flags & (TCP_SYN | TCP_FIN | TCP_RST)) == 0;
}

/** contract_effect() - Hold an effect against the invariants */
void contract_effect(struct world *w, const struct seen *s);

/** contract_segment() - The SUT has sent this, over IPv6 or IPv4 */
void contract_segment(struct conn *c, const struct line *l, bool v6);

/** conn_of() - The connection that an effect is of, or NULL */
struct conn *conn_of(struct world *w, const struct effect *e);

#endif /* SCRIPT_WORLD_H */
