/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names.c - Names that a journal gives to what its records hold
 */
#include "journal/names_internal.h"

#include <stdio.h>
#include <string.h>

#include "journal/journal.h"
#include "wire/pcap.h"

const char *names_iface(unsigned iface)
{
	static const char *const name[JOURNAL_IFACES] = {
#define X(id, text) [id] = text,
		JOURNAL_IFACE_LIST(X)
#undef X
	};

	return name[iface];
}

bool journal_leaves_out(const struct pcap_reader *r, uint32_t iface)
{
	if (!r->ng || r->ifaces != JOURNAL_IFACES)
		return false;
	for (unsigned i = 0; i < JOURNAL_IFACES; i++)
		if (strcmp(r->iface[i].name, names_iface(i)) != 0)
			return false;
	return iface == JOURNAL_SUT || iface == JOURNAL_EMITTED;
}

int names_error(char *err, const char *path, int r)
{
	snprintf(err, JOURNAL_ERR, "%.150s: %s", path, strerror(-r));
	return r;
}
