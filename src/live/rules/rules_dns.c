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

static int read_within(struct parser *p, const struct word *w, uint64_t *m)
{
	int8_t e = 0;
	int rc = word_tolerance(&p->s, m, &e);

	if (rc == 0 && (e != 0 || *m > INT32_MAX))
		rc = word_fail(&p->s, w->at, w->n, -EINVAL, "no tolerance",
			       SECONDS);
	return rc;
}

/* Which of both? A subset may have a tolerance. */
static int read_verb(struct parser *p, struct word *w, enum dns_verb *verb,
		     uint64_t *m)
{
	static const char how[] =
		"write \"dns ttl within 5\" or \"dns subset\"";
	struct scan at;
	struct word next;

	*m = 0;
	*verb = DNS_RULE_TTL;
	if (word_is(w, "ttl"))
		return read_within(p, w, m);
	if (!word_is(w, "subset"))
		return word_fail(&p->s, w->at, w->n, -EINVAL,
				 "no such rule for DNS", how);
	*verb = DNS_RULE_SUBSET;
	at = p->s;
	if (word_next(&at, &next) && word_is(&next, "within"))
		return read_within(p, w, m);
	return 0;
}

int verb_dns(struct parser *p)
{
	enum dns_verb verb;
	struct dns_rule *of;
	struct word w;
	uint64_t m;
	int rc = word_need(&p->s, &w,
			   "write \"dns ttl within 5\" or \"dns subset\"");

	if (rc == 0 && p->line.endpoint != RULES_ALL)
		rc = word_fail(&p->s, w.at, w.n, -EINVAL,
			       "what is said of DNS is so for all endpoints",
			       "write it in front of the first \"on\", or "
			       "behind \"on *\"");
	if (rc == 0)
		rc = read_verb(p, &w, &verb, &m);
	if (rc != 0)
		return rc;
	of = &p->r->n.dns[verb];
	if (of->has && of->within != m && verb_is_beside(p, of->line))
		return verb_contradicts(p, &w, of->line);
	*of = (struct dns_rule){ true, (uint16_t)p->r->n.lines, (uint32_t)m };
	return 0;
}

static int dns_rule(const struct rules *r, enum dns_verb verb, uint32_t *within)
{
	const struct dns_rule *of = &r->n.dns[verb];

	if (!of->has || r->line[of->line].until_ns <= r->now_ns)
		return -1;
	*within = of->within;
	return of->line;
}

int rules_dns_ttl(const struct rules *r, uint32_t *within)
{
	return dns_rule(r, DNS_RULE_TTL, within);
}

int rules_dns_subset(const struct rules *r, uint32_t *within)
{
	return dns_rule(r, DNS_RULE_SUBSET, within);
}
