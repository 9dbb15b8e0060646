/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_refer.c - Unit test of engine/refer.h: exchanges that somebody else judges
 *
 * One connection after the other brings exchanges whose answers differ; a desk of
 * the test takes, refuses, is gone, answers late, out of order or nonsense.
 */
#include "engine/refer.h"

#include <errno.h>

#include "case_rig.h"
#include "engine_rig.h"

#define GET    "GET /a?x HTTP/1.1\r\nHost: x\r\n\r\n"
#define HEAD   "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"
#define LEN(s) ((uint32_t)sizeof(s) - 1)

/* What a desk was asked, and what it says. */
struct heard {
	int says;
	unsigned n;
	unsigned refused;
	uint64_t serial[8];
	uint32_t endpoint[8];
	uint32_t flags[8];
	uint32_t body[8][2];
};

static int refer(void *ctx, uint64_t flow, uint32_t index, const struct keep *k,
		 const struct case_view *c)
{
	struct heard *a = ctx;
	struct case_view again;
	uint8_t *p = calloc(1, CASE_FIXED + 65536);
	size_t n = keep_message(k, c, p);

	CHECK(flow != 0);
	(void)index;
	CHECK(case_read(&again, RULES_ENDPOINTS, p, n + 1) == -EBADMSG);
	CHECK(case_read(&again, RULES_ENDPOINTS, p, n - 1) == -EBADMSG);
	CHECK(case_read(&again, RULES_ENDPOINTS, p, n) == 0);
	CHECK(again.serial == c->serial);
	CHECK(again.part[CASE_HEAD].n >= LEN(HEAD));
	if (a->says == 0 && a->n < 8) {
		a->serial[a->n] = c->serial;
		a->endpoint[a->n] = c->endpoint;
		a->flags[a->n] = c->flags;
		a->body[a->n][0] = again.part[CASE_BODY].n;
		a->body[a->n][1] = again.part[CASE_BODY + 1].n;
	}
	a->n++;
	free(p);
	return a->says;
}

static void refused(void *ctx, uint64_t flow, uint32_t index)
{
	struct heard *a = ctx;

	(void)flow;
	(void)index;
	a->refused++;
}

static void begin(struct rig *r, struct heard *a, const char *rules)
{
	*a = (struct heard){ 0 };
	defaults(r);
	r->cfg.compare = COMPARE_EQUIVALENT;
	r->cfg.by = case_rules(rules);
	r->cfg.desk = (struct engine_desk){
		.refer = refer, .refused = refused, .seed = 7, .ctx = a
	};
	add_map(r, ip(2, 0, 1), 32, 80, ip(9, 0, 1), 0);
	start(r);
	handshakes(r);
}

/* Exchange @k of the connection: each of @p and @s LEN(HEAD "...") bytes more. */
static void ask(struct rig *r, unsigned k, const char *get, const char *p,
		const char *s)
{
	uint32_t c = 1001 + k * LEN(GET);
	uint32_t n = (uint32_t)strlen(p);

	CHECK(strlen(s) == n && strlen(get) == LEN(GET));
	client(r, c, 501 + k * n, TCP_ACK | TCP_PSH, get);
	production(r, 501 + k * n, c + LEN(GET), TCP_ACK, p);
	sut(r, 1, 501 + k * n, c + LEN(GET), TCP_ACK, s);
}

static void exchange(struct rig *r, unsigned k, const char *p, const char *s)
{
	ask(r, k, GET, p, s);
}

static void end(struct rig *r)
{
	stop(r);
	check_closed(r);
	free(r->cfg.by);
}

static const struct refer_stats *stats(const struct rig *r)
{
	return &engine_stats(r->e)->refer;
}

static uint64_t verdicts(const struct rig *r, enum verdict v)
{
	return engine_stats(r->e)->verdict[v];
}

/* Take all records. Return: how many exchanges */
static unsigned taken(struct rig *r)
{
	struct engine_item t;
	unsigned n = 0;

	while (engine_take(r->e, &t))
		n += t.kind == EVENT_VERDICT;
	return n;
}

static struct case_answer says(uint64_t serial, enum verdict v)
{
	struct case_answer a = { .serial = serial, .verdict = (uint8_t)v };

	if (v == VERDICT_DIFFERENT) {
		a.reason = REASON_BODY;
		a.reasons = reason_bit(REASON_BODY);
	}
	return a;
}

static const char one[] = HEAD "\r\n12345";
static const char two[] = HEAD "\r\n12346";

static void the_same_bytes_ask_nobody(void)
{
	struct heard a;
	struct rig r;

	begin(&r, &a, "");
	exchange(&r, 0, one, one);
	CHECK(a.n == 0 && engine_out(r.e) == 0);
	CHECK(verdicts(&r, VERDICT_IDENTICAL) == 1);
	CHECK(stats(&r)->verdict[RULES_ALL][VERDICT_IDENTICAL] == 1);
	end(&r);
}

