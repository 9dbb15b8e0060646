/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_rules_words.c - Unit test of rules/place.h, class.h and when.h
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "rules/class.h"
#include "rules/place.h"
#include "rules/when.h"

/* A place in another spelling: each step in brackets. */
static const char *spelled(const struct place *p)
{
	static char s[512];
	size_t n = 0;

	s[0] = '\0';
	for (unsigned i = 0; i < p->steps; i++) {
		const struct place_step *t = &p->step[i];

		n += (size_t)snprintf(s + n, sizeof(s) - n, "%s",
				      t->deep ? "..[" : "[");
		if (t->kind == PLACE_NAME)
			n += (size_t)snprintf(s + n, sizeof(s) - n, "%.*s]",
					      t->len, p->names + t->name);
		else if (t->kind == PLACE_INDEX)
			n += (size_t)snprintf(s + n, sizeof(s) - n, "#%u]",
					      t->index);
		else
			n += (size_t)snprintf(s + n, sizeof(s) - n, "%s]",
					      t->kind == PLACE_MEMBERS ? "*"
								       : "#*");
	}
	return s;
}

static void places_are_read(void)
{
	static const struct {
		const char *text;
		int rc;
		size_t used;
		const char *want;
	} rows[] = {
		{ "$", 0, 1, "" },
		{ "$.a", 0, 3, "[a]" },
		{ "$.items[*].price by", 0, 16, "[items][#*][price]" },
		{ "$..token\trest", 0, 8, "..[token]" },
		{ "$['a b'][\"c'd\"]", 0, 15, "[a b][c'd]" },
		{ "$['it\\'s']..['\\\\']", 0, 18, "[it's]..[\\]" },
		{ "$[12].*..*", 0, 10, "[#12][*]..[*]" },
		{ "$.caf\xc3\xa9-_9", 0, 10, "[caf\xc3\xa9-_9]" },
		{ "", -EINVAL, 0, NULL },
		{ "a", -EINVAL, 0, NULL },
		{ "$a", -EINVAL, 1, NULL },
		{ "$.", -EINVAL, 2, NULL },
		{ "$.a[", -EINVAL, 4, NULL },
		{ "$.a[x]", -EINVAL, 4, NULL },
		{ "$.a[1", -EINVAL, 5, NULL },
		{ "$['a", -EINVAL, 4, NULL },
		{ "$[4294967295]", -E2BIG, 11, NULL },
		{ "$.A[\"b\"]", 0, 8, "[A][b]" },
		{ "$.a@", -EINVAL, 3, NULL },
		{ "$.a{", -EINVAL, 3, NULL },
		{ "$['a\\", -EINVAL, 5, NULL },
		{ "$['a'", -EINVAL, 5, NULL },
		{ "$['a'x", -EINVAL, 5, NULL },
		{ "$.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a", -E2BIG, 33, NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t n = strlen(rows[i].text), used;
		char *text = malloc(n > 0 ? n : 1);
		struct place p = { .steps = 99 };
		int rc;

		memcpy(text, rows[i].text, n);
		rc = place_read(&p, text, n, &used);
		CHECK_ROW(rc == rows[i].rc, rows[i].text);
		CHECK_ROW(used == rows[i].used, rows[i].text);
		if (rc == 0)
			CHECK_ROW(strcmp(spelled(&p), rows[i].want) == 0,
				  rows[i].text);
		else
			CHECK_ROW(p.steps == 99, rows[i].text);
		free(text);
	}
}

static const struct {
	const char *text;
	const char *classes; /* all that have it */
} classed[] = {
	{ "550e8400-e29b-41d4-a716-446655440000", "uuid token" },
	{ "550e8400-e29b-41d4-a716-44665544000", "token" },
	{ "550e8400-e29b-41d4-a716-44665544000g", "token" },
	{ "2026-11-22T09:57:33.123+01:00", "time" },
	{ "Sun, 06 Nov 1994 08:49:37 GMT", "time" },
	{ "1700000000", "epoch integer hex" },
	{ "-17", "integer" },
	{ "", "" },
	{ "-", "" },
	{ "3.14", "decimal" },
	{ "3.", "" },
	{ ".5", "" },
	{ "deadbeef", "hex" },
	{ "deadbee", "" },
	{ "eyJh.eyJz.c2ln", "jwt" },
	{ "eyJh..c2ln", "" },
	{ "aGVsbG8gd29ybGQhIQ==", "token" },
	{ "aGVsbG8gd29ybGQhIQ===", "" },
	{ "https://a.example/x?y=1", "url" },
	{ "://x", "" },
	{ "http://a b", "" },
	{ "error", "" },
	{ "550e8400xe29b-41d4-a716-446655440000", "token" },
	{ "g50e8400-e29b-41d4-a716-446655440000", "token" },
	{ "550e8400-e29b-41d4-a716x446655440000", "token" },
	{ "550E8400-E29B-41D4-A716-446655440000", "uuid token" },
	{ "-3.5", "decimal" },
	{ "3.1x", "" },
	{ "-.5", "" },
	{ "-1x", "" },
	{ "170000000x", "" },
	{ "1700000000123", "epoch integer hex" },
	{ "170000000012", "integer hex" },
	{ "eyJh.eyJz", "" },
	{ "eyJh.eyJz.c2ln.c2ln", "" },
	{ "xyJh.eyJz.c2ln", "" },
	{ "exJh.eyJz.c2ln", "" },
	{ "eyJh.eyJz.c2l+", "" },
	{ "aGVsbG8gd29ybGQhIQ+/", "token" },
	{ "aGVsbG8gd29ybGQhIQ-_", "token" },
	{ "aGVsbG8=d29ybGQhIQab", "" },
	{ "aGVsbG8@d29ybGQhIQab", "" },
	{ "aGVsbG8[d29ybGQhIQab", "" },
	{ "aGVsbG8`d29ybGQhIQab", "" },
	{ "aGVsbG8{d29ybGQhIQab", "" },
	{ "aGVsbG8:d29ybGQhIQab", "" },
	{ "h://", "" },
	{ "h://a", "url" },
	{ "HTTP://A", "url" },
	{ "http:/x/y", "" },
	{ "http://a\x7f", "" },
	{ "ht.p://ab", "" },
	{ "\"a\"", "etag" },
	{ "\"\"", "etag" },
	{ "W/\"a\"", "etag" },
	{ "W/\"\"", "etag" },
	{ "W/\"", "" },
	{ "W/a\"", "" },
	{ "X/\"a\"", "" },
	{ "Wx\"a\"", "" },
	{ "\"a\"b\"", "" },
	{ "\"a", "" },
	{ "\"", "" },
};

static void classes_tell_values_apart(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(classed); i++) {
		size_t n = strlen(classed[i].text);
		uint8_t *text = malloc(n > 0 ? n : 1);
		char got[128] = "";

		memcpy(text, classed[i].text, n);
		for (unsigned c = 0; c < CLASS_COUNT; c++) {
			if (!class_has((enum value_class)c, text, n))
				continue;
			if (got[0] != '\0')
				strcat(got, " ");
			strcat(got, class_name((enum value_class)c));
		}
		CHECK_ROW(strcmp(got, classed[i].classes) == 0,
			  classed[i].text);
		free(text);
	}
	for (unsigned c = 0; c < CLASS_COUNT; c++) {
		const char *name = class_name((enum value_class)c);

		CHECK(class_find(name, strlen(name)) == c);
	}
	CHECK(class_find("uui", 3) == CLASS_COUNT);
}

