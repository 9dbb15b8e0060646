/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * compare.c - Two answers in, one verdict out
 *
 * Theory of operation
 *
 * Bytes go one of two ways. At COMPARE_IDENTICAL, and where the protocol has no
 * fields, all go into one lane (lane.c). At COMPARE_EQUIVALENT a head and its
 * trailers are kept whole on each side (fields.c) and compared when both are
 * there; equal bytes need no parsing. The body, chunks unwrapped, goes into the
 * lane. Interim answers and chunk framing are compared by one hash a side,
 * which decides only whether the verdict is identical or equivalent.
 *
 * The object lies in one block of the pool, with room behind it for two heads
 * and a body of common size: most comparisons take that one block.
 *
 * Status, header and body are judged apart, so a difference in one hides none
 * in another: what was found is a set. Of the bodies only the first byte that
 * differs is looked for. A spoiled comparison is no evidence, so spoiling goes
 * before a difference, whichever came first; all memory but the object itself
 * is given back then, and what comes later is only counted.
 *
 * An answer that is not by the book is read on as the framer reads it, and
 * where it breaks the protocol as bytes (opaque.c). What that means is known at
 * the end, when both answers are (result.c).
 */
#include "compare/compare.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "app/head.h"
#include "compare/compare_internal.h"
#include "compare/keep.h"

#define BLOCK	  2048u /* of the pool, for the object */
#define HEAD_ROOM 512u	/* of it for each head */

static const char *const verdict_names[] = {
	[VERDICT_IDENTICAL] = "identical",
	[VERDICT_EQUIVALENT] = "equivalent",
	[VERDICT_DIFFERENT] = "different",
	[VERDICT_NOT_COMPARED] = "not_compared",
};

static const char *const reason_names[] = {
#define X(id, name) [id] = name,
	COMPARE_REASONS(X)
#undef X
};

const char *verdict_name(enum verdict v)
{
	assert(v < VERDICT_COUNT);
	return verdict_names[v];
}

static const char *const unanswered_names[] = {
#define X(id, name) name,
	UNANSWERED_KINDS(X)
#undef X
};

const char *unanswered_name(enum unanswered u)
{
	assert(u < UNANSWERED_COUNT);
	return unanswered_names[u];
}

const char *reason_name(enum compare_reason r)
{
	assert(r < REASON_COUNT);
	return reason_names[r];
}

struct compare *compare_begin(struct pool *pool, enum compare_level level,
			      const struct protocol *protocol)
{
	const size_t align = _Alignof(struct compare);
	struct buf *f;
	struct compare *c;
	size_t pad, size;
	uint8_t *room;

	assert(level != COMPARE_NONE && protocol->compare->piece);
	f = buf_alloc(pool, (uint32_t)(BLOCK - sizeof(struct buf)), BUF_CMP);
	if (!f)
		return NULL;
	pad = (align - (uintptr_t)f->data % align) % align;
	c = (struct compare *)(void *)(f->data + pad);
	*c = (struct compare){
		.self = f,
		.ops = protocol->compare,
		.equivalent = level == COMPARE_EQUIVALENT,
		.parse = protocol->compare->fields &&
			 level == COMPARE_EQUIVALENT,
	};
	room = c->room;
	size = f->len - pad - offsetof(struct compare, room);
	if (protocol->compare->state > 0) {
		c->state = memset(room, 0, protocol->compare->state);
		room += protocol->compare->state;
		size -= protocol->compare->state;
	}
	for (unsigned i = 0; i < 2 && c->parse; i++) {
		c->side[i].fields.p = room;
		c->side[i].fields.cap = HEAD_ROOM;
		c->side[i].fields.max =
			COMPARE_HEAD * (i == 1 ? COMPARE_SUT : 1);
		room += HEAD_ROOM;
		size -= HEAD_ROOM;
	}
	field_mask_init(&c->side[0].mask);
	field_mask_init(&c->side[1].mask);
	lane_init(&c->lane, room, (uint32_t)size);
	return c;
}

