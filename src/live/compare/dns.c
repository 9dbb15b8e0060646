/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dns.c - Compare two DNS messages
 *
 * Theory of operation
 *
 * Both messages are read into an index (app/message.h), which lies on the
 * stack.
 *
 * Two sections are equal if record i of both is of the same RRset, for all i,
 * and a one-to-one match of records exists. Being equal is transitive, so
 * taking the first unmatched equal record finds such a match if there is one.
 *
 * Of two truncated datagrams no record is compared: how many fit is each
 * server's own, a client drops what came and asks again over TCP (RFC 2181
 * section 9), and both answers to that are compared. One that is truncated
 * alone differs in its flags: it costs a client a second question.
 */
#include "compare/dns.h"

#include <assert.h>
#include <string.h>

#include "app/message.h"
#include "compare/compare_internal.h"
#include "core/bytes.h"
#include "rules/rules.h"

/* Offsets in a signature's data (RFC 4034 section 3.1): in front of the times
 * are type, algorithm, labels and TTL of what is signed.
 */
enum {
	RRSIG_TIMES = 8,
	RRSIG_TAG = 16,
	RRSIG_FIXED = 18,
};

#define OPTION_COOKIE 10 /* RFC 7873 section 4 */

static const enum compare_dns told[DNS_COUNT] = { COMPARE_DNS_QUESTION,
						  COMPARE_DNS_ANSWER,
						  COMPARE_DNS_AUTHORITY,
						  COMPARE_DNS_ADDITIONAL };

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
		if (dns_lower(a[i]) != dns_lower(b[i]))
			return false;
	return true;
}

static bool same_data(const struct dns_message *a, const struct dns_record *ra,
		      const struct dns_message *b, const struct dns_record *rb)
{
	struct dns_layout l = dns_layout(ra->type);
	uint32_t at = ra->data + l.fixed;
	uint32_t bt = rb->data + l.fixed;
	uint32_t rest;

	if (ra->type == DNS_TYPE_RRSIG &&
	    same_signed(a->m.p + at, ra->len, b->m.p + bt, rb->len))
		return true;
	if (memcmp(a->m.p + ra->data, b->m.p + rb->data, l.fixed) != 0)
		return false;
	for (; l.names > 0; l.names--) {
		if (!dns_same_name(&a->m, at, &b->m, bt))
			return false;
		at = dns_name_end(&a->m, at);
		bt = dns_name_end(&b->m, bt);
	}
	rest = ra->data + ra->len - at;
	return rest == rb->data + rb->len - bt &&
	       memcmp(a->m.p + at, b->m.p + bt, rest) == 0;
}

/**
 * section_differs() - Find the first record that the other side does not have
 * @match:	Set to the number of the SUT's record for each of production's
 * @at:		Set to its number, if one is found
 *
 * Return: true if the sections differ; @at is then below the longer one's n
 */
static bool section_differs(const struct dns_message *a,
			    const struct dns_message *b, enum dns_section s,
			    uint8_t match[DNS_RECORDS], uint32_t *at)
{
	const struct dns_index *xa = &a->sec[s];
	const struct dns_index *xb = &b->sec[s];
	bool taken[DNS_RECORDS] = { false };

	for (uint32_t i = 0; i < xa->n; i++) {
		uint32_t j;

		*at = i;
		if (i >= xb->n || !dns_same_set(a, &xa->r[i], b, &xb->r[i]))
			return true;
		for (j = 0; j < xb->n; j++)
			if (!taken[j] &&
			    dns_same_set(a, &xa->r[i], b, &xb->r[j]) &&
			    same_data(a, &xa->r[i], b, &xb->r[j]))
				break;
		if (j == xb->n)
			return true;
		taken[j] = true;
		match[i] = (uint8_t)j;
	}
	*at = xa->n;
	return xb->n > xa->n;
}

/* Next option of OPT's data that is no cookie; its length with its header, 0:
 * no more. What is too short to be an option is one to the end.
 */
static uint32_t next_option(const struct dns_message *m, uint32_t *at)
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

