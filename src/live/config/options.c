/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options.c - Read a run's options, and write them into its journal
 *
 * Theory of operation
 *
 * The tables (options_table.c) say what there is, opt/ reads and writes it, and
 * options_kind.c knows the values that are of one option alone. What depends on
 * more than one option is in options_check.c. Here is what a text or a command
 * line means that does not say everything.
 *
 * Words of files, and the filter expression that is joined from several words,
 * lie in blocks that are given back by opt_forget() alone: options live as long
 * as the program.
 */
#include "config/config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config/map.h"
#include "config/options_internal.h"
#include "opt/values.h"
#include "text/text.h"

#define MULTIPLIER_1   1000
#define NO_ROUTE_SHARE 10000 /* 1 % */
#define INDEX_DEFAULT  ((size_t)1 << 30)
#define JOURNAL_RING   (64u << 20)

void options_defaults(struct options *o)
{
	memset(o, 0, sizeof(*o));
	o->expr = "";
	engine_defaults(&o->engine);
	o->engine.shadow.reorder_wait = 0; /* by what is read */
	o->capture = RING_V2;
	o->min_compared.share = true;
	o->max_no_route = NO_ROUTE_SHARE;
	o->multiplier = MULTIPLIER_1;
	o->loop = 1;
	o->index = INDEX_DEFAULT;
	o->journal_ring = JOURNAL_RING;
	o->store_max = (size_t)1 << 30;
}

int options_file(void *base, const char *word, struct errbuf *e)
{
	struct options *o = base;

	if (o->files == FILES_MAX)
		return errbuf_set(e, -EINVAL, "more than %d files at once",
				  FILES_MAX);
	o->file[o->files++] = word;
	return 0;
}

int options_filter(void *base, const char *word, struct errbuf *e)
{
	struct options *o = base;
	size_t size = strlen(o->expr) + strlen(word) + 2;
	char *expr;

	if (o->expr[0] == '\0') {
		o->expr = word;
		return 0;
	}
	expr = opt_keep(size);
	if (!expr)
		return errbuf_set(e, -ENOMEM, "no memory");
	snprintf(expr, size, "%s %s", o->expr, word);
	o->expr = expr;
	return 0;
}

static const struct opt_command *command_of(unsigned cmd)
{
	switch (cmd) {
	case OPTIONS_SHADOW:
		return &options_shadow;
	case OPTIONS_DOCTOR:
		return &options_doctor;
	case OPTIONS_RERUN:
		return &options_rerun;
	case OPTIONS_REPLAY:
		return &options_replay;
	default:
		return &options_journal;
	}
}

/* Each production is played to the baseline, too. */
static void add_baseline(struct options *o)
{
	struct engine_config *c = &o->engine;
	uint32_t n = c->maps;

	for (uint32_t i = 0; o->has_baseline && i < n && c->maps < MAP_MAX;
	     i++) {
		c->map[c->maps] = c->map[i];
		c->map[c->maps].sut = o->baseline;
		c->map[c->maps].sut_port = o->baseline_port;
		c->map[c->maps++].baseline = true;
	}
}

/* What follows from what was said. */
static void finish(struct options *o)
{
	add_baseline(o);
	o->engine.mirror_live = o->files == 0;
	if (o->engine.shadow.reorder_wait == 0)
		o->engine.shadow.reorder_wait =
			o->files == 0 ? SHADOW_REORDER : SHADOW_REORDER_FILE;
}

int options_parse(struct options *o, int argc, char **argv, unsigned cmd,
		  struct errbuf *e)
{
	struct errbuf own = { "" };
	struct options n;
	int rc;

	options_defaults(&n);
	n.engine.prove_each = true;
	n.replay = cmd == OPTIONS_REPLAY;
	rc = opt_parse(command_of(cmd), &n, argc, argv, &n.seen, &own);
	if (rc < 0)
		return errbuf_set(e, -EINVAL, "%s", own.s);
	finish(&n);
	*o = n;
	return rc;
}

int options_read(struct options *o, const char *text, unsigned cmd,
		 struct errbuf *e)
{
	struct errbuf own = { "" };
	struct options n;
	int rc;

	options_defaults(&n);
	/* A text without --outside was written before there was one, by a
	 * version that neither refused nor asked; one without --prove, before
	 * there was a choice.
	 */
	n.engine.refuse = n.engine.ask_others = false;
	n.engine.prove_each = false;
	n.replay = cmd == OPTIONS_REPLAY;
	rc = opt_read(command_of(cmd), &n, text, &own);
	if (rc < 0)
		return errbuf_set(e, -EINVAL, "%s", own.s);
	finish(&n);
	*o = n;
	return rc;
}

int options_text(const struct options *o, char *out, size_t size)
{
	struct text t;

	if (size == 0)
		return -ENOSPC;
	text_begin(&t, out, size);
	opt_text(o->replay ? &options_journal : &options_shadow, o, &t);
	if (o->expr[0] != '\0') {
		text_add(&t, " -- ");
		value_put_word(&t, o->expr);
	}
	return t.full ? -ENOSPC : (int)t.len;
}

const char *options_again(const struct options *o, uint32_t map,
			  char out[OPTIONS_AGAIN])
{
	struct text t;

	if (!o->sut_dev || o->engine.sut_none || map >= o->engine.maps)
		return NULL;
	text_begin(&t, out, OPTIONS_AGAIN);
	text_add(&t, "--sut-dev %s \\\n    --map ", o->sut_dev);
	value_put_map(&t, &o->engine.map[map]);
	return out;
}
