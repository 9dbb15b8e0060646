/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_asked.c - Unit test of app/asked.h: which object, and on what condition
 */
#include "app/asked.h"

#include <string.h>

#include "check.h"

static struct asked of(const char *head)
{
	struct asked a;

	asked_begin(&a, 7, 3);
	asked_head(&a, (const uint8_t *)head, (uint32_t)strlen(head));
	return a;
}

#define LINE(t) "GET " t " HTTP/1.1\r\n"
#define BASE	LINE("/a?b=1") "Host: h.example\r\n"

static void target_and_host_name_an_object(void)
{
	static const char *const same[] = {
		BASE "\r\n",
		BASE "If-None-Match: \"x\"\r\nCookie: a=b\r\n\r\n",
		LINE("/a?b=1") "Accept: */*\r\nhOST:\t h.Example \r\n\r\n",
		"HEAD /a?b=1 HTTP/1.0\nHost: H.EXAMPLE\n\n",
	};
	static const char *const other[] = {
		LINE("/a?b=2") "Host: h.example\r\n\r\n",
		LINE("/A?b=1") "Host: h.example\r\n\r\n",
		LINE("/a?b=1") "Host: i.example\r\n\r\n",
		LINE("/a?b=1") "X-Host: h.example\r\n\r\n",
		LINE("/a?b=1h.example") "Host:\r\n\r\n",
		LINE("/a?b=1") "\r\n",
	};
	uint64_t object = of(same[0]).object;

	CHECK(of(same[0]).index == 3);
	for (unsigned i = 0; i < ARRAY_SIZE(same); i++)
		CHECK_ROW(of(same[i]).object == object, same[i]);
	for (unsigned i = 0; i < ARRAY_SIZE(other); i++)
		CHECK_ROW(of(other[i]).object != object, other[i]);
}

static void conditions_are_seen(void)
{
	static const struct {
		const char *line;
		unsigned flags;
	} rows[] = {
		{ "", 0 },
		{ "If-None-Match: \"x\"\r\n", 1u << ASKED_NONE_MATCH },
		{ "IF-MATCH: *\r\n", 1u << ASKED_MATCH },
		{ "if-range: \"x\"\r\nRange: bytes=0-1\r\n",
		  1u << ASKED_RANGE },
		{ "If-Modified-Since: x\r\nIf-Unmodified-Since: y\r\n",
		  1u << ASKED_SINCE | 1u << ASKED_UNMODIFIED },
		{ "Authorization: Basic eDp5\r\n", 1u << ASKED_AUTHORIZED },
		{ "If-Matched: x\r\nIf-Matc: y\r\nIf-Match : z\r\n", 0 },
		{ "X: a\r\n if-match: folded\r\n", 0 },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		char head[256];

		strcpy(head, BASE);
		strcat(head, rows[i].line);
		strcat(head, "\r\n");
		CHECK_ROW(of(head).flags == (rows[i].flags | 1u << ASKED_HOST),
			  rows[i].line);
	}
}

static void it_does_not_matter_how_it_is_cut(void)
{
	static const char head[] =
		BASE "If-Range: x\r\nAuthorization: y\r\n\r\n";
	struct asked whole = of(head), a;

	asked_begin(&a, 7, 3);
	for (uint32_t i = 0; i + 1 < sizeof(head); i++)
		asked_head(&a, (const uint8_t *)head + i, 1);
	CHECK(a.object == whole.object && a.flags == whole.flags);
	asked_begin(&a, 8, 3);
	asked_head(&a, (const uint8_t *)head, sizeof(head) - 1);
	CHECK(a.object != whole.object); /* another seed */
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "target and host name an object",
		  target_and_host_name_an_object },
		{ "conditions are seen", conditions_are_seen },
		{ "it does not matter how it is cut",
		  it_does_not_matter_how_it_is_cut },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