static void fields_are_settled_here(void)
{
	struct heard a;
	struct rig r;

	begin(&r, &a, "header ignore X");
	exchange(&r, 0, HEAD "X: 1\r\n\r\n12345", HEAD "X: 2\r\n\r\n12345");
	CHECK(a.n == 0 && verdicts(&r, VERDICT_EQUIVALENT) == 1);
	CHECK(stats(&r)->made[CASE_BY_IGNORE] == 1);
	CHECK(rules_line(r.cfg.by, 0)->hits == 1 &&
	      rules_line(r.cfg.by, 0)->alone == 1);
	/* A field that no rule names is a judge's, without the content. */
	exchange(&r, 1, HEAD "Y: 1\r\n\r\n12345", HEAD "Y: 2\r\n\r\n12345");
	CHECK(a.n == 1 && (a.flags[0] & CASE_SAME_BODY) != 0 &&
	      a.body[0][0] == 0);
	(void)engine_desk_gone(r.e);
	end(&r);
}

static void answers_are_counted_when_they_come(void)
{
	struct case_answer x;
	struct heard a;
	struct rig r;

	begin(&r, &a, "endpoint GET /a as a|on a|header ignore X");
	exchange(&r, 0, one, two);
	exchange(&r, 1, one, two);
	CHECK(a.n == 2 && engine_out(r.e) == 2 && taken(&r) == 0);
	CHECK(engine_open_sut(r.e) == 2);
	CHECK(a.endpoint[0] == 1 && a.body[0][0] == 5 && a.body[0][1] == 5);
	CHECK(verdicts(&r, VERDICT_DIFFERENT) == 0);
	x = says(a.serial[0], VERDICT_EQUIVALENT);
	x.made = 1u << CASE_BY_JSON;
	case_needs(&x, 0);
	CHECK(engine_judged(r.e, &x) == 0 && taken(&r) == 1);
	CHECK(verdicts(&r, VERDICT_EQUIVALENT) == 1);
	CHECK(stats(&r)->made[CASE_BY_JSON] == 1);
	CHECK(rules_line(r.cfg.by, 0)->hits == 1);
	x = says(a.serial[1], VERDICT_DIFFERENT);
	CHECK(engine_judged(r.e, &x) == 0 && taken(&r) == 1);
	CHECK(stats(&r)->verdict[1][VERDICT_DIFFERENT] == 1);
	CHECK(stats(&r)->handed == 2 && stats(&r)->judged == 2);
	CHECK(engine_out(r.e) == 0);
	end(&r);
}

/* Twice, out of order, or out of range: none of it changes a thing. */
static void lies_are_no_answers(void)
{
	struct case_answer x;
	struct heard a;
	struct rig r;

	begin(&r, &a, "");
	x = says(0, VERDICT_EQUIVALENT);
	CHECK(engine_judged(r.e, &x) == -EBADMSG); /* nobody was asked */
	exchange(&r, 0, one, two);
	exchange(&r, 1, one, two);
	x.serial = a.serial[1];
	CHECK(engine_judged(r.e, &x) == -EBADMSG);
	x = says(a.serial[0], VERDICT_IDENTICAL);
	CHECK(engine_judged(r.e, &x) == -EBADMSG);
	x = says(a.serial[0], VERDICT_EQUIVALENT);
	x.rules = 1; /* there are none */
	CHECK(engine_judged(r.e, &x) == -EBADMSG);
	CHECK(engine_out(r.e) == 2 && taken(&r) == 0);
	x = says(a.serial[0], VERDICT_EQUIVALENT);
	CHECK(engine_judged(r.e, &x) == 0);
	CHECK(engine_judged(r.e, &x) == -EBADMSG);
	CHECK(engine_out(r.e) == 1);
	(void)engine_desk_gone(r.e);
	end(&r);
}

static void what_is_refused_is_told(void)
{
	struct heard a;
	struct rig r;

	begin(&r, &a, "");
	a.says = -EAGAIN;
	exchange(&r, 0, one, two);
	CHECK(a.n == 1 && a.refused == 1 && engine_out(r.e) == 0);
	CHECK(engine_stats(r.e)
		      ->reason[VERDICT_NOT_COMPARED][REASON_OVERLOAD] == 1);
	CHECK(stats(&r)->overload[RULES_ALL] == 1 && taken(&r) == 1);
	end(&r);
}

#define GET_B "GET /b?x HTTP/1.1\r\nHost: x\r\n\r\n"

/* One path that is asked for again and again leaves room for others; that of
 * answers comes back. Queries are of one sort.
 */
