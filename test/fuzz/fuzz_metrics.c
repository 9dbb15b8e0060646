/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_metrics.c - Requests for metrics, however their bytes are cut
 *
 * Input: the bytes of a client. Held against ctl/http.h: what the answer is does not
 * hang on where they were cut, and there is one at the latest when the head is full.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A copy of exact size, so that a byte too far is seen. */
static int status_of(const uint8_t *data, size_t n)
{
	char *b = malloc(n + (n == 0));
	int status;

	memcpy(b, data, n);
	status = http_status(b, n);
	free(b);
	return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char get[] = "GET /metrics";
	int last = 0;

	for (size_t n = 0; n <= size && n <= HTTP_REQUEST + 2;
	     n += n < 64 || n + 8 > size || n > HTTP_REQUEST - 4 ? 1 : 8) {
		int now = status_of(data, n);

		assert(last == 0 || now == last);
		assert(now == 0 || http_reason(now)[0] != 'I');
		assert(now != 0 || n < HTTP_REQUEST);
		assert(now != 200 || memcmp(data, get, sizeof(get) - 1) == 0);
		last = now;
	}
	return 0;
}