static bool same_opt(const struct dns_message *a, const struct dns_message *b)
{
	uint32_t at = a->opt.data;
	uint32_t bt = b->opt.data;

	if (a->has_opt != b->has_opt)
		return false;
	if (!a->has_opt)
		return true;
	if (a->opt_ttl != b->opt_ttl || a->opt.class != b->opt.class ||
	    !dns_same_name(&a->m, a->opt.owner, &b->m, b->opt.owner))
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
static bool header_differs(const struct dns_message *a,
			   const struct dns_message *b,
			   struct compare_result *r)
{
	const uint8_t *pa = a->m.p;
	const uint8_t *pb = b->m.p;
	uint16_t fa = get_be16(pa + DNS_FLAGS);
	uint16_t fb = get_be16(pb + DNS_FLAGS);
	const struct dns_index *qa = &a->sec[DNS_QUESTION];
	const struct dns_index *qb = &b->sec[DNS_QUESTION];
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

_Static_assert(DNS_RECORDS <= UINT8_MAX + 1, "their numbers are bytes");

/**
 * struct ttls - What a rule says of times to live
 * @within:	So far may two be apart, in seconds
 * @line:	Of the rule; -1: there is none
 * @needed:	Two were not the same
 * @far:	Production's first record whose SUT's is too far away; NULL:
 *		there is none
 * @has:	Both times of it
 */
struct ttls {
	uint32_t within;
	int line;
	bool needed;
	const struct dns_record *far;
	uint32_t has[2];
};

static void look_at_ttls(struct ttls *t, const struct dns_index *a,
			 const struct dns_index *b, const uint8_t *match)
{
	for (uint32_t i = 0; i < a->n && !t->far; i++) {
		uint32_t p = a->r[i].ttl, s = b->r[match[i]].ttl;

		t->needed |= p != s;
		if ((p > s ? p - s : s - p) <= t->within)
			continue;
		t->far = &a->r[i];
		t->has[0] = p;
		t->has[1] = s;
	}
}

/* @from: the first section that is compared */
static void compare_messages(const struct rules *by, bool datagram,
			     enum dns_section from, const struct dns_message *a,
			     const struct dns_message *b,
			     struct compare_result *r)
{
	struct ttls t = { .line = -1 };

	if (by)
		t.line = rules_dns_ttl(by, &t.within);
	r->status[0] = dns_rcode(a);
	r->status[1] = dns_rcode(b);
	if (header_differs(a, b, r))
		return;
	if (datagram && (get_be16(a->m.p + DNS_FLAGS) & DNS_TC)) {
		r->verdict = VERDICT_EQUIVALENT;
		return;
	}
	for (enum dns_section s = from; s < DNS_COUNT; s++) {
		uint8_t match[DNS_RECORDS];
		uint32_t at;

		if (!section_differs(a, b, s, match, &at)) {
			if (t.line >= 0)
				look_at_ttls(&t, &a->sec[s], &b->sec[s], match);
			continue;
		}
		r->offset =
			at < a->sec[s].n ? a->sec[s].r[at].owner : UINT64_MAX;
		differ_by(r, REASON_BODY, told[s], a->sec[s].n, b->sec[s].n);
		r->evidence.dns_at = at;
		return;
	}
	if (t.far) {
		r->offset = t.far->owner;
		differ_by(r, REASON_BODY, COMPARE_DNS_TTL, t.has[0], t.has[1]);
		return;
	}
	r->verdict = VERDICT_EQUIVALENT;
	r->rule = t.needed ? (uint32_t)t.line + 1 : 0;
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

static void compare_both(enum compare_level level, const struct rules *by,
			 bool datagram, const uint8_t *prod, uint32_t prod_len,
			 const uint8_t *sut, uint32_t sut_len,
			 struct compare_result *out)
{
	struct dns_message a, b;
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
	readable = dns_read(prod, prod_len, &a);
	if (!readable || !dns_read(sut, sut_len, &b)) {
		out->evidence.dns =
			readable ? COMPARE_DNS_NO_SUT : COMPARE_DNS_NO_PROD;
		return;
	}
	out->verdict = VERDICT_IDENTICAL;
	out->reason = REASON_NONE;
	out->offset = 0;
	compare_messages(by, datagram, DNS_ANSWER, &a, &b, out);
}

void dns_compare(enum compare_level level, const struct rules *by,
		 const uint8_t *prod, uint32_t prod_len, const uint8_t *sut,
		 uint32_t sut_len, struct compare_result *out)
{
	compare_both(level, by, true, prod, prod_len, sut, sut_len, out);
}

void dns_compare_stream(const struct rules *by, const uint8_t *prod,
			uint32_t prod_len, const uint8_t *sut, uint32_t sut_len,
			struct compare_result *out)
{
	compare_both(COMPARE_EQUIVALENT, by, false, prod, prod_len, sut,
		     sut_len, out);
}

bool dns_same_besides(const struct rules *by, const struct dns_message *a,
		      const struct dns_message *b)
{
	struct compare_result r = { .verdict = VERDICT_IDENTICAL };

	compare_messages(by, false, DNS_AUTHORITY, a, b, &r);
	return r.verdict == VERDICT_EQUIVALENT;
}

const struct compare_ops compare_dns = { .whole = dns_compare };
