/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_comparedns.c - Unit test of compare/dns
 *
 * Messages are written with a small assembler, so that each row says only what
 * differs. They are handed over in blocks of their exact size, for the address
 * sanitizer to see a byte too far; and, as messages over TCP, in pieces, which
 * must come to the same.
 */
#include "compare/dns.h"
#include "compare/protocol.h"

#include <stdlib.h>
#include <string.h>

#include "case_rig.h"
#include "check.h"
#include "compare_run.h"
#include "core/bytes.h"
#include "dns_rig.h"

static struct run_pool mem;
static const struct rules *rules;

/* Over TCP they come to what they do in datagrams. */
static void check_stream(const struct msg *p, const struct msg *s,
			 const struct compare_result *want)
{
	uint8_t in[2][sizeof(p->b) + 2];
	const struct exchange x = {
		.p = { in[0], in[1] },
		.n = { p->n + 2u, s->n + 2u },
		.ops = &framer_dns_tcp,
		.level = COMPARE_EQUIVALENT,
		.by = rules,
		.line = "x",
	};
	struct compare_result r;
	char told[COMPARE_DETAIL];

	if (p->n == 0 || s->n == 0)
		return;
	protocols[PROTOCOL_DNS].describe->difference(want, NULL, told);
	for (unsigned i = 0; i < 2; i++) {
		const struct msg *m = i == 0 ? p : s;

		put_be16(in[i], (uint16_t)m->n);
		memcpy(in[i] + 2, m->b, m->n);
	}
	for (uint64_t seed = 0; seed < 6; seed++) {
		CHECK(run_exchange(mem.pool, &x, seed, &r));
		CHECK(r.verdict == want->verdict && r.reason == want->reason);
		CHECK(r.offset == want->offset && r.rule == want->rule);
		CHECK(memcmp(r.status, want->status, sizeof(r.status)) == 0);
		CHECK(strcmp(run_detail(PROTOCOL_DNS_TCP, &r), told) == 0);
		CHECK(pool_used(mem.pool) == 0);
	}
}

static struct compare_result compare(enum compare_level level,
				     const struct msg *p, const struct msg *s)
{
	struct compare_result r;
	uint8_t *a = malloc(p->n + 1u);
	uint8_t *b = malloc(s->n + 1u);

	if (a == NULL || b == NULL)
		abort();
	memcpy(a + 1, p->b, p->n);
	memcpy(b + 1, s->b, s->n);
	dns_compare(level, rules, a + 1, p->n, b + 1, s->n, &r);
	free(a);
	free(b);
	if (level == COMPARE_EQUIVALENT)
		check_stream(p, s, &r);
	return r;
}

/* Both are truncated: the client asks again over TCP, where TC says nothing. */
static void test_truncated_both(void)
{
	struct msg p = begin(0x8380, "www.lab"), s = p, more, other;
	struct compare_result r;

	a_record(&p, "*", 60, 1);
	more = p;
	a_record(&more, "*", 60, 2);
	other = begin(0x8380, "web.lab");
	dns_compare(COMPARE_EQUIVALENT, rules, p.b, p.n, more.b, more.n, &r);
	CHECK(r.verdict == VERDICT_EQUIVALENT && r.rule == 0);
	dns_compare(COMPARE_EQUIVALENT, rules, more.b, more.n, s.b, s.n, &r);
	CHECK(r.verdict == VERDICT_EQUIVALENT);
	dns_compare(COMPARE_IDENTICAL, rules, p.b, p.n, more.b, more.n, &r);
	CHECK(r.verdict == VERDICT_DIFFERENT);
	dns_compare_stream(rules, p.b, p.n, more.b, more.n, &r);
	CHECK(r.verdict == VERDICT_DIFFERENT && r.reason == REASON_BODY);
	/* What is no record is compared, and one alone differs by its flags. */
	dns_compare(COMPARE_EQUIVALENT, rules, s.b, s.n, other.b, other.n, &r);
	CHECK(r.verdict == VERDICT_DIFFERENT && r.reason == REASON_HEADER);
	put_be16(more.b + 2, 0x8180);
	dns_compare(COMPARE_EQUIVALENT, rules, p.b, p.n, more.b, more.n, &r);
	CHECK(r.verdict == VERDICT_DIFFERENT && r.reason == REASON_HEADER);
	put_be16(s.b + 2, 0x8383);
	dns_compare(COMPARE_EQUIVALENT, rules, p.b, p.n, s.b, s.n, &r);
	CHECK(r.verdict == VERDICT_DIFFERENT && r.reason == REASON_STATUS);
}

#define IDENTICAL(p, s)	 compare(COMPARE_IDENTICAL, &(p), &(s))
#define EQUIVALENT(p, s) compare(COMPARE_EQUIVALENT, &(p), &(s))

static const char *detail(struct compare_result r)
{
	static char text[COMPARE_DETAIL];

	protocols[PROTOCOL_DNS].describe->difference(&r, NULL, text);
	return text;
}

