/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * compare.c - Two answers in, one verdict out
 *
 * Theory of operation
 *
 * Bytes go one of two ways. At COMPARE_IDENTICAL, and where the protocol is not
 * HTTP, all go into one lane (lane.c). At COMPARE_EQUIVALENT a head and its
 * trailers are kept whole on each side (fields.c) and compared when both are
 * there; equal bytes need no parsing. The body, chunks unwrapped, goes into the
 * lane. Interim answers and chunk framing are compared by one hash a side, which
 * decides only whether the verdict is identical or equivalent.
 *
 * The object lies in one block of the pool, with room behind it for two heads
 * and a body of common size: most comparisons take that one block.
 *
 * A difference that was found stays found, and all memory but the object itself
 * is given back; what comes later is only counted. A spoiled comparison is no
 * evidence, so spoiling goes before a difference, whichever came first. Where
 * the SUT's answer breaks the protocol nothing else is said of it, and that only if
 * production's is whole.
 */
#include "compare/compare.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "compare/compare_internal.h"

#define BLOCK	   2048u /* of the pool, for the object */
#define HEAD_ROOM  512u	 /* of it for each head */
#define STATUS_AT  9	 /* offset of the status code in a status line */
#define STATUS_END 12

/**
 * struct side - One server's answer
 * @bytes:	Of its stream, whatever they are
 * @wrap:	Hash of interim answers and chunk framing, and where they lie
 * @fields:	Head and trailers
 * @field_bytes: Bytes of them that came, kept or not
 * @status:	Status code so far
 * @line:	Bytes of the status line so far, up to STATUS_END
 * @done:	The answer is whole
 * @malformed:	It breaks the protocol
 */
struct side {
	uint64_t bytes;
	uint64_t wrap;
	struct fields fields;
	uint64_t field_bytes;
	uint16_t status;
	uint8_t line;
	bool done;
	bool malformed;
};

/**
 * struct compare - One exchange
 * @self:	Frame it lies in
 * @parse:	Heads are parsed (HTTP at COMPARE_EQUIVALENT)
 * @http:	The pieces are HTTP's
 * @heads:	Both heads have been compared
 * @unlike:	Equivalent so far, but not the same bytes
 * @spoiled:	Why it is not compared; REASON_NONE: it is
 * @different:	What differs; REASON_NONE: nothing so far
 */
struct compare {
	struct frame *self;
	struct side side[2]; /* production, SUT */
	struct lane lane;
	bool parse;
	bool http;
	bool heads;
	bool unlike;
	enum compare_reason spoiled;
	enum compare_reason different;
	uint64_t offset;
	uint64_t block;
	char detail[COMPARE_DETAIL];
	uint8_t room[];
};

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
			      bool http)
{
	const size_t align = _Alignof(struct compare);
	struct frame *f;
	struct compare *c;
	size_t pad, size;
	uint8_t *room;

	assert(level != COMPARE_NONE);
	f = frame_alloc(pool, (uint32_t)(BLOCK - sizeof(struct frame)),
			FRAME_CMP);
	if (f == NULL)
		return NULL;
	pad = (align - (uintptr_t)f->data % align) % align;
	c = (struct compare *)(void *)(f->data + pad);
	*c = (struct compare){
		.self = f,
		.parse = http && level == COMPARE_EQUIVALENT,
		.http = http,
	};
	room = c->room;
	size = f->len - pad - offsetof(struct compare, room);
	for (unsigned i = 0; i < 2 && c->parse; i++) {
		c->side[i].fields.p = room;
		c->side[i].fields.cap = HEAD_ROOM;
		room += HEAD_ROOM;
		size -= HEAD_ROOM;
	}
	lane_init(&c->lane, room, (uint32_t)size);
	return c;
}

_Static_assert(BLOCK > sizeof(struct frame) + sizeof(struct compare) +
			       2 * HEAD_ROOM + 256,
	       "room for two heads and a small body");

