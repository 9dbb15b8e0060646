/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * forms: whatever clients and servers sent, each form stays what it is, and has
 * all of it.
 *
 * Each byte that there is goes through each form in a name of an endpoint, a
 * request, a place and a reason's detail. What comes out is printable ASCII and
 * line ends; and between two marks there is what the form's own grammar makes of
 * these bytes, as a table that is written here by hand says.
 */
#include "forms/forms.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"
#include "forms/out.h"

#define ROOM (4u << 20)

/* All that @f becomes, terminated. */
static char *make(enum form_kind kind, const struct form *f)
{
	int fd = memfd_create("form", MFD_CLOEXEC);
	char *p = calloc(1, ROOM);
	ssize_t n;

	CHECK(fd >= 0 && p);
	CHECK(form_write(kind, fd, f) == 0);
	n = pread(fd, p, ROOM - 1, 0);
	CHECK(n > 0 && n < (ssize_t)ROOM - 1);
	close(fd);
	return p;
}

/* A run with two differences, whose bytes are @evil. */
struct run {
	struct form f;
	struct report_start start;
	struct report_data d;
	struct report_map_sums map;
	struct report_place place;
	struct report_rules rules;
	struct report_ruled ruled;
	struct report_gate gate[2];
	const struct report_gate *gates[2];
	struct report_times times;
	struct compare_result result;
	struct report_difference difference[2];
	char request[600];
};

static void fill_differences(struct run *r, const char *name, size_t n,
			     struct report_endpoint e)
{
	r->result = (struct compare_result){ .verdict = VERDICT_DIFFERENT,
					     .reason = REASON_BODY,
					     .status = { 200, 500 },
					     .bytes = { 10, 20 } };
	r->difference[0] = (struct report_difference){
		.client = e,
		.production = e,
		.sut = e,
		.asked = 1700000000123456789,
		.result = &r->result,
		.detail = name,
		.request = r->request,
		.request_len = 9 + n + 13,
		.prod_ns = 1500000,
	};
	r->difference[1] = r->difference[0];
	r->difference[1].request = "\x01no HTTP";
	r->difference[1].request_len = 8;
}

static void fill(struct run *r, const char *evil, size_t n, const char *name)
{
	const uint8_t ip[4] = { 10, 0, 0, 1 };
	struct report_endpoint e = { ipaddr_from4(ip), 80 };

	memset(r, 0, sizeof(*r));
	memcpy(r->request, "GET /MARK", 9);
	memcpy(r->request + 9, evil, n);
	memcpy(r->request + 9 + n, "MARK HTTP/1.1", 13);
	r->start = (struct report_start){ .version = "1",
					  .command = "shadow",
					  .options = name,
					  .started = 1700000000000000000 };
	r->map.map = (struct report_map){ e, e };
	r->map.verdicts[VERDICT_DIFFERENT] = 2;
	r->place = (struct report_place){ .name = r->request + 4,
					  .name_len = 5 + n + 4,
					  .reason = REASON_BODY,
					  .n = 2 };
	r->ruled = (struct report_ruled){ .name = name };
	r->ruled.verdicts[VERDICT_DIFFERENT] = 2;
	r->rules =
		(struct report_rules){ .endpoint = &r->ruled, .endpoints = 1 };
	r->d = (struct report_data){ .version = "1",
				     .map = &r->map,
				     .maps = 1,
				     .place = &r->place,
				     .places = 1,
				     .rules = &r->rules };
	r->d.verdicts[VERDICT_DIFFERENT] = 2;
	r->gate[0] = (struct report_gate){ .name = "--max-different 0",
					   .unit = GATE_ANSWERS,
					   .at = 2,
					   .state = GATE_FAILED };
	r->gate[1] = (struct report_gate){ .name = "max-different 1%",
					   .endpoint = name,
					   .unit = GATE_SHARE,
					   .state = GATE_UNDECIDED,
					   .needs = 1234 };
	r->gates[0] = &r->gate[0];
	r->gates[1] = &r->gate[1];
	r->times = (struct report_times){ .name = name };
	fill_differences(r, name, n, e);
	r->f = (struct form){ .start = &r->start,
			      .data = &r->d,
			      .text = "DIFFERENT\nwarning: <b>\n\nrest\n",
			      .code = 1,
			      .times = &r->times,
			      .times_n = 1,
			      .gate = r->gates,
			      .gates = 2,
			      .difference = r->difference,
			      .differences = 2,
			      .left_out = 7 };
}

/* What a byte comes to, by hand. */
static void expect(char out[16], enum form_kind kind, unsigned c)
{
	static const char allowed[] = "-._~:/?#[]@!$&()*+,;=%";
	bool word = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
		    (c >= 'A' && c <= 'Z');

	snprintf(out, 16, "%c", (int)c);
	if (kind == FORM_HAR && !word && (c == 0 || !strchr(allowed, (int)c)))
		snprintf(out, 16, "%%%02X", c);
	else if (kind == FORM_HAR)
		return;
	else if (c < 32 || c > 126)
		snprintf(out, 16,
			 kind == FORM_SUMMARY ? "\\\\x%02x" : "\\x%02x", c);
	else if (kind == FORM_SUMMARY && c != ' ' && !word)
		snprintf(out, 16, "\\%c", (int)c);
	else if (kind != FORM_SUMMARY && c == '<')
		strcpy(out, "&lt;");
	else if (kind != FORM_SUMMARY && c == '>')
		strcpy(out, "&gt;");
	else if (kind != FORM_SUMMARY && c == '&')
		strcpy(out, "&amp;");
	else if (kind != FORM_SUMMARY && c == '"')
		strcpy(out, "&quot;");
	else if (kind != FORM_SUMMARY && c == '\'')
		strcpy(out, "&#39;");
}

