/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dns.c - Compare two DNS messages
 *
 * Theory of operation
 *
 * Each message is read once, section by section, into an index: where each
 * record begins, its owner's name, its type and its data. The walk checks every
 * length and every name, so that what follows only looks at bytes that exist.
 * The index lies on the stack and is bounded by DNS_RECORDS; OPT is kept apart.
 *
 * A name is a cursor that yields labels and follows compression pointers. A
 * pointer must lead to an earlier byte than the piece that holds it began with,
 * and a name ends at 255 bytes (RFC 1035 sections 3.1 and 4.1.4): no loop.
 *
 * Two sections are equal if record i of both is of the same RRset, for all i,
 * and a one-to-one match of records exists. Being equal is transitive, so
 * taking the first unmatched equal record finds such a match if there is one.
 */
#include "compare/dns.h"

#include <assert.h>
#include <string.h>

#include "compare/compare_internal.h"
#include "core/bytes.h"

enum {
	DNS_HEADER = 12,
	DNS_FLAGS = 2,	/* offset in the header */
	DNS_COUNTS = 4, /* offset of the four counts */
	DNS_FIXED = 10, /* type, class, TTL, RDLENGTH of a record */
	DNS_LABEL_MAX = 63,
	DNS_NAME_MAX = 255,
	DNS_RCODE = 0x000f, /* in the flags */
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
	TYPE_OPT = 41,
	TYPE_RRSIG = 46,
};

/* Offsets in a signature's data (RFC 4034 section 3.1): in front of the times
 * are type, algorithm, labels and TTL of what is signed.
 */
enum {
	RRSIG_TIMES = 8,
	RRSIG_TAG = 16,
	RRSIG_FIXED = 18,
};

#define OPTION_COOKIE 10 /* RFC 7873 section 4 */

enum section {
	SEC_QUESTION,
	SEC_ANSWER,
	SEC_AUTHORITY,
	SEC_ADDITIONAL,
	SEC_COUNT
};

static const enum compare_dns told[SEC_COUNT] = { COMPARE_DNS_QUESTION,
						  COMPARE_DNS_ANSWER,
						  COMPARE_DNS_AUTHORITY,
						  COMPARE_DNS_ADDITIONAL };

struct bytes {
	const uint8_t *p;
	uint32_t len;
};

/* A record: offsets into its message. */
struct record {
	uint32_t owner;
	uint32_t data;
	uint16_t len;
	uint16_t type;
	uint16_t class;
};

/* The records of one section; OPT is not among them. */
struct index {
	uint32_t n;
	struct record r[DNS_RECORDS];
};

struct message {
	struct bytes m;
	struct index sec[SEC_COUNT];
	bool has_opt;
	uint32_t opt_ttl; /* extended rcode, version, flags */
	struct record opt;
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
static int name_label(const struct bytes *m, struct cursor *c, uint32_t *label)
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

/* Offset behind the name at @off, or 0 if it is broken. */
static uint32_t name_end(const struct bytes *m, uint32_t off)
{
	struct cursor c = name_at(off);
	uint32_t label;
	int n;

	do
		n = name_label(m, &c, &label);
	while (n > 0);
	return n < 0 ? 0 : c.end;
}

static uint8_t lower(uint8_t b)
{
	return b >= 'A' && b <= 'Z' ? (uint8_t)(b + 0x20) : b;
}

/* Compare two names that are known to be whole, in any case. */
static bool names_equal(const struct bytes *a, uint32_t a_off,
			const struct bytes *b, uint32_t b_off)
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
			if (lower(a->p[la + (uint32_t)i]) !=
			    lower(b->p[lb + (uint32_t)i]))
				return false;
	}
}

/* How the data of a type is made: @fixed bytes, then @names names, then bytes.
 */
struct layout {
	uint8_t fixed;
	uint8_t names;
};

static struct layout layout_of(uint16_t type)
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
		return (struct layout){ 0, 1 };
	case TYPE_SOA:
	case TYPE_MINFO:
	case TYPE_RP:
		return (struct layout){ 0, 2 };
	case TYPE_MX:
	case TYPE_AFSDB:
	case TYPE_RT:
	case TYPE_KX:
		return (struct layout){ 2, 1 };
	case TYPE_PX:
		return (struct layout){ 2, 2 };
	case TYPE_SRV:
		return (struct layout){ 6, 1 };
	default:
		return (struct layout){ 0, 0 };
	}
}

