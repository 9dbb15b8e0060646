/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ask.c - What does a client of the page want, and may he have it?
 *
 * Theory of operation
 *
 * Whoever can make a user's browser send a request can reach this port: any
 * page of any origin, and by DNS rebinding under any name. So a request must
 * name us in Host, and where its browser says where it comes from (Origin,
 * Sec-Fetch-Site) that must be us. What a run has found is given to who knows
 * the token, which he has from the terminal: it goes in a field that no browser
 * adds by itself, so that there is nothing to forge. A request changes nothing,
 * so there is no method but GET and HEAD.
 *
 * A target is a path of a table and the arguments that this path knows, each
 * once: what is not understood is refused and not passed over.
 */
#include "page/ask.h"

#include <assert.h>
#include <string.h>

#include "text/text.h"

#define LOOPBACK4 127u

enum argument { ARG_ID = 1, ARG_FROM = 2, ARG_N = 4, ARG_FIND = 8 };

static const struct {
	const char *path;
	unsigned may; /* arguments */
	unsigned must;
} paths[ASK_WHATS] = {
	[ASK_INDEX] = { "/", 0, 0 },
	[ASK_STYLE] = { "/page.css", 0, 0 },
	[ASK_SCRIPT] = { "/page.js", 0, 0 },
	[ASK_ICON] = { "/icon.svg", 0, 0 },
	[ASK_HEALTH] = { "/healthz", 0, 0 },
	[ASK_METRICS] = { "/metrics", 0, 0 },
	[ASK_RUN] = { "/api/run", 0, 0 },
	[ASK_KINDS] = { "/api/kinds", ARG_FROM | ARG_N | ARG_FIND, 0 },
	[ASK_KIND] = { "/api/kind", ARG_ID | ARG_FROM | ARG_N, ARG_ID },
	[ASK_DIFFERENCE] = { "/api/difference", ARG_ID, ARG_ID },
	[ASK_PACKETS] = { "/api/packets", ARG_ID, ARG_ID },
};

void ask_door(struct ask_door *d, const struct ipaddr *ip, uint16_t port)
{
	struct ipaddr six = { { 0 } };
	bool loop = ipaddr_is4(ip) ? ip->b[12] == LOOPBACK4 : false;
	char at[TEXT_ENDPOINT];
	struct text t;

	six.b[15] = 1;
	loop |= ipaddr_eq(ip, &six);
	text_begin(&t, d->host, sizeof(d->host));
	text_add(&t, "%s", text_endpoint(at, ip, port));
	text_begin(&t, d->local, sizeof(d->local));
	if (loop)
		text_add(&t, "localhost:%u", (unsigned)port);
}

static bool is_ours(const struct ask_door *d, const char *host)
{
	return strcmp(host, d->host) == 0 ||
	       (d->local[0] != '\0' && strcmp(host, d->local) == 0);
}

/* As long as it takes whatever differs. */
static bool has_token(const struct ask_door *d, const char *field)
{
	static const char bearer[] = "Bearer ";
	unsigned differs = 0;

	assert(strlen(d->token) == ASK_TOKEN - 1);
	if (!field || strncmp(field, bearer, sizeof(bearer) - 1) != 0)
		return false;
	field += sizeof(bearer) - 1;
	if (strlen(field) != ASK_TOKEN - 1)
		return false;
	for (size_t i = 0; i < ASK_TOKEN - 1; i++)
		differs |= (unsigned char)(field[i] ^ d->token[i]);
	return differs == 0;
}

/* --- the target --- */

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool number(const char *p, size_t n, uint64_t most, uint64_t *out)
{
	uint64_t v = 0;

	if (n == 0 || n > 18)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return false;
		v = v * 10 + (uint64_t)(p[i] - '0');
	}
	*out = v;
	return v <= most;
}

/* Bytes behind %XX (RFC 3986 section 2.1). */
static bool bytes(const char *p, size_t n, struct ask_want *out)
{
	size_t made = 0;

	for (size_t i = 0; i < n; i++) {
		char c = p[i];

		if (made == sizeof(out->find))
			return false;
		if (c == '%') {
			if (n - i < 3 || digit(p[i + 1]) < 0 ||
			    digit(p[i + 2]) < 0)
				return false;
			c = (char)(digit(p[i + 1]) << 4 | digit(p[i + 2]));
			i += 2;
		}
		out->find[made++] = c;
	}
	out->find_len = made;
	return true;
}

static bool is(const char *p, size_t n, const char *word)
{
	return n == strlen(word) && memcmp(p, word, n) == 0;
}

/* "name=value". Return: which one it is, 0: it is none */
static unsigned argument(const char *p, size_t n, struct ask_want *out)
{
	const char *equals = memchr(p, '=', n);
	size_t name = equals ? (size_t)(equals - p) : n;
	const char *value = p + name + 1;
	size_t len = equals ? n - name - 1 : 0;
	uint64_t v = 0;

	if (is(p, name, "id") && number(value, len, INT64_MAX, &v)) {
		out->id = (int64_t)v;
		return ARG_ID;
	}
	if (is(p, name, "from") && number(value, len, UINT32_MAX, &v)) {
		out->from = (uint32_t)v;
		return ARG_FROM;
	}
	if (is(p, name, "n") && number(value, len, UINT32_MAX, &v)) {
		out->n = (uint32_t)v;
		return ARG_N;
	}
	return is(p, name, "find") && equals && bytes(value, len, out)
		       ? ARG_FIND
		       : 0;
}

static int read_arguments(const char *p, struct ask_want *out)
{
	unsigned may = paths[out->what].may, got = 0;

	while (*p != '\0') {
		size_t n = strcspn(p, "&");
		unsigned one = argument(p, n, out);

		if (one == 0 || !(may & one) || (got & one))
			return 400;
		got |= one;
		p += n + (p[n] == '&');
	}
	return (got & paths[out->what].must) == paths[out->what].must ? 200
								      : 400;
}

static int read_target(const char *target, struct ask_want *out)
{
	size_t n = strcspn(target, "?");

	if (strlen(target) > ASK_PATH)
		return 400;
	for (unsigned i = 0; i < ASK_WHATS; i++)
		if (is(target, n, paths[i].path)) {
			out->what = (enum ask_what)i;
			return read_arguments(target + n + (target[n] == '?'),
					      out);
		}
	return 404;
}

int ask(const struct ask_door *d, const struct ask_said *q,
	struct ask_want *out)
{
	struct ask_want want = { .n = UINT32_MAX };
	const char *origin = q->origin;
	int r;

	if (!q->method || !q->target || !q->host || q->twice || q->body)
		return 400;
	if (!is_ours(d, q->host))
		return 403;
	if (origin && (strncmp(origin, "http://", 7) != 0 ||
		       strcmp(origin + 7, q->host) != 0))
		return 403;
	if (q->site && strcmp(q->site, "same-origin") != 0 &&
	    strcmp(q->site, "none") != 0)
		return 403;
	if (strcmp(q->method, "GET") != 0 && strcmp(q->method, "HEAD") != 0)
		return 405;
	r = read_target(q->target, &want);
	if (r == 200 && want.what >= ASK_METRICS && !has_token(d, q->token))
		r = 401;
	if (r == 200)
		*out = want;
	return r;
}
