/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * said.c - What one side said in a difference, put together from its frames
 */
#include <string.h>

#include "evidence/want.h"

static void gather(struct said *s, const struct want *w, enum want_side side)
{
	for (uint32_t i = 0; i < w->n; i++) {
		const struct piece *p = &w->piece[i];

		for (uint32_t k = 0; p->side == side && k < p->len; k++) {
			uint32_t at = p->seq + k - w->base[side];

			if (at >= WANT_STREAM || s->known[at])
				continue;
			s->p[at] = p->bytes[p->at + k];
			s->known[at] = 1;
			s->n = at + 1 > s->n ? at + 1 : s->n;
		}
	}
	while (s->whole < s->n && s->known[s->whole])
		s->whole++;
	for (uint32_t i = 0; i + 4 <= s->whole && s->head == 0; i++)
		if (memcmp(s->p + i, "\r\n\r\n", 4) == 0)
			s->head = i + 4;
}

void said_gather(struct said *s, const struct want *w, enum want_side side,
		 uint8_t fill)
{
	memset(s->known, 0, WANT_STREAM);
	memset(s->p, fill, WANT_STREAM);
	s->n = s->whole = s->head = 0;
	if (w->begun[side])
		gather(s, w, side);
}

bool said_is_http(const struct said *s, enum want_side side)
{
	uint32_t i = 0;

	if (side != WANT_CLIENT)
		return s->whole >= 7 && memcmp(s->p, "HTTP/1.", 7) == 0;
	while (i < s->whole && s->p[i] >= 'A' && s->p[i] <= 'Z')
		i++;
	return i > 0 && i < s->whole && s->p[i] == ' ';
}

const uint8_t *said_field(const struct said *s, const char *name, size_t *len)
{
	size_t n = strlen(name);

	for (uint32_t i = 0; i + n + 3 <= s->head; i++) {
		const uint8_t *p = s->p + i + 1, *end;
		size_t k = 0;

		if (s->p[i] != '\n')
			continue;
		while (k < n && (p[k] | 0x20) == (uint8_t)name[k])
			k++;
		if (k < n)
			continue;
		end = memmem(p + n, s->head - i - 1 - n, "\r\n", 2);
		*len = end ? (size_t)(end - p) - n : 0;
		return p + n;
	}
	return NULL;
}

bool said_is_text(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] == 0x7f || (p[i] < ' ' && p[i] != '\t' &&
				     p[i] != '\r' && p[i] != '\n'))
			return false;
	return true;
}