static void every_byte_is_escaped(void)
{
	static struct run r;
	char evil[256], want[4096], one[16];
	size_t n = 0;

	for (unsigned c = 0; c < 256; c++)
		if (c != ' ') /* it would end the target */
			evil[n++] = (char)c;
	for (unsigned k = 0; k < FORM_KINDS; k++) {
		char *p;

		fill(&r, evil, n, "orders");
		if (k == FORM_JUNIT)
			r.ruled.name = "*"; /* its case has all places */
		p = make((enum form_kind)k, &r.f);
		strcpy(want, "MARK");
		for (size_t i = 0; i < n; i++) {
			expect(one, (enum form_kind)k, (uint8_t)evil[i]);
			strcat(want, one);
		}
		strcat(want, "MARK");
		CHECK_ROW(strstr(p, want), form_option((enum form_kind)k));
		for (const char *c = p; *c; c++)
			CHECK((*c >= ' ' && *c <= '~') || *c == '\n');
		free(p);
	}
}

/* Names that a user gave, and details, reach each form as they are read. */
static void names_are_escaped(void)
{
	static struct run r;
	static const char name[] = "</script><script>alert(1)</script>\"|`";

	fill(&r, "x", 1, name);
	for (unsigned k = 0; k < FORM_KINDS; k++) {
		char *p = make((enum form_kind)k, &r.f);

		for (const char *c = p; (c = strstr(c, "script")); c++)
			CHECK_ROW(c - p > 2 &&
					  (c[-1] != '<' || c[-2] == '\\') &&
					  (c[-1] != '/' || c[-2] != '<' ||
					   c[-3] == '\\'),
				  form_option((enum form_kind)k));
		CHECK_ROW(strstr(p, k == FORM_SUMMARY ? "\\|\\`"
				    : k == FORM_HAR   ? "\\u003c/script>"
						      : "&lt;script&gt;"),
			  form_option((enum form_kind)k));
		free(p);
	}
}

static void each_form_has_what_was_found(void)
{
	static const struct {
		enum form_kind kind;
		const char *has;
	} rows[] = {
		{ FORM_JUNIT, "tests=\"2\" failures=\"1\" errors=\"1\"" },
		{ FORM_JUNIT, "timestamp=\"2023-11-14T22:13:20\"" },
		{ FORM_JUNIT, "name=\"orders: max-different 1%\"" },
		{ FORM_JUNIT, "<failure type=\"different\" message=\"2 of 2 "
			      "compared answers differ\">" },
		{ FORM_JUNIT, "message=\"undecided, 0.0000 % (0.0000 % to "
			      "0.0000 %); 1,234 answers needed\"" },
		{ FORM_JUNIT, "name=\"run\" time=\"0\"/>" },
		{ FORM_SUMMARY, "## DIFFERENT\n\n> warning\\: \\<b\\>  \n" },
		{ FORM_SUMMARY, "| orders | 0 | 0 | 2 | 0 |" },
		{ FORM_SUMMARY, "| **failed** | 2 |  |" },
		{ FORM_SUMMARY, "exit code 1" },
		{ FORM_HTML, "<h1>DIFFERENT</h1>" },
		{ FORM_HTML, "warning: &lt;b&gt;</div>" },
		{ FORM_HTML, "default-src 'none'" },
		{ FORM_HTML, "7 more are in the JSON lines" },
		{ FORM_HTML, "<td class=\"n\">1,234</td>" },
		{ FORM_HAR, "\"_side\":\"sut\"" },
		{ FORM_HAR, "\"url\":\"http://10.0.0.1:80/MARKxMARK\"" },
		{ FORM_HAR,
		  "\"startedDateTime\":\"2023-11-14T22:13:20.123Z\"" },
		{ FORM_HAR, "\"time\":1.500" },
		{ FORM_HAR, "1 differences that are not HTTP's and 7 more" },
	};
	static struct run r;

	fill(&r, "x", 1, "orders");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *p = make(rows[i].kind, &r.f);

		CHECK_ROW(strstr(p, rows[i].has), rows[i].has);
		free(p);
	}
}

/* What --max-different allows is no failure; what cannot be told is an error. */
static void what_is_allowed_passes(void)
{
	static struct run r;
	char *p;

	fill(&r, "x", 1, "orders");
	r.gate[0].state = r.gate[1].state = GATE_PASSED;
	r.f.code = 0;
	p = make(FORM_JUNIT, &r.f);
	CHECK(!strstr(p, "<failure") && !strstr(p, "<error"));
	free(p);
	r.f.code = 2;
	p = make(FORM_JUNIT, &r.f);
	CHECK(!strstr(p, "<failure") && strstr(p, "<error type=\"exit_code\""));
	free(p);
}

static void a_full_disk_is_told(void)
{
	static struct run r;
	int fd = open("/dev/full", O_WRONLY);

	fill(&r, "x", 1, "orders");
	CHECK(fd >= 0);
	CHECK(form_write(FORM_HTML, fd, &r.f) == -ENOSPC);
	close(fd);
}

#define TEST(name)                                                             \
	{                                                                      \
#name, name                                                    \
	}

int main(void)
{
	static const struct check_test tests[] = {
		TEST(every_byte_is_escaped),
		TEST(names_are_escaped),
		TEST(each_form_has_what_was_found),
		TEST(what_is_allowed_passes),
		TEST(a_full_disk_is_told),
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
