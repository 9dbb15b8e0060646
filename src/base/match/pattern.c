/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pattern.c - POSIX extended regular expressions
 */
#include "match/pattern.h"

#include <errno.h>
#include <regex.h>
#include <stdlib.h>

struct pattern {
	regex_t re;
};

int pattern_compile(struct pattern **out, const char *expr, struct errbuf *e)
{
	struct pattern *p = calloc(1, sizeof(*p));
	char why[160];
	int rc;

	if (!p)
		return errbuf_set(e, -ENOMEM, "pattern: no memory");
	rc = regcomp(&p->re, expr, REG_EXTENDED | REG_NOSUB);
	if (rc) {
		regerror(rc, &p->re, why, sizeof(why));
		free(p);
		return errbuf_set(e, rc == REG_ESPACE ? -ENOMEM : -EINVAL,
				  "pattern: %s", why);
	}
	*out = p;
	return 0;
}

bool pattern_match(const struct pattern *p, const char *text)
{
	return regexec(&p->re, text, 0, NULL, 0) == 0;
}

void pattern_free(struct pattern *p)
{
	if (!p)
		return;
	regfree(&p->re);
	free(p);
}