static void one_path_does_not_push_others_out(void)
{
	struct case_answer x;
	unsigned k = 0, most;
	struct heard a = { 0 };
	struct rig r;

	defaults(&r);
	r.cfg.compare = COMPARE_EQUIVALENT;
	r.cfg.by = case_rules("");
	r.cfg.desk = (struct engine_desk){ refer, refused, 7, 3000, &a };
	add_map(&r, ip(2, 0, 1), 32, 80, ip(9, 0, 1), 0);
	start(&r);
	handshakes(&r);
	while (a.refused == 0 && k < 100)
		exchange(&r, k++, one, two);
	most = k - 1;
	CHECK(most >= 3 && most < 30 && engine_out(r.e) == most);
	ask(&r, k++, "GET /a?y HTTP/1.1\r\nHost: x\r\n\r\n", one, two);
	CHECK(a.refused == 2 && stats(&r)->overload[RULES_ALL] == 2);
	ask(&r, k++, GET_B, one, two);
	CHECK(a.refused == 2 && engine_out(r.e) == most + 1);
	for (unsigned i = 0; i < 2; i++) {
		x = says(i, VERDICT_EQUIVALENT);
		CHECK(engine_judged(r.e, &x) == 0);
	}
	exchange(&r, k++, one, two);
	CHECK(a.refused == 2 && engine_out(r.e) == most);
	(void)engine_desk_gone(r.e);
	while (engine_out(r.e) > 0)
		(void)engine_desk_gone(r.e);
	end(&r);
}

static void a_desk_that_is_gone_owes_all(void)
{
	struct heard a;
	struct rig r;

	begin(&r, &a, "");
	exchange(&r, 0, one, two);
	exchange(&r, 1, one, two);
	CHECK(engine_desk_gone(r.e));
	CHECK(!engine_desk_gone(r.e));
	exchange(&r, 2, one, two);
	CHECK(a.n == 2 && a.refused == 0); /* nobody is asked any more */
	CHECK(engine_stats(r.e)->reason[VERDICT_NOT_COMPARED][REASON_DESK] ==
	      3);
	CHECK(stats(&r)->lost == 2 && stats(&r)->handed == 2);
	CHECK(taken(&r) == 3);
	end(&r);
}

static struct case_answer differs(uint64_t serial, const char *place)
{
	struct case_answer x = says(serial, VERDICT_DIFFERENT);

	x.place.judge = CASE_JSON;
	x.place.change = CASE_VALUE;
	memcpy(x.place.name, place, strlen(place));
	return x;
}

/* Two elements of one array are of one kind, another member is another's. */
static void differences_have_kinds(void)
{
	static const char *const place[] = { "$.a[1].b", "$.a[k=\"22\"].b",
					     "$.a[1].c", "$['1'].b" };
	static const struct case_place bytes[] = {
		{ .judge = CASE_BYTES, .name = "byte 17" },
		{ .judge = CASE_BYTES, .name = "byte 9" },
		{ .judge = CASE_JSON,
		  .name = "$[0" }, /* cut where it was too long */
		{ .judge = CASE_JSON, .name = "$[\"a\"]" },
		{ .judge = CASE_TEXT, .name = "12 " },
	};
	const struct engine_endpoint *p;
	struct diff_kind one_byte, other;
	char name[KIND_NAME];
	struct heard a;
	struct rig r;

	begin(&r, &a, "endpoint GET /a as all-of-a");
	for (unsigned i = 0; i < ARRAY_SIZE(place); i++) {
		struct case_answer x;

		exchange(&r, i, one, two);
		x = differs(a.serial[i], place[i]);
		CHECK(engine_judged(r.e, &x) == 0);
	}
	p = engine_stats(r.e)->endpoint;
	CHECK(engine_stats(r.e)->endpoints == 3 && p[0].n == 2);
	CHECK(strcmp(p[0].kind.place, "$.a[*].b") == 0);
	CHECK(strcmp(p[2].kind.place, "$['1'].b") == 0);
	CHECK(p[0].name_len == 8 && memcmp(p[0].name, "all-of-a", 8) == 0);
	CHECK(p[0].kind.id != 0 && p[0].kind.id != p[1].kind.id);
	end(&r);
	diff_kind_of(&one_byte, &bytes[0], "x", 1, REASON_BODY);
	diff_kind_of(&other, &bytes[1], "x", 1, REASON_BODY);
	CHECK(strcmp(other.place, "byte") == 0 && one_byte.id == other.id);
	diff_kind_of(&other, &bytes[2], "x", 1, REASON_BODY);
	CHECK(strncmp(other.place, "$[*", 3) == 0);
	diff_kind_of(&other, &bytes[3], "x", 1, REASON_BODY);
	CHECK(strcmp(other.place, "$[\"a\"]") == 0);
	diff_kind_of(&other, &bytes[4], "x", 1, REASON_BODY);
	CHECK(strcmp(other.place, "") == 0);
	diff_kind_of(&other, &bytes[1], "y", 1, REASON_BODY);
	CHECK(one_byte.id != other.id);
	CHECK(strcmp(kind_name(name, 0x1a2b3c4d), "k-1a2b3c4d") == 0);
}