static struct msg simple(uint32_t ttl, uint8_t last)
{
	struct msg m = begin(0x8180, "www.Example.org");

	a_record(&m, "*", ttl, last);
	return m;
}

static void test_same_bytes_are_identical(void)
{
	struct msg p = simple(60, 1);
	struct compare_result r = EQUIVALENT(p, p);

	CHECK(r.verdict == VERDICT_IDENTICAL && r.reason == REASON_NONE);
	r = IDENTICAL(p, p);
	CHECK(r.verdict == VERDICT_IDENTICAL);
	CHECK(r.bytes[0] == p.n && r.bytes[1] == p.n);
}

static void test_ttl_is_left_out(void)
{
	struct msg p = simple(60, 1), s = simple(59, 1);
	struct compare_result r = EQUIVALENT(p, s);

	CHECK(r.verdict == VERDICT_EQUIVALENT && r.reason == REASON_NONE);
	r = IDENTICAL(p, s);
	CHECK(r.verdict == VERDICT_DIFFERENT && r.reason == REASON_BYTES);
	CHECK(r.offset == p.n - 7); /* last byte of the TTL */
}

static void test_a_rule_says_how_far_ttls_may_be_apart(void)
{
	struct msg p = begin(0x8180, "a.b"), s = p;
	struct rules *near = case_rules("header ignore X|dns ttl within 5");
	struct compare_result r;

	rules = near;
	a_record(&p, "*", 60, 1);
	a_record(&p, "*", 60, 2);
	a_record(&s, "*", 55, 2);
	a_record(&s, "*", 60, 1);
	r = EQUIVALENT(p, s);
	CHECK(r.verdict == VERDICT_EQUIVALENT && r.rule == 2);
	CHECK(EQUIVALENT(s, p).verdict == VERDICT_EQUIVALENT);
	CHECK(EQUIVALENT(p, p).rule == 0);
	put_be32(s.b + s.n - 10, 66); /* of the second one */
	r = EQUIVALENT(p, s);
	CHECK(r.verdict == VERDICT_DIFFERENT && r.reason == REASON_BODY);
	CHECK(r.offset == p.n - 32);
	CHECK(strcmp(detail(r), "TTL: production 60, SUT 66") == 0);
	put_be32(s.b + s.n - 10, 0);
	r = EQUIVALENT(p, s);
	CHECK(strcmp(detail(r), "TTL: production 60, SUT 0") == 0);
	/* another record tells more */
	s.b[s.n - 1] = 7;
	r = EQUIVALENT(p, s);
	CHECK(strcmp(detail(r), "answer: production 2, SUT 2 records; number 1 "
				"differs") == 0);
	rules = NULL;
	free(near);
	/* until yesterday */
	rules = near = case_rules("dns ttl within 0 until 1969-12-30");
	p = simple(60, 1);
	s = simple(61, 1);
	r = EQUIVALENT(p, s);
	CHECK(r.verdict == VERDICT_EQUIVALENT && r.rule == 0);
	rules = NULL;
	free(near);
	rules = near = case_rules("dns ttl within 0");
	CHECK(EQUIVALENT(p, s).verdict == VERDICT_DIFFERENT);
	rules = NULL;
	free(near);
}

static void test_long_messages_over_tcp_are_bytes(void)
{
	static uint8_t in[2][20002];
	struct exchange x = {
		.p = { in[0], in[1] },
		.n = { sizeof(in[0]), sizeof(in[1]) },
		.ops = &framer_dns_tcp,
		.level = COMPARE_EQUIVALENT,
	};
	struct compare_result r;

	for (unsigned i = 0; i < 2; i++)
		put_be16(in[i], sizeof(in[i]) - 2);
	in[0][5] = 2;
	for (uint64_t seed = 0; seed < 6; seed++) {
		in[1][20000] = 0;
		in[1][5] = 2;
		CHECK(run_exchange(mem.pool, &x, seed, &r));
		CHECK(r.verdict == VERDICT_IDENTICAL && r.status[0] == 0);
		in[1][5] = 3;
		CHECK(run_exchange(mem.pool, &x, seed, &r));
		CHECK(r.verdict == VERDICT_DIFFERENT &&
		      r.reason == REASON_BYTES && r.offset == 5);
		CHECK(pool_used(mem.pool) == 0);
	}
}

static void test_other_data_is_different(void)
{
	struct msg p = simple(60, 1), s = simple(60, 2);
	struct compare_result r = EQUIVALENT(p, s);

	CHECK(r.verdict == VERDICT_DIFFERENT && r.reason == REASON_BODY);
	CHECK(r.offset == p.n - 16);
	CHECK(strcmp(detail(r), "answer: production 1, SUT 1 records; number 1 "
				"differs") == 0);
}

