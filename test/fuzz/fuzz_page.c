/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_page.c - Fuzz what a client of the page may ask for
 *
 * Input: lines: method, target, Host, Origin, Sec-Fetch-Site, Authorization; an empty
 * one is not said. What is granted must name us, come from us, be GET or HEAD and, if
 * it is of the store, have the token; and its arguments are in their bounds.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "page/ask.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TOKEN "0123456789abcdef0123456789abcdef"

/* A line of exactly its length, so that a byte too far is seen; NULL: empty. */
static char *line(const uint8_t **p, size_t *n)
{
	const uint8_t *end = memchr(*p, '\n', *n);
	size_t len = end ? (size_t)(end - *p) : *n;
	char *out = len > 0 ? malloc(len + 1) : NULL;

	if (out) {
		memcpy(out, *p, len);
		out[len] = '\0';
	}
	*p += len + (end != NULL);
	*n -= len + (end != NULL);
	return out;
}

static void check(const struct ask_door *d, const struct ask_said *q,
		  const struct ask_want *w)
{
	assert(strcmp(q->method, "GET") == 0 || strcmp(q->method, "HEAD") == 0);
	assert(strcmp(q->host, d->host) == 0 || strcmp(q->host, d->local) == 0);
	assert(!q->origin || strcmp(q->origin + 7, q->host) == 0);
	assert(!q->site || strcmp(q->site, "cross-site") != 0);
	assert(w->what < ASK_METRICS ||
	       (q->token && strcmp(q->token, "Bearer " TOKEN) == 0));
	assert(w->find_len <= ASK_FIND && w->id >= 0);
	assert(w->what == ASK_KINDS || w->find_len == 0);
	assert(w->what < ASK_WHATS && strlen(q->target) <= ASK_PATH);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t here[4] = { 127, 0, 0, 1 };
	const struct ipaddr ip = ipaddr_from4(here);
	struct ask_door d = { .token = TOKEN };
	struct ask_want w = { .n = 77 };
	char *said[6];
	struct ask_said q;
	int status;

	ask_door(&d, &ip, 80);
	assert(strcmp(d.host, "127.0.0.1:80") == 0);
	for (unsigned i = 0; i < 6; i++)
		said[i] = line(&data, &size);
	q = (struct ask_said){ .method = said[0],
			       .target = said[1],
			       .host = said[2],
			       .origin = said[3],
			       .site = said[4],
			       .token = said[5] };
	status = ask(&d, &q, &w);
	assert(status == 200 || (status >= 400 && status <= 405));
	if (status == 200)
		check(&d, &q, &w);
	else
		assert(w.n == 77);
	for (unsigned i = 0; i < 6; i++)
		free(said[i]);
	return 0;
}
