/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * opaque.c - What may differ in bytes that nobody can parse
 *
 * Behind the break of a protocol two answers are compared as bytes. Heads may
 * stand in them, with a server's own moment; a line that begins with the name
 * of such a field and a colon is therefore compared without what follows the
 * colon.
 */
#include <string.h>

#include "compare/compare_internal.h"

#define BEHIND	  32 /* longer than any name */
#define ALL_NAMES ((UINT64_C(1) << FIELDS_OWN) - 1)

void field_mask_init(struct field_mask *m)
{
	*m = (struct field_mask){ .cand = ALL_NAMES };
}

/* Drop the names that do not go on with @c. Return: one ends here, at a colon
 */
static bool narrow(struct field_mask *m, uint8_t c)
{
	uint8_t low = c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
	bool ends = false;

	for (unsigned i = 0; i < FIELDS_OWN; i++) {
		if (!(m->cand >> i & 1))
			continue;
		if (fields_own[i][m->pos] == '\0' && c == ':')
			ends = true;
		else if ((uint8_t)fields_own[i][m->pos] != low || low == 0)
			m->cand &= ~(UINT64_C(1) << i);
	}
	if (m->pos < BEHIND)
		m->pos++;
	return ends;
}

uint32_t field_mask_run(struct field_mask *m, const uint8_t *p, uint32_t n,
			bool *skip)
{
	uint32_t i = 0;

	*skip = m->skip;
	if (m->skip) {
		while (i < n && p[i] != '\n')
			i++;
		if (i == n || i > 0) {
			m->skip = i == n;
			if (i < n)
				field_mask_init(m);
			return i;
		}
		/* An empty value: its line end is not left out. */
		field_mask_init(m);
		*skip = false;
	}
	while (i < n && !m->skip) {
		uint8_t c = p[i++];

		if (c == '\n')
			field_mask_init(m);
		else if (m->cand != 0 && narrow(m, c))
			m->skip = true;
	}
	return i;
}