/* Give back everything but the object. */
static void release(struct compare *c, struct pool *pool)
{
	lane_release(&c->lane, pool);
	for (unsigned i = 0; i < 2; i++)
		fields_release(&c->side[i].fields, pool);
}

static bool over(const struct compare *c)
{
	return c->spoiled != REASON_NONE || c->different != REASON_NONE ||
	       c->side[1].malformed;
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
	c->different = REASON_BYTES;
	if (c->parse)
		c->different = r == FOUND_LENGTH ? REASON_LENGTH : REASON_BODY;
	c->offset = c->lane.offset;
	c->block = c->lane.block;
}

/* Compare [@from, @to) of each side's field lines. */
static void judge_fields(struct compare *c, const uint32_t from[2],
			 const uint32_t to[2], bool start)
{
	const uint8_t *a = c->side[0].fields.p + from[0];
	const uint8_t *b = c->side[1].fields.p + from[1];
	uint32_t an = to[0] - from[0];
	uint32_t bn = to[1] - from[1];
	int r;

	if (an == bn && memcmp(a, b, an) == 0)
		return;
	c->unlike = true;
	r = fields_compare(a, an, b, bn, start, c->detail);
	if (r < 0)
		failed(c, r);
	else if (r != FOUND_NOTHING)
		c->different = REASON_HEADER;
}

static uint16_t status_of(const struct side *s)
{
	return s->line == STATUS_END ? s->status : 0;
}

static void judge_heads(struct compare *c)
{
	const uint32_t from[2] = { 0, 0 };
	const uint32_t to[2] = { c->side[0].fields.head,
				 c->side[1].fields.head };

	c->heads = true;
	if (status_of(&c->side[0]) != status_of(&c->side[1]))
		c->different = REASON_STATUS;
	else
		judge_fields(c, from, to, true);
}

/* Both answers are whole: what is left to compare. */
static void finish(struct compare *c)
{
	const uint32_t from[2] = { c->side[0].fields.head,
				   c->side[1].fields.head };
	const uint32_t to[2] = { c->side[0].fields.len, c->side[1].fields.len };

	if (c->parse && !c->heads)
		judge_heads(c); /* at most one side had a head */
	if (!over(c))
		judge_lane(c, lane_finish(&c->lane));
	if (c->parse && !over(c))
		judge_fields(c, from, to, false);
}

/* FNV-1a over bytes that are ignored, and the place in the body. */
static void wrap_add(struct compare *c, unsigned side, const uint8_t *p,
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
	struct fields *f = &c->side[side].fields;
	int r = fields_add(f, pool, p, piece->used);

	if (r != 0) {
		failed(c, r);
		return;
	}
	if (piece->part != FRAMER_HEAD || (piece->flags & FRAMER_HEAD_END) == 0)
		return;
	f->head = f->len;
	f->ended = true;
	if (c->side[1 - side].fields.ended)
		judge_heads(c);
}

static void feed_http(struct compare *c, struct pool *pool, unsigned side,
		      const struct framer_piece *piece, const uint8_t *p)
{
	struct fields *f = &c->side[side].fields;

	switch (piece->part) {
	case FRAMER_HEAD:
	case FRAMER_TRAILER:
		feed_fields(c, pool, side, piece, p);
		break;
	case FRAMER_INTERIM:
		/* What came as a head was its beginning. */
		wrap_add(c, side, f->p, f->len);
		f->len = 0;
		wrap_add(c, side, p, piece->used);
		break;
	case FRAMER_FRAMING:
		wrap_add(c, side, p, piece->used);
		break;
	case FRAMER_BODY:
	case FRAMER_OPAQUE:
		judge_lane(c, lane_feed(&c->lane, pool, side, p, piece->used));
		break;
	}
}

