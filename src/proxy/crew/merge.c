/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * merge.c - One answer of several workers'
 */
#include "crew/merge.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ID   "{\"id\":"
#define MORE "{\"more\":"

/** struct head - The next line of a list. @at: NULL: there is none */
struct head {
	const char *at;
	size_t len;
	uint64_t id;
	bool more;
};

static void read_head(struct head *h, const char *at)
{
	const char *end = strchr(at, '\n');
	size_t skip;

	*h = (struct head){ .more = strncmp(at, MORE, strlen(MORE)) == 0 };
	skip = h->more ? strlen(MORE) : strlen(ID);
	if (!end || (!h->more && strncmp(at, ID, strlen(ID)) != 0))
		return;
	h->at = at;
	h->len = (size_t)(end - at) + 1;
	h->id = strtoull(at + skip, NULL, 10);
}

static struct head *lowest(struct head *h, unsigned n)
{
	struct head *low = NULL;

	for (unsigned i = 0; i < n; i++)
		if (h[i].at && (!low || h[i].id < low->id))
			low = &h[i];
	return low;
}

void merge_list(const char *const *part, unsigned n, size_t room,
		struct text *out)
{
	struct head head[MERGE_MOST], *h;

	for (unsigned i = 0; i < n; i++)
		read_head(&head[i], part[i]);
	while ((h = lowest(head, n)) != NULL) {
		if (h->more || out->len > room) {
			text_add(out, MORE "%llu}\n",
				 (unsigned long long)h->id);
			return;
		}
		text_add(out, "%.*s", (int)h->len, h->at);
		read_head(h, h->at + h->len);
	}
}
