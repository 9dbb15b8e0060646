/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_learn.c - Unit test of report_learn() in report/report.h
 *
 * Places with values of classes go in; the text that comes out is read by the
 * parser of rules, and must say the narrowest thing.
 */
#include <stdlib.h>
#include <string.h>

#include "case_rig.h"
#include "check.h"
#include "report/report.h"

#define UUID  (1u << CLASS_UUID)
#define HEX   (1u << CLASS_HEX)
#define TOKEN (1u << CLASS_TOKEN)
#define WORDS CASE_WORDS

struct row {
	const char *endpoint;
	enum case_judge judge;
	const char *place;
	enum case_change change;
	unsigned mask[2];
	uint16_t len[2];
	const char *alone;  /* line that comes of it without a baseline */
	const char *beside; /* and with one; NULL: the same */
};

static const struct row rows[] = {
	{ "GET /a",
	  CASE_JSON,
	  "$.id",
	  CASE_VALUE,
	  { UUID, UUID },
	  { 0, 0 },
	  "  json class $.id uuid # SUT 1",
	  NULL },
	{ "GET /a",
	  CASE_JSON,
	  "$.items[*].tag",
	  CASE_VALUE,
	  { HEX | TOKEN, HEX | TOKEN },
	  { 16, 16 },
	  "  json class $.items[*].tag hex # SUT 1",
	  NULL },
	{ "GET /a",
	  CASE_JSON,
	  "$.sum",
	  CASE_VALUE,
	  { HEX, HEX },
	  { 16, 20 },
	  "  # json ignore $.sum # SUT 1",
	  "  json ignore $.sum # SUT 1" },
	{ "GET /b",
	  CASE_JSON,
	  "$.motd",
	  CASE_VALUE,
	  { WORDS, WORDS },
	  { 0, 0 },
	  "  # json ignore $.motd # SUT 1",
	  "  json ignore $.motd # SUT 1" },
	{ "GET /b",
	  CASE_JSON,
	  "$.tags",
	  CASE_ORDER,
	  { 0, 0 },
	  { 0, 0 },
	  "  json set $.tags # SUT 1",
	  NULL },
	{ "GET /b",
	  CASE_HEADERS,
	  "x-request-id",
	  CASE_VALUE,
	  { UUID, UUID },
	  { 0, 0 },
	  "  header class x-request-id uuid # SUT 1",
	  NULL },
	{ "GET /b",
	  CASE_HEADERS,
	  "x-served-by",
	  CASE_MISSING,
	  { WORDS, 0 },
	  { 0, 0 },
	  "  # header ignore x-served-by # SUT 1",
	  "  header ignore x-served-by # SUT 1" },
	{ "GET /b",
	  CASE_HEADERS,
	  "set-cookie sid",
	  CASE_VALUE,
	  { TOKEN, TOKEN },
	  { 16, 16 },
	  "  cookie session sid # SUT 1",
	  NULL },
	{ "GET /c",
	  CASE_TEXT,
	  "line ~abcd",
	  CASE_VALUE,
	  { CASE_SHAPE, CASE_SHAPE },
	  { 7, 7 },
	  "  # no rule: text line ~abcd value # SUT 1",
	  NULL },
	{ "GET /c",
	  CASE_JSON,
	  "$['a#b\nc']",
	  CASE_VALUE,
	  { UUID, UUID },
	  { 0, 0 },
	  "  # no rule: json $['a#b\\x0ac'] value # SUT 1",
	  NULL },
	{ "GET /{x}\"",
	  CASE_JSON,
	  "$.a",
	  CASE_VALUE,
	  { UUID, UUID },
	  { 0, 0 },
	  "# an endpoint that no line can name",
	  NULL },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static struct noise *new_noise(void)
{
	static const struct hash_key key = { { 8, 9 } };
	struct arena a = { .size = noise_size() };
	struct noise *n = NULL;

	a.base = aligned_alloc(ARENA_ALIGN, a.size);
	CHECK(noise_init(&n, &a, &key) == 0);
	return n;
}

static void add(struct noise *n, const struct row *r, uint64_t conn,
		enum noise_leg leg)
{
	struct noise_answer a = { .conn = conn,
				  .leg = leg,
				  .compared = true,
				  .reason = REASON_BODY,
				  .name = r->endpoint,
				  .name_len = (uint8_t)strlen(r->endpoint),
				  .founds = 1 };
	struct case_found *f = &a.found[0];

	f->judge = (uint8_t)r->judge;
	f->change = (uint8_t)r->change;
	memcpy(f->place, r->place, strlen(r->place));
	for (unsigned i = 0; i < 2; i++)
		f->class[i] =
			(struct case_class){ (uint16_t)r->mask[i], r->len[i] };
	noise_add(n, &a);
}

/* Is @line one of @text? */
static bool has_line(const char *text, const char *line, bool baseline)
{
	const char *at = strstr(text, line);

	return at != NULL && (at == text || at[-1] == '\n') &&
	       strchr(baseline ? ",\n" : "\n", at[strlen(line)]) != NULL;
}

static void learn(bool baseline)
{
	static char text[REPORT_LEARN];
	struct noise *n = new_noise();
	struct rules_error e = { 0 };
	struct rules *r;
	size_t len;

	for (size_t i = 0; i < ROWS; i++) {
		add(n, &rows[i], i, NOISE_SUT);
		if (baseline)
			add(n, &rows[i], i, NOISE_BASELINE);
	}
	len = report_learn(text, sizeof(text) - 1, n, baseline);
	text[len] = '\0';
	for (size_t i = 0; i < ROWS; i++) {
		const char *want = rows[i].alone;

		if (baseline && rows[i].beside != NULL)
			want = rows[i].beside;
		CHECK_ROW(has_line(text, want, baseline), want);
	}
	CHECK(strstr(text, "\non GET /a\n") != NULL);
	r = case_rules("");
	CHECK_ROW(rules_read(r, text, len, &e) == 0, text);
	if (e.what != NULL)
		printf("# line %u: %s\n", e.line, e.what);
	CHECK(rules_count(r) == (baseline ? 8 : 5));
	free(r);
	free(n);
}

static void without_a_baseline_wide_rules_are_comments(void)
{
	learn(false);
}

static void with_one_its_noise_has_rules(void)
{
	learn(true);
}

/* What is no noise has none. */
static void what_counts_is_not_learned(void)
{
	static char text[REPORT_LEARN];
	const struct noise_answer same = { .conn = 1,
					   .leg = NOISE_SUT,
					   .compared = true,
					   .name = "GET /a",
					   .name_len = 6 };
	struct noise *n = new_noise();
	size_t len;

	add(n, &rows[0], 0, NOISE_SUT);
	add(n, &rows[1], 1, NOISE_BASELINE);
	noise_add(n, &same);
	len = report_learn(text, sizeof(text) - 1, n, true);
	text[len] = '\0';
	CHECK(strstr(text, "$.id") == NULL);
	CHECK(strstr(text, "$.items[*].tag hex # SUT 0, baseline 1") != NULL);
	free(n);
}

/* What does not fit is left out, and what is there can be read. */
static void little_room_is_enough(void)
{
	struct noise *n = new_noise();

	for (size_t i = 0; i < ROWS; i++)
		add(n, &rows[i], i, NOISE_SUT);
	for (size_t size = 64; size < 2000; size += 7) {
		struct rules *r = case_rules("");
		char *text = malloc(size);
		struct rules_error e;
		size_t len = report_learn(text, size, n, false);

		CHECK(len < size);
		CHECK(rules_read(r, text, len, &e) == 0);
		free(text);
		free(r);
	}
	free(n);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "without a baseline wide rules are comments",
		  without_a_baseline_wide_rules_are_comments },
		{ "with one its noise has rules",
		  with_one_its_noise_has_rules },
		{ "what counts is not learned", what_counts_is_not_learned },
		{ "little room is enough", little_room_is_enough },
	};

	return check_main(tests, sizeof(tests) / sizeof(tests[0]));
}
