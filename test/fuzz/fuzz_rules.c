/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_rules.c - Texts of rules, and masks
 *
 * Input: a text of rules; what is behind a byte 0xff is a target, then a line
 * of text. A text that is refused says where, and changes nothing: rules that
 * were there have the same view. One that is taken can be taken again behind
 * itself. What a mask finds lies in the line, a mask that is bound to neither
 * end finds it in what was found alone, and in the line behind it nothing
 * begins earlier.
 */
#include "rules/rules.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BEFORE "understudy rules 1\nheader ignore A\ntext mask /[0-9]+x/\n"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct rules *fresh(void)
{
	static struct arena a;
	struct rules *r = NULL;

	if (a.base == NULL) {
		a.size = rules_size();
		a.base = aligned_alloc(ARENA_ALIGN, a.size);
	}
	a.used = 0;
	assert(rules_init(&r, &a) == 0);
	return r;
}

static void check_error(const char *p, size_t n, const struct rules_error *e)
{
	uint32_t lines = 1;
	size_t from = 0;

	assert(e->line >= 1 && e->column >= 1 && e->other < e->line);
	assert(e->what != NULL && e->remedy != NULL);
	assert(memchr(e->word, '\0', sizeof(e->word)) != NULL);
	for (size_t i = 0; i < n && lines < e->line; i++) {
		if (p[i] == '\n') {
			lines++;
			from = i + 1;
		}
	}
	assert(lines == e->line);
	assert(e->column <= n - from + 1);
	/* a word of ours stands there, but for a preset's own */
	if (strlen(e->word) <= n - from - (e->column - 1))
		assert(memcmp(p + from + e->column - 1, e->word,
			      strlen(e->word)) == 0);
}

static void check_masks(const struct rules_view *v, const uint8_t *p, size_t n)
{
	for (uint32_t i = 0; i < v->masks; i++) {
		const struct mask *m = v->mask[i];
		size_t from = 0, at, len, at2, len2;
		uint64_t work = 100000, more = 100000;

		while (mask_find(m, p, n, from, &at, &len, &work) == 1) {
			assert(at >= from && len > 0 && len <= n - at);
			if (!m->begin && !m->end) {
				assert(mask_find(m, p + at, len, 0, &at2, &len2,
						 &more) == 1);
				assert(at2 == 0 && len2 == len);
			}
			from = at + len;
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *mark = memchr(data, 0xff, size);
	size_t n = mark != NULL ? (size_t)(mark - data) : size;
	const uint8_t *line = mark != NULL ? mark + 1 : data;
	size_t len = size - (size_t)(line - data);
	struct rules *r = fresh();
	const struct rules_view *v;
	struct rules_error e;
	uint32_t lines;
	int rc;

	if (size > 8192)
		return 0;
	assert(rules_read(r, BEFORE, strlen(BEFORE), &e) == 0);
	rc = rules_read(r, (const char *)data, n, &e);
	lines = rules_count(r);
	if (rc != 0) {
		assert(rc == -EINVAL || rc == -E2BIG);
		check_error((const char *)data, n, &e);
		assert(lines == 2);
		assert(rules_end(r, 0) == 0);
		v = rules_view(r, rules_endpoint(r, data, 1, line, len));
		assert(v->headers == 1 && v->masks == 1 && v->jsons == 0);
		assert(v->cookies == 0 && v->level == LEVEL_WHOLE);
		return 0;
	}
	if (rules_end(r, 0) == 0) {
		uint32_t at =
			rules_endpoint(r, (const uint8_t *)"GET", 3, line, len);

		v = rules_view(r, at);
		assert(v->headers >= 1 && v->masks >= 1);
		assert(rules_name(r, at)[0] != '\0');
		for (uint32_t i = 0; i < v->jsons; i++)
			assert(v->json_rule[i] < lines);
		check_masks(v, line, len < 512 ? len : 512);
	}
	/* endpoints have their names already, and lists end */
	rc = rules_read(r, (const char *)data, n, &e);
	assert(rc == 0 || rules_count(r) == lines);
	return 0;
}