static void test_order_within_an_rrset_is_free(void)
{
	struct msg p = begin(0x8180, "a.b"), s = p;
	struct compare_result r;

	a_record(&p, "*", 60, 1);
	a_record(&p, "*", 60, 2);
	a_record(&p, "*", 60, 2);
	a_record(&s, "*", 60, 2);
	a_record(&s, "*", 60, 1);
	a_record(&s, "*", 60, 2);
	CHECK(EQUIVALENT(p, s).verdict == VERDICT_EQUIVALENT);
	s.b[s.n - 1] = 1; /* 2 1 1 against 1 2 2 */
	r = EQUIVALENT(p, s);
	CHECK(r.verdict == VERDICT_DIFFERENT && r.reason == REASON_BODY);
}

static void test_order_of_rrsets_is_not(void)
{
	struct msg p = begin(0x8180, "a.b"), s = p;

	named(&p, 1, "*", 5, 0, "c.b");
	a_record(&p, "c.b", 60, 1);
	a_record(&s, "c.b", 60, 1);
	named(&s, 1, "*", 5, 0, "c.b");
	CHECK(EQUIVALENT(p, s).verdict == VERDICT_DIFFERENT);
}

static void test_missing_and_extra_records(void)
{
	struct msg p = begin(0x8180, "a.b"), s = p;
	struct compare_result r;

	a_record(&p, "*", 60, 1);
	s = p;
	a_record(&s, "*", 60, 2);
	r = EQUIVALENT(p, s);
	CHECK(r.verdict == VERDICT_DIFFERENT && r.offset == UINT64_MAX);
	CHECK(strcmp(detail(r), "answer: production 1, SUT 2 records; number 2 "
				"differs") == 0);
	r = EQUIVALENT(s, p);
	CHECK(r.verdict == VERDICT_DIFFERENT && r.offset == p.n);
}

static void test_compression_and_case_of_names_do_not_matter(void)
{
	struct msg p = begin(0x8180, "mail.example.org"), s = p;

	named(&p, 1, "*", 15, 2, "*");
	named(&p, 2, "example.org", 2, 0, "mail.example.org");
	named(&p, 2, "x", 33, 6, "*");
	named(&s, 1, "MAIL.example.org", 15, 2, "mail.EXAMPLE.org");
	named(&s, 2, "example.org", 2, 0, "*");
	named(&s, 2, "x", 33, 6, "mail.example.org");
	CHECK(EQUIVALENT(p, s).verdict == VERDICT_EQUIVALENT);
	CHECK(IDENTICAL(p, s).verdict == VERDICT_DIFFERENT);
	/* In other types nothing is a name. */
	named(&p, 1, "*", 16, 0, "mail.example.org");
	named(&s, 1, "*", 16, 0, "Mail.example.org");
	CHECK(EQUIVALENT(p, s).verdict == VERDICT_DIFFERENT);
}

static void test_fields_before_and_behind_names_count(void)
{
	struct msg p = begin(0x8180, "a.b"), s, t;

	named(&p, 1, "*", 15, 2, "c.b");
	s = p;
	s.b[s.n - 6]++; /* preference, in front of the 5 bytes of c.b */
	CHECK(EQUIVALENT(p, s).verdict == VERDICT_DIFFERENT);
	/* SOA: two names and 20 bytes; written by hand behind the second. */
	t = begin(0x8180, "a.b");
	record(&t, 2, "*", 6, 1, 60);
	u16(&t, 2 + 2 + 20);
	name(&t, "*");
	name(&t, "*");
	raw(&t, "01234567890123456789", 20);
	s = t;
	s.b[s.n - 1]++;
	CHECK(EQUIVALENT(t, s).verdict == VERDICT_DIFFERENT);
	CHECK(EQUIVALENT(t, s).reason == REASON_BODY);
}

static void test_header(void)
{
	static const struct {
		const char *name;
		unsigned flags;
		enum compare_reason reason;
		const char *detail;
	} row[] = {
		{ "rcode", 0x8183, REASON_STATUS,
		  "rcode: production 0, SUT 3" },
		{ "AA", 0x8580, REASON_HEADER,
		  "flags: production 0x8180, SUT 0x8580" },
		{ "TC", 0x8380, REASON_HEADER,
		  "flags: production 0x8180, SUT 0x8380" },
		{ "RD", 0x8080, REASON_HEADER,
		  "flags: production 0x8180, SUT 0x8080" },
		{ "RA", 0x8100, REASON_HEADER,
		  "flags: production 0x8180, SUT 0x8100" },
		{ "AD", 0x81a0, REASON_HEADER,
		  "flags: production 0x8180, SUT 0x81a0" },
		{ "CD", 0x8190, REASON_HEADER,
		  "flags: production 0x8180, SUT 0x8190" },
		{ "opcode", 0x8980, REASON_HEADER,
		  "flags: production 0x8180, SUT 0x8980" },
	};
	struct msg p = simple(60, 1);

	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		struct msg s = p;
		struct compare_result r;

		put_be16(s.b + 2, (uint16_t)row[i].flags);
		r = EQUIVALENT(p, s);
		CHECK_ROW(r.verdict == VERDICT_DIFFERENT, row[i].name);
		CHECK_ROW(r.reason == row[i].reason, row[i].name);
		CHECK_ROW(strcmp(detail(r), row[i].detail) == 0, row[i].name);
	}
}

