/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_edit.c - Any frame through cutting and rewriting
 *
 * The first bytes choose what is done, the rest is the frame, in copies of exact
 * size. Asserted: lengths stay in what was promised, and what is cut is all of
 * the payload and fits the wire.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "emit/cut.h"
#include "emit/edit.h"

#define HEAD 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void cut(const uint8_t *p, uint32_t len, uint32_t mtu)
{
	struct cut c;
	uint32_t sum = 0;

	if (cut_plan(&c, p, len, mtu) <= 0)
		return;
	for (uint32_t i = 0; i < c.segments; i++) {
		uint8_t *out = malloc(c.head + c.mss);
		uint32_t n = cut_segment(&c, p, i, out);

		assert(n <= c.head + c.mss && n - c.shape.l3 <= mtu);
		sum += n - c.head;
		free(out);
	}
	assert(sum == c.payload && sum > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct edit_config c = { .on = true,
				 .tos = -1,
				 .tclass = 7,
				 .flowlabel = 9,
				 .vlan_type = 0x8100 };
	struct edit_stats st = { 0 };
	uint32_t len, n;
	uint8_t *p;

	if (size < HEAD || size > 4096)
		return 0;
	len = (uint32_t)(size - HEAD);
	p = malloc(len + 1);
	memcpy(p, data + HEAD, len);
	cut(p, len, 68 + get_be16(data) % 1500u);
	free(p);
	c.seeded = data[2] & 1;
	c.efcs = data[2] & 2;
	c.trunc = data[2] & 4;
	c.fixcsum = data[2] & 8;
	c.vlan = data[2] >> 4 & 3;
	c.fixlen = data[2] >> 6;
	c.mtu = 68 + data[3];
	c.ttl = data[4] & 3;
	c.ttl_by = data[5];
	c.fuzz_factor = data[7] >> 1 & 3;
	c.fuzz_seed = data[6];
	c.seq_add = data[7] & 8 ? 0x01234567 : 0;
	c.mac_mask[5] = data[7];
	c.ports = 1;
	c.port[0] = (struct edit_port){ .most = 60000, .to = 53 };
	n = c.fixlen == EDIT_LEN_PAD ? EDIT_FRAME_MAX : len;
	p = malloc(n + EDIT_ROOM);
	memcpy(p, data + HEAD, len);
	n = len;
	(void)edit_frame(&c, &st, p, &n, len + data[6], data[7] & 1);
	assert(n <= len + EDIT_ROOM ||
	       (c.fixlen == EDIT_LEN_PAD && n <= EDIT_FRAME_MAX + EDIT_ROOM));
	free(p);
	return 0;
}
