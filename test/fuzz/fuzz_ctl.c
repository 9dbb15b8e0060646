/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_ctl.c - Requests of a control socket, however their bytes are cut
 *
 * Input: a byte that says in what pieces they come, then the bytes. What is taken is
 * as ctl/request.h says, and the same as when the bytes come one at a time.
 */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "ctl/request.h"

#define REQUESTS 256

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** struct taken - What came of some bytes */
struct taken {
	size_t n;
	int rc[REQUESTS];
	struct ctl_request r[REQUESTS];
};

static void check_request(const struct ctl_request *r)
{
	size_t n = strnlen(r->name, sizeof(r->name));
	size_t v = strnlen(r->value, sizeof(r->value));

	assert(n < sizeof(r->name) && v < sizeof(r->value));
	assert(r->verb <= CTL_CALL);
	assert(r->verb != CTL_SET || v > 0);
	assert(r->verb == CTL_SET || r->verb == CTL_CALL || v == 0);
	assert((r->verb != CTL_SET && r->verb != CTL_CALL) || n > 0);
	assert(r->verb <= CTL_SET || r->verb == CTL_CALL || n == 0);
	for (size_t i = 0; i < n; i++)
		assert(strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUV"
			      "WXYZ0123456789-_",
			      r->name[i]) != NULL);
	for (size_t i = 0; i < v; i++)
		assert(r->value[i] >= ' ' && r->value[i] <= '~');
	assert(v == 0 || (r->value[0] != ' ' && r->value[v - 1] != ' '));
}

static void take(struct taken *t, const uint8_t *p, size_t size, size_t piece)
{
	struct ctl_input in = { .n = 0 };
	int rc = 0;

	t->n = 0;
	while (size > 0 && rc != -E2BIG && t->n < REQUESTS) {
		size_t n = size < piece ? size : piece;

		if (n > sizeof(in.b) - in.n)
			n = sizeof(in.b) - in.n;
		memcpy(in.b + in.n, p, n);
		in.n += n;
		p += n;
		size -= n;
		do {
			struct errbuf e = { "" };

			rc = ctl_input_next(&in, &t->r[t->n], &e);
			assert(rc == 1 || rc == 0 || rc == -E2BIG ||
			       (rc == -EINVAL && e.s[0] != '\0'));
			assert(in.n <= sizeof(in.b));
			if (rc == 1)
				check_request(&t->r[t->n]);
			if (rc != 0)
				t->rc[t->n++] = rc;
		} while (rc != 0 && rc != -E2BIG && t->n < REQUESTS);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct taken a, b;

	if (size < 2)
		return 0;
	take(&a, data + 1, size - 1, 1);
	take(&b, data + 1, size - 1, 1 + data[0]);
	assert(a.n == b.n);
	for (size_t i = 0; i < a.n; i++) {
		assert(a.rc[i] == b.rc[i]);
		assert(a.rc[i] != 1 ||
		       (a.r[i].verb == b.r[i].verb &&
			strcmp(a.r[i].name, b.r[i].name) == 0 &&
			strcmp(a.r[i].value, b.r[i].value) == 0));
	}
	return 0;
}
