/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * place.c - Where two answers differ, in a record of fixed size
 */
#include <string.h>

#include "judge/judge_internal.h"

/* Bytes in front of a value that are read for its name, and bytes of it that a
 * tag is made of.
 */
#define FRONT 1024u
#define WHOLE 65536u

void place_begin(struct case_answer *a, enum case_judge judge,
		 enum case_change change, const char *name)
{
	memset(&a->place, 0, sizeof(a->place));
	memset(a->class, 0, sizeof(a->class));
	a->place.judge = (uint8_t)judge;
	a->place.change = (uint8_t)change;
	place_add(a, name);
}

void place_add(struct case_answer *a, const char *text)
{
	size_t at = strlen(a->place.name);
	size_t n = strlen(text);

	if (n > CASE_PLACE - 1 - at)
		n = CASE_PLACE - 1 - at;
	memcpy(a->place.name + at, text, n);
	a->place.name[at + n] = '\0';
}

void place_number(struct case_answer *a, uint64_t n)
{
	char digits[24];
	size_t at = sizeof(digits) - 1;

	digits[at] = '\0';
	do {
		digits[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	place_add(a, digits + at);
}

/* Bytes of a name up to one of two. */
static size_t name_len(const char *p, char a, char b)
{
	size_t n = 0;

	while (p[n] != '\0' && p[n] != a && p[n] != b)
		n++;
	return n;
}

/* The name of the value at a place: of a field, of the last member or element.
 * What has none here has it in its text.
 */
static const char *name_of(const struct case_place *p, size_t *n)
{
	const char *from = p->name, *at;

	switch ((enum case_judge)p->judge) {
	case CASE_HEADERS:
	case CASE_TRAILERS:
		*n = name_len(from, ' ', ' ');
		return from;
	case CASE_JSON:
		for (at = from; *at != '\0'; at++)
			if (*at == '.' || (*at == '[' && at[1] == '"'))
				from = at + (*at == '.' ? 1 : 2);
		*n = name_len(from, '[', '"');
		return from;
	case CASE_HTML:
	case CASE_XML:
		for (at = from; *at != '\0'; at++)
			if (*at == '/')
				from = at + 1;
		*n = name_len(from, '@', '@');
		return from;
	default:
		return NULL;
	}
}

void place_value(struct case_answer *a, unsigned side,
		 const struct redact *redact, const uint8_t *p, size_t at,
		 size_t len)
{
	size_t front = at < FRONT ? at : FRONT;
	size_t shown = len < CASE_SHOWN ? len : CASE_SHOWN;
	size_t n = len < WHOLE ? len : WHOLE;
	struct redact_text t = { .p = p + (at - front),
				 .n = front + n,
				 .from = front,
				 .to = front + shown,
				 .headless = at > front,
				 .cut = n < len };

	/* What has a name needs nothing in front of it. */
	t.name = name_of(&a->place, &t.name_len);
	if (t.name)
		t = (struct redact_text){ .p = p + at,
					  .n = n,
					  .to = shown,
					  .cut = n < len,
					  .name = t.name,
					  .name_len = t.name_len };
	a->place.has[side] = true;
	a->class[side] =
		judge_class((enum case_judge)a->place.judge, p + at, len);
	a->place.len[side] = (uint8_t)redact_put(
		redact, &t, a->place.value[side], CASE_SHOWN);
}
