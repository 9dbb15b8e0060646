/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * confine.c - What prep may still do once it reads
 *
 * Theory of operation
 *
 * All files are open by then: the captures, the new cache, the log. What is
 * left is to read and write these, and to let the cache take its name: rename()
 * or, by a signal, unlink(), in the cache's folder and nowhere else. Who
 * started it stays who it is, since that name may lie where only that user can
 * write; with nothing to open, no socket and no program there is little that a
 * user's rights give.
 */
#include "os/confine.h"
#include "prep/prep.h"

int prep_confine(const struct prep_args *a, struct prep_source *s, unsigned n,
		 bool again, struct errbuf *e)
{
	struct confine c = { .stay = true,
			     .box = { .needs = SANDBOX_RUN, .broker = -1 },
			     .quiet = true };
	int rc;

	if (!a->show) {
		c.box.needs |= SANDBOX_REREAD | SANDBOX_REPLACE;
		confine_place(&c, a->out, true);
	}
	if (again) {
		c.box.needs |= SANDBOX_READ;
		confine_place(&c, a->in, false);
	}
	rc = confine(&c, CONFINE_EARLY, e);
	if (rc)
		return rc;
	for (unsigned i = 0; i < n; i++)
		file_read_ahead(&s[i].file);
	return confine(&c, CONFINE_FINAL, e);
}