/* Check that the data of @r is as its type wants it. */
static bool data_ok(const struct bytes *m, const struct record *r)
{
	struct layout l = layout_of(r->type);
	uint32_t at = r->data + l.fixed;

	if (l.fixed > r->len)
		return false;
	for (; l.names > 0; l.names--) {
		at = name_end(m, at);
		if (at == 0 || at > r->data + r->len)
			return false;
	}
	return true;
}

/* Read one record, or one question (no TTL, no data) at @at.
 *
 * Return: offset behind it, or 0 if it is broken
 */
static uint32_t read_record(const struct bytes *m, uint32_t at, enum section s,
			    struct record *r)
{
	uint32_t fixed = s == SEC_QUESTION ? 4 : DNS_FIXED;

	*r = (struct record){ .owner = at };
	at = name_end(m, at);
	if (at == 0 || m->len - at < fixed)
		return 0;
	r->type = get_be16(m->p + at);
	r->class = get_be16(m->p + at + 2);
	r->data = at + fixed;
	if (s == SEC_QUESTION)
		return r->data;
	r->len = get_be16(m->p + at + 8);
	if (m->len - r->data < r->len || !data_ok(m, r))
		return 0;
	return r->data + r->len;
}

/* Read a whole message. Return: false if it is broken or too big an index. */
static bool read_message(const uint8_t *p, uint32_t len, struct message *msg)
{
	uint32_t at = DNS_HEADER;

	msg->m = (struct bytes){ p, len };
	msg->has_opt = false;
	msg->opt_ttl = 0;
	if (len < DNS_HEADER)
		return false;
	for (enum section s = 0; s < SEC_COUNT; s++) {
		struct index *x = &msg->sec[s];

		x->n = 0;
		for (unsigned left = get_be16(p + DNS_COUNTS + 2 * s); left > 0;
		     left--) {
			struct record r;

			at = read_record(&msg->m, at, s, &r);
			if (at == 0)
				return false;
			if (r.type == TYPE_OPT && s == SEC_ADDITIONAL &&
			    !msg->has_opt) {
				msg->has_opt = true;
				msg->opt = r;
				msg->opt_ttl = get_be32(p + r.data - 6);
				continue;
			}
			if (x->n == DNS_RECORDS)
				return false;
			x->r[x->n++] = r;
		}
	}
	return at == len;
}

static bool same_rrset(const struct message *a, const struct record *ra,
		       const struct message *b, const struct record *rb)
{
	if (ra->type != rb->type || ra->class != rb->class)
		return false;
	/* Signatures are of the set that they cover (RFC 4034 section 3). */
	if (ra->type == TYPE_RRSIG && ra->len >= 2 && rb->len >= 2 &&
	    memcmp(a->m.p + ra->data, b->m.p + rb->data, 2) != 0)
		return false;
	return names_equal(&a->m, ra->owner, &b->m, rb->owner);
}

/* Bytes of the signer's name in a signature's data, which is not compressed
 * (RFC 4034 section 3.1.7); 0: it is none
 */
static uint32_t signer_len(const uint8_t *p, uint32_t len)
{
	uint32_t i = RRSIG_FIXED;

	while (i < len && p[i] != 0 && p[i] <= DNS_LABEL_MAX)
		i += p[i] + 1u;
	return i < len && p[i] == 0 ? i + 1 - RRSIG_FIXED : 0;
}

/* Are two signatures of one key for one set? When they were made, how long they
 * hold and their bytes are the signer's own.
 */
static bool same_signed(const uint8_t *a, uint32_t a_len, const uint8_t *b,
			uint32_t b_len)
{
	uint32_t n = signer_len(a, a_len);

	if (n == 0 || n != signer_len(b, b_len) ||
	    memcmp(a, b, RRSIG_TIMES) != 0 ||
	    memcmp(a + RRSIG_TAG, b + RRSIG_TAG, RRSIG_FIXED - RRSIG_TAG) != 0)
		return false;
	for (uint32_t i = RRSIG_FIXED; i < RRSIG_FIXED + n; i++)
		if (lower(a[i]) != lower(b[i]))
			return false;
	return true;
}