static void test_id_and_question(void)
{
	struct msg p = simple(60, 1), s = p;
	struct compare_result r;

	s.b[1]++;
	r = EQUIVALENT(p, s);
	CHECK(r.verdict == VERDICT_DIFFERENT && r.reason == REASON_HEADER);
	CHECK(strcmp(detail(r), "id: production 4660, SUT 4661") == 0);
	s = begin(0x8180, "www.example.org");
	a_record(&s, "*", 60, 1);
	r = EQUIVALENT(p, s);
	CHECK(r.reason == REASON_HEADER && strcmp(detail(r), "question") == 0);
	s = begin(0x8180, "www.Example.orgs");
	a_record(&s, "*", 60, 1);
	CHECK(EQUIVALENT(p, s).reason == REASON_HEADER);
	CHECK(EQUIVALENT(s, p).reason == REASON_HEADER);
}

/* A signature of A records: @tag of the key, by @signer, made at @when. */
static struct msg signed_by(unsigned labels, unsigned tag, const char *signer,
			    unsigned when, const char *bytes)
{
	struct msg m = simple(60, 1);
	uint32_t len;

	record(&m, 1, "*", 46, 1, 60);
	len = m.n;
	u16(&m, 0);
	u16(&m, 1);
	u16(&m, 13 << 8 | labels);
	u16(&m, 0);
	u16(&m, 60);
	u16(&m, when);
	u16(&m, 9);
	u16(&m, when);
	u16(&m, 1);
	u16(&m, tag);
	name(&m, signer);
	raw(&m, bytes, strlen(bytes));
	put_be16(m.b + len, (uint16_t)(m.n - len - 2));
	return m;
}

static void test_signatures_by_their_key(void)
{
	struct msg p = signed_by(2, 7, "example.org", 5, "abcd");
	struct msg s = signed_by(2, 7, "Example.org", 6, "wxyz12");
	struct msg t = simple(60, 1);

	CHECK(EQUIVALENT(p, s).verdict == VERDICT_EQUIVALENT);
	CHECK(EQUIVALENT(s, p).verdict == VERDICT_EQUIVALENT);
	s = signed_by(2, 8, "example.org", 5, "abcd");
	CHECK(EQUIVALENT(p, s).reason == REASON_BODY);
	s = signed_by(3, 7, "example.org", 5, "abcd");
	CHECK(EQUIVALENT(p, s).reason == REASON_BODY);
	s = signed_by(2, 7, "example.net", 5, "abcd");
	CHECK(EQUIVALENT(p, s).reason == REASON_BODY);
	/* a pointer is no signer's name: bytes */
	s = signed_by(2, 7, "*", 5, "abcd");
	CHECK(EQUIVALENT(p, t).reason == REASON_BODY);
	t = signed_by(2, 7, "*", 5, "abce");
	CHECK(EQUIVALENT(s, t).reason == REASON_BODY);
}

static void test_opt_without_cookies(void)
{
	static const uint8_t cookie1[] = {
		0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8
	};
	static const uint8_t cookie2[] = {
		0, 10, 0, 8, 8, 7, 6, 5, 4, 3, 2, 1
	};
	static const uint8_t ede[] = { 0, 15, 0, 2, 0, 7 };
	struct msg base = simple(60, 1);
	struct msg p = base, s = base, t = base;

	opt(&p, 1232, 0x8000, cookie1, sizeof(cookie1));
	opt(&s, 1232, 0x8000, cookie2, sizeof(cookie2));
	CHECK(EQUIVALENT(p, s).verdict == VERDICT_EQUIVALENT);
	opt(&t, 1232, 0x8000, ede, sizeof(ede));
	CHECK(EQUIVALENT(p, t).verdict == VERDICT_DIFFERENT);
	CHECK(EQUIVALENT(t, p).reason == REASON_HEADER);
	CHECK(EQUIVALENT(p, base).reason == REASON_HEADER);
	CHECK(EQUIVALENT(base, p).reason == REASON_HEADER);
	s = base;
	opt(&s, 512, 0x8000, cookie1, sizeof(cookie1));
	CHECK(EQUIVALENT(p, s).reason == REASON_HEADER);
	s = base;
	opt(&s, 1232, 0, cookie1, sizeof(cookie1));
	CHECK(EQUIVALENT(p, s).reason == REASON_HEADER);
	/* BADVERS: the upper bits of the rcode are in OPT. */
	s = base;
	opt(&s, 1232, 0x01008000, cookie1, sizeof(cookie1));
	CHECK(EQUIVALENT(p, s).reason == REASON_STATUS);
	CHECK(EQUIVALENT(p, s).status[1] == 16);
}