/* Of one length: the name of a field, an entity tag, and another field. */
#define ANSWER(name, tag, x) HEAD name ": \"" tag "\"\r\nX: " x "\r\n\r\n12345"

/* Production's answers are told to the desk, but not what it knows already. */
static void what_production_serves_is_told(void)
{
	static const char a1[] = ANSWER("ETag", "a", "1");
	static const char b1[] = ANSWER("ETag", "b", "1");
	struct heard a;
	struct rig r;

	begin(&r, &a, "header class ETag etag");
	/* nothing to be known by */
	exchange(&r, 0, ANSWER("Etat", "a", "1"), ANSWER("Etat", "a", "1"));
	CHECK(a.n == 0);
	exchange(&r, 1, a1, a1);
	CHECK(a.n == 1 && (a.flags[0] & CASE_NOTE) != 0);
	CHECK(a.body[0][0] == 5 && a.body[0][1] == 0);
	CHECK(engine_out(r.e) == 0 && stats(&r)->notes == 1);
	exchange(&r, 2, a1, a1);
	CHECK(a.n == 1);
	exchange(&r, 3, b1, ANSWER("ETag", "c", "1"));
	CHECK(a.n == 2 && (a.flags[1] & CASE_NOTE) != 0);
	/* a case tells it, too, and has the content for that */
	exchange(&r, 4, a1, ANSWER("ETag", "a", "2"));
	CHECK(a.n == 3 && (a.flags[2] & CASE_NOTE) == 0 && a.body[2][0] == 5 &&
	      a.body[2][1] == 0);
	exchange(&r, 5, a1, a1);
	CHECK(a.n == 3);
	/* what there was no room for is told again */
	a.says = -EAGAIN;
	exchange(&r, 6, b1, b1);
	CHECK(a.refused == 1 && stats(&r)->notes_refused == 1);
	a.says = 0;
	exchange(&r, 7, b1, b1);
	CHECK(a.n == 5 && stats(&r)->notes == 3);
	(void)engine_desk_gone(r.e);
	end(&r);
}

#define ASK_HEAD  "HEAD /a?x HTTP/1.1\r\nHost: x\r\nIf-None-Match: a\r\n\r\n"
#define UNCHANGED "HTTP/1.1 304 Not Modified\r\nETag: a\r\n\r\n"

/* A condition on a head goes to the desk as it is one; its answers say nothing
 * of the object's content.
 */
static void a_head_is_handed_over_as_one(void)
{
	static const char p[] = UNCHANGED, s[] = HEAD "ETag: b\r\n\r\n";
	struct heard a;
	struct rig r;

	begin(&r, &a, "header class ETag etag");
	client(&r, 1001, 501, TCP_ACK | TCP_PSH, ASK_HEAD);
	production(&r, 501, 1001 + LEN(ASK_HEAD), TCP_ACK, s);
	sut(&r, 1, 501, 1001 + LEN(ASK_HEAD), TCP_ACK, s);
	CHECK(a.n == 0 && stats(&r)->notes == 0);
	client(&r, 1001 + LEN(ASK_HEAD), 501 + LEN(HEAD "ETag: b\r\n\r\n"),
	       TCP_ACK | TCP_PSH, ASK_HEAD);
	production(&r, 501 + LEN(HEAD "ETag: b\r\n\r\n"),
		   1001 + 2 * LEN(ASK_HEAD), TCP_ACK, p);
	sut(&r, 1, 501 + LEN(HEAD "ETag: b\r\n\r\n"), 1001 + 2 * LEN(ASK_HEAD),
	    TCP_ACK, s);
	CHECK(a.n == 1 && stats(&r)->handed == 1);
	CHECK((a.flags[0] >> CASE_ASKED) ==
	      (ASKED_HEAD | 1u << ASKED_HOST | 1u << ASKED_NONE_MATCH));
	(void)engine_desk_gone(r.e);
	end(&r);
}

/* Where the next request and its answers begin. */
struct talk {
	uint32_t c, s;
};

static void talk(struct rig *r, struct talk *t, const char *get, const char *p,
		 const char *s)
{
	CHECK(strlen(p) == strlen(s));
	client(r, t->c, t->s, TCP_ACK | TCP_PSH, get);
	t->c += (uint32_t)strlen(get);
	production(r, t->s, t->c, TCP_ACK, p);
	sut(r, 1, t->s, t->c, TCP_ACK, s);
	t->s += (uint32_t)strlen(p);
}

