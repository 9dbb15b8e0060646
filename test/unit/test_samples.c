/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * samples: of each kind the first differences are kept, as many as there is room
 * for, and the others are counted.
 */
#include "outcome/samples.h"

#include <string.h>

#include "check.h"
#include "forms/few.h"
#include "compare/protocol.h"

static struct {
	struct exchange_record x;
	struct exchange_text t;
} record;

/* A difference, as it lies in the engine's ring. */
static struct engine_item item(uint32_t kind, enum compare_reason reason,
			       uint32_t index)
{
	struct engine_item t;

	memset(&record, 0, sizeof(record));
	record.x.kind = EVENT_VERDICT;
	record.x.protocol = PROTOCOL_HTTP1;
	record.x.verdict = VERDICT_DIFFERENT;
	record.x.reason = (uint8_t)reason;
	record.x.index = index;
	record.x.has_text = true;
	memcpy(record.t.request, "GET /a?password=hunter2 HTTP/1.1", 32);
	record.t.request_len = 32;
	record.t.evidence.kind = kind;
	item_read(&t, &record, sizeof(record));
	CHECK(t.text && t.exchange);
	return t;
}

static void the_first_of_each_kind_are_kept(void)
{
	static const struct run_epoch epoch = { 1, 0 };
	static const struct hash_key key = { { 1, 2 } };
	const struct report_difference *d;
	struct samples *s = samples_new();
	struct engine_item t;
	struct redact by;
	size_t n;

	redact_init(&by, &key, NULL, false);
	for (uint32_t i = 0; i < 30; i++) {
		t = item(7, REASON_BODY, i);
		samples_put(s, &t);
		t = item(0, REASON_STATUS, i);
		samples_put(s, &t);
	}
	t.exchange = &(struct exchange_record){ .verdict = VERDICT_IDENTICAL };
	samples_put(s, &t);
	n = samples_tell(s, &epoch, &by, &d);
	CHECK(n == FEW_OF_KIND + FEW_OF_ANY);
	CHECK(samples_left(s) == 60 - n);
	CHECK(d[0].index == 0 && d[0].result->reason == REASON_BODY);
	CHECK(d[1].index == 0 && d[1].result->reason == REASON_STATUS);
	CHECK(d[n - 1].index == FEW_OF_ANY - 1);
	for (size_t i = 0; i < n; i++)
		CHECK(d[i].request_len > 0 &&
		      !memmem(d[i].request, d[i].request_len, "hunter2", 7));
	samples_free(s);
}

static void there_is_an_end(void)
{
	static const struct run_epoch epoch = { 1, 0 };
	static const struct hash_key key = { { 1, 2 } };
	const struct report_difference *d;
	struct samples *s = samples_new();
	struct redact by;

	redact_init(&by, &key, NULL, false);
	for (uint32_t i = 0; i < 2 * FEW_MAX; i++) {
		struct engine_item t = item(i + 1, REASON_BODY, i);

		samples_put(s, &t);
	}
	CHECK(samples_tell(s, &epoch, &by, &d) == FEW_MAX);
	CHECK(samples_left(s) == FEW_MAX);
	CHECK(d[FEW_MAX - 1].index == FEW_MAX - 1);
	samples_free(s);
}

#define TEST(name)                                                             \
	{                                                                      \
#name, name                                                    \
	}

int main(void)
{
	static const struct check_test tests[] = {
		TEST(the_first_of_each_kind_are_kept),
		TEST(there_is_an_end),
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
