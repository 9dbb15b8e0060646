/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names.c - Names that a journal gives to what its records hold
 */
#include "journal/names_internal.h"

#include <stdio.h>
#include <string.h>

#include "journal/journal.h"

const char *names_iface(unsigned iface)
{
	static const char *const name[JOURNAL_IFACES] = {
#define X(id, text) [id] = text,
		JOURNAL_IFACE_LIST(X)
#undef X
	};

	return name[iface];
}

int names_error(char *err, const char *path, int r)
{
	snprintf(err, JOURNAL_ERR, "%.150s: %s", path, strerror(-r));
	return r;
}