_Static_assert(BLOCK > sizeof(struct buf) + sizeof(struct compare) +
			       2 * HEAD_ROOM + 256,
	       "room for two heads and a small body");

void compare_by(struct compare *c, const struct compare_rules *rules)
{
	c->rules = rules;
}

void compare_asked(struct compare *c, const struct rules *by,
		   const char *request, uint8_t len)
{
	c->by = by;
	c->request = request;
	c->request_len = len;
}

void compare_keep(struct compare *c, struct pool *pool, uint32_t most,
		  const struct asked *asked)
{
	if (c->parse)
		c->kept = keep_begin(pool, most);
	if (c->kept && asked)
		keep_asked(c->kept, asked);
}

void compare_sends(struct compare *c, const struct asked *asked, bool hangs)
{
	memcpy(c->sent, asked->sent, sizeof(c->sent));
	c->hangs = hangs;
}

const uint64_t *compare_what_sent(const struct compare *c, bool *hangs)
{
	*hangs = c->hangs;
	return c->sent;
}

bool compare_head(const struct compare *c, enum who who, struct head_rest *out)
{
	const struct fields *f = &c->side[who == WHO_SUT].fields;

	if (!f->ended || c->spoiled != REASON_NONE ||
	    c->side[who == WHO_SUT].malformed)
		return false;
	*out = (struct head_rest){ f->p, f->p + f->head };
	return true;
}

struct keep *compare_take(struct compare *c)
{
	struct keep *k = c->kept;

	c->kept = NULL;
	return k;
}

/* Give back everything but the object. */
static void release(struct compare *c, struct pool *pool)
{
	if (c->kept)
		keep_end(c->kept, pool);
	c->kept = NULL;
	lane_release(&c->lane, pool);
	for (unsigned i = 0; i < 2; i++)
		fields_release(&c->side[i].fields, pool);
}

static bool over(const struct compare *c)
{
	return c->spoiled != REASON_NONE;
}

static void find(struct compare *c, enum compare_reason r)
{
	c->found |= reason_bit(r);
}

/* Turn a negative result of a step into its reason. */
static void failed(struct compare *c, int r)
{
	compare_spoil(c, r == -E2BIG ? REASON_HEAD_TOO_LONG : REASON_NO_MEMORY);
}

/* Note what a lane found. */
static void judge_lane(struct compare *c, int r)
{
	if (r == FOUND_NOTHING)
		return;
	if (r < 0) {
		failed(c, r);
		return;
	}
	if (!c->parse)
		find(c, REASON_BYTES);
	else
		find(c, r == FOUND_LENGTH ? REASON_LENGTH : REASON_BODY);
}

void compare_lane(struct compare *c, struct pool *pool, unsigned side,
		  const uint8_t *p, uint32_t n)
{
	judge_lane(c, lane_feed(&c->lane, pool, side, p, n));
}

/* Bytes behind the break of the protocol. */
static void feed_opaque(struct compare *c, struct pool *pool, unsigned side,
			const uint8_t *p, uint32_t n)
{
	while (n > 0 && !over(c)) {
		bool skip;
		uint32_t k = field_mask_run(&c->side[side].mask, p, n, &skip);

		if (skip)
			c->unlike = true;
		else
			compare_lane(c, pool, side, p, k);
		p += k;
		n -= k;
	}
}

/* Compare [@from, @to) of each side's field lines. */
static void judge_fields(struct compare *c, const uint32_t from[2],
			 const uint32_t to[2], bool start)
{
	const uint8_t *a = c->side[0].fields.p + from[0];
	const uint8_t *b = c->side[1].fields.p + from[1];
	uint32_t an = to[0] - from[0];
	uint32_t bn = to[1] - from[1];
	struct compare_field field;
	int r;

	if (c->side[1].long_head || (an == bn && memcmp(a, b, an) == 0))
		return;
	c->unlike = true;
	r = fields_compare(a, an, b, bn, start, c->rules, &field);
	if (r < 0)
		failed(c, r);
	else if (r == FOUND_MANY)
		c->side[1].long_head = true;
	if (r != FOUND_BYTE)
		return;
	if (!c->field.known)
		c->field = field;
	find(c, REASON_HEADER);
}

