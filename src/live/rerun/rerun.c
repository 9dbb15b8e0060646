/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rerun.c - Journals, one after the other: the engine is made, asked, and
 * reported
 */
#include "rerun/rerun.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/engine.h"
#include "os/confine.h"
#include "os/exitcode.h"
#include "os/log.h"
#include "os/mem.h"
#include "report/report.h"
#include "rerun/rerun_internal.h"

int rerun_cannot(struct rerun *g, const char *fmt, ...)
{
	char why[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	log_line(LOG_ERROR, "%s: cannot be rerun: %s", g->file, why);
	g->result = EXIT_ERROR;
	return -1;
}

FILE *rerun_answers(const struct rerun *g)
{
	bool taken = g->to.lines == stdout;

	for (unsigned i = 0; i < FORM_KINDS; i++)
		taken |= g->told->form[i] && strcmp(g->told->form[i], "-") == 0;
	return taken ? stderr : stdout;
}

int rerun_differs(struct rerun *g, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(g->what, sizeof(g->what), fmt, ap);
	va_end(ap);
	g->differs = true;
	g->at = g->records;
	return -1;
}

/* What a journal with losses lacks may be the cause, so it is read to its end
 * first.
 */
int rerun_say_difference(struct rerun *g)
{
	struct journal_status st;
	struct journal_record r;

	while (journal_read_next(g->in, &r) > 0)
		;
	journal_read_status(g->in, &st);
	if (!st.whole)
		return rerun_cannot(g, "%s (%" PRIu64 " records lost)",
				    st.why ? st.why : "it is not whole",
				    st.lost);
	fprintf(rerun_answers(g), "%s: different at record %" PRIu64 ": %s\n",
		g->file, g->at, g->what);
	g->result = EXIT_DIFFERENT;
	return -1;
}

/* --- making the engine --- */

static int open_journal(struct rerun *g)
{
	char err[JOURNAL_ERR];

	if (journal_read_open(&g->in, g->file, err))
		return rerun_cannot(g, "%s", err);
	return 0;
}

static void close_journal(struct rerun *g)
{
	if (g->in)
		journal_read_close(g->in);
	g->in = NULL;
}

static int make_engine(struct rerun *g)
{
	const struct journal_header *h = journal_read_header(g->in);
	struct errbuf e = { "" };
	struct engine_config *c = &g->o.engine;

	if (h->only_client)
		return rerun_cannot(g,
				    "it holds the clients' frames only (made "
				    "with --journal-only client)");
	if (rerun_options(&g->o, g->told, h, &e))
		return rerun_cannot(g, "%s", e.s);
	g->other_rules = rerun_other_rules(g->told);
	c->limits = h->limits;
	c->key = h->key;
	c->seed = h->seed;
	memcpy(c->mac, h->mac, ETH_LEN);
	c->learn = g->told->learn != NULL;
	if (c->learn && !c->by)
		return rerun_cannot(g, "what there is to learn is found by "
				       "rules, and it has none: add --rules "
				       "@http");
	redact_init(&g->redact, &c->key, c->by, g->told->redact_off);
	if (rerun_judge_open(g))
		return rerun_cannot(g, "no memory for what judges by rules");
	if (mem_take(&g->mem, engine_size(c), 0))
		return rerun_cannot(g,
				    "no memory for %zu MB of flows and payload",
				    engine_size(c) >> 20);
	if (engine_init(&g->engine, &g->mem, c, h->begun))
		return rerun_cannot(g, "its options contradict each other");
	/* Only of a capture played to nobody the time is the file's own. */
	if (!c->sut_none)
		g->o.files = 0;
	g->epoch.begun = h->begun;
	g->epoch.started = h->started + h->begun;
	return 0;
}

static void tell_learned(const struct rerun *g, FILE *to)
{
	static char text[REPORT_LEARN];
	size_t n = report_learn(text, sizeof(text), engine_noise(g->engine),
				g->o.has_baseline);

	fwrite(text, 1, n, to);
}

/* Hand all of it in, up to its end. Return: 0, or -1: it was said, or differs
 */
static int hand_in(struct rerun *g)
{
	int rc = open_journal(g);

	if (rc == 0)
		rc = make_engine(g);
	if (rc == 0)
		rc = rerun_report_begin(g);
	if (rc == 0)
		rc = rerun_records(g);
	if (rc == 0 || (g->differs && g->reports && g->result != EXIT_ERROR))
		rc = rerun_end(g);
	return rc;
}

static void rerun_file(struct rerun *g, const char *file,
		       const struct options *told, const struct rerun_to *to)
{
	int rc;

	memset(g, 0, sizeof(*g));
	g->file = file;
	g->told = told;
	g->o = *told;
	g->to = *to;
	g->judges = options_judges(told);
	g->reports = to->lines || g->judges;
	g->result = EXIT_SAME;
	rc = hand_in(g);
	if (g->differs && g->result != EXIT_ERROR)
		rc = rerun_say_difference(g);
	if (rc == 0)
		fprintf(rerun_answers(g),
			"%s: equal: %" PRIu64 " records, %" PRIu64
			" emitted frames\n",
			file, g->records, g->emitted);
	if (g->result == EXIT_ERROR)
		outcome_forget(to->outcome);
	else if ((rc == 0 || g->differs) && g->reports)
		rerun_report(g);
	if (rc == 0 && to->learned)
		tell_learned(g, to->learned);
	gauge_close(g->gauge);
	close_journal(g);
	rerun_judge_close(g);
	mem_give(&g->mem);
}

/* --- the sandbox --- */

/* A journal, its folder where the files that follow it lie, and no more, may be
 * read; nothing else is to be had of the kernel. What cannot be opened here is
 * said when it is to be read.
 */
static int enter(const struct options *o, struct errbuf *e)
{
	struct confine c = { .box = { .needs = SANDBOX_RUN | SANDBOX_READ,
				      .broker = -1 } };
	int r;

	_Static_assert(FILES_MAX <= CONFINE_PLACES &&
			       1 + FORM_KINDS <= CONFINE_PLACES,
		       "all have a place");
	for (uint32_t i = 0; i < o->files; i++)
		confine_place(&c, o->file[i], false);
	for (unsigned i = 0; i < FORM_KINDS; i++) {
		if (o->form[i])
			c.box.needs |= SANDBOX_MAKE; /* and remove */
		confine_place(&c, o->form[i], true);
	}
	if (o->out)
		c.box.needs |= SANDBOX_CHILD;
	r = confine(&c, CONFINE_EARLY, e);
	return r == 0 ? confine(&c, CONFINE_FINAL, e) : r;
}

/* Before the sandbox: a file that --json or --rules-learn names, which must not
 * be there.
 */
static int open_lines(FILE **lines, const char *path, struct errbuf *e)
{
	int fd;

	if (!path)
		return 0;
	if (strcmp(path, "-") == 0) {
		*lines = stdout;
		return 0;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	*lines = fd < 0 ? NULL : fdopen(fd, "w");
	return *lines ? 0
		      : errbuf_set(e, -errno, "%s: %s", path, strerror(errno));
}

/* Return: whether all of it was written */
static bool close_lines(FILE *lines, const char *path)
{
	bool bad = ferror(lines) != 0;

	bad |= (lines == stdout ? fflush(lines) : fclose(lines)) != 0;
	if (bad)
		log_line(LOG_ERROR, "%s: not all of it was written", path);
	return !bad;
}

/* Where what is found goes to: made before the sandbox. */
static int open_all(struct rerun *g, const struct options *o,
		    struct rerun_to *to, struct errbuf *e)
{
	int rc = open_lines(&to->lines, o->json, e);

	g->o = *o;
	g->told = o;
	if (rc == 0)
		rc = open_lines(&to->learned, o->learn, e);
	if (rc == 0)
		rc = outcome_begin(
			&to->outcome,
			&(struct outcome_config){ .opt = &g->o,
						  .redact = &g->redact,
						  .journal = o->file[0],
						  .read = rerun_redact,
						  .ctx = g },
			e);
	if (rc == 0)
		rc = outcome_open(to->outcome, NULL, 0, e);
	return rc;
}

static int rerun_all(struct rerun *g, const struct options *o,
		     struct rerun_to *to)
{
	struct errbuf e = { "" };
	int code = EXIT_SAME;
	int rc = open_all(g, o, to, &e);

	if (rc == 0)
		rc = enter(o, &e);
	if (rc != 0) {
		log_line(LOG_ERROR, "%s", e.s);
		outcome_forget(to->outcome);
		return EXIT_ERROR;
	}
	for (uint32_t i = 0; i < o->files; i++) {
		rerun_file(g, o->file[i], o, to);
		if (g->result > code)
			code = g->result;
	}
	if (to->lines && !close_lines(to->lines, o->json))
		code = EXIT_ERROR;
	if (to->learned && !close_lines(to->learned, o->learn))
		code = EXIT_ERROR;
	return code;
}

int rerun_run(const struct options *o)
{
	struct rerun *g = calloc(1, sizeof(*g));
	struct rerun_to to = { .lines = NULL };
	int code = EXIT_ERROR;

	if (g)
		code = rerun_all(g, o, &to);
	else
		log_line(LOG_ERROR, "no memory");
	outcome_close(to.outcome);
	free(g);
	return code;
}
