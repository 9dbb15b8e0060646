/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * datagram.c - Compare two datagrams by their bytes
 */
#include "compare/compare_internal.h"

static void compare_whole(enum compare_level level, const struct rules *by,
			  const uint8_t *prod, uint32_t prod_len,
			  const uint8_t *sut, uint32_t sut_len,
			  struct compare_result *out)
{
	uint32_t n = prod_len < sut_len ? prod_len : sut_len;
	uint32_t i = 0;

	(void)level;
	(void)by;
	*out = (struct compare_result){ .verdict = VERDICT_IDENTICAL,
					.bytes = { prod_len, sut_len } };
	while (i < n && prod[i] == sut[i])
		i++;
	if (i == n && prod_len == sut_len)
		return;
	out->verdict = VERDICT_DIFFERENT;
	out->reason = REASON_BYTES;
	out->offset = i;
}

const struct compare_ops compare_datagram = { .whole = compare_whole };