static void judge_heads(struct compare *c)
{
	const uint32_t from[2] = { 0, 0 };
	const uint32_t to[2] = { c->side[0].fields.head,
				 c->side[1].fields.head };

	c->heads = true;
	if (compare_status(&c->side[0]) != compare_status(&c->side[1]))
		find(c, REASON_STATUS);
	judge_fields(c, from, to, true);
}

/* Both answers are whole: what is left to compare. */
static void finish(struct compare *c)
{
	const uint32_t from[2] = { c->side[0].fields.head,
				   c->side[1].fields.head };
	const uint32_t to[2] = { c->side[0].fields.len, c->side[1].fields.len };

	bool broken = c->side[0].malformed || c->side[1].malformed;

	if (c->parse && !c->heads && !broken)
		judge_heads(c); /* at most one side had a head */
	if (!over(c))
		judge_lane(c, lane_finish(&c->lane));
	if (c->parse && !broken && !over(c))
		judge_fields(c, from, to, false);
	if (c->ops->finish && c->equivalent && !over(c))
		c->ops->finish(c);
}

/* FNV-1a over bytes that are ignored, and the place in the body. */
void compare_wrap(struct compare *c, unsigned side, const uint8_t *p,
		  uint32_t n)
{
	uint64_t h = c->side[side].wrap;
	uint64_t pos = c->lane.pos[side] << 8;

	for (uint32_t i = 0; i < n; i++)
		h = (h ^ p[i] ^ pos) * UINT64_C(0x100000001b3);
	c->side[side].wrap = h;
}

/* Read the status code; an interim answer's is not it. */
static void read_status(struct side *s, enum framer_part part, const uint8_t *p,
			uint32_t n)
{
	if (part == FRAMER_INTERIM) {
		s->line = 0;
		s->status = 0;
	}
	if (part != FRAMER_HEAD)
		return;
	for (uint32_t i = 0; i < n && s->line < STATUS_END; i++, s->line++)
		if (s->line >= STATUS_AT)
			s->status =
				(uint16_t)(s->status * 10 + (p[i] - '0') % 10);
}

/* Bytes of a head or of trailers. */
static void feed_fields(struct compare *c, struct pool *pool, unsigned side,
			const struct framer_piece *piece, const uint8_t *p)
{
	struct side *s = &c->side[side];
	struct fields *f = &s->fields;
	int r = 0;

	if (!s->long_head)
		r = fields_add(f, pool, p, piece->used);
	if (r != 0) {
		failed(c, r);
		return;
	}
	if (piece->part != FRAMER_HEAD || !(piece->flags & FRAMER_HEAD_END))
		return;
	f->head = f->len;
	f->ended = true;
	if (c->side[1 - side].fields.ended)
		judge_heads(c);
}

/* The protocol is broken in a head that has not ended: all of it is bytes. */
static void open_head(struct compare *c, struct pool *pool, unsigned side)
{
	struct fields *f = &c->side[side].fields;

	if (f->ended)
		return;
	feed_opaque(c, pool, side, f->p, f->len);
	f->len = 0;
}

static void feed_parsed(struct compare *c, struct pool *pool, unsigned side,
			const struct framer_piece *piece, const uint8_t *p)
{
	struct fields *f = &c->side[side].fields;

	/* Of what is not kept the bytes before the break are gone. */
	if (c->side[side].malformed && piece->part != FRAMER_FRAMING &&
	    piece->part != FRAMER_INTERIM) {
		open_head(c, pool, side);
		feed_opaque(c, pool, side, p, piece->used);
		return;
	}
	switch (piece->part) {
	case FRAMER_HEAD:
	case FRAMER_TRAILER:
		feed_fields(c, pool, side, piece, p);
		break;
	case FRAMER_INTERIM:
		/* What came as a head was its beginning. */
		compare_wrap(c, side, f->p, f->len);
		f->len = 0;
		compare_wrap(c, side, p, piece->used);
		break;
	case FRAMER_FRAMING:
		compare_wrap(c, side, p, piece->used);
		break;
	case FRAMER_BODY:
	case FRAMER_OPAQUE:
		compare_lane(c, pool, side, p, piece->used);
		break;
	}
}