static const struct {
	const char *text;
	int64_t s; /* -1: none */
	int64_t ns;
} moments[] = {
	{ "1970-01-01T00:00:00Z", 0, 0 },
	{ "1994-11-06T08:49:37Z", 784111777, 0 },
	{ "1994-11-06 08:49:37", 784111777, 0 },
	{ "1994-11-06T09:49:37.25+01:00", 784111777, 250000000 },
	{ "1994-11-06T07:19:37.1234567891-0130", 784111777, 123456789 },
	{ "Sun, 06 Nov 1994 08:49:37 GMT", 784111777, 0 },
	{ "Sunday, 06-Nov-94 08:49:37 GMT", 784111777, 0 },
	{ "Sun Nov  6 08:49:37 1994", 784111777, 0 },
	{ "Thu, 29 Feb 2024 00:00:00 GMT", 1709164800, 0 },
	{ "Thu, 29 Feb 2023 00:00:00 GMT", -1, 0 },
	{ "2100-02-29T00:00:00Z", -1, 0 },
	{ "2000-02-29T00:00:00Z", 951782400, 0 },
	{ "Sun, 06 Nov 1994 24:00:00 GMT", -1, 0 },
	{ "Sun, 06 Nov 1994 08:49:37 UTC", -1, 0 },
	{ "Sun, 06 Nov 1994 08:49:37 GMT ", -1, 0 },
	{ "Sun, 6 Nov 1994 08:49:37 GMT", -1, 0 },
	{ "1994-11- 6T08:49:37Z", -1, 0 },
	{ "1994-11-06T08:49:37.Z", -1, 0 },
	{ "1994-11-06T08:49:37+25:00", -1, 0 },
	{ "9999-01-01T00:00:00Z", -1, 0 },
	{ "0000-01-01T00:00:00Z", -1, 0 },
	{ "1700000000", 1700000000, 0 },
	{ "1700000000123", 1700000000, 123000000 },
	{ "1700000000123456", 1700000000, 123456000 },
	{ "1700000000123456789", 1700000000, 123456789 },
	{ "9999999999999999999", -1, 0 },
	{ "170000000x", -1, 0 },
	{ "9223372036854775799", 9223372036, 854775799 },
	{ "9223372036854775800", -1, 0 },
	{ "9999999999999999", -1, 0 },
	{ "9223372036854775", 9223372036, 854775000 },
	/* forms and bounds of each field */
	{ "1994-11-06t08:49:37z", 784111777, 0 },
	{ "1994-11-06T08:49:37", 784111777, 0 },
	{ "1994-11-06T08:49:37.5", 784111777, 500000000 },
	{ "1994-11-06T10:19:37+0130", 784111777, 0 },
	{ "1994-11-06T08:49:60Z", 784111800, 0 },
	{ "1994-11-06_08:49:37Z", -1, 0 },
	{ "1994-00-06T08:49:37Z", -1, 0 },
	{ "1994-13-06T08:49:37Z", -1, 0 },
	{ "1994-11-00T08:49:37Z", -1, 0 },
	{ "1994-11-31T08:49:37Z", -1, 0 },
	{ "1994-11-06T24:49:37Z", -1, 0 },
	{ "1994-11-06T08:60:37Z", -1, 0 },
	{ "1994-11-06T08:49:61Z", -1, 0 },
	{ "1994-11-06T08:49:37X", -1, 0 },
	{ "1994-11-06T08:49:37ZZ", -1, 0 },
	{ "1994-11-06T08:49:37*01:30", -1, 0 },
	{ "1994-11-06T08:49:37+01:3x", -1, 0 },
	{ "1994-11-06T08:49:37+01x0", -1, 0 },
	{ "1994-11-06T08:49:37+1:30", -1, 0 },
	{ "1994-11-06T08:49:37+01:60", -1, 0 },
	{ "1994-11-06T08:49:37+24:00", -1, 0 },
	{ "1600-11-06T08:49:37Z", -1, 0 },
	{ "Sunday, 06-Nov-69 08:49:37 GMT", 3150953377, 0 },
	{ "Sunday, 06-Nov-70 08:49:37 GMT", 26729377, 0 },
	{ ", 06-Nov-94 08:49:37 GMT", -1, 0 },
	{ "Sunday, 06-Xyz-94 08:49:37 GMT", -1, 0 },
	{ "Sunday, 06-Nov-94 08:49:37 UTC", -1, 0 },
	{ "Sun, 06 N0v 1994 08:49:37 GMT", -1, 0 },
	{ "Sun, 06 N@v 1994 08:49:37 GMT", -1, 0 },
	{ "Sun, 06 N[v 1994 08:49:37 GMT", -1, 0 },
	{ "Sun, 06 N`v 1994 08:49:37 GMT", -1, 0 },
	{ "Sun, 06 N{v 1994 08:49:37 GMT", -1, 0 },
	{ "SUN, 06 NOV 1994 08:49:37 GMT", 784111777, 0 },
	{ "Sun Nov 06 08:49:37 1994", 784111777, 0 },
	{ "Sun Nov x6 08:49:37 1994", -1, 0 },
	/* years that nanoseconds do not have */
	{ "Sun, 06 Nov 9999 08:49:37 GMT", -1, 0 },
	{ "Sun, 06 Nov 0001 08:49:37 GMT", -1, 0 },
	{ "Sun, 06 Nov 0000 08:49:37 GMT", -1, 0 },
	{ "17", -1, 0 },
	{ "", -1, 0 },
};

