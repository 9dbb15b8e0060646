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
	uint8_t *p = malloc(CASE_FIXED + 65536);
	size_t n = keep_message(k, c, p);

	CHECK(flow != 0);
	(void)index;
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
	r->cfg.desk = (struct engine_desk){ .refer = refer,
					    .refused = refused,
					    .ctx = a };
	add_map(r, ip(2, 0, 1), 32, 80, ip(9, 0, 1), 0);
	start(r);
	handshakes(r);
}

/* Exchange @k of the connection: each of @p and @s LEN(HEAD "...") bytes more. */
static void exchange(struct rig *r, unsigned k, const char *p, const char *s)
{
	uint32_t c = 1001 + k * LEN(GET);
	uint32_t n = (uint32_t)strlen(p);

	CHECK(strlen(s) == n);
	client(r, c, 501 + k * n, TCP_ACK | TCP_PSH, GET);
	production(r, 501 + k * n, c + LEN(GET), TCP_ACK, p);
	sut(r, 1, 501 + k * n, c + LEN(GET), TCP_ACK, s);
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
		r.cfg.desk = (struct engine_desk){ refer, refused, &a };
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
		{ "a desk that is gone owes all",
		  a_desk_that_is_gone_owes_all },
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
