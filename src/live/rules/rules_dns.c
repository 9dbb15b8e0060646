/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rules_dns.c - Rules for answers of DNS
 *
 * They count for all questions, and so are no endpoint's; of two the later one
 * counts, as everywhere.
 */
#include <errno.h>

#include "rules/rules_internal.h"

#define SECONDS "a time to live has whole seconds, below 2^31"

int verb_dns(struct parser *p)
{
	static const char how[] = "write \"dns ttl within 5\"";
	struct rules_counts *n = &p->r->n;
	struct word w;
	uint64_t m = 0;
	int8_t e = 0;
	int rc = word_need(&p->s, &w, how);

	if (rc == 0 && p->line.endpoint != RULES_ALL)
		rc = word_fail(&p->s, w.at, w.n, -EINVAL,
			       "what is said of DNS is so for all endpoints",
			       "write it in front of the first \"on\", or "
			       "behind \"on *\"");
	if (rc == 0 && !word_is(&w, "ttl"))
		rc = word_fail(&p->s, w.at, w.n, -EINVAL,
			       "no such rule for DNS", how);
	if (rc == 0)
		rc = word_tolerance(&p->s, &m, &e);
	if (rc == 0 && (e != 0 || m > INT32_MAX))
		rc = word_fail(&p->s, w.at, w.n, -EINVAL, "no tolerance",
			       SECONDS);
	if (rc != 0)
		return rc;
	if (n->has_ttl && n->ttl_within != m && verb_is_beside(p, n->ttl_line))
		return verb_contradicts(p, &w, n->ttl_line);
	n->has_ttl = true;
	n->ttl_within = (uint32_t)m;
	n->ttl_line = (uint16_t)n->lines;
	return 0;
}

int rules_dns_ttl(const struct rules *r, uint32_t *within)
{
	if (!r->n.has_ttl || r->line[r->n.ttl_line].until_ns <= r->now_ns)
		return -1;
	*within = r->n.ttl_within;
	return r->n.ttl_line;
}
