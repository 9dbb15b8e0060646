/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options_dates.c - Names of files with the date in them
 *
 * A run never writes over a file, so a service that is started again needs
 * another name each time.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <time.h>

#include "config/config.h"
#include "core/limits.h"
#include "opt/opt.h"

static int put_date(const char **name, const struct tm *at, struct errbuf *e)
{
	char *out;

	if (!*name || !strchr(*name, '%'))
		return 0;
	out = opt_keep(PATH_MAX);
	if (!out)
		return errbuf_set(e, -ENOMEM, "no memory");
	if (strftime(out, PATH_MAX, *name, at) == 0)
		return errbuf_set(e, -EINVAL,
				  "%s: no name of a file comes of it (%%%% is "
				  "a %%)",
				  *name);
	*name = out;
	return 0;
}

int options_dates(struct options *o, uint64_t at, struct errbuf *e)
{
	time_t secs = (time_t)(at / NS_PER_SEC);
	struct tm tm;
	int rc;

	if (!localtime_r(&secs, &tm))
		return errbuf_set(e, -EINVAL, "no date");
	rc = put_date(&o->json, &tm, e);
	for (unsigned i = 0; rc == 0 && i < FORM_KINDS; i++)
		rc = put_date(&o->form[i], &tm, e);
	if (rc == 0)
		rc = put_date(&o->out, &tm, e);
	return rc != 0 ? rc : put_date(&o->journal, &tm, e);
}
