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
	return g->lines == stdout ? stderr : stdout;
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

/* Those of this rerun, if it was told any, in place of the run's. */
static int use_rules(struct rerun *g)
{
	const struct options *told = g->told;
	const struct compare_rules *ignored = &told->engine.rules;

	if ((ignored->ignored > 0 || told->sources > 0) &&
	    g->o.engine.compare != COMPARE_EQUIVALENT)
		return rerun_cannot(g,
				    "it was not compared at level equivalent, "
				    "where --ignore-header and --rules mean "
				    "something");
	if (ignored->ignored > 0)
		g->o.engine.rules = *ignored;
	/* A journal has its rules in it: a name of a file is not believed. */
	for (uint32_t i = 0; i < g->o.sources; i++)
		if (g->o.source[i].word[0] != '@' &&
		    !strchr(g->o.source[i].word, '\n'))
			return rerun_cannot(g, "it names a file of rules, "
					       "and does not hold it");
	if (told->sources > 0) {
		memcpy(g->o.source, told->source, sizeof(g->o.source));
		g->o.sources = told->sources;
	}
	g->other_rules = told->sources > 0 || ignored->ignored > 0;
	return 0;
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
	if (options_read(&g->o, h->options, OPTIONS_SHADOW | OPTIONS_REPLAY,
			 &e))
		return rerun_cannot(g, "version %s wrote its options: %s",
				    h->version, e.s);
	/* What does not name it comes of a run that waited for no answer. */
	if (!strstr(h->options, " --answer-wait "))
		c->shadow.answer_wait = 0;
	if (use_rules(g))
		return -1;
	c->limits = h->limits;
	c->key = h->key;
	c->seed = h->seed;
	memcpy(c->mac, h->mac, ETH_LEN);
	if (options_rules_make(&g->o, h->started + h->begun, &e))
		return rerun_cannot(g, "its rules: %s", e.s);
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

static uint64_t elapsed(const struct rerun *g)
{
	if (g->o.files == 0)
		return g->now - g->epoch.begun;
	return g->mirror_frames > 0 ? g->now - g->file_begun : 0;
}

static void tell_report(struct rerun *g)
{
	static const struct histogram none;
	static struct snapshot s;
	static char line[REPORT_LINE_MAX];
	struct run_facts f = { .opt = &g->o,
			       .redact = &g->redact,
			       .epoch = g->epoch,
			       .now = g->now,
			       .elapsed = elapsed(g),
			       .delay = &none,
			       .sink = &g->sent,
			       .effects = g->seen,
			       .sunk = g->compared,
			       .frames = g->o.journal };
	size_t n;

	snapshot_fill(&s, g->engine, &f);
	n = report_json(line, sizeof(line), &s.d);
	fwrite(line, 1, n, g->lines);
}

static void tell_learned(struct rerun *g, FILE *to)
{
	static char text[REPORT_LEARN];
	size_t n = report_learn(text, sizeof(text), engine_noise(g->engine),
				g->o.has_baseline);

	fwrite(text, 1, n, to);
}

static int rerun_file(struct rerun *g, const char *file,
		      const struct options *told, FILE *lines, FILE *learned)
{
	int rc;

	memset(g, 0, sizeof(*g));
	g->file = file;
	g->told = told;
	g->lines = lines;
	g->result = EXIT_SAME;
	rc = open_journal(g);
	if (rc == 0)
		rc = make_engine(g);
	if (rc == 0)
		rc = rerun_records(g);
	if (rc == 0 || (g->differs && lines && g->result != EXIT_ERROR))
		rc = rerun_end(g);
	if (g->differs && g->result != EXIT_ERROR)
		rc = rerun_say_difference(g);
	if ((rc == 0 || g->differs) && g->result != EXIT_ERROR && lines)
		tell_report(g);
	if (rc == 0 && learned)
		tell_learned(g, learned);
	if (rc == 0)
		fprintf(rerun_answers(g),
			"%s: equal: %" PRIu64 " records, %" PRIu64
			" emitted frames\n",
			file, g->records, g->emitted);
	close_journal(g);
	rerun_judge_close(g);
	mem_give(&g->mem);
	return rc;
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

	_Static_assert(FILES_MAX <= CONFINE_PLACES, "all have a place");
	for (uint32_t i = 0; i < o->files; i++)
		confine_place(&c, o->file[i], false);
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

int rerun_run(const struct options *o)
{
	struct rerun *g = malloc(sizeof(*g));
	struct errbuf e = { "no memory" };
	FILE *lines = NULL, *learned = NULL;
	int code = EXIT_SAME;
	int rc = g ? open_lines(&lines, o->json, &e) : -ENOMEM;

	if (rc == 0)
		rc = open_lines(&learned, o->learn, &e);
	if (rc == 0)
		rc = enter(o, &e);
	if (rc != 0) {
		log_line(LOG_ERROR, "%s", e.s);
		free(g);
		return EXIT_ERROR;
	}
	for (uint32_t i = 0; i < o->files; i++) {
		rerun_file(g, o->file[i], o, lines, learned);
		if (g->result > code)
			code = g->result;
	}
	if (lines && !close_lines(lines, o->json))
		code = EXIT_ERROR;
	if (learned && !close_lines(learned, o->learn))
		code = EXIT_ERROR;
	free(g);
	return code;
}
