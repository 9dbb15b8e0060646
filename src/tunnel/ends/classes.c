/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * classes.c - Packets that go another way than the rest, by tcpdump's filters
 */
#include "ends/ends_internal.h"
#include "wire/decode.h"

int classes_open(struct ends *t, struct errbuf *e)
{
	int r = 0;

	for (unsigned i = 0; r == 0 && i < t->o->classes; i++) {
		struct errbuf why = { "" };

		r = filter_compile(&t->filter[i], t->o->class[i].filter,
				   t->o->tap ? LINK_ETHERNET : LINK_RAW, &why);
		if (r != 0)
			errbuf_set(e, r,
				   "--class %s=...: %s; see "
				   "pcap-filter(7)",
				   t->o->class[i].filter, why.s);
	}
	return r;
}

void classes_close(struct ends *t)
{
	for (unsigned i = 0; i < ENDS_CLASSES; i++)
		filter_free(&t->filter[i]);
}

enum mp_class classes_find(const struct ends *t, const uint8_t *p, uint32_t n)
{
	for (unsigned i = 0; i < t->o->classes; i++)
		if (filter_match(&t->filter[i], p, n, n))
			return t->o->class[i].class;
	return MP_AS_ALL;
}