#define SENDS(method, fields) method " /a HTTP/1.1\r\nHost: x\r\n" fields "\r\n"
#define STATUS(s, fields)                                                      \
	"HTTP/1.1 " s " X\r\nContent-Length: 0\r\n" fields "\r\n"

static uint64_t diverged(const struct rig *r)
{
	return engine_stats(r->e)
		->reason[VERDICT_NOT_COMPARED][REASON_DIVERGED];
}

/* Who sends what the SUT has set otherwise, or not at all, is told apart; what
 * is alike all the same stays so.
 */
static void who_hangs_on_a_session_is_told_apart(void)
{
	struct talk t = { 1001, 501 };
	struct heard a;
	struct rig r;

	begin(&r, &a, "header ignore X Set-Cookie");
	talk(&r, &t, SENDS("GET", "Cookie: sid=abc\r\n"), STATUS("200", ""),
	     STATUS("403", ""));
	CHECK(diverged(&r) == 0 && verdicts(&r, VERDICT_DIFFERENT) == 1);
	talk(&r, &t, SENDS("POST", ""),
	     STATUS("200",
		    "Set-Cookie: sid=abc; Path=/\r\nSet-Cookie: l=1\r\n"),
	     STATUS("200",
		    "Set-Cookie: sid=xyz; Path=/\r\nSet-Cookie: l=1\r\n"));
	CHECK(verdicts(&r, VERDICT_EQUIVALENT) == 1);
	talk(&r, &t, SENDS("POST", "Cookie: l=1; sid=abc\r\n"),
	     STATUS("200", ""), STATUS("403", ""));
	CHECK(diverged(&r) == 1 && verdicts(&r, VERDICT_DIFFERENT) == 1);
	talk(&r, &t, SENDS("GET", "Cookie: sid=abc\r\n"), STATUS("200", ""),
	     STATUS("200", ""));
	CHECK(diverged(&r) == 1 && verdicts(&r, VERDICT_IDENTICAL) == 1);
	/* what both have set alike, and what nobody has */
	talk(&r, &t, SENDS("GET", "Cookie: l=1; sid=abd\r\n"),
	     STATUS("200", ""), STATUS("403", ""));
	CHECK(diverged(&r) == 1 && verdicts(&r, VERDICT_DIFFERENT) == 2);
	/* a SUT that sets none */
	talk(&r, &t, SENDS("GET", ""), STATUS("302", "Set-Cookie: n=1\r\n"),
	     STATUS("302", "Set-Nothing: 12\r\n"));
	talk(&r, &t, SENDS("GET", "Cookie: n=1\r\n"), STATUS("200", ""),
	     STATUS("404", ""));
	CHECK(diverged(&r) == 2);
	(void)engine_desk_gone(r.e);
	end(&r);
}

/* A server that does not know a value answers otherwise; it does not fail. */
static void a_failure_hangs_on_no_session(void)
{
	struct talk t = { 1001, 501 };
	struct heard a;
	struct rig r;

	begin(&r, &a, "header ignore X Set-Cookie");
	talk(&r, &t, SENDS("POST", ""), STATUS("200", "Set-Cookie: s=ab\r\n"),
	     STATUS("200", "Set-Cookie: s=xy\r\n"));
	talk(&r, &t, SENDS("GET", "Cookie: s=ab\r\n"), STATUS("200", ""),
	     STATUS("500", ""));
	CHECK(diverged(&r) == 0 && verdicts(&r, VERDICT_DIFFERENT) == 1);
	talk(&r, &t, SENDS("GET", "Cookie: s=ab\r\n"), STATUS("500", ""),
	     STATUS("503", ""));
	CHECK(diverged(&r) == 1 && verdicts(&r, VERDICT_DIFFERENT) == 1);
	client(&r, t.c, t.s, TCP_ACK | TCP_PSH,
	       SENDS("GET", "Cookie: s=ab\r\n"));
	t.c += LEN(SENDS("GET", "Cookie: s=ab\r\n"));
	production(&r, t.s, t.c, TCP_ACK, STATUS("200", ""));
	sut(&r, 1, t.s, t.c, TCP_ACK | TCP_FIN, "HTTP/1.1 200 X\r\n");
	CHECK(diverged(&r) == 1 && verdicts(&r, VERDICT_DIFFERENT) == 2);
	end(&r);
}

/* Another client, whose port is 5001. */
static void client2(struct rig *r, uint32_t seq, uint32_t ack, uint8_t flags,
		    const char *text)
{
	tcp(r, ip(1, 0, 1), 5001, ip(2, 0, 1), 80, seq, ack, flags, text);
}

