/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * list.c - Values that are lists with commas
 */
#include "opt/list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int list_next(const char **p, char out[LIST_ITEM])
{
	size_t n;

	*p += strspn(*p, ",");
	n = strcspn(*p, ",");
	if (n == 0)
		return 0;
	if (n >= LIST_ITEM)
		return -E2BIG;
	memcpy(out, *p, n);
	out[n] = '\0';
	*p += n;
	return 1;
}

/*
 * N, N-M or N-, with a leading 0 in octal, as tcpprep has them; but the last of
 * the three is in its manual only.
 */
static bool range_of(const char *s, bool tcpprep, struct number_range *r)
{
	const char *dash = strchr(s, '-');
	size_t digits = strspn(s, "0123456789");

	if (digits == 0)
		return false;
	r->min = strtoull(s, NULL, 0);
	r->max = r->min;
	if (s[digits] == '\0')
		return true;
	if (dash != s + digits)
		return false;
	if (dash[1 + strspn(dash + 1, "0123456789")] != '\0' ||
	    (dash[1] == '\0' && tcpprep))
		return false;
	r->max = dash[1] == '\0' ? 0 : strtoull(dash + 1, NULL, 0);
	return true;
}

int list_ranges(const char *s, bool tcpprep, struct number_range *out,
		struct errbuf *e)
{
	char item[LIST_ITEM];
	int n = 0;
	int rc;

	while ((rc = list_next(&s, item)) == 1) {
		if (n == LIST_MAX)
			return errbuf_set(e, -E2BIG, "more than %d ranges",
					  LIST_MAX);
		if (!range_of(item, tcpprep, &out[n]))
			return errbuf_set(e, -EINVAL, "no packet number: %s",
					  item);
		n++;
	}
	if (rc < 0 || n == 0)
		return errbuf_set(e, -EINVAL, "no list of packet numbers");
	return n;
}