static void test_place_of_opt_does_not_matter(void)
{
	struct msg p = simple(60, 1), s = p;

	opt(&p, 1232, 0, "", 0);
	named(&p, 3, "x", 12, 0, "y");
	named(&s, 3, "x", 12, 0, "y");
	opt(&s, 1232, 0, "", 0);
	CHECK(EQUIVALENT(p, s).verdict == VERDICT_EQUIVALENT);
}

static void test_broken_messages_are_compared_as_bytes(void)
{
	struct msg p = simple(60, 1);
	struct compare_result r;

	for (uint32_t n = 0; n < p.n; n++) {
		struct msg s = p;

		s.n = n;
		r = EQUIVALENT(p, s);
		CHECK(r.verdict == VERDICT_DIFFERENT);
		CHECK(r.reason == REASON_LENGTH && r.offset == n);
		CHECK(strcmp(detail(r), "SUT's message cannot be read") == 0);
		r = EQUIVALENT(s, p);
		CHECK(r.verdict == VERDICT_DIFFERENT && r.offset == n);
		CHECK(EQUIVALENT(s, s).verdict == VERDICT_IDENTICAL);
	}
}

static void test_hostile_pointers(void)
{
	static const struct {
		const char *name;
		uint16_t pointer;
	} row[] = {
		{ "to itself", 0xc000 | 33 },
		{ "forward", 0xc000 | 35 },
		{ "past the end", 0xffff },
		{ "reserved bits", 0x8000 | QUERY_NAME },
	};
	struct msg p = simple(60, 1);

	CHECK(get_be16(p.b + 33) == (0xc000 | QUERY_NAME));
	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		struct msg s = p;
		struct compare_result r;

		put_be16(s.b + 33, row[i].pointer);
		r = EQUIVALENT(p, s);
		CHECK_ROW(r.verdict == VERDICT_DIFFERENT, row[i].name);
		CHECK_ROW(strcmp(detail(r), "SUT's message cannot be read") ==
				  0,
			  row[i].name);
	}
}

static void test_name_longer_than_255_bytes(void)
{
	char longest[255], longer[256];
	struct msg p, s;

	/* 126 labels of one letter and the root are 253 bytes. */
	for (size_t i = 0; i < 254; i++)
		longest[i] = longer[i] = i % 2 == 0 ? 'a' : '.';
	longest[253] = '\0'; /* 127 labels, 255 bytes with the root */
	longer[253] = 'a';
	longer[254] = '\0';
	p = begin(0x8180, longest);
	s = p;
	a_record(&p, "*", 60, 1);
	a_record(&s, "*", 61, 1);
	CHECK(EQUIVALENT(p, s).verdict == VERDICT_EQUIVALENT);
	p = begin(0x8180, longer);
	s = p;
	a_record(&p, "*", 60, 1);
	a_record(&s, "*", 61, 1);
	CHECK(EQUIVALENT(p, s).verdict == VERDICT_DIFFERENT);
}

static void test_too_many_records_are_compared_as_bytes(void)
{
	static struct msg p, s;

	p = begin(0x8180, "a");
	for (unsigned i = 0; i < 50; i++)
		a_record(&p, "*", 60, (uint8_t)i);
	s = p;
	s.b[s.n - 5 - 2]++; /* TTL of the last */
	CHECK(EQUIVALENT(p, s).verdict == VERDICT_EQUIVALENT);
	/* Questions are the shortest: 5 bytes each. */
	p = begin(0x8180, "");
	for (unsigned i = 0; i < DNS_RECORDS; i++) {
		name(&p, "");
		u16(&p, 1);
		u16(&p, 1);
	}
	put_be16(p.b + 4, DNS_RECORDS + 1);
	s = p;
	s.b[3] ^= 0x80;
	CHECK(strcmp(detail(EQUIVALENT(p, s)),
		     "production's message cannot be read") == 0);
	put_be16(p.b + 4, DNS_RECORDS);
	p.n -= 5;
	s = p;
	s.b[3] ^= 0x80;
	CHECK(EQUIVALENT(p, s).reason == REASON_HEADER);
}

static void text(struct msg *m, unsigned type, unsigned class, const char *s)
{
	record(m, 1, "*", type, class, 60);
	u16(m, (unsigned)strlen(s));
	raw(m, s, strlen(s));
}

static void test_types_classes_and_lengths_count(void)
{
	struct msg base = begin(0x8180, "a.b"), p = base, s = base;

	text(&p, 16, 1, "abc");
	text(&s, 99, 1, "abc");
	CHECK(EQUIVALENT(p, s).verdict == VERDICT_DIFFERENT);
	s = base;
	text(&s, 16, 3, "abc");
	CHECK(EQUIVALENT(p, s).verdict == VERDICT_DIFFERENT);
	s = base;
	text(&s, 16, 1, "abcd");
	CHECK(EQUIVALENT(p, s).reason == REASON_BODY);
	CHECK(EQUIVALENT(s, p).reason == REASON_BODY);
}