static void production2(struct rig *r, uint32_t seq, uint32_t ack,
			uint8_t flags, const char *text)
{
	tcp(r, ip(2, 0, 1), 80, ip(1, 0, 1), 5001, seq, ack, flags, text);
}

static void sut2(struct rig *r, uint32_t seq, uint32_t ack, uint8_t flags,
		 const char *text)
{
	tcp_sut(r, ip(9, 0, 1), 80, ip(1, 0, 1), 5001, seq, ack, flags, text);
}

static void second(struct rig *r)
{
	client2(r, 1000, 0, TCP_SYN, "");
	production2(r, 500, 1001, TCP_SYN | TCP_ACK, "");
	sut2(r, 500, 1001, TCP_SYN | TCP_ACK, "");
	client2(r, 1001, 501, TCP_ACK, "");
}

/* Without rules it is the same. */
static void sessions_are_told_apart_without_rules(void)
{
	struct talk t = { 1001, 501 };
	struct rig r;

	defaults(&r);
	add_map(&r, ip(2, 0, 1), 32, 80, ip(9, 0, 1), 0);
	start(&r);
	handshakes(&r);
	talk(&r, &t, SENDS("POST", ""), STATUS("200", "Set-Cookie: s=ab\r\n"),
	     STATUS("200", "Set-Cookie: s=xy\r\n"));
	CHECK(diverged(&r) == 0 && verdicts(&r, VERDICT_DIFFERENT) == 1);
	talk(&r, &t, SENDS("GET", "Cookie: s=ab\r\n"), STATUS("200", ""),
	     STATUS("403", ""));
	talk(&r, &t, SENDS("GET", "Cookie: s=xy\r\n"), STATUS("200", ""),
	     STATUS("403", ""));
	CHECK(diverged(&r) == 1 && verdicts(&r, VERDICT_DIFFERENT) == 2);
	end(&r);
}

/* Two clients, the second of which sends what production gave the first. */
static void a_value_is_sent_before_the_sut_has_answered(void)
{
	static const char in[] = SENDS("POST", ""),
			  get[] = SENDS("GET", "Cookie: s=ab; l=1\r\n");
	static const char gave[] = STATUS(
		"200", "Set-Cookie: s=ab\r\nSet-Cookie: l=1; Path=/\r\n");
	static const char yes[] = STATUS("200", ""), no[] = STATUS("403", "");
	struct heard a;
	struct rig r;

	/* The SUT sets the same, but late: who asked in between hangs on it,
	 * also if he is judged then; who asks later does not.
	 */
	for (unsigned late = 0; late < 2; late++) {
		begin(&r, &a, "header ignore X");
		second(&r);
		client(&r, 1001, 501, TCP_ACK | TCP_PSH, in);
		production(&r, 501, 1001 + LEN(in), TCP_ACK, gave);
		client2(&r, 1001, 501, TCP_ACK | TCP_PSH, get);
		production2(&r, 501, 1001 + LEN(get), TCP_ACK, yes);
		if (late == 0) {
			sut2(&r, 501, 1001 + LEN(get), TCP_ACK, no);
			CHECK(diverged(&r) == 1);
		}
		sut(&r, 1, 501, 1001 + LEN(in), TCP_ACK, gave);
		if (late == 1)
			sut2(&r, 501, 1001 + LEN(get), TCP_ACK, no);
		CHECK(diverged(&r) == 1);
		client2(&r, 1001 + LEN(get), 501 + LEN(yes), TCP_ACK | TCP_PSH,
			get);
		production2(&r, 501 + LEN(yes), 1001 + 2 * LEN(get), TCP_ACK,
			    yes);
		sut2(&r, 501 + LEN(no), 1001 + 2 * LEN(get), TCP_ACK, no);
		CHECK(diverged(&r) == 1);
		CHECK(verdicts(&r, VERDICT_DIFFERENT) == 1);
		/* What both have set is not open again if it comes again. */
		client(&r, 1001 + LEN(in), 501 + LEN(gave), TCP_ACK | TCP_PSH,
		       in);
		production(&r, 501 + LEN(gave), 1001 + 2 * LEN(in), TCP_ACK,
			   gave);
		client2(&r, 1001 + 2 * LEN(get), 501 + 2 * LEN(yes),
			TCP_ACK | TCP_PSH, get);
		production2(&r, 501 + 2 * LEN(yes), 1001 + 3 * LEN(get),
			    TCP_ACK, yes);
		sut2(&r, 501 + 2 * LEN(no), 1001 + 3 * LEN(get), TCP_ACK, no);
		CHECK(diverged(&r) == 1);
		CHECK(verdicts(&r, VERDICT_DIFFERENT) == 2);
		end(&r);
	}
}

#define TOKEN  "0123456789abcdefT"
#define BEARER SENDS("GET", "Authorization: Bearer " TOKEN "\r\n")

