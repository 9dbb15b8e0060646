/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options_slower.c - The kind of --max-slower: a quantile, and a share
 */
#include <errno.h>
#include <string.h>

#include "config/options_internal.h"
#include "opt/values.h"

static const struct {
	const char *name;
	uint32_t permille;
} slower_words[] = {
	{ "p50", 500 }, { "p90", 900 }, { "p99", 990 }, { "p99.9", 999 }
};

#define SLOWER_WORDS (sizeof(slower_words) / sizeof(slower_words[0]))

static int set_slower(void *field, const struct opt_row *r, const char *v,
		      struct errbuf *e)
{
	struct options *o = field;
	const char *colon = strchr(v, ':');
	size_t n = colon ? (size_t)(colon - v) : 0;
	uint32_t share = 0;
	int rc;

	if (o->slowers == SLOWER_MAX)
		return errbuf_set(e, -EINVAL, "--%s: there are more than %u",
				  r->name, SLOWER_MAX);
	for (size_t i = 0; colon && i < SLOWER_WORDS; i++) {
		if (strlen(slower_words[i].name) != n ||
		    memcmp(slower_words[i].name, v, n) != 0)
			continue;
		rc = opt_kind_share.set(&share, r, colon + 1, e);
		if (rc == 0)
			o->slower[o->slowers++] = (struct option_slower){
				slower_words[i].permille, share
			};
		return rc;
	}
	return errbuf_set(e, -EINVAL,
			  "--%s %s: names no quantile; p50, p90, p99 and p99.9 "
			  "are there, as in p99:10%%",
			  r->name, v);
}

static bool put_slower(struct text *t, const void *field,
		       const struct opt_row *r, unsigned i)
{
	const struct options *o = field;

	(void)r;
	for (size_t k = 0; i < o->slowers && k < SLOWER_WORDS; k++)
		if (slower_words[k].permille == o->slower[i].permille)
			text_add(t, "%s:", slower_words[k].name);
	if (i < o->slowers)
		value_put_share(t, o->slower[i].share);
	return i < o->slowers;
}

const struct opt_kind kind_slower = { false, set_slower, put_slower };