static void test_signatures_belong_to_the_set_they_cover(void)
{
	struct msg base = begin(0x8180, "a.b"), p = base, s = base, t = base;

	text(&p, 46, 1, "Aone");
	text(&p, 46, 1, "Atwo");
	text(&p, 46, 1, "Bone");
	p.b[p.n - 7]++; /* a TTL, so that the bytes are never equal */
	text(&s, 46, 1, "Atwo");
	text(&s, 46, 1, "Aone");
	text(&s, 46, 1, "Bone");
	CHECK(EQUIVALENT(p, s).verdict == VERDICT_DIFFERENT);
	/* The two bytes in front are the type that is covered: "Ao", "At". */
	s = base;
	text(&s, 46, 1, "Aone");
	text(&s, 46, 1, "Atwo");
	text(&s, 46, 1, "Bone");
	CHECK(EQUIVALENT(p, s).verdict == VERDICT_EQUIVALENT);
	text(&t, 46, 1, "Aone");
	text(&t, 46, 1, "Aoff");
	s = base;
	text(&s, 46, 1, "Aoff");
	text(&s, 46, 1, "Aone");
	CHECK(EQUIVALENT(t, s).verdict == VERDICT_EQUIVALENT);
}

static void test_both_names_of_soa(void)
{
	struct msg p = begin(0x8180, "a.b"), s = p;

	record(&p, 2, "*", 6, 1, 60);
	u16(&p, 2 + 2 + 20);
	name(&p, "*");
	name(&p, "*");
	raw(&p, "01234567890123456789", 20);
	record(&s, 2, "*", 6, 1, 60);
	u16(&s, 2 + 5 + 20);
	name(&s, "*");
	name(&s, "A.b");
	raw(&s, "01234567890123456789", 20);
	CHECK(EQUIVALENT(p, s).verdict == VERDICT_EQUIVALENT);
}

static void test_data_that_is_not_as_its_type_wants_it(void)
{
	static const struct {
		const char *name;
		unsigned type;
		const char *data;
	} row[] = {
		{ "MX without a name", 15, "ab" },
		{ "MX without a preference", 15, "a" },
		{ "CNAME without its root", 5, "\1a" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		struct msg p = begin(0x8180, "a.b"), s = p;

		text(&p, 16, 1, "abc");
		text(&s, row[i].type, 1, row[i].data);
		text(&s, 16, 1, "abc");
		CHECK_ROW(strcmp(detail(EQUIVALENT(p, s)),
				 "SUT's message cannot be read") == 0,
			  row[i].name);
	}
}

static void test_bytes_behind_the_last_record(void)
{
	struct msg p = simple(60, 1), s = p;
	struct compare_result r;

	s.n++;
	r = EQUIVALENT(p, s);
	CHECK(r.verdict == VERDICT_DIFFERENT && r.reason == REASON_LENGTH);
	CHECK(r.offset == p.n);
}

static void test_pointers_in_a_circle(void)
{
	struct msg p = begin(0x8180, "a.b"), s = p;
	uint8_t circle[4];
	uint32_t at;

	text(&p, 16, 1, "abc");
	text(&s, 16, 1, "abcd");
	/* Two pointers in the text's data, each to the other. */
	at = s.n - 4;
	put_be16(circle, (uint16_t)(0xc000 | (at + 2)));
	put_be16(circle + 2, (uint16_t)(0xc000 | at));
	memcpy(s.b + at, circle, 4);
	put_be16(s.b + 6, 2);
	put_be16(s.b + s.n, (uint16_t)(0xc000 | at));
	memset(s.b + s.n + 2, 0, 10);
	s.n += 12;
	CHECK(strcmp(detail(EQUIVALENT(p, s)),
		     "SUT's message cannot be read") == 0);
}

/* Names that differ by a letter, by a label's length, by a number of labels. */
static void test_other_names(void)
{
	static const struct {
		const char *name;
		bool same;
	} rows[] = {
		{ "ns1.LAB", true },	{ "ns2.lab", false },
		{ "ns11.lab", false },	{ "ns1", false },
		{ "ns1.lab.x", false }, { "[s1.lab", false },
		{ "NS1.lab", true },	{ "", false },
	};
	struct msg base = begin(0x8180, "a.b"), p = base;

	named(&p, 1, "*", 2, 0, "ns1.lab");
	p.b[p.n - 12]++; /* a TTL, so that the bytes are never equal */
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct msg s = base;

		named(&s, 1, "*", 2, 0, rows[i].name);
		CHECK_ROW((EQUIVALENT(p, s).verdict == VERDICT_EQUIVALENT) ==
				  rows[i].same,
			  rows[i].name);
		CHECK_ROW((EQUIVALENT(s, p).verdict == VERDICT_EQUIVALENT) ==
				  rows[i].same,
			  rows[i].name);
	}
}