static bool same_data(const struct message *a, const struct record *ra,
		      const struct message *b, const struct record *rb)
{
	struct layout l = layout_of(ra->type);
	uint32_t at = ra->data + l.fixed;
	uint32_t bt = rb->data + l.fixed;
	uint32_t rest;

	if (ra->type == TYPE_RRSIG &&
	    same_signed(a->m.p + at, ra->len, b->m.p + bt, rb->len))
		return true;
	if (memcmp(a->m.p + ra->data, b->m.p + rb->data, l.fixed) != 0)
		return false;
	for (; l.names > 0; l.names--) {
		if (!names_equal(&a->m, at, &b->m, bt))
			return false;
		at = name_end(&a->m, at);
		bt = name_end(&b->m, bt);
	}
	rest = ra->data + ra->len - at;
	return rest == rb->data + rb->len - bt &&
	       memcmp(a->m.p + at, b->m.p + bt, rest) == 0;
}

/**
 * section_differs() - Find the first record that the other side does not have
 * @at:		Set to its number, if one is found
 *
 * Return: true if the sections differ; @at is then below the longer one's n
 */
static bool section_differs(const struct message *a, const struct message *b,
			    enum section s, uint32_t *at)
{
	const struct index *xa = &a->sec[s];
	const struct index *xb = &b->sec[s];
	bool taken[DNS_RECORDS] = { false };

	for (uint32_t i = 0; i < xa->n; i++) {
		uint32_t j;

		*at = i;
		if (i >= xb->n || !same_rrset(a, &xa->r[i], b, &xb->r[i]))
			return true;
		for (j = 0; j < xb->n; j++)
			if (!taken[j] &&
			    same_rrset(a, &xa->r[i], b, &xb->r[j]) &&
			    same_data(a, &xa->r[i], b, &xb->r[j]))
				break;
		if (j == xb->n)
			return true;
		taken[j] = true;
	}
	*at = xa->n;
	return xb->n > xa->n;
}

/* Next option of OPT's data that is no cookie; its length with its header, 0:
 * no more. What is too short to be an option is one to the end.
 */
static uint32_t next_option(const struct message *m, uint32_t *at)
{
	uint32_t end = m->opt.data + m->opt.len;

	while (*at < end) {
		const uint8_t *p = m->m.p + *at;
		uint32_t len = end - *at;

		if (len < 4 || 4u + get_be16(p + 2) > len)
			return len;
		len = 4u + get_be16(p + 2);
		if (get_be16(p) != OPTION_COOKIE)
			return len;
		*at += len;
	}
	return 0;
}

static bool same_opt(const struct message *a, const struct message *b)
{
	uint32_t at = a->opt.data;
	uint32_t bt = b->opt.data;

	if (a->has_opt != b->has_opt)
		return false;
	if (!a->has_opt)
		return true;
	if (a->opt_ttl != b->opt_ttl || a->opt.class != b->opt.class ||
	    !names_equal(&a->m, a->opt.owner, &b->m, b->opt.owner))
		return false;
	for (;;) {
		uint32_t n = next_option(a, &at);

		if (n != next_option(b, &bt))
			return false;
		if (n == 0)
			return true;
		if (memcmp(a->m.p + at, b->m.p + bt, n) != 0)
			return false;
		at += n;
		bt += n;
	}
}

static uint16_t rcode_of(const struct message *m)
{
	unsigned low = get_be16(m->m.p + DNS_FLAGS) & DNS_RCODE;

	return (uint16_t)((m->opt_ttl >> 24) << 4 | low);
}

static void differ(struct compare_result *r, enum compare_reason why,
		   enum compare_dns what)
{
	r->verdict = VERDICT_DIFFERENT;
	r->reason = why;
	r->evidence.dns = (uint8_t)what;
}

static void differ_by(struct compare_result *r, enum compare_reason why,
		      enum compare_dns what, uint32_t prod, uint32_t sut)
{
	differ(r, why, what);
	r->evidence.dns_has[0] = prod;
	r->evidence.dns_has[1] = sut;
}