static struct case_answer gives(uint64_t serial, const char *text)
{
	struct case_answer x = says(serial, VERDICT_EQUIVALENT);
	struct token_reader w;
	struct token_word word = { 0 };

	tokens_begin(&w, 7);
	while (*text != '\0')
		CHECK(!tokens_next(&w, (uint8_t)*text++, &word));
	CHECK(tokens_end(&w, &word) && word.token);
	x.made = 1u << CASE_BY_JSON;
	x.givens = 1;
	x.given[0] = word.number;
	return x;
}

/* What a judge finds is given otherwise is known of all that is judged behind
 * its case, also of what needs no judge and came before the answer.
 */
static void who_sends_a_token_is_told_apart(void)
{
	struct talk t = { 1001, 501 };
	struct case_answer x;
	struct heard a;
	struct rig r;

	begin(&r, &a, "");
	talk(&r, &t, SENDS("POST", ""), one, two);
	CHECK(a.n == 1 && engine_out(r.e) == 1);
	talk(&r, &t, BEARER, STATUS("200", ""), STATUS("401", ""));
	talk(&r, &t, SENDS("GET", ""), STATUS("200", ""), STATUS("401", ""));
	CHECK(verdicts(&r, VERDICT_DIFFERENT) == 1); /* it has no token */
	talk(&r, &t, BEARER, STATUS("200", ""), STATUS("500", ""));
	CHECK(verdicts(&r, VERDICT_DIFFERENT) == 2); /* a failure */
	talk(&r, &t, BEARER, one, two);
	CHECK(a.n == 2 && engine_out(r.e) == 2 && engine_open_sut(r.e) == 3);
	x = gives(a.serial[0], TOKEN);
	CHECK(engine_judged(r.e, &x) == 0);
	CHECK(diverged(&r) == 1 && engine_out(r.e) == 1);
	x = says(a.serial[1], VERDICT_DIFFERENT);
	CHECK(engine_judged(r.e, &x) == 0);
	CHECK(diverged(&r) == 2 && engine_open_sut(r.e) == 0);
	talk(&r, &t, BEARER, STATUS("200", ""), STATUS("401", ""));
	CHECK(diverged(&r) == 3 && verdicts(&r, VERDICT_DIFFERENT) == 2);
	CHECK(stats(&r)->tokens == 1 && stats(&r)->handed == 2);
	CHECK(stats(&r)->judged == 2);
	end(&r);
}

/* Without what a judge finds they stand; so they do when he is gone. */
static void who_waits_for_a_judge_is_counted(void)
{
	struct talk t = { 1001, 501 };
	struct case_answer x;
	struct heard a;
	struct rig r;

	begin(&r, &a, "");
	talk(&r, &t, SENDS("POST", ""), one, two);
	talk(&r, &t, BEARER, STATUS("200", ""), STATUS("401", ""));
	talk(&r, &t, BEARER, STATUS("200", ""), STATUS("403", ""));
	CHECK(verdicts(&r, VERDICT_DIFFERENT) == 0);
	x = gives(a.serial[0], "another0123456789");
	CHECK(engine_judged(r.e, &x) == 0);
	CHECK(diverged(&r) == 0 && verdicts(&r, VERDICT_DIFFERENT) == 2);
	talk(&r, &t, SENDS("POST", ""), one, two);
	talk(&r, &t, BEARER, STATUS("200", ""), STATUS("401", ""));
	CHECK(verdicts(&r, VERDICT_DIFFERENT) == 2);
	CHECK(!engine_desk_gone(r.e) && engine_open_sut(r.e) == 0);
	CHECK(verdicts(&r, VERDICT_DIFFERENT) == 3 && stats(&r)->lost == 1);
	CHECK(taken(&r) == 5);
	end(&r);
}

