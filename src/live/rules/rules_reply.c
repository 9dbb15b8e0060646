/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rules_reply.c - Rules for replies of redis
 *
 * They count for a command, whatever the connection, and so are no endpoint's:
 * of two for one command the later one counts, as everywhere.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "rules/rules_internal.h"

static int add_reply(struct parser *p, const struct word *w,
		     struct reply_rule *rule)
{
	struct rules *r = p->r;
	int rc = word_name(&p->s, w, rule->name, &rule->len, true);

	if (rc != 0)
		return rc;
	if (r->n.replies == RULES_REPLIES)
		return verb_full(p, "there are too many reply rules");
	for (uint32_t i = 0; i < r->n.replies; i++)
		if (r->reply[i].len == rule->len &&
		    memcmp(r->reply[i].name, rule->name, rule->len) == 0 &&
		    verb_is_beside(p, r->reply_line[i]) &&
		    r->reply[i].verb != rule->verb)
			return verb_contradicts(p, w, r->reply_line[i]);
	r->reply_line[r->n.replies] = (uint16_t)r->n.lines;
	r->reply[r->n.replies++] = *rule;
	return 0;
}

int verb_reply(struct parser *p)
{
	static const char how[] =
		"reply type, set or map and commands, or number, a command "
		"and \"within 1\"";
	static const char *const verb[] = { "type", "set", "map", "number" };
	struct reply_rule rule;
	struct word w;
	int rc = word_need(&p->s, &w, how);

	memset(&rule, 0, sizeof(rule));
	if (rc == 0 && p->line.endpoint != RULES_ALL)
		rc = word_fail(&p->s, w.at, w.n, -EINVAL,
			       "what is said of replies is so for all "
			       "endpoints",
			       "write it in front of the first \"on\", or "
			       "behind \"on *\"");
	while (rc == 0 && rule.verb < 4 && !word_is(&w, verb[rule.verb]))
		rule.verb++;
	if (rc == 0 && rule.verb == 4)
		rc = word_fail(&p->s, w.at, w.n, -EINVAL,
			       "no such rule for replies", how);
	if (rc == 0)
		rc = word_need(&p->s, &w, how);
	if (rc == 0 && rule.verb == REPLY_NUMBER) {
		rc = word_tolerance(&p->s, &rule.within_m, &rule.within_e);
		return rc != 0 ? rc : add_reply(p, &w, &rule);
	}
	if (rc == 0 && verb_ends_list(&w))
		rc = word_fail(&p->s, w.at, w.n, -EINVAL,
			       "a command is expected", how);
	while (rc == 0) {
		rc = add_reply(p, &w, &rule);
		if (rc != 0 || !word_next(&p->s, &w))
			break;
		if (verb_ends_list(&w)) {
			p->s.at = w.at;
			break;
		}
	}
	return rc;
}

/* Does a rule's name, in lower case, stand for the command of these words? */
static bool fits(const struct reply_rule *rule, const char *line, size_t n)
{
	for (size_t i = 0; i < rule->len; i++) {
		char c = i < n ? line[i] : '\0';

		if (c == ' ')
			c = '|';
		if (c >= 'A' && c <= 'Z')
			c = (char)(c | 0x20);
		if (c != rule->name[i])
			return false;
	}
	return n == rule->len || line[rule->len] == ' ';
}

const struct reply_rule *rules_reply(const struct rules *r, const char *line,
				     size_t n, int *number)
{
	for (uint32_t i = r->n.replies; i > 0; i--) {
		const struct rule *l = &r->line[r->reply_line[i - 1]];

		if (l->until_ns <= r->now_ns ||
		    !fits(&r->reply[i - 1], line, n))
			continue;
		*number = r->reply_line[i - 1];
		return &r->reply[i - 1];
	}
	return NULL;
}
