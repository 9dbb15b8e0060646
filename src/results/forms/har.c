/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * har.c - Differences as an HTTP Archive (version 1.2)
 *
 * Two entries for each: production's answer, and the SUT's, with "_side",
 * "_verdict" and "_reason" beside what the format has. Of a request its first
 * line is known, as far as it was kept, and of answers status and length;
 * header fields and contents are in the journal. Requests that are not HTTP's
 * have no place here and are counted in a comment.
 */
#include <string.h>

#include "compare/compare.h"
#include "forms/out.h"
#include "text/text.h"

/* A request line, in parts. */
struct har_line {
	const char *method;
	size_t method_len;
	const char *target;
	size_t target_len;
};

/* Return: is it one? */
static bool read_line(const struct report_difference *d, struct har_line *a)
{
	const char *p = d->request;
	size_t n = d->request_len, at = 0;
	const char *end;

	while (at < n && p[at] >= 'A' && p[at] <= 'Z')
		at++;
	if (at == 0 || at == n || p[at] != ' ')
		return false;
	a->method = p;
	a->method_len = at;
	a->target = p + at + 1;
	end = memchr(a->target, ' ', n - at - 1);
	a->target_len = end ? (size_t)(end - a->target) : n - at - 1;
	return a->target_len > 0 &&
	       (a->target[0] == '/' || a->target[0] == '*' ||
		(a->target_len > 7 && memcmp(a->target, "http://", 7) == 0));
}

static void put_request(struct out *o, const struct har_line *a,
			const struct report_endpoint *to)
{
	char where[TEXT_ENDPOINT];

	out_put(o, "\"request\":{\"method\":\"");
	out_text(o, OUT_JSON, a->method, a->method_len);
	out_put(o, "\",\"url\":\"");
	if (a->target[0] != 'h')
		out_add(o, "http://%s",
			text_endpoint(where, &to->ip, to->port));
	if (a->target[0] != '*')
		out_text(o, OUT_URL, a->target, a->target_len);
	out_put(o, "\",\"httpVersion\":\"HTTP/1.1\",\"cookies\":[],"
		   "\"headers\":[],\"queryString\":[],\"headersSize\":-1,"
		   "\"bodySize\":-1},");
}

static void put_entry(struct out *o, const struct report_difference *d,
		      const struct har_line *a, unsigned side)
{
	const struct compare_result *r = d->result;
	double ms = (double)(side == 0 ? d->prod_ns : d->sut_ns) / 1e6;
	char when[TEXT_NUMBER];

	text_when(when, d->asked);
	out_add(o,
		"{\"startedDateTime\":\"%.23sZ\",\"time\":%.3f,"
		"\"_side\":\"%s\",\"_verdict\":\"%s\",\"_reason\":\"%s\",",
		when, ms, side == 0 ? "production" : "sut",
		verdict_name(r->verdict), reason_name(r->reason));
	put_request(o, a, side == 0 ? &d->production : &d->sut);
	out_add(o,
		"\"response\":{\"status\":%u,\"statusText\":\"\","
		"\"httpVersion\":\"HTTP/1.1\",\"cookies\":[],\"headers\":[],"
		"\"content\":{\"size\":%llu,\"mimeType\":\"\"},"
		"\"redirectURL\":\"\",\"headersSize\":-1,\"bodySize\":-1},"
		"\"cache\":{},\"timings\":{\"send\":0,\"wait\":%.3f,"
		"\"receive\":0},\"comment\":\"",
		r->status[side], (unsigned long long)r->bytes[side], ms);
	out_str(o, OUT_JSON, d->detail);
	out_put(o, "\"}");
}

void form_har(struct out *o, const struct form *f)
{
	size_t others = 0;
	bool any = false;

	out_add(o,
		"{\"log\":{\"version\":\"1.2\",\"creator\":{\"name\":"
		"\"understudy\",\"version\":\"%s\"},\"entries\":[",
		f->data->version);
	for (size_t i = 0; i < f->differences; i++) {
		struct har_line a;

		if (!read_line(&f->difference[i], &a)) {
			others++;
			continue;
		}
		for (unsigned side = 0; side < 2; side++) {
			out_put(o, any ? ",\n" : "\n");
			put_entry(o, &f->difference[i], &a, side);
			any = true;
		}
	}
	out_add(o,
		"\n],\"comment\":\"%zu differences that are not HTTP's and "
		"%llu more are not here\"}}\n",
		others, (unsigned long long)f->left_out);
}
