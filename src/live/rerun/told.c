/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * told.c - The options of a run, from its journal, and those of its rerun
 *
 * Two processes ask: the one that runs the engine, and that of --out, which was
 * made before a byte of the journal was read and reads its header for itself.
 */
#include <errno.h>
#include <string.h>

#include "rerun/rerun_internal.h"

bool rerun_other_rules(const struct options *told)
{
	return told->sources > 0 || told->engine.rules.ignored > 0;
}

/* Those of the rerun, if it was told any, in place of the run's. */
static int use_rules(struct options *o, const struct options *told,
		     struct errbuf *e)
{
	if (rerun_other_rules(told) && o->engine.compare != COMPARE_EQUIVALENT)
		return errbuf_set(e, -EINVAL,
				  "it was not compared at level equivalent, "
				  "where --ignore-header and --rules mean "
				  "something");
	if (told->engine.rules.ignored > 0)
		o->engine.rules = told->engine.rules;
	/* A journal has its rules in it: a name of a file is not believed. */
	for (uint32_t i = 0; i < o->sources; i++)
		if (o->source[i].word[0] != '@' &&
		    !strchr(o->source[i].word, '\n'))
			return errbuf_set(e, -EINVAL,
					  "it names a file of rules, and does "
					  "not hold it");
	if (told->sources > 0) {
		memcpy(o->source, told->source, sizeof(o->source));
		o->sources = told->sources;
	}
	return 0;
}

int rerun_options(struct options *o, const struct options *told,
		  const struct journal_header *h, struct errbuf *e)
{
	static struct options n;
	struct errbuf why = { "" };
	int r = options_read(&n, h->options, OPTIONS_SHADOW | OPTIONS_REPLAY,
			     &why);

	if (r != 0)
		return errbuf_set(e, r, "version %s wrote its options: %s",
				  h->version, why.s);
	/* What does not name it comes of a run that waited for no answer. */
	if (!strstr(h->options, " --answer-wait "))
		n.engine.shadow.answer_wait = 0;
	r = use_rules(&n, told, e);
	if (r != 0)
		return r;
	options_over(&n, told);
	r = options_rules_make(&n, h->started + h->begun, &why);
	if (r != 0)
		return errbuf_set(e, r, "its rules: %s", why.s);
	*o = n;
	return 0;
}

int rerun_redact(void *rerun, struct redact *out)
{
	struct rerun *g = rerun;
	char err[JOURNAL_ERR];
	struct errbuf e;
	struct hash_key key;
	int r;

	if (journal_read_open(&g->in, g->told->file[0], err) != 0)
		return -EBADMSG;
	r = rerun_options(&g->o, g->told, journal_read_header(g->in), &e);
	key = journal_read_header(g->in)->key;
	journal_read_close(g->in);
	if (r != 0)
		return -EBADMSG;
	redact_init(out, &key, g->o.engine.by, g->told->redact_off);
	return 0;
}
