/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_comparedns.c - Fuzz dns_compare() with two arbitrary messages
 *
 * Input: 2 bytes, the length of the first message, then both. Checks that a
 * message is identical to itself, that both orders agree on whether they differ,
 * that equal bytes and only those are identical, and that the detail is a string
 * of printable characters.
 */
#include "compare/dns.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "compare/protocol.h"
#include "core/bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_result(const struct compare_result *r)
{
	char detail[COMPARE_DETAIL];
	const char *end;

	memset(detail, 'x', sizeof(detail));
	protocols[PROTOCOL_DNS].describe->difference(r, NULL, detail);
	end = memchr(detail, '\0', COMPARE_DETAIL);
	assert(end != NULL);
	for (const char *p = detail; p < end; p++)
		assert(*p >= ' ' && *p <= '~');
	assert((r->verdict == VERDICT_DIFFERENT) == (r->reason != REASON_NONE));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct compare_result ab, ba, aa;
	uint32_t n, a_len, b_len;
	uint8_t *a, *b; /* of exact size */
	bool equal;

	if (size < 2 || size > 65536)
		return 0;
	n = (uint32_t)size - 2;
	a_len = get_be16(data);
	if (a_len > n)
		return 0;
	b_len = n - a_len;
	a = malloc(a_len + 1u);
	b = malloc(b_len + 1u);
	if (a == NULL || b == NULL)
		abort();
	/* Behind a first byte, so that a length of 0 has a place. */
	a++;
	b++;
	memcpy(a, data + 2, a_len);
	memcpy(b, data + 2 + a_len, b_len);

	dns_compare(COMPARE_EQUIVALENT, a, a_len, b, b_len, &ab);
	dns_compare(COMPARE_EQUIVALENT, b, b_len, a, a_len, &ba);
	dns_compare(COMPARE_EQUIVALENT, a, a_len, a, a_len, &aa);
	check_result(&ab);
	check_result(&ba);
	assert(aa.verdict == VERDICT_IDENTICAL);
	assert(ab.verdict == ba.verdict);
	equal = a_len == b_len && memcmp(a, b, a_len) == 0;
	assert((ab.verdict == VERDICT_IDENTICAL) == equal);
	free(a - 1);
	free(b - 1);
	return 0;
}
