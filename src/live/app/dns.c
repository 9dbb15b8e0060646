/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dns.c - DNS over TCP, and what pairs messages over UDP
 *
 * Theory of operation
 *
 * Over TCP two bytes of length stand in front of every message (RFC 1035
 * section 4.2.2): they are framing, the message is body. Messages are numbered
 * as they come. A server that answers out of order (RFC 7766 section 6.2.1.1)
 * or with several messages (a zone transfer) is therefore paired wrongly, and
 * shows up as a difference.
 *
 * A name in the question section may hide anywhere behind compression pointers
 * (RFC 1035 section 4.1.4). Each must point before all that was read of this
 * name, so following them ends; a name is at most 255 bytes, so the work is
 * bounded too.
 */
#include "app/framer.h"

#include <errno.h>
#include <string.h>

#include "core/bytes.h"

#define DNS_HEADER    12
#define DNS_NAME_MAX  255
#define DNS_QUESTIONS 8 /* more in one message are not believed */

/**
 * struct dns_stream - One endpoint's stream
 * @index:	Number of the message
 * @left:	Bytes to go of the message
 * @have:	Bytes of the length read so far
 * @high:	The first of them
 * @fresh:	None of its bytes came
 * @lost:	Nothing is known until a resync
 */
struct dns_stream {
	uint32_t index;
	uint32_t left;
	uint8_t have;
	uint8_t high;
	bool fresh;
	bool lost;
};

struct dns_tcp {
	struct dns_stream s[WHO_COUNT];
};

_Static_assert(sizeof(struct dns_tcp) <= FRAMER_STATE_MAX, "state too large");

static void dns_init(void *st, bool mid)
{
	(void)mid;
	memset(st, 0, sizeof(struct dns_tcp));
}

/* The message ends with the piece. */
static void dns_end(struct dns_stream *s, struct framer_piece *out)
{
	out->flags |= FRAMER_MARK;
	s->index++;
	s->have = 0;
}

static void dns_length(struct dns_stream *s, const uint8_t *p, uint32_t n,
		       struct framer_piece *out)
{
	uint32_t i = 0;

	out->part = FRAMER_FRAMING;
	if (s->have == 0) {
		out->flags |= FRAMER_BEGIN;
		s->high = p[i++];
		s->have = 1;
	}
	if (i < n) {
		s->left = (uint32_t)s->high << 8 | p[i++];
		s->have = 2;
		s->fresh = true;
		if (s->left == 0)
			dns_end(s, out);
	}
	out->used = i;
}

static void dns_feed(void *st, enum who who, const uint8_t *p, uint32_t n,
		     struct framer_piece *out)
{
	struct dns_tcp *d = st;
	struct dns_stream *s = &d->s[who];

	*out = (struct framer_piece){ .used = n,
				      .part = FRAMER_OPAQUE,
				      .index = s->index };
	if (s->lost)
		return;
	if (s->have < 2) {
		dns_length(s, p, n, out);
		return;
	}
	out->part = FRAMER_BODY;
	out->used = n < s->left ? n : s->left;
	s->left -= out->used;
	if (s->fresh && s->left == 0)
		out->flags |= FRAMER_WHOLE;
	s->fresh = false;
	if (s->left == 0)
		dns_end(s, out);
}

static uint16_t dns_fin(void *st, enum who who)
{
	struct dns_tcp *d = st;

	return d->s[who].have > 0 ? FRAMER_TUNNEL : 0;
}

static bool dns_skip(void *st, enum who who, uint32_t n)
{
	struct dns_tcp *d = st;
	struct dns_stream *s = &d->s[who];

	if (!s->lost && s->have == 2 && n < s->left) {
		s->left -= n;
		s->fresh = false;
		return true;
	}
	s->lost = true;
	return false;
}

static void dns_resync(void *st, enum who who, uint32_t index)
{
	struct dns_tcp *d = st;

	d->s[who] = (struct dns_stream){ .index = index };
}

/* A length that holds a header, and a query that asks something. */
static bool dns_begins(const uint8_t *p, uint32_t n)
{
	if (n >= 2 && get_be16(p) < DNS_HEADER)
		return false;
	if (n >= 5 && (p[4] & 0x80))
		return false;
	return n < 8 || (p[6] == 0 && p[7] <= DNS_QUESTIONS);
}

const struct framer_ops framer_dns_tcp = {
	.name = "dns",
	.size = sizeof(struct dns_tcp),
	.init = dns_init,
	.feed = dns_feed,
	.fin = dns_fin,
	.skip = dns_skip,
	.resync = dns_resync,
	.begins = dns_begins,
	.restarts = dns_begins,
};

/* FNV-1a (Fowler, Noll, Vo), 32 bits. */
static uint32_t fnv(uint32_t h, uint8_t c)
{
	return (h ^ c) * 16777619u;
}

/**
 * hash_name() - Add a name, in lower case and without compression
 * @at:		Its offset; set to the offset behind it
 *
 * Return: 0 or -EBADMSG
 */
static int hash_name(const uint8_t *p, uint32_t n, uint32_t *at, uint32_t *hash)
{
	uint32_t i = *at;
	uint32_t first = i; /* every pointer must go before this */
	uint32_t total = 1;
	uint32_t end = 0; /* behind the name, once a pointer has left it */

	for (;;) {
		uint32_t len, to;

		if (i >= n)
			return -EBADMSG;
		len = p[i];
		if (len >= 0xc0) {
			if (n - i < 2)
				return -EBADMSG;
			to = (len & 0x3f) << 8 | p[i + 1];
			if (to < DNS_HEADER || to >= first)
				return -EBADMSG;
			if (end == 0)
				end = i + 2;
			first = to;
			i = to;
			continue;
		}
		*hash = fnv(*hash, (uint8_t)len);
		if (len == 0)
			break;
		total += len + 1;
		if (len > 63 || n - i - 1 < len || total > DNS_NAME_MAX)
			return -EBADMSG;
		for (uint32_t k = i + 1; k <= i + len; k++)
			*hash = fnv(*hash, p[k] >= 'A' && p[k] <= 'Z'
						   ? (uint8_t)(p[k] | 0x20)
						   : p[k]);
		i += len + 1;
	}
	*at = end != 0 ? end : i + 1;
	return 0;
}

int dns_parse_id(const uint8_t *p, uint32_t n, struct dns_id *out)
{
	uint32_t at = DNS_HEADER;
	uint32_t hash = 2166136261u;
	unsigned count;

	if (n < DNS_HEADER)
		return -EBADMSG;
	count = get_be16(p + 4);
	if (count > DNS_QUESTIONS)
		return -EBADMSG;
	for (; count > 0; count--) {
		if (hash_name(p, n, &at, &hash) != 0 || n - at < 4)
			return -EBADMSG;
		for (uint32_t k = 0; k < 4; k++) /* type and class */
			hash = fnv(hash, p[at + k]);
		at += 4;
	}
	*out = (struct dns_id){
		.id = get_be16(p),
		.response = (p[2] & 0x80) != 0,
		.question = hash,
	};
	return 0;
}
