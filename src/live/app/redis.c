/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * redis.c - Where commands and replies of redis end
 *
 * Theory of operation
 *
 * A command is an array of strings, or, as people type it, a line (an inline
 * command). A reply is one value; the k-th one answers the k-th command, also
 * between MULTI and EXEC, where each command is answered by QUEUED. Pushes of
 * RESP3 answer nothing: they stand between replies, as interim answers do.
 *
 * Some commands end that: what a server says behind its reply to one of them
 * comes when it likes (SUBSCRIBE and its like, MONITOR, replication), or not at
 * all (CLIENT REPLY). Behind such a command, and behind the reply to it, there
 * are no marks. The same if a client breaks the protocol: it is told so once.
 *
 * The first two words of a command are its line, for reports: what it is, and
 * about which key. Of commands that carry passwords only the first is one. All
 * other words are body, which nobody shows.
 */
#include <string.h>

#include "app/framer.h"
#include "app/resp.h"

#define SHOWN_WORDS 2u

/**
 * struct redis_stream - One endpoint's
 * @lex:	In its message
 * @index:	Number of the message
 * @begun:	It has begun
 * @push:	What is read is none: a push
 * @bad:	It breaks the protocol
 * @tunnel:	No marks any more
 * @lost:	Nothing is known until a resync
 */
struct redis_stream {
	struct resp lex;
	uint32_t index;
	bool begun;
	bool push;
	bool bad;
	bool tunnel;
	bool lost;
};

/**
 * struct redis - All three
 * @last:	Behind the reply to this command there are no marks
 * @has_last:	There is such a one
 * @words:	Of the client's command that are over, to 255
 * @in_word:	Bytes of the next one have come
 * @is_line:	It is an inline command
 * @name_len, @name: Its first word, in upper case; what is longer than any that
 *		is known here is not kept
 * @second_len, @second: The second
 */
struct redis {
	struct redis_stream s[WHO_COUNT];
	uint32_t last;
	bool has_last;
	uint8_t words;
	bool in_word;
	bool is_line;
	uint8_t name_len;
	uint8_t second_len;
	char name[14];
	char second[8];
};

_Static_assert(sizeof(struct redis) <= FRAMER_STATE_MAX, "state too large");

static void redis_init(void *st, bool mid)
{
	(void)mid;
	memset(st, 0, sizeof(struct redis));
}

/* --- commands --- */

static void name_add(char *name, uint8_t *len, size_t size, const uint8_t *p,
		     uint32_t n)
{
	for (uint32_t i = 0; i < n && *len < size; i++)
		name[(*len)++] =
			(char)(p[i] >= 'a' && p[i] <= 'z' ? p[i] & 0xdf : p[i]);
}

static bool is_name(const char *name, uint8_t len, const char *const *list,
		    size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(list[i]) == len && memcmp(list[i], name, len) == 0)
			return true;
	return false;
}

/* Behind it no reply is sure to be the one to a command. */
static bool ends_pairs(const struct redis *d)
{
	static const char *const names[] = { "SUBSCRIBE",  "PSUBSCRIBE",
					     "SSUBSCRIBE", "MONITOR",
					     "SYNC",	   "PSYNC" };
	static const char *const client[] = { "CLIENT" };
	static const char *const reply[] = { "REPLY" };

	return is_name(d->name, d->name_len, names, 6) ||
	       (is_name(d->name, d->name_len, client, 1) &&
		is_name(d->second, d->second_len, reply, 1));
}

/* How many words of it may be shown. */
static unsigned shown(const struct redis *d)
{
	static const char *const names[] = { "AUTH", "HELLO", "ACL",
					     "MIGRATE" };

	return is_name(d->name, d->name_len, names, 4) ? 1 : SHOWN_WORDS;
}

static void command_begins(struct redis *d)
{
	d->words = 0;
	d->in_word = false;
	d->name_len = 0;
	d->second_len = 0;
}

static void word_ends(struct redis *d)
{
	if (d->words < UINT8_MAX)
		d->words++;
	d->in_word = false;
}