static void moments_are_read(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(moments); i++) {
		size_t n = strlen(moments[i].text);
		uint8_t *text = malloc(n > 0 ? n : 1);
		int64_t t = 4711;
		int rc;

		memcpy(text, moments[i].text, n);
		rc = when_any(text, n, &t);
		if (moments[i].s < 0)
			CHECK_ROW(rc == -EINVAL && t == 4711, moments[i].text);
		else
			CHECK_ROW(rc == 0 && t == moments[i].s * 1000000000 +
							     moments[i].ns,
				  moments[i].text);
		free(text);
	}
}

static void days_are_read(void)
{
	int64_t t = 1;

	CHECK(when_day((const uint8_t *)"2027-01-31", 10, &t) == 0);
	CHECK(t == INT64_C(1801353600000000000));
	CHECK(when_day((const uint8_t *)"2027-02-31", 10, &t) == -EINVAL);
	CHECK(when_day((const uint8_t *)"2027-1-31", 9, &t) == -EINVAL);
	CHECK(when_day((const uint8_t *)"1500-01-31", 10, &t) == -EINVAL);
	CHECK(when_day((const uint8_t *)"2600-01-31", 10, &t) == -EINVAL);
	CHECK(when_day((const uint8_t *)"2027/01/31", 10, &t) == -EINVAL);
	CHECK(t == INT64_C(1801353600000000000));
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "places are read", places_are_read },
		{ "classes tell values apart", classes_tell_values_apart },
		{ "moments are read", moments_are_read },
		{ "days are read", days_are_read },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
