/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * codec.c - A chain of libraries, and its limits
 *
 * Theory of operation
 *
 * A body of two codings goes through two stages, the outer one first, with a
 * buffer between them. A stage is run as long as it takes or makes something.
 * Its limits are looked at after each run, and a run cannot make more than the
 * room it is given, so that a bomb costs a buffer more than it is allowed.
 *
 * A stage is at rest when a stream of its has ended and no other has begun.
 * gzip and zstd may have several; behind another coding's only stream, or
 * behind garbage, there is an error.
 */
#include "codec/codec_internal.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BETWEEN 16384u

/* In front of each block, so that it can be given back. */
#define BLOCK_HEAD 16u

struct stage {
	const struct codec *codec;
	void *state;
	uint64_t out; /* bytes so far */
	bool rest;    /* all that came was whole streams, at least one */
};

struct decoder {
	struct decode_limits limits;
	struct budget budget;
	struct stage stage[CODEC_NESTED];
	unsigned stages;
	bool lost;
	uint64_t in; /* bytes of the body */
	uint8_t between[BETWEEN];
	size_t from, to; /* what is in it */
};

static const struct {
	const char *name;
	enum coding coding;
} names[] = {
	{ "identity", CODING_IDENTITY },
	{ "gzip", CODING_GZIP },
	{ "x-gzip", CODING_GZIP },
	{ "deflate", CODING_DEFLATE },
	{ "br", CODING_BR },
	{ "zstd", CODING_ZSTD },
	{ "unknown", CODING_UNKNOWN },
};

#define NAMES (sizeof(names) / sizeof(names[0]))

void *budget_take(void *budget, size_t n)
{
	struct budget *b = budget;
	uint8_t *p = NULL;

	if (n <= b->left && b->left - n >= BLOCK_HEAD) {
		p = malloc(n + BLOCK_HEAD);
		b->starved |= !p;
	}
	if (!p) {
		b->refused = true;
		return NULL;
	}
	b->left -= n + BLOCK_HEAD;
	memcpy(p, &n, sizeof(n));
	return p + BLOCK_HEAD;
}