/* What spoils a comparison must do so whatever else was found before. */
static void check_piece(struct compare *c, struct side *s,
			const struct framer_piece *piece)
{
	if ((piece->flags & FRAMER_AMBIGUOUS) != 0)
		compare_spoil(c, REASON_AMBIGUOUS);
	if (c->http && (piece->flags & FRAMER_MALFORMED) != 0) {
		s->malformed = true;
		if (s == &c->side[0])
			compare_spoil(c, REASON_PROD_MALFORMED);
	} else if (c->http && (piece->flags & FRAMER_TUNNEL) != 0 &&
		   (piece->flags & FRAMER_MARK) == 0) {
		compare_spoil(c, REASON_TUNNEL);
	}
	if (piece->part == FRAMER_INTERIM)
		s->field_bytes = 0;
	if (piece->part == FRAMER_HEAD || piece->part == FRAMER_TRAILER)
		s->field_bytes += piece->used;
	if (c->parse && s->field_bytes > COMPARE_HEAD)
		compare_spoil(c, REASON_HEAD_TOO_LONG);
}

void compare_feed(struct compare *c, struct pool *pool, enum who who,
		  const struct framer_piece *piece, const uint8_t *p)
{
	unsigned side = who == WHO_SUT;
	struct side *s = &c->side[side];

	assert(who != WHO_CLIENT);
	s->bytes += piece->used;
	if (c->http)
		read_status(s, piece->part, p, piece->used);
	check_piece(c, s, piece);
	if (!over(c)) {
		if (c->parse)
			feed_http(c, pool, side, piece, p);
		else
			judge_lane(c, lane_feed(&c->lane, pool, side, p,
						piece->used));
	}
	if (over(c))
		release(c, pool);
}

void compare_done(struct compare *c, struct pool *pool, enum who who)
{
	assert(who != WHO_CLIENT);
	c->side[who == WHO_SUT].done = true;
	if (over(c) || !c->side[0].done || !c->side[1].done)
		return;
	finish(c);
	release(c, pool);
}

void compare_spoil(struct compare *c, enum compare_reason why)
{
	if (c->spoiled == REASON_NONE)
		c->spoiled = why;
}

/* The verdict on a comparison that nothing was found against. */
static enum verdict alike(const struct compare *c)
{
	if (c->unlike || c->side[0].wrap != c->side[1].wrap)
		return VERDICT_EQUIVALENT;
	return VERDICT_IDENTICAL;
}

/* Is @r a difference, among the reasons? */
static bool is_difference(enum compare_reason r)
{
	return r >= REASON_STATUS && r <= REASON_MALFORMED;
}

void compare_end(struct compare *c, struct pool *pool, enum compare_reason why,
		 struct compare_result *out)
{
	bool done = c->side[0].done && c->side[1].done;
	enum compare_reason reason = c->spoiled;

	assert(done || why != REASON_NONE || c->spoiled != REASON_NONE);
	if (reason == REASON_NONE && c->side[1].malformed)
		reason = c->side[0].done ? REASON_MALFORMED : why;
	else if (reason == REASON_NONE)
		reason = c->different;
	if (reason == REASON_NONE && !done)
		reason = why;
	*out = (struct compare_result){
		.verdict = VERDICT_NOT_COMPARED,
		.reason = reason,
		.status = { status_of(&c->side[0]), status_of(&c->side[1]) },
		.bytes = { c->side[0].bytes, c->side[1].bytes },
	};
	if (reason == REASON_NONE)
		out->verdict = alike(c);
	else if (is_difference(reason))
		out->verdict = VERDICT_DIFFERENT;
	if (reason == c->different && !c->side[1].malformed) {
		out->offset = c->offset;
		out->block = c->block;
		memcpy(out->detail, c->detail, sizeof(out->detail));
	}
	release(c, pool);
	frame_clear(pool, c->self, FRAME_CMP);
}

bool compare_decided(const struct compare *c)
{
	return c->spoiled == REASON_NONE && c->different != REASON_NONE &&
	       !c->side[1].malformed;
}
