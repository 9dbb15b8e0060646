/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report_curl.c - A request as a line for a shell
 *
 * Only of GET and HEAD, as the first line is all that is known of a request;
 * its fields are not in it, Host neither. A secret is a variable of the shell,
 * $SECRET_1a2b3c4d: who has its value sets it. What has bytes that a line
 * cannot have gives none.
 */
#include <string.h>

#include "report/again.h"
#include "report/report_internal.h"

#define TAG 8u /* bytes of "<secret:", and of the number behind it */

/* A tag of results/redact at @p: its bytes, or 0. */
static size_t tag_at(const char *p, size_t n)
{
	const char *end = n >= 2 * TAG ? memchr(p, '>', n) : NULL;

	if (!end || memcmp(p, "<secret:", TAG) != 0 ||
	    strspn(p + TAG, "0123456789abcdef") < TAG)
		return 0;
	return (size_t)(end - p) + 1;
}

/* The target, between quotes. Return: whether it can be */
static bool put_target(struct text *t, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t tag = tag_at(p + i, n - i);

		if (tag > 0) {
			text_add(t, "'\"$SECRET_%.8s\"'", p + i + TAG);
			i += tag - 1;
		} else if (p[i] <= ' ' || p[i] > '~' || p[i] == '\'') {
			return false;
		} else {
			text_add(t, "%c", p[i]);
		}
	}
	return true;
}

size_t report_curl_to(char *out, size_t size, const void *request, size_t n,
		      const struct report_endpoint *to)
{
	const struct report_place p = { .sut = *to,
					.request = request,
					.request_len = n };
	struct text t;

	text_begin(&t, out, size);
	return report_curl(&t, &p) ? t.len : 0;
}

bool report_curl(struct text *t, const struct report_place *p)
{
	char at[TEXT_ENDPOINT];
	const char *target, *end;
	size_t n;
	bool head;

	if (p->request_len == 0)
		return false;
	target = memchr(p->request, ' ', p->request_len);
	if (!target)
		return false;
	n = (size_t)(target - p->request);
	head = n == 4 && memcmp(p->request, "HEAD", 4) == 0;
	if (!head && (n != 3 || memcmp(p->request, "GET", 3) != 0))
		return false;
	target++;
	n = p->request_len - n - 1;
	end = memchr(target, ' ', n);
	if (!end || end == target || target[0] != '/')
		return false;
	text_add(t, "curl -sg%s --path-as-is 'http://%s", head ? "I" : "i",
		 text_endpoint(at, &p->sut.ip, p->sut.port));
	if (!put_target(t, target, (size_t)(end - target)))
		return false;
	text_add(t, "'");
	return !t->full;
}
