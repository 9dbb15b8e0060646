/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * json_rules - Rules for tests, from words
 *
 * One line a rule: "ignore PLACE", "set PLACE", "key PLACE $.MEMBER", "number
 * PLACE M E" (within M * 10^E), "text PLACE", "class PLACE CLASS", "time PLACE
 * SECONDS".
 */
#ifndef TEST_JSON_RULES_H
#define TEST_JSON_RULES_H

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/json_rule.h"

static inline void json_rule_of(struct json_rule *r, const char *line)
{
	static const char *const verb[] = { "ignore", "set",   "key", "number",
					    "text",   "class", "time" };
	char word[16] = "", at[128] = "", a[64] = "", b[16] = "";
	size_t used;
	int rc;

	assert(sscanf(line, "%15s %127s %63s %15s", word, at, a, b) >= 2);
	memset(r, 0, sizeof(*r));
	while (strcmp(verb[r->verb], word) != 0)
		r->verb++;
	rc = place_read(&r->at, at, strlen(at), &used);
	assert(rc == 0);
	if (r->verb == JSON_KEY)
		rc = place_read(&r->by, a, strlen(a), &used);
	assert(rc == 0);
	r->class = (uint8_t)class_find(a, strlen(a));
	r->within_m = strtoull(a, NULL, 10);
	r->within_e = (int8_t)atoi(b);
	r->within_ns = atoll(a) * 1000000000;
}

/* Rules of @text, which have "; " between them; @list is of pointers to @r.
 * Return: how many
 */
static inline uint32_t json_rules_of(struct json_rule *r,
				     const struct json_rule **list,
				     const char *text)
{
	uint32_t n = 0;

	while (*text != '\0') {
		char line[256];
		size_t len = strcspn(text, ";");

		assert(len < sizeof(line));
		memcpy(line, text, len);
		line[len] = '\0';
		json_rule_of(&r[n], line);
		list[n] = &r[n];
		n++;
		text += len + (text[len] == ';');
		text += strspn(text, " ");
	}
	return n;
}

#endif /* TEST_JSON_RULES_H */
