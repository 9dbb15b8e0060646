/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * message.c - A DNS message, read into an index of its records
 *
 * Theory of operation
 *
 * A message is read once, section by section: where each record begins, its
 * owner's name, its type and its data. The walk checks every length and every
 * name, so that what follows only looks at bytes that exist. OPT is kept apart.
 *
 * A name is a cursor that yields labels and follows compression pointers. A
 * pointer must lead to an earlier byte than the piece that holds it began with,
 * and a name ends at 255 bytes (RFC 1035 sections 3.1 and 4.1.4): no loop.
 */
#include "app/message.h"

#include <assert.h>
#include <string.h>

#include "core/bytes.h"

enum {
	DNS_COUNTS = 4, /* offset of the four counts */
	DNS_FIXED = 10, /* type, class, TTL, RDLENGTH of a record */
	DNS_NAME_MAX = 255,
};

/* Types (IANA, "Domain Name System (DNS) Parameters"). */
enum {
	TYPE_NS = 2,
	TYPE_MD = 3,
	TYPE_MF = 4,
	TYPE_CNAME = 5,
	TYPE_SOA = 6,
	TYPE_MB = 7,
	TYPE_MG = 8,
	TYPE_MR = 9,
	TYPE_PTR = 12,
	TYPE_MINFO = 14,
	TYPE_MX = 15,
	TYPE_RP = 17,
	TYPE_AFSDB = 18,
	TYPE_RT = 21,
	TYPE_PX = 26,
	TYPE_SRV = 33,
	TYPE_KX = 36,
	TYPE_DNAME = 39,
};

/* A place within a name. */
struct cursor {
	uint32_t off;
	uint32_t floor; /* a pointer must lead below this */
	uint32_t total; /* bytes of the name so far */
	uint32_t end;	/* first byte behind the name where it stands; 0: not
			 * known yet */
};

static struct cursor name_at(uint32_t off)
{
	return (struct cursor){ .off = off, .floor = off };
}

/**
 * name_label() - Take the next label
 * @label:	Set to its first byte
 *
 * Return: its length, 0 at the root, -1 if the name is broken
 */
static int name_label(const struct dns_bytes *m, struct cursor *c,
		      uint32_t *label)
{
	for (;;) {
		uint8_t b;

		if (c->off >= m->len)
			return -1;
		b = m->p[c->off];
		if (b <= DNS_LABEL_MAX) {
			c->total += b + 1u;
			if (m->len - c->off <= b || c->total > DNS_NAME_MAX)
				return -1;
			*label = c->off + 1;
			c->off += b + 1u;
			if (b == 0 && c->end == 0)
				c->end = c->off;
			return b;
		}
		if (b < 0xc0 || m->len - c->off < 2)
			return -1;
		if (c->end == 0)
			c->end = c->off + 2;
		c->off = get_be16(m->p + c->off) & 0x3fff;
		if (c->off >= c->floor)
			return -1;
		c->floor = c->off;
	}
}

uint32_t dns_name_end(const struct dns_bytes *m, uint32_t off)
{
	struct cursor c = name_at(off);
	uint32_t label;
	int n;

	do
		n = name_label(m, &c, &label);
	while (n > 0);
	return n < 0 ? 0 : c.end;
}

bool dns_same_name(const struct dns_bytes *a, uint32_t a_off,
		   const struct dns_bytes *b, uint32_t b_off)
{
	struct cursor ca = name_at(a_off);
	struct cursor cb = name_at(b_off);

	for (;;) {
		uint32_t la = 0, lb = 0;
		int n = name_label(a, &ca, &la);

		assert(n >= 0);
		if (n != name_label(b, &cb, &lb))
			return false;
		if (n == 0)
			return true;
		for (int i = 0; i < n; i++)
			if (dns_lower(a->p[la + (uint32_t)i]) !=
			    dns_lower(b->p[lb + (uint32_t)i]))
				return false;
	}
}

bool dns_same_set(const struct dns_message *a, const struct dns_record *ra,
		  const struct dns_message *b, const struct dns_record *rb)
{
	if (ra->type != rb->type || ra->class != rb->class)
		return false;
	if (ra->type == DNS_TYPE_RRSIG && ra->len >= 2 && rb->len >= 2 &&
	    memcmp(a->m.p + ra->data, b->m.p + rb->data, 2) != 0)
		return false;
	return dns_same_name(&a->m, ra->owner, &b->m, rb->owner);
}