/* Bytes of a word. */
static void word(struct redis *d, const uint8_t *p, struct framer_piece *out)
{
	if (d->words == 0)
		name_add(d->name, &d->name_len, sizeof(d->name), p, out->used);
	else if (d->words == 1)
		name_add(d->second, &d->second_len, sizeof(d->second), p,
			 out->used);
	/* What its first word is is known when it is over. */
	out->part = d->words < (d->words == 0 ? 1 : shown(d)) ? FRAMER_HEAD
							      : FRAMER_BODY;
	if (out->part == FRAMER_HEAD && !d->in_word)
		out->flags |= FRAMER_WORD;
	d->in_word = true;
}

static void command_ends(struct redis *d, struct framer_piece *out)
{
	struct redis_stream *s = &d->s[WHO_CLIENT];

	out->flags |= FRAMER_MARK;
	if (ends_pairs(d)) {
		out->flags |= FRAMER_TUNNEL;
		s->tunnel = true;
		d->has_last = true;
		d->last = s->index;
	}
	s->index++;
	s->begun = false;
	command_begins(d);
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* A piece of a line: a word, or what stands between two. */
static void feed_line(struct redis *d, const uint8_t *p, uint32_t n,
		      struct framer_piece *out)
{
	uint32_t i = 0;

	out->part = FRAMER_FRAMING;
	if (p[0] == '\r' || p[0] == '\n' || is_blank(p[0])) {
		while (i < n && (p[i] == '\r' || is_blank(p[i])))
			i++;
		if (d->in_word)
			word_ends(d);
		out->used = i;
		if (i == n || p[i] != '\n')
			return;
		out->used = i + 1;
		d->is_line = false;
		/* An empty line is no command. */
		if (d->words > 0)
			command_ends(d, out);
		return;
	}
	while (i < n && p[i] != '\r' && p[i] != '\n' && !is_blank(p[i]))
		i++;
	out->used = i;
	word(d, p, out);
}

/* May an array of strings go on so? @inner: a value in it begins */
static bool is_array(const struct resp *lex, bool inner,
		     const struct resp_found *f)
{
	if (f->what == RESP_BAD || (inner && lex->type != '$'))
		return false;
	return f->what != RESP_VALUE || !f->null || f->ends;
}

/* Bytes of an array between two words. */
static void feed_between(struct redis *d, const uint8_t *p, uint32_t n,
			 struct framer_piece *out)
{
	struct redis_stream *s = &d->s[WHO_CLIENT];
	struct resp_found f;

	out->part = FRAMER_FRAMING;
	out->used = 0;
	while (out->used < n && s->lex.where != RESP_AT_TEXT) {
		bool inner = s->lex.where == RESP_AT_TYPE && s->lex.left > 0;

		resp_next(&s->lex, p + out->used, n - out->used, &f);
		out->used += f.used;
		s->bad = !is_array(&s->lex, inner, &f);
		if (s->bad)
			return;
		if (f.what == RESP_VALUE)
			word_ends(d);
		/* An array of nothing is no command. */
		if (f.ends && d->words > 0 && !f.null)
			command_ends(d, out);
		else if (f.ends)
			command_begins(d);
		if (f.ends)
			return;
	}
}

static void feed_client(struct redis *d, const uint8_t *p, uint32_t n,
			struct framer_piece *out)
{
	struct redis_stream *s = &d->s[WHO_CLIENT];
	struct resp_found f;

	if (!s->begun) {
		out->flags |= FRAMER_BEGIN;
		s->begun = true;
	}
	if (s->lex.left == 0 && !d->is_line && p[0] != '*') {
		s->bad = p[0] > '~' ||
			 (p[0] < ' ' && !memchr("\r\n\t", p[0], 3));
		if (s->bad) {
			out->used = 0;
			return;
		}
		d->is_line = true;
	}
	if (d->is_line) {
		feed_line(d, p, n, out);
	} else if (s->lex.where == RESP_AT_TEXT) {
		resp_next(&s->lex, p, n, &f);
		out->used = f.used;
		word(d, p, out);
	} else {
		feed_between(d, p, n, out);
	}
}

/* --- replies --- */

static void reply_ends(const struct redis *d, struct redis_stream *s,
		       struct framer_piece *out)
{
	out->flags |= FRAMER_MARK;
	if (d->has_last && d->last == s->index) {
		out->flags |= FRAMER_TUNNEL;
		s->tunnel = true;
	}
	s->index++;
	s->begun = false;
}

static void feed_server(const struct redis *d, struct redis_stream *s,
			const uint8_t *p, uint32_t n, struct framer_piece *out)
{
	struct resp_found f = { 0 };

	if (s->lex.left == 0)
		s->push = p[0] == '>';
	out->used = 0;
	while (out->used < n && !f.ends && f.what != RESP_BAD) {
		resp_next(&s->lex, p + out->used, n - out->used, &f);
		out->used += f.used;
	}
	s->bad = f.what == RESP_BAD;
	out->part = s->push ? FRAMER_INTERIM : FRAMER_BODY;
	if (s->push || out->used == 0)
		return;
	if (!s->begun)
		out->flags |= FRAMER_BEGIN;
	s->begun = true;
	if (f.ends)
		reply_ends(d, s, out);
}

/* From here on it is no RESP. */
static void breaks(struct redis *d, enum who who, uint32_t n,
		   struct framer_piece *out)
{
	out->used = n;
	out->part = FRAMER_OPAQUE;
	out->flags |= FRAMER_TUNNEL;
	if (who == WHO_CLIENT) {
		/* It is told by its server, and hears no more then. */
		d->s[who].tunnel = true;
		d->has_last = true;
		d->last = d->s[who].index;
	} else {
		out->flags |= FRAMER_MALFORMED;
		out->odd = ODD_REPLY;
	}
}

static void redis_feed(void *st, enum who who, const uint8_t *p, uint32_t n,
		       struct framer_piece *out)
{
	struct redis *d = st;
	struct redis_stream *s = &d->s[who];

	*out = (struct framer_piece){ .used = n,
				      .part = FRAMER_OPAQUE,
				      .index = s->index };
	if (s->tunnel)
		out->flags = FRAMER_TUNNEL;
	if (s->tunnel || s->lost)
		return;
	if (!s->bad) {
		if (who == WHO_CLIENT)
			feed_client(d, p, n, out);
		else
			feed_server(d, s, p, n, out);
		/* What stands in front of a break is told first. */
		if (out->used > 0)
			return;
	}
	breaks(d, who, n, out);
}

static uint16_t redis_fin(void *st, enum who who)
{
	struct redis *d = st;
	const struct redis_stream *s = &d->s[who];

	return s->begun && !s->tunnel && !s->bad ? FRAMER_TUNNEL : 0;
}

static bool redis_skip(void *st, enum who who, uint32_t n)
{
	struct redis *d = st;
	struct redis_stream *s = &d->s[who];

	if (s->tunnel)
		return true;
	/* A word whose bytes are missing may have been any. */
	if (!s->lost && !s->bad && s->lex.where == RESP_AT_TEXT &&
	    n < s->lex.number &&
	    (who != WHO_CLIENT || d->words >= SHOWN_WORDS)) {
		s->lex.number -= n;
		return true;
	}
	s->lost = true;
	return false;
}

static void redis_resync(void *st, enum who who, uint32_t index)
{
	struct redis *d = st;

	d->s[who] = (struct redis_stream){ .index = index };
	if (who != WHO_CLIENT)
		return;
	d->is_line = false;
	command_begins(d);
	if (d->has_last && index <= d->last)
		d->has_last = false;
}

/* "*3\r\n$3\r\n", as far as there is of it; @whole: all of it is wanted. */
static bool looks_like(const uint8_t *p, uint32_t n, bool whole)
{
	static const char first[] = "*$";
	uint32_t i = 0;

	for (unsigned part = 0; part < 2; part++) {
		uint32_t digits = 0;

		if (i == n)
			return !whole;
		if (p[i++] != (uint8_t)first[part])
			return false;
		while (i < n && p[i] >= '0' && p[i] <= '9') {
			i++;
			if (++digits > 7)
				return false;
		}
		if (i == n)
			return !whole;
		if (digits == 0 || p[i++] != '\r')
			return false;
		if (i == n)
			return !whole;
		if (p[i++] != '\n')
			return false;
	}
	return true;
}

static bool redis_begins(const uint8_t *p, uint32_t n)
{
	return looks_like(p, n, false);
}

static bool redis_restarts(const uint8_t *p, uint32_t n)
{
	return looks_like(p, n, true);
}

const struct framer_ops framer_redis = {
	.name = "redis",
	.size = sizeof(struct redis),
	.init = redis_init,
	.feed = redis_feed,
	.fin = redis_fin,
	.skip = redis_skip,
	.resync = redis_resync,
	.begins = redis_begins,
	.restarts = redis_restarts,
};
