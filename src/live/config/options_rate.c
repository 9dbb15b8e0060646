/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options_rate.c - How much is played in a second
 */
#include <string.h>

#include "config/options_internal.h"
#include "opt/values.h"

#define RATE_LEAST 8000 /* a segment or two a second */
#define RATE_MOST  UINT64_C(1000000000000)

/* Units of rates are powers of 1000, as on wires. */
static const char units[] = "KMG";

static int set_rate(void *field, const struct opt_row *r, const char *v,
		    struct errbuf *e)
{
	struct engine_config *c = field;
	size_t len = strlen(v);
	const char *unit = len > 0 ? strchr(units, v[len - 1]) : NULL;
	uint64_t n = 0;
	char digits[16] = { 0 };

	if (unit)
		len--;
	if (len == 0 || len >= sizeof(digits))
		return opt_bad(e, r, v,
			       "is no number of bits (as 500K or 20M)");
	memcpy(digits, v, len);
	if (value_get_number(digits, &n) != 0 || n > RATE_MOST)
		return opt_bad(e, r, v,
			       "is no number of bits (as 500K or 20M)");
	for (const char *u = units; unit && u <= unit; u++)
		n *= 1000;
	if (n < RATE_LEAST || n > RATE_MOST)
		return opt_bad(e, r, v, "is not 8K to 1000G bits a second");
	c->rate = n;
	return 0;
}

static bool put_rate(struct text *t, const void *field, const struct opt_row *r,
		     unsigned i)
{
	const struct engine_config *c = field;

	return c->rate != 0 && opt_kind_u64.put(t, &c->rate, r, i);
}

const struct opt_kind kind_rate = { false, set_rate, put_rate };
