/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_dns.c - Fuzz DNS framing over TCP, and dns_parse_id()
 *
 * Input: 1 byte of seed, then bytes that are taken for a stream and for one
 * message. The stream gives the same trace however it is cut. A message that is
 * read asks the same with its last byte cut off, if it is still read; one that is
 * refused leaves the output alone.
 */
#include "app/framer.h"

#include <assert.h>
#include <errno.h>

#include "framer_trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_stream(const uint8_t *p, size_t n, uint64_t seed)
{
	static struct trace whole, cut;
	uint64_t state[FRAMER_STATE_MAX / 8];
	struct rng rng = { seed };

	memset(&whole, 0, sizeof(whole));
	memset(&cut, 0, sizeof(cut));
	framer_dns_tcp.init(state, false);
	trace_feed(&whole, &framer_dns_tcp, state, WHO_PROD, p, n, CUT_WHOLE,
		   &rng);
	framer_dns_tcp.init(state, false);
	trace_feed(&cut, &framer_dns_tcp, state, WHO_PROD, p, n, CUT_RANDOM,
		   &rng);
	assert(whole.errors == 0 && cut.errors == 0);
	assert(strcmp(trace_end(&whole), trace_end(&cut)) == 0);
}

static void fuzz_message(const uint8_t *p, size_t n)
{
	struct dns_id id = { .id = 7, .question = 9 }, again;
	uint8_t *copy = malloc(n);
	int r;

	if (copy == NULL)
		abort();
	memcpy(copy, p, n);
	r = dns_parse_id(copy, (uint32_t)n, &id);
	assert(r == 0 || r == -EBADMSG);
	if (r != 0) {
		assert(id.id == 7 && id.question == 9 && !id.response);
	} else {
		assert(id.id == (p[0] << 8 | p[1]));
		assert(id.response == (p[2] >= 0x80));
		/* A shorter message is refused or asks the same. */
		if (dns_parse_id(copy, (uint32_t)n - 1, &again) == 0)
			assert(again.question == id.question);
	}
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2 || size > 4096)
		return 0;
	fuzz_stream(data + 1, size - 1, data[0]);
	fuzz_message(data + 1, size - 1);
	return 0;
}
