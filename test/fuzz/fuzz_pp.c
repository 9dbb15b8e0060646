/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_pp.c - Fuzz headers of the PROXY protocol
 *
 * What is read is the same from fewer bytes, if these hold it, and not there in still
 * fewer; it is the same when it is made anew in either version; what is refused leaves the
 * output alone.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "net/pp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_copy(const uint8_t *p, size_t n, struct pp *out)
{
	uint8_t *copy = malloc(n > 0 ? n : 1);
	int rc;

	if (copy == NULL)
		abort();
	memcpy(copy, p, n);
	rc = pp_read(copy, n, out);
	free(copy);
	return rc;
}

static void make_again(const struct pp *p)
{
	uint8_t out[PP_MADE];
	struct pp q;

	for (int version = 1; version <= 2; version++) {
		size_t n = pp_make(version, p, out);

		assert(n > 0 && n <= PP_MADE);
		assert(pp_read(out, n, &q) == (int)n);
		assert(memcmp(p, &q, sizeof(q)) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pp p, q;
	int rc;

	memset(&p, 7, sizeof(p));
	q = p;
	rc = read_copy(data, size, &p);
	assert(rc == -EPROTO || rc == -EMSGSIZE || rc >= 0);
	if (rc <= 0) {
		assert(memcmp(&p, &q, sizeof(p)) == 0);
		assert(rc != 0 || size < PP_V2_MOST);
		return 0;
	}
	assert((size_t)rc <= size && rc <= PP_V2_MOST);
	assert(read_copy(data, (size_t)rc, &q) == rc);
	for (int n = 0; n < rc; n++)
		assert(read_copy(data, (size_t)n, &q) == 0);
	if (p.known)
		make_again(&p);
	return 0;
}