/* Compare what is not a record. Return: true if it differs. */
static bool header_differs(const struct message *a, const struct message *b,
			   struct compare_result *r)
{
	const uint8_t *pa = a->m.p;
	const uint8_t *pb = b->m.p;
	uint16_t fa = get_be16(pa + DNS_FLAGS);
	uint16_t fb = get_be16(pb + DNS_FLAGS);
	const struct index *qa = &a->sec[SEC_QUESTION];
	const struct index *qb = &b->sec[SEC_QUESTION];
	uint32_t from = DNS_HEADER;
	uint32_t len = qa->n > 0 ? qa->r[qa->n - 1].data - from : 0;

	if (get_be16(pa) != get_be16(pb))
		differ_by(r, REASON_HEADER, COMPARE_DNS_ID, get_be16(pa),
			  get_be16(pb));
	else if (r->status[0] != r->status[1])
		differ_by(r, REASON_STATUS, COMPARE_DNS_RCODE, r->status[0],
			  r->status[1]);
	else if (fa != fb)
		differ_by(r, REASON_HEADER, COMPARE_DNS_FLAGS, fa, fb);
	else if (qa->n != qb->n ||
		 (qa->n > 0 && qb->r[qb->n - 1].data - from != len) ||
		 memcmp(pa + from, pb + from, len) != 0)
		differ(r, REASON_HEADER, COMPARE_DNS_QUESTION);
	else if (!same_opt(a, b))
		differ(r, REASON_HEADER, COMPARE_DNS_OPT);
	return r->verdict == VERDICT_DIFFERENT;
}

static void compare_messages(const struct message *a, const struct message *b,
			     struct compare_result *r)
{
	r->status[0] = rcode_of(a);
	r->status[1] = rcode_of(b);
	if (header_differs(a, b, r))
		return;
	for (enum section s = SEC_ANSWER; s < SEC_COUNT; s++) {
		uint32_t at;

		if (!section_differs(a, b, s, &at))
			continue;
		r->offset =
			at < a->sec[s].n ? a->sec[s].r[at].owner : UINT64_MAX;
		differ_by(r, REASON_BODY, told[s], a->sec[s].n, b->sec[s].n);
		r->evidence.dns_at = at;
		return;
	}
	r->verdict = VERDICT_EQUIVALENT;
}

/* Compare as bytes. Return: true if they are the same. */
static bool same_bytes(const uint8_t *a, uint32_t a_len, const uint8_t *b,
		       uint32_t b_len, struct compare_result *r)
{
	uint32_t n = a_len < b_len ? a_len : b_len;
	uint32_t i = 0;

	while (i < n && a[i] == b[i])
		i++;
	if (i == a_len && i == b_len)
		return true;
	r->verdict = VERDICT_DIFFERENT;
	r->reason = i < n ? REASON_BYTES : REASON_LENGTH;
	r->offset = i;
	return false;
}

void dns_compare(enum compare_level level, const uint8_t *prod,
		 uint32_t prod_len, const uint8_t *sut, uint32_t sut_len,
		 struct compare_result *out)
{
	struct message a, b;
	bool readable;

	assert(level == COMPARE_IDENTICAL || level == COMPARE_EQUIVALENT);

	*out = (struct compare_result){ .verdict = VERDICT_IDENTICAL,
					.bytes = { prod_len, sut_len } };
	if (prod_len >= DNS_HEADER)
		out->status[0] = prod[3] & DNS_RCODE;
	if (sut_len >= DNS_HEADER)
		out->status[1] = sut[3] & DNS_RCODE;
	if (same_bytes(prod, prod_len, sut, sut_len, out) ||
	    level == COMPARE_IDENTICAL)
		return;
	readable = read_message(prod, prod_len, &a);
	if (!readable || !read_message(sut, sut_len, &b)) {
		out->evidence.dns =
			readable ? COMPARE_DNS_NO_SUT : COMPARE_DNS_NO_PROD;
		return;
	}
	out->verdict = VERDICT_IDENTICAL;
	out->reason = REASON_NONE;
	out->offset = 0;
	compare_messages(&a, &b, out);
}

const struct compare_ops compare_dns = { .whole = dns_compare };
