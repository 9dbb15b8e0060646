/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options_methods.c - Which methods of HTTP are played
 */
#include <string.h>

#include "app/method.h"
#include "config/options_internal.h"
#include "opt/values.h"

static int set_methods(void *field, const struct opt_row *r, const char *v,
		       struct errbuf *e)
{
	struct engine_config *c = field;
	bool all = strcmp(v, "all") == 0;

	if (strcmp(v, "safe") == 0)
		v = METHODS_SAFE;
	if (!all && !method_list_good(v))
		return opt_bad(
			e, r, v,
			"is no list of methods with commas between them");
	if (strlen(v) >= sizeof(c->methods))
		return opt_bad(e, r, v, "is too long");
	memset(c->methods, 0, sizeof(c->methods));
	if (!all)
		memcpy(c->methods, v, strlen(v));
	return 0;
}

static bool put_methods(struct text *t, const void *field,
			const struct opt_row *r, unsigned i)
{
	const struct engine_config *c = field;

	(void)r;
	if (i > 0 || c->methods[0] == '\0')
		return false;
	value_put_word(t, strcmp(c->methods, METHODS_SAFE) == 0 ? "safe"
								: c->methods);
	return true;
}

const struct opt_kind kind_methods = { false, set_methods, put_methods };