/* PX (RFC 2163): a number, then two names. */
static void test_both_names_of_px(void)
{
	static const char *const second[] = { "C.d", "C.e" };
	struct msg base = begin(0x8180, "a.b"), p = base;

	record(&p, 1, "*", 26, 1, 60);
	u16(&p, 2 + 2 + 5);
	u16(&p, 10);
	name(&p, "*");
	name(&p, "c.d");
	for (size_t i = 0; i < ARRAY_SIZE(second); i++) {
		struct msg s = base;

		record(&s, 1, "*", 26, 1, 60);
		u16(&s, 2 + 5 + 5);
		u16(&s, 10);
		name(&s, "A.b");
		name(&s, second[i]);
		CHECK(EQUIVALENT(p, s).verdict ==
		      (i == 0 ? VERDICT_EQUIVALENT : VERDICT_DIFFERENT));
	}
}

/* A record with other data is not looked for among those of another set. */
static void test_other_data_before_another_set(void)
{
	struct msg base = begin(0x8180, "a.b"), p = base, s = base;

	a_record(&p, "*", 60, 1);
	a_record(&s, "*", 60, 2);
	named(&p, 1, "*", 2, 0, "ns.a.b");
	named(&s, 1, "*", 2, 0, "ns.a.b");
	CHECK(EQUIVALENT(p, s).reason == REASON_BODY);
	CHECK(EQUIVALENT(p, s).offset == 12 + 5 + 4);
	/* One record twice is not two records. */
	p = s = base;
	a_record(&p, "*", 60, 1);
	a_record(&p, "*", 60, 1);
	a_record(&s, "*", 60, 1);
	a_record(&s, "*", 60, 2);
	CHECK(EQUIVALENT(p, s).verdict == VERDICT_DIFFERENT);
	CHECK(EQUIVALENT(s, p).verdict == VERDICT_DIFFERENT);
}

/* Signatures too short to name the type that they cover. */
static void test_short_signatures(void)
{
	static const char *const data[] = { "A", "AA", "AAA" };

	for (size_t i = 0; i < ARRAY_SIZE(data); i++)
		for (size_t k = 0; k < ARRAY_SIZE(data); k++) {
			struct msg p = begin(0x8180, "a.b"), s = p;

			text(&p, 46, 1, data[i]);
			text(&s, 46, 1, data[k]);
			p.b[p.n - strlen(data[i]) - 3]++; /* a TTL */
			CHECK((EQUIVALENT(p, s).verdict ==
			       VERDICT_EQUIVALENT) == (i == k));
		}
}

static void test_options_of_opt(void)
{
	static const uint8_t cookie[] = { 0, 10, 0, 1, 5 };
	static const uint8_t one[] = { 0, 15, 0, 2, 0, 7, 0, 10, 0, 1, 5 };
	static const uint8_t alone[] = { 0, 15, 0, 2, 0, 7 };
	static const uint8_t other[] = { 0, 15, 0, 2, 0, 8 };
	static const uint8_t twice[] = { 0, 15, 0, 2, 0, 7, 0, 15, 0, 2, 0, 7 };
	static const uint8_t cut[] = { 0, 15, 0, 3, 0, 7 };
	static const uint8_t short_one[] = { 0, 15, 0 };
	static const struct {
		const char *name;
		const uint8_t *data;
		unsigned len;
		bool same;
	} rows[] = {
#define ROW(what, same) { #what, what, sizeof(what), same }
		ROW(one, true),	    ROW(alone, true), ROW(other, false),
		ROW(twice, false),  ROW(cut, false),  ROW(short_one, false),
		ROW(cookie, false),
#undef ROW
	};
	struct msg base = simple(60, 1), p = base;

	opt(&p, 1232, 0, one, sizeof(one));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct msg s = simple(61, 1);
		struct msg t;

		opt(&s, 1232, 0, rows[i].data, rows[i].len);
		CHECK_ROW((EQUIVALENT(p, s).verdict == VERDICT_EQUIVALENT) ==
				  rows[i].same,
			  rows[i].name);
		CHECK_ROW((EQUIVALENT(s, p).verdict == VERDICT_EQUIVALENT) ==
				  rows[i].same,
			  rows[i].name);
		/* Whatever it is, it is the same as itself. */
		t = simple(62, 1);
		opt(&t, 1232, 0, rows[i].data, rows[i].len);
		CHECK_ROW(EQUIVALENT(s, t).verdict == VERDICT_EQUIVALENT,
			  rows[i].name);
	}
}

/* Two OPT, or one in another section: the second one is a record as any. */
static void test_opt_where_it_is_not_expected(void)
{
	struct msg p = simple(60, 1), s = simple(61, 1), t = simple(62, 1);

	opt(&p, 1232, 0, "", 0);
	opt(&s, 1232, 0, "", 0);
	opt(&s, 1232, 0, "", 0);
	CHECK(EQUIVALENT(p, s).reason == REASON_BODY);
	record(&t, 1, "", 41, 1232, 0);
	u16(&t, 0);
	CHECK(EQUIVALENT(p, t).reason == REASON_HEADER);
	s = simple(61, 1);
	record(&s, 1, "", 41, 1232, 0);
	u16(&s, 0);
	CHECK(EQUIVALENT(s, t).verdict == VERDICT_EQUIVALENT);
	/* Its owner is the root (RFC 6891 section 6.1.2), or it is another. */
	s = simple(61, 1);
	record(&s, 3, "x", 41, 1232, 0);
	u16(&s, 0);
	CHECK(EQUIVALENT(p, s).reason == REASON_HEADER);
}