/* What is not by the book. What only we do not know spoils the comparison. */
void compare_check_odd(struct compare *c, struct side *s,
		       const struct framer_piece *piece)
{
	const unsigned odd = FRAMER_AMBIGUOUS | FRAMER_MALFORMED;

	if (!(piece->flags & odd))
		return;
	if (framer_odd_is_ours((enum framer_odd)piece->odd))
		compare_spoil(c, REASON_AMBIGUOUS);
	if (s->odd == ODD_NONE)
		s->odd = piece->odd;
	s->malformed |= (piece->flags & FRAMER_MALFORMED) != 0;
	s->extra |= (piece->flags & FRAMER_EXTRA) != 0;
}

/* What HTTP says of itself beside its bytes. */
static void check_http(struct compare *c, struct side *s,
		       const struct framer_piece *piece)
{
	bool sut = s == &c->side[1];

	if ((piece->flags & FRAMER_TUNNEL) &&
	    !(piece->flags & (FRAMER_MARK | FRAMER_MALFORMED)))
		compare_spoil(c, REASON_TUNNEL);
	if (piece->part == FRAMER_INTERIM)
		s->field_bytes = 0;
	if (piece->part == FRAMER_HEAD || piece->part == FRAMER_TRAILER)
		s->field_bytes += piece->used;
	if (!c->parse || s->field_bytes <= s->fields.max)
		return;
	if (sut)
		s->long_head = true;
	else
		compare_spoil(c, REASON_HEAD_TOO_LONG);
}

static void http_piece(struct compare *c, struct pool *pool, unsigned side,
		       const struct framer_piece *piece, const uint8_t *p)
{
	struct side *s = &c->side[side];

	read_status(s, piece->part, p, piece->used);
	compare_check_odd(c, s, piece);
	check_http(c, s, piece);
	if (over(c))
		return;
	if (c->parse)
		feed_parsed(c, pool, side, piece, p);
	else
		compare_lane(c, pool, side, p, piece->used);
}

static void stream_piece(struct compare *c, struct pool *pool, unsigned side,
			 const struct framer_piece *piece, const uint8_t *p)
{
	compare_check_odd(c, &c->side[side], piece);
	if (!over(c))
		compare_lane(c, pool, side, p, piece->used);
}

const struct compare_ops compare_http = { .fields = true, .piece = http_piece };
const struct compare_ops compare_stream = { .piece = stream_piece };

void compare_feed(struct compare *c, struct pool *pool, enum who who,
		  const struct framer_piece *piece, const uint8_t *p)
{
	unsigned side = who == WHO_SUT;

	assert(who != WHO_CLIENT);
	c->side[side].bytes += piece->used;
	c->ops->piece(c, pool, side, piece, p);
	if (c->kept)
		keep_answer(c->kept, pool, who, piece, p);
	if (over(c))
		release(c, pool);
}

void compare_done(struct compare *c, enum who who)
{
	assert(who != WHO_CLIENT);
	c->side[who == WHO_SUT].done = true;
}

void compare_spoil(struct compare *c, enum compare_reason why)
{
	if (c->spoiled == REASON_NONE)
		c->spoiled = why;
}

void compare_odd(struct compare *c, enum framer_odd why)
{
	struct side *s = &c->side[1];

	if (s->odd == ODD_NONE)
		s->odd = (uint8_t)why;
	s->malformed = true;
}

void compare_end(struct compare *c, struct pool *pool, enum compare_reason why,
		 struct compare_result *out)
{
	/* Not before: a mark by quiet moves when its server goes on, and what
	 * is kept of the other one is needed then.
	 */
	if (!over(c) && c->side[0].done && c->side[1].done)
		finish(c);
	compare_verdict(c, why, out);
	release(c, pool);
	buf_clear(pool, c->self, BUF_CMP);
}
