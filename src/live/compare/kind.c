/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kind.c - The kind of a difference
 */
#include "compare/kind.h"

#include <string.h>

#define FNV_BASIS 0x811c9dc5u /* FNV-1a of 32 bits */
#define FNV_PRIME 0x01000193u

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Of JSON the number or the key of an element: [3], [sku="4711"], but not a
 * name in quotes.
 */
static size_t skip_element(const char *p)
{
	size_t n = 0;

	if (p[0] != '[' || p[1] == '\'' || p[1] == '"')
		return 0;
	while (p[n] != '\0' && p[n] != ']')
		n++;
	return n;
}

static void put_place(struct diff_kind *k, const struct case_place *p)
{
	bool numbers = p->judge == CASE_TEXT || p->judge == CASE_MULTIPART ||
		       p->judge == CASE_FORM || p->judge == CASE_BYTES ||
		       p->judge == CASE_VERSION;
	size_t to = 0;

	for (size_t i = 0; p->name[i] != '\0' && to < KIND_PLACE - 2; i++) {
		size_t skip =
			p->judge == CASE_JSON ? skip_element(p->name + i) : 0;

		if (skip > 0) {
			k->place[to++] = '[';
			k->place[to++] = '*';
			i += skip - 1;
			continue;
		}
		if (numbers && is_digit(p->name[i]))
			continue;
		k->place[to++] = p->name[i];
	}
	/* "line 12" */
	while (to > 0 && k->place[to - 1] == ' ')
		k->place[--to] = '\0';
}

static uint32_t mix(uint32_t h, const void *p, size_t n)
{
	const uint8_t *b = p;

	for (size_t i = 0; i < n; i++)
		h = (h ^ b[i]) * FNV_PRIME;
	return h;
}

void diff_kind_of(struct diff_kind *out, const struct case_place *p,
		  const char *endpoint, size_t n, uint8_t reason)
{
	uint8_t what[3] = { reason, p->judge, p->change };

	memset(out, 0, sizeof(*out));
	if (p->judge == CASE_NOBODY)
		return;
	out->judge = p->judge;
	out->change = p->change;
	put_place(out, p);
	out->id = mix(mix(mix(FNV_BASIS, endpoint, n), what, sizeof(what)),
		      out->place, KIND_PLACE);
	if (out->id == 0)
		out->id = 1;
}

char *kind_name(char out[KIND_NAME], uint32_t id)
{
	out[0] = 'k';
	out[1] = '-';
	for (unsigned i = 0; i < 8; i++)
		out[2 + i] = "0123456789abcdef"[id >> (28 - 4 * i) & 15];
	out[10] = '\0';
	return out;
}