void budget_give(void *budget, void *p)
{
	struct budget *b = budget;
	uint8_t *block = p;
	size_t n;

	if (!p)
		return;
	block -= BLOCK_HEAD;
	memcpy(&n, block, sizeof(n));
	b->left += n + BLOCK_HEAD;
	free(block);
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

enum coding coding_find(const uint8_t *name, size_t n)
{
	for (size_t i = 0; i < NAMES; i++) {
		size_t at = 0;

		if (strlen(names[i].name) != n)
			continue;
		while (at < n && lower(name[at]) == names[i].name[at])
			at++;
		if (at == n)
			return names[i].coding;
	}
	return CODING_UNKNOWN;
}

const char *coding_name(enum coding c)
{
	size_t i = 0;

	while (i < NAMES - 1 && names[i].coding != c)
		i++;
	return names[i].name;
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

int coding_list(const uint8_t *p, size_t n, enum coding out[CODEC_NESTED])
{
	enum coding found[CODEC_NESTED];
	unsigned count = 0;
	size_t from = 0;

	while (from < n) {
		const uint8_t *comma = memchr(p + from, ',', n - from);
		size_t end = comma ? (size_t)(comma - p) : n;
		size_t next = end + 1;
		enum coding c;

		while (from < end && is_blank(p[from]))
			from++;
		while (end > from && is_blank(p[end - 1]))
			end--;
		c = end > from ? coding_find(p + from, end - from)
			       : CODING_IDENTITY;
		from = next;
		if (c == CODING_UNKNOWN)
			return -ENOTSUP;
		if (c == CODING_IDENTITY)
			continue;
		if (count == CODEC_NESTED)
			return -E2BIG;
		found[count++] = c;
	}
	memcpy(out, found, count * sizeof(found[0]));
	return (int)count;
}

static void end_stages(struct decoder *d)
{
	for (unsigned i = 0; i < d->stages; i++)
		d->stage[i].codec->end(d->stage[i].state);
	d->stages = 0;
}

int decoder_new(struct decoder **out, const struct decode_limits *limits)
{
	struct decoder *d = malloc(sizeof(*d));

	assert(limits->ratio > 0);
	if (!d)
		return -ENOMEM;
	memset(d, 0, sizeof(*d));
	d->limits = *limits;
	d->budget.left = limits->memory;
	*out = d;
	return 0;
}

bool decoder_starved(const struct decoder *d)
{
	return d->budget.starved;
}

void decoder_free(struct decoder *d)
{
	if (!d)
		return;
	end_stages(d);
	assert(d->budget.left == d->limits.memory);
	free(d);
}

static const struct codec *codec_of(enum coding c)
{
	switch (c) {
	case CODING_GZIP:
	case CODING_DEFLATE:
		return &codec_inflate;
	case CODING_BR:
		return &codec_brotli;
	case CODING_ZSTD:
		return &codec_zstd;
	default:
		return NULL;
	}
}

int decoder_begin(struct decoder *d, const enum coding *coding, unsigned n)
{
	end_stages(d);
	d->lost = false;
	d->in = d->from = d->to = 0;
	d->budget.refused = false;
	if (n > CODEC_NESTED)
		return -E2BIG;
	for (unsigned i = 0; i < n; i++)
		if (!codec_of(coding[i]))
			return -ENOTSUP;
	/* The coding that was applied last is undone first. */
	for (unsigned i = 0; i < n; i++) {
		enum coding c = coding[n - 1 - i];
		struct stage *s = &d->stage[i];

		*s = (struct stage){ .codec = codec_of(c) };
		s->state = s->codec->begin(&d->budget, c);
		if (!s->state) {
			end_stages(d);
			return -ENOMEM;
		}
		d->stages++;
	}
	return 0;
}

static bool is_bomb(const struct decoder *d, uint64_t out)
{
	return out > d->limits.most ||
	       (out > d->limits.free && out / d->limits.ratio > d->in);
}

/* Run one stage. Return: 0 or an error */
static int run_stage(struct decoder *d, struct stage *s, struct step *io)
{
	struct step before = *io;
	int rc;

	assert(io->room > 0 && s->state);
	if (s->rest && !s->codec->again && io->n > 0)
		return -EBADMSG;
	rc = s->codec->step(s->state, io);
	if (io->n != before.n || io->room != before.room)
		s->rest = false;
	else if (rc >= 0 && io->n > 0)
		rc = -EBADMSG; /* it does not want them */
	assert(io->n <= before.n && io->room <= before.room);
	s->out += before.room - io->room;
	if (rc < 0)
		return rc == -EBADMSG && d->budget.refused ? -ENOMEM : rc;
	if (rc == 1)
		s->rest = true;
	return is_bomb(d, s->out) ? -E2BIG : 0;
}

/* Run both stages of two as long as one of them does something. */
static int run_two(struct decoder *d, struct step *io)
{
	for (;;) {
		struct step first = { io->in, io->n, d->between, BETWEEN };
		struct step second = { d->between + d->from, d->to - d->from,
				       io->out, io->room };
		size_t had = second.n;
		int rc;

		if (d->from == d->to) {
			rc = run_stage(d, &d->stage[0], &first);
			if (rc != 0)
				return rc;
			io->in = first.in;
			io->n = first.n;
			d->from = 0;
			d->to = BETWEEN - first.room;
			second.in = d->between;
			second.n = had = d->to;
		}
		rc = run_stage(d, &d->stage[1], &second);
		if (rc != 0)
			return rc;
		d->from += had - second.n;
		assert(d->from <= d->to && d->to <= BETWEEN);
		if (second.room == io->room && had == second.n)
			return had > 0 ? -EBADMSG : 0;
		io->out = second.out;
		io->room = second.room;
		if (io->room == 0)
			return 0;
	}
}

static int run_none(struct decoder *d, struct step *io)
{
	size_t n = io->n < io->room ? io->n : io->room;

	memcpy(io->out, io->in, n);
	io->in += n;
	io->n -= n;
	io->room -= n;
	return d->in > d->limits.most ? -E2BIG : 0;
}

int decoder_feed(struct decoder *d, const uint8_t **in, size_t *n, uint8_t *out,
		 size_t room, size_t *made)
{
	struct step io = { *in, *n, out, room };
	uint64_t before = d->in;
	int rc = -EBADMSG;

	assert(room > 0);
	if (d->lost)
		return rc;
	d->in += *n;
	if (d->stages == 0)
		rc = run_none(d, &io);
	else if (d->stages == 1)
		rc = run_stage(d, &d->stage[0], &io);
	else
		rc = run_two(d, &io);
	if (rc != 0) {
		d->lost = true;
		return rc;
	}
	d->in = before + (*n - io.n);
	*in = io.in;
	*n = io.n;
	*made = room - io.room;
	return 0;
}

int decoder_end(struct decoder *d)
{
	bool whole = !d->lost && d->from == d->to;

	for (unsigned i = 0; i < d->stages; i++)
		whole = whole && d->stage[i].rest;
	end_stages(d);
	d->lost = true;
	return whole ? 0 : -EBADMSG;
}

int decode_whole(struct decoder *d, const enum coding *coding, unsigned codings,
		 const uint8_t *in, size_t n, uint8_t *out, size_t room,
		 size_t *len)
{
	size_t total = 0, made = 0;
	uint8_t spare;
	int rc = decoder_begin(d, coding, codings);

	while (rc == 0) {
		size_t before = n;

		if (total < room)
			rc = decoder_feed(d, &in, &n, out + total, room - total,
					  &made);
		else
			rc = decoder_feed(d, &in, &n, &spare, 1, &made);
		if (rc == 0 && made > room - total)
			rc = -E2BIG;
		if (rc != 0 || (made == 0 && n == before))
			break;
		assert(total + made <= room);
		total += made;
	}
	if (rc == 0)
		rc = n > 0 ? -EBADMSG : decoder_end(d);
	if (rc == 0)
		*len = total;
	return rc;
}