static void what_is_held_is_taken_back_or_stands(void)
{
	struct case_answer x;
	struct heard a;
	struct rig r;

	begin(&r, &a, "version newer");
	for (unsigned i = 0; i < 3; i++) {
		exchange(&r, i, one, two);
		x = says(a.serial[i], VERDICT_DIFFERENT);
		x.held = 1;
		CHECK(engine_judged(r.e, &x) == 0);
	}
	CHECK(engine_held(r.e) == 3 && engine_out(r.e) == 0 && taken(&r) == 0);
	CHECK(engine_open_sut(r.e) == 3);
	CHECK(engine_judged(r.e, &x) == -EBADMSG); /* held twice */
	x = says(a.serial[1], VERDICT_EQUIVALENT);
	x.made = 1u << CASE_BY_NEWER;
	CHECK(engine_judged(r.e, &x) == 0 && taken(&r) == 1);
	CHECK(verdicts(&r, VERDICT_EQUIVALENT) == 1 &&
	      stats(&r)->made[CASE_BY_NEWER] == 1);
	/* of what stands already it says nothing */
	CHECK(engine_judged(r.e, &x) == 0 && taken(&r) == 0);
	CHECK(engine_unheld(r.e) && taken(&r) == 1);
	CHECK(!engine_unheld(r.e) && taken(&r) == 1 && !engine_unheld(r.e));
	CHECK(verdicts(&r, VERDICT_DIFFERENT) == 2);
	CHECK(stats(&r)->held == 3 && stats(&r)->taken_back == 1);
	/* more than there is room for: the oldest stands */
	for (unsigned i = 0; i < REFER_HELD + 2; i++) {
		exchange(&r, 3 + i, one, two);
		x = says(3 + i, VERDICT_DIFFERENT);
		x.held = 1;
		CHECK(engine_judged(r.e, &x) == 0);
	}
	CHECK(taken(&r) == 2 && stats(&r)->held_full == 2);
	while (engine_unheld(r.e))
		;
	end(&r);
}

/* What is longer than is kept is different only if nothing could excuse it. */
static void long_content_is_not_judged(void)
{
	static const struct {
		const char *type;
		enum verdict verdict;
		enum compare_reason reason;
	} all[] = {
		{ "Content-Type: image/png\r\n", VERDICT_DIFFERENT,
		  REASON_BODY },
		{ "Content-Type: text/plain\r\n", VERDICT_NOT_COMPARED,
		  REASON_TOO_LONG },
		{ "Content-Encoding: br\r\n", VERDICT_NOT_COMPARED,
		  REASON_TOO_LONG },
	};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		char p[200], s[200];
		struct heard a;
		struct rig r;

		snprintf(p, sizeof(p), HEAD "%s\r\n12345", all[i].type);
		snprintf(s, sizeof(s), HEAD "%s\r\n12346", all[i].type);
		a = (struct heard){ 0 };
		defaults(&r);
		r.cfg.compare = COMPARE_EQUIVALENT;
		r.cfg.by = case_rules("");
		r.cfg.keep = 4;
		r.cfg.desk = (struct engine_desk){ refer, refused, 7, 0, &a };
		add_map(&r, ip(2, 0, 1), 32, 80, ip(9, 0, 1), 0);
		start(&r);
		handshakes(&r);
		exchange(&r, 0, p, s);
		CHECK_ROW(a.n == 0, all[i].type);
		CHECK_ROW(engine_stats(r.e)->reason[all[i].verdict]
						   [all[i].reason] == 1,
			  all[i].type);
		end(&r);
	}
}

static void endpoints_have_levels(void)
{
	struct heard a;
	struct rig r;

	begin(&r, &a, "endpoint GET /a as a|on a|compare nothing");
	exchange(&r, 0, one, one);
	CHECK(engine_stats(r.e)->reason[VERDICT_NOT_COMPARED][REASON_BY_RULE] ==
	      1);
	end(&r);
	begin(&r, &a, "endpoint GET /a as a|on a|compare status");
	exchange(&r, 0, one, two);
	CHECK(a.n == 0 && verdicts(&r, VERDICT_EQUIVALENT) == 1);
	CHECK(stats(&r)->made[CASE_BY_STATUS] == 1);
	end(&r);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "the same bytes ask nobody", the_same_bytes_ask_nobody },
		{ "fields are settled here", fields_are_settled_here },
		{ "answers are counted when they come",
		  answers_are_counted_when_they_come },
		{ "lies are no answers", lies_are_no_answers },
		{ "what is refused is told", what_is_refused_is_told },
		{ "one path does not push others out",
		  one_path_does_not_push_others_out },
		{ "a desk that is gone owes all",
		  a_desk_that_is_gone_owes_all },
		{ "who hangs on a session is told apart",
		  who_hangs_on_a_session_is_told_apart },
		{ "sessions are told apart without rules",
		  sessions_are_told_apart_without_rules },
		{ "who sends a token is told apart",
		  who_sends_a_token_is_told_apart },
		{ "who waits for a judge is counted",
		  who_waits_for_a_judge_is_counted },
		{ "a failure hangs on no session",
		  a_failure_hangs_on_no_session },
		{ "a value is sent before the SUT has answered",
		  a_value_is_sent_before_the_sut_has_answered },
		{ "a head is handed over as one",
		  a_head_is_handed_over_as_one },
		{ "what production serves is told",
		  what_production_serves_is_told },
		{ "what is held is taken back or stands",
		  what_is_held_is_taken_back_or_stands },
		{ "long content is not judged", long_content_is_not_judged },
		{ "differences have kinds", differences_have_kinds },
		{ "endpoints have levels", endpoints_have_levels },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
