/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_decap.c - What it costs to take a frame out of its tunnel
 *
 * usage: bench_decap [ROUNDS]
 *
 * A full segment is decoded as it is, and wrapped in each way of
 * test/lib/wrapping.h. Printed are medians of RUNS runs of ROUNDS (200,000)
 * frames each, in ns of processor time a frame, and how much the tunnel adds.
 * The inner checksum is tested, as it is live; the outer datagram has none, as
 * the kernel sends it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../lib/wrapping.h"
#include "decap/decap.h"
#include "wire/build.h"

#define PAYLOAD 1400u
#define RUNS	9

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double measure(const uint8_t *f, uint32_t n, unsigned rounds)
{
	static const struct decap how = { .kinds = DECAP_ALL,
					  .most = DECAP_DEEP };
	struct frame_info in = {
		.data = f, .cap = n, .wire = n, .link = LINK_ETHERNET
	};
	struct decap_found found;
	struct decoded d;
	double run[RUNS];

	for (unsigned k = 0; k < RUNS; k++) {
		double begun = now();

		for (unsigned i = 0; i < rounds; i++)
			if (decap_frame(&in, &how, NULL, i, &d, NULL, &found) !=
			    DECODE_TCP)
				abort();
		run[k] = (now() - begun) / rounds;
	}
	qsort(run, RUNS, sizeof(run[0]), by_size);
	return run[RUNS / 2];
}

int main(int argc, char **argv)
{
	static const uint8_t payload[PAYLOAD] = "HTTP/1.1 200 OK";
	unsigned rounds = argc > 1 ? (unsigned)atoi(argv[1]) : 200000;
	struct tcp_header h = { .sport = 80, .dport = 4000, .ttl = 64 };
	uint8_t f[BUILD_HDR_MAX + PAYLOAD], g[sizeof(f) + WRAP_ROOM];
	double plain;
	size_t n;

	h.src = h.dst = ipaddr_from4((const uint8_t[]){ 10, 0, 0, 1 });
	n = build_tcp(f, &h, payload, PAYLOAD, CSUM_FULL);
	memcpy(f + n, payload, PAYLOAD);
	n += PAYLOAD;
	plain = measure(f, (uint32_t)n, rounds);
	printf("%-12s %6.1f ns\n", "plain", plain);
	for (unsigned k = 0; k < WRAP_COUNT; k++) {
		struct wrap w = { .kind = (enum wrap_kind)k, .key = 7 };
		uint32_t len = (uint32_t)wrap_frame(&w, g, f, n);
		double t = measure(g, len, rounds);

		printf("%-12s %6.1f ns  +%.1f\n", wrap_row[k].name, t,
		       t - plain);
	}
	return 0;
}