/* A name that is whole, with its lengths. Return: its bytes */
static uint32_t put_name(const struct dns_bytes *m, uint32_t off, uint8_t *out)
{
	struct cursor c = name_at(off);
	uint32_t at = 0;

	for (;;) {
		uint32_t label = 0;
		int n = name_label(m, &c, &label);

		assert(n >= 0 && at + (uint32_t)n < DNS_NAME_MAX);
		out[at++] = (uint8_t)n;
		if (n == 0)
			return at;
		for (int i = 0; i < n; i++)
			out[at++] = dns_lower(m->p[label + (uint32_t)i]);
	}
}

uint32_t dns_canonical(const struct dns_message *msg,
		       const struct dns_record *r, uint8_t *out, uint32_t *rest)
{
	const struct dns_bytes *m = &msg->m;
	struct dns_layout l = dns_layout(r->type);
	uint32_t at = r->data + l.fixed;
	uint32_t n = put_name(m, r->owner, out);

	put_be16(out + n, r->type);
	put_be16(out + n + 2, r->class);
	n += 4;
	memcpy(out + n, m->p + r->data, l.fixed);
	n += l.fixed;
	for (; l.names > 0; l.names--) {
		n += put_name(m, at, out + n);
		at = dns_name_end(m, at);
	}
	assert(n <= DNS_CANONICAL && at <= r->data + r->len);
	*rest = at;
	return n;
}

struct dns_layout dns_layout(uint16_t type)
{
	switch (type) {
	case TYPE_NS:
	case TYPE_MD:
	case TYPE_MF:
	case TYPE_CNAME:
	case TYPE_MB:
	case TYPE_MG:
	case TYPE_MR:
	case TYPE_PTR:
	case TYPE_DNAME:
		return (struct dns_layout){ 0, 1 };
	case TYPE_SOA:
	case TYPE_MINFO:
	case TYPE_RP:
		return (struct dns_layout){ 0, 2 };
	case TYPE_MX:
	case TYPE_AFSDB:
	case TYPE_RT:
	case TYPE_KX:
		return (struct dns_layout){ 2, 1 };
	case TYPE_PX:
		return (struct dns_layout){ 2, 2 };
	case TYPE_SRV:
		return (struct dns_layout){ 6, 1 };
	default:
		return (struct dns_layout){ 0, 0 };
	}
}

/* Check that the data of @r is as its type wants it. */
static bool data_ok(const struct dns_bytes *m, const struct dns_record *r)
{
	struct dns_layout l = dns_layout(r->type);
	uint32_t at = r->data + l.fixed;

	if (l.fixed > r->len)
		return false;
	for (; l.names > 0; l.names--) {
		at = dns_name_end(m, at);
		if (at == 0 || at > r->data + r->len)
			return false;
	}
	return true;
}

/* Read one record, or one question (no TTL, no data) at @at.
 *
 * Return: offset behind it, or 0 if it is broken
 */
static uint32_t read_record(const struct dns_bytes *m, uint32_t at,
			    enum dns_section s, struct dns_record *r)
{
	uint32_t fixed = s == DNS_QUESTION ? 4 : DNS_FIXED;

	*r = (struct dns_record){ .owner = at };
	at = dns_name_end(m, at);
	if (at == 0 || m->len - at < fixed)
		return 0;
	r->type = get_be16(m->p + at);
	r->class = get_be16(m->p + at + 2);
	r->data = at + fixed;
	if (s == DNS_QUESTION)
		return r->data;
	r->ttl = get_be32(m->p + at + 4);
	r->len = get_be16(m->p + at + 8);
	if (m->len - r->data < r->len || !data_ok(m, r))
		return 0;
	return r->data + r->len;
}

bool dns_read(const uint8_t *p, uint32_t len, struct dns_message *msg)
{
	uint32_t at = DNS_HEADER;

	msg->m = (struct dns_bytes){ p, len };
	msg->has_opt = false;
	msg->opt_ttl = 0;
	if (len < DNS_HEADER)
		return false;
	for (enum dns_section s = 0; s < DNS_COUNT; s++) {
		struct dns_index *x = &msg->sec[s];

		x->n = 0;
		for (unsigned left = get_be16(p + DNS_COUNTS + 2 * s); left > 0;
		     left--) {
			struct dns_record r;

			at = read_record(&msg->m, at, s, &r);
			if (at == 0)
				return false;
			if (r.type == DNS_TYPE_OPT && s == DNS_ADDITIONAL &&
			    !msg->has_opt) {
				msg->has_opt = true;
				msg->opt = r;
				msg->opt_ttl = r.ttl;
				continue;
			}
			if (x->n == DNS_RECORDS)
				return false;
			x->r[x->n++] = r;
		}
	}
	return at == len;
}

uint16_t dns_rcode(const struct dns_message *m)
{
	unsigned low = get_be16(m->m.p + DNS_FLAGS) & DNS_RCODE;

	return (uint16_t)((m->opt_ttl >> 24) << 4 | low);
}