static void test_numbers_of_questions(void)
{
	struct msg p = begin(0x8180, "a.b"), s = p;

	name(&s, "a.b");
	u16(&s, 1);
	u16(&s, 1);
	s.b[5] = 2;
	CHECK(EQUIVALENT(p, s).reason == REASON_HEADER);
	CHECK(EQUIVALENT(s, p).reason == REASON_HEADER);
	CHECK(strcmp(detail(EQUIVALENT(s, p)), "question") == 0);
	/* None at all, as of a server that refuses to read. */
	p.n = s.n = 12;
	p.b[5] = s.b[5] = 0;
	a_record(&p, "x", 60, 1);
	a_record(&s, "x", 61, 1);
	CHECK(EQUIVALENT(p, s).verdict == VERDICT_EQUIVALENT);
}

/* The rcodes are told whatever the level, and whoever can read the messages. */
static void test_rcodes_are_always_told(void)
{
	struct msg p = begin(0x8183, "a.b"), s = begin(0x8185, "a.b");

	CHECK(IDENTICAL(p, s).status[0] == 3 && IDENTICAL(p, s).status[1] == 5);
	p.n--;
	CHECK(EQUIVALENT(p, s).status[0] == 3);
	CHECK(EQUIVALENT(p, s).status[1] == 5);
}

/* The longest label there is (RFC 1035 section 2.3.4). */
static void test_labels_of_63_bytes(void)
{
	static char label[64];
	struct msg p, s;

	memset(label, 'x', 63);
	p = begin(0x8180, label);
	s = begin(0x8180, label);
	a_record(&p, "*", 60, 1);
	a_record(&s, "*", 61, 1);
	CHECK(EQUIVALENT(p, s).verdict == VERDICT_EQUIVALENT);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "signatures are compared by their key",
		  test_signatures_by_their_key },
		{ "same bytes are identical", test_same_bytes_are_identical },
		{ "TTL is left out", test_ttl_is_left_out },
		{ "both are truncated", test_truncated_both },
		{ "a rule says how far TTLs may be apart",
		  test_a_rule_says_how_far_ttls_may_be_apart },
		{ "long messages over TCP are bytes",
		  test_long_messages_over_tcp_are_bytes },
		{ "other data is different", test_other_data_is_different },
		{ "order within an RRset is free",
		  test_order_within_an_rrset_is_free },
		{ "order of RRsets is not", test_order_of_rrsets_is_not },
		{ "missing and extra records", test_missing_and_extra_records },
		{ "compression and case of names do not matter",
		  test_compression_and_case_of_names_do_not_matter },
		{ "fields before and behind names count",
		  test_fields_before_and_behind_names_count },
		{ "types, classes and lengths count",
		  test_types_classes_and_lengths_count },
		{ "signatures belong to the set they cover",
		  test_signatures_belong_to_the_set_they_cover },
		{ "both names of SOA", test_both_names_of_soa },
		{ "data that is not as its type wants it",
		  test_data_that_is_not_as_its_type_wants_it },
		{ "bytes behind the last record",
		  test_bytes_behind_the_last_record },
		{ "pointers in a circle", test_pointers_in_a_circle },
		{ "other names", test_other_names },
		{ "rcodes are always told", test_rcodes_are_always_told },
		{ "labels of 63 bytes", test_labels_of_63_bytes },
		{ "both names of PX", test_both_names_of_px },
		{ "other data before another set",
		  test_other_data_before_another_set },
		{ "signatures that are too short", test_short_signatures },
		{ "options of OPT", test_options_of_opt },
		{ "OPT where it is not expected",
		  test_opt_where_it_is_not_expected },
		{ "numbers of questions", test_numbers_of_questions },
		{ "header", test_header },
		{ "ID and question", test_id_and_question },
		{ "OPT without cookies", test_opt_without_cookies },
		{ "place of OPT does not matter",
		  test_place_of_opt_does_not_matter },
		{ "broken messages are compared as bytes",
		  test_broken_messages_are_compared_as_bytes },
		{ "hostile pointers", test_hostile_pointers },
		{ "a name longer than 255 bytes",
		  test_name_longer_than_255_bytes },
		{ "too many records are compared as bytes",
		  test_too_many_records_are_compared_as_bytes },
	};

	int failed;

	mem = run_pool_make(1 << 20);
	failed = check_main(tests, ARRAY_SIZE(tests));
	free(mem.mem);
	return failed;
}
