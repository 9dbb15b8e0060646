/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rerun.c - understudy rerun: run the engine again from a journal
 *
 * Theory of operation
 *
 * A journal holds each input of the engine in its order, and behind it the
 * frames that came of it. A rerun makes the engine from the header, hands it the
 * same inputs, turns its effects into bytes with the live run's own function, and
 * takes them off a queue as the journal's emitted frames come by. The queue must
 * be empty whenever the next input comes: what is in it then was not sent by the
 * run. An emitted frame that meets an empty queue may be of the run's end, when
 * every flow is ended: that is asked for then, once, and no input may follow it.
 *
 * Payload lies in the pool until the run's sink was done with it. A rerun is
 * done with an effect when its frame was compared; a send that failed comes as a
 * record of its own, with the effect's number, so the last effects are kept.
 *
 * With other rules of comparison the same frames come of it, as the comparison
 * changes none, and another report.
 *
 * The report of a rerun (--json) is the live run's own functions, on a run that
 * has no wires: what follows from the journal is the same, and what only the wires
 * and the process knew (drops, delays, processor time) is 0 or the rerun's own.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/live.h"
#include "cmd/options.h"
#include "cmd/out.h"
#include "core/bytes.h"
#include "journal/journal.h"
#include "os/folder.h"
#include "os/log.h"
#include "os/mem.h"
#include "os/privileges.h"
#include "os/sandbox.h"
#include "report/report.h"

#define KEPT	  2048 /* effects that may yet turn out unsent */
#define STOP_WAIT 64   /* effects that wait to be compared, at most */

/**
 * struct again - A rerun
 * @file:	Journal
 * @rules:	By which it is judged; none: by the run's own
 * @seen:	Effects so far, which is the number of the next
 * @compared:	Effects compared; what lies between waits
 * @records:	Records read, which is the number of the next
 * @frames:	Frames of them, the one under way too
 * @emitted:	Emitted frames that were equal
 * @stopping:	The run's end was asked for
 * @now:	Of the last record
 * @live:	As if it were a run, for its report
 * @sink:	Its counters
 * @lines:	Where the report goes; NULL: nobody wants one
 * @left:	Effects of which it is known whether they left
 * @kept:	Last effects, by number
 * @result:	EXIT_
 */
struct again {
	const char *file;
	const struct compare_rules *rules;
	struct journal_reader *in;
	struct options o;
	struct arena mem;
	struct engine *engine;
	uint64_t seen;
	uint64_t compared;
	uint64_t left;
	uint64_t records;
	uint64_t frames;
	uint64_t emitted;
	bool stopping;
	uint64_t now;
	struct live live;
	struct sink sink;
	FILE *lines;
	struct effect kept[KEPT];
	uint8_t frame[BUILD_HDR_MAX + FRAME_MAX];
	int result;
};

static int cannot(struct again *g, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Say why there is no answer. Return: -1 */
static int cannot(struct again *g, const char *fmt, ...)
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

/* Where the answer goes: beside the report, if that is on standard output. */
static FILE *answers(const struct again *g)
{
	return g->lines == stdout ? stderr : stdout;
}

static int differs(struct again *g, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Say where the first difference is; but what a journal with losses lacks may be
 * the cause, so it is read to its end first. Return: -1
 */
static int differs(struct again *g, const char *fmt, ...)
{
	struct journal_status st;
	struct journal_record r;
	char what[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	while (journal_read_next(g->in, &r) > 0)
		;
	journal_read_status(g->in, &st);
	if (!st.whole)
		return cannot(g, "%s (%" PRIu64 " records lost)",
			      st.why != NULL ? st.why : "it is not whole",
			      st.lost);
	fprintf(answers(g), "%s: different at record %" PRIu64 ": %s\n",
		g->file, g->records, what);
	g->result = EXIT_DIFFERENT;
	return -1;
}

/* --- making the engine --- */

static int open_journal(struct again *g)
{
	char err[JOURNAL_ERR];

	if (journal_read_open(&g->in, g->file, err))
		return cannot(g, "%s", err);
	return 0;
}

static void close_journal(struct again *g)
{
	if (g->in != NULL)
		journal_read_close(g->in);
	g->in = NULL;
}

static int make_engine(struct again *g)
{
	const struct journal_header *h = journal_read_header(g->in);
	struct errbuf e = { "" };
	struct engine_config *c = &g->o.engine;

	if (h->only_client)
		return cannot(g, "it holds the clients' frames only (made "
				 "with --journal-only client)");
	if (options_read(&g->o, h->options, OPTIONS_SHADOW | OPTIONS_REPLAY,
			 &e))
		return cannot(g, "version %s wrote its options: %s", h->version,
			      e.s);
	/* What does not name it comes of a run that waited for no answer. */
	if (strstr(h->options, " --answer-wait ") == NULL)
		c->shadow.answer_wait = 0;
	if (g->rules->ignored > 0 && c->compare != COMPARE_EQUIVALENT)
		return cannot(g, "it was not compared at level equivalent, "
				 "where --ignore-header means something");
	if (g->rules->ignored > 0)
		c->rules = *g->rules;
	c->limits = h->limits;
	c->key = h->key;
	c->seed = h->seed;
	memcpy(c->mac, h->mac, ETH_LEN);
	if (mem_take(&g->mem, engine_size(c), 0))
		return cannot(g, "no memory for %zu MB of flows and payload",
			      engine_size(c) >> 20);
	if (engine_init(&g->engine, &g->mem, c, h->begun))
		return cannot(g, "its options contradict each other");
	/* Only of a capture played to nobody the time is the file's own. */
	if (!c->sut_none)
		g->o.files = 0;
	g->live.opt = &g->o;
	g->live.engine = g->engine;
	g->live.sink = &g->sink;
	g->live.begun = h->begun;
	g->live.started = h->started + h->begun;
	return 0;
}

/* --- what came of an input --- */

static struct effect *kept(struct again *g, uint64_t number)
{
	return &g->kept[number % KEPT];
}

static void tell_events(struct again *g)
{
	static char line[REPORT_LINE_MAX];
	struct engine_event ev;

	while (engine_event(g->engine, &ev)) {
		size_t n = live_event_json(&g->live, &ev, line, sizeof(line));

		if (g->lines != NULL)
			fwrite(line, 1, n, g->lines);
	}
}

static int keep_all(struct again *g, const struct effects *out)
{

	for (uint32_t i = 0; i < out->n; i++)
		*kept(g, g->seen++) = out->e[i];
	tell_events(g);
	if (g->seen - g->compared > STOP_WAIT)
		return differs(g, "much more is sent than by the run");
	return 0;
}

/* --- comparing frames --- */

/* The bytes that effect number @number is sent as. Return: their number */
static uint32_t build(struct again *g, uint64_t number)
{
	static const uint8_t none[ETH_LEN];
	const struct effect *x = kept(g, number);
	const struct sutwire *w = engine_wire(g->engine);
	const uint8_t *mac = w != NULL ? sutwire_mac(w, x->sut) : NULL;
	struct out_frame f;

	out_build(x, g->o.engine.mac, mac != NULL ? mac : none, number, &f);
	memcpy(g->frame, f.hdr, f.hdr_len);
	if (f.len > 0)
		memcpy(g->frame + f.hdr_len, f.data, f.len);
	return f.hdr_len + f.len;
}

/* The name of the first field in which two segments differ. */
static const char *field_of(const struct segment *a, const struct segment *b)
{
	if (!ipaddr_eq(&a->src, &b->src) || !ipaddr_eq(&a->dst, &b->dst))
		return "address";
	if (a->sport != b->sport || a->dport != b->dport)
		return "port";
	if (a->seq != b->seq)
		return "seq";
	if (a->ack != b->ack)
		return "ack";
	if (a->flags != b->flags)
		return "flags";
	if (a->win != b->win)
		return "window";
	if (a->len != b->len)
		return "length";
	if (a->cap == b->cap && a->cap > 0 &&
	    memcmp(a->data, b->data, a->cap) != 0)
		return "payload";
	return "options or IP header";
}

static const char *field_name(const struct journal_frame *j, const uint8_t *p,
			      uint32_t len)
{
	struct frame_info a = { .data = j->data,
				.cap = j->cap,
				.wire = j->wire,
				.link = LINK_ETHERNET,
				.csum_ok = true };
	struct frame_info b = { .data = p,
				.cap = len,
				.wire = len,
				.link = LINK_ETHERNET,
				.csum_ok = true };
	struct decoded da;
	struct decoded db;
	enum decode_result ra = frame_decode(&a, VXLAN_NONE, NULL, 0, &da);
	enum decode_result rb = frame_decode(&b, VXLAN_NONE, NULL, 0, &db);

	if (ra != rb)
		return "kind of frame";
	if (ra != DECODE_TCP && ra != DECODE_UDP)
		return "bytes";
	return field_of(&da.seg, &db.seg);
}

static int compare(struct again *g, const struct journal_frame *j)
{
	const struct effect *x;
	uint32_t len;
	uint32_t same = 0;
	uint64_t number = g->compared;

	if (number == g->seen)
		return differs(g,
			       "the run sent a frame of %u bytes, the "
			       "rerun none",
			       j->wire);
	x = kept(g, number);
	len = build(g, number);
	if (j->cap < j->wire)
		return cannot(g, "record %" PRIu64 " is cut", g->records);
	while (same < len && same < j->cap && g->frame[same] == j->data[same])
		same++;
	if (same < len || same < j->cap)
		return differs(g,
			       "flow %" PRIu64 ", %s: %s, at byte %u of the "
			       "frame (run: %u bytes, rerun: %u)",
			       x->flow, cause_name(x->cause),
			       field_name(j, g->frame, len), same, j->cap, len);
	if (x->gso != j->gso || x->sut != j->sut)
		return differs(g, "flow %" PRIu64 ", %s: %s", x->flow,
			       cause_name(x->cause),
			       x->gso != j->gso ? "segment size" : "SUT");
	g->compared++;
	g->emitted++;
	g->sink.stats.frames++;
	g->sink.stats.bytes += len;
	engine_sent(g->engine, x);
	return 0;
}

/* --- records --- */

/* The run's end: every flow is ended, by as many calls as it takes. */
static int stop_some(struct again *g, uint64_t now)
{
	struct effects out;
	bool more = true;

	g->stopping = true;
	while (more && g->compared == g->seen) {
		more = engine_stop(g->engine, now, &out);
		if (keep_all(g, &out))
			return -1;
	}
	return 0;
}

static int on_emitted(struct again *g, const struct journal_record *r)
{
	if (g->compared == g->seen && stop_some(g, r->now))
		return -1;
	return compare(g, &r->frame);
}

/* All that came of the input before must have been sent by the run too. */
static int before_input(struct again *g)
{
	const struct effect *x = kept(g, g->compared);

	if (g->compared < g->seen)
		return differs(g,
			       "the rerun sends what the run did not: flow "
			       "%" PRIu64 ", %s",
			       x->flow, cause_name(x->cause));
	if (g->stopping)
		return differs(g, "the run sent a frame without a cause "
				  "before it");
	return 0;
}

static int on_input(struct again *g, const struct journal_record *r)
{
	const struct journal_header *h = journal_read_header(g->in);
	const struct journal_frame *j = &r->frame;
	struct frame_info in = { .data = j->data,
				 .cap = j->cap,
				 .wire = j->wire,
				 .ts = j->ts,
				 .link = h->link[j->iface],
				 .gso = j->gso,
				 .csum_ok = j->csum_ok,
				 .trusted = j->trusted };
	struct effects out;

	if (before_input(g))
		return -1;
	if (j->iface != JOURNAL_SUT && g->live.mirror_frames++ == 0)
		g->live.file_begun = r->now;
	engine_record(g->engine, g->frames);
	engine_frame(g->engine,
		     j->iface == JOURNAL_SUT ? ENGINE_SUT : ENGINE_MIRROR, &in,
		     r->now, &out);
	return keep_all(g, &out);
}

static int on_timeout(struct again *g, uint64_t now)
{
	struct effects out;

	if (before_input(g))
		return -1;
	engine_timeout(g->engine, now, &out);
	return keep_all(g, &out);
}

static int on_unsent(struct again *g, uint64_t number)
{
	if (number >= g->seen || g->seen - number > KEPT)
		return cannot(g, "effect %" PRIu64 " is not known any more",
			      number);
	engine_unsent(g->engine, kept(g, number));
	kept(g, number)->timed = false;
	g->sink.stats.errors++;
	return 0;
}

static int on_left(struct again *g, uint64_t to, uint64_t stamp)
{
	/* What is older was told of before, or is not timed. */
	if (g->seen - g->left > KEPT)
		g->left = g->seen - KEPT;
	if (to > g->seen || to < g->left)
		return cannot(g, "effect %" PRIu64 " is not known", to);
	for (; g->left < to; g->left++)
		if (kept(g, g->left)->timed)
			engine_left(g->engine, kept(g, g->left), stamp);
	return 0;
}

static int on_note(struct again *g, const struct journal_record *r)
{
	struct effects out;

	if (before_input(g))
		return -1;
	if (r->note >= ENGINE_NOTES)
		return cannot(g, "record %" PRIu64 " is of a later version",
			      g->records);
	engine_note(g->engine, (enum engine_note)r->note, r->value, r->now,
		    &out);
	return keep_all(g, &out);
}

static int on_record(struct again *g, const struct journal_record *r)
{
	switch (r->kind) {
	case JOURNAL_FRAME:
		g->frames++;
		return r->frame.iface == JOURNAL_EMITTED ? on_emitted(g, r)
							 : on_input(g, r);
	case JOURNAL_TIMEOUT:
		return on_timeout(g, r->now);
	case JOURNAL_UNSENT:
		return on_unsent(g, r->effect);
	case JOURNAL_LEFT:
		return on_left(g, r->effect, r->stamp);
	case JOURNAL_CLOCK:
		engine_clock(g->engine, r->step, r->now);
		tell_events(g);
		return 0;
	case JOURNAL_NOTE:
		return on_note(g, r);
	case JOURNAL_MARK:
	case JOURNAL_REFUSED:
		return cannot(g,
			      "record %" PRIu64 " is of a kind that this "
			      "version does not make",
			      g->records);
	}
	return cannot(g, "record %" PRIu64 " is broken", g->records);
}

static int run_records(struct again *g)
{
	struct journal_status st;
	struct journal_record r;
	int rc;

	while ((rc = journal_read_next(g->in, &r)) > 0) {
		g->now = r.now;
		if (on_record(g, &r))
			return -1;
		g->records++;
	}
	if (rc < 0)
		return cannot(g, "broken behind record %" PRIu64, g->records);
	journal_read_status(g->in, &st);
	if (!st.whole)
		return cannot(g,
			      "%s (%" PRIu64 " records lost); equal up to "
			      "its end",
			      st.why != NULL ? st.why : "it is not whole",
			      st.lost);
	return 0;
}

/* A run ends all flows, so the rerun does; what that sends was recorded before. */
static int end_run(struct again *g)
{
	if (g->compared == g->seen && stop_some(g, g->now))
		return -1;
	g->stopping = false;
	return before_input(g);
}

static void tell_report(struct again *g)
{
	static char line[REPORT_LINE_MAX];
	size_t n;

	g->live.now = g->now;
	g->live.effects = g->seen;
	g->live.sunk = g->compared;
	n = live_report_json(&g->live, line, sizeof(line));
	fwrite(line, 1, n, g->lines);
}

static int rerun_file(struct again *g, const char *file,
		      const struct compare_rules *rules, FILE *lines)
{
	int rc;

	memset(g, 0, sizeof(*g));
	g->file = file;
	g->rules = rules;
	g->lines = lines;
	g->result = EXIT_SAME;
	rc = open_journal(g);
	if (rc == 0)
		rc = make_engine(g);
	if (rc == 0)
		rc = run_records(g);
	if (rc == 0)
		rc = end_run(g);
	if (rc == 0 && lines != NULL)
		tell_report(g);
	if (rc == 0)
		fprintf(answers(g),
			"%s: equal: %" PRIu64 " records, %" PRIu64
			" emitted frames\n",
			file, g->records, g->emitted);
	close_journal(g);
	mem_give(&g->mem);
	return rc;
}

/* --- the sandbox --- */

/* A journal, its folder where the files that follow it lie, and no more, may be
 * read; nothing else is to be had of the kernel. What cannot be opened here is
 * said when it is to be read.
 */
static int confine(const struct options *o, struct errbuf *e)
{
	struct sandbox s = { .needs = SANDBOX_RUN | SANDBOX_READ,
			     .sink = -1,
			     .broker = -1 };
	struct sandbox_place place[2 * FILES_MAX];
	const char *base;
	unsigned n = 0;
	int r = privileges_drop(NULL, e);

	for (uint32_t i = 0; i < o->files; i++) {
		int fd = open(o->file[i], O_PATH | O_CLOEXEC);

		if (fd >= 0)
			place[n++] = (struct sandbox_place){ fd, false };
		fd = folder_open(o->file[i], &base);
		if (fd >= 0)
			place[n++] = (struct sandbox_place){ fd, false };
	}
	if (r == 0)
		r = sandbox_files(place, n, e);
	while (n > 0)
		close(place[--n].fd);
	if (r == 0)
		log_line(LOG_INFO, "this kernel has no Landlock: what files "
				   "may be read is left to seccomp alone");
	return r < 0 ? r : sandbox_calls(&s, e);
}

/* Before the sandbox: the file that --json names, which must not be there. */
static int open_lines(FILE **lines, const char *path, struct errbuf *e)
{
	int fd;

	if (path == NULL)
		return 0;
	if (strcmp(path, "-") == 0) {
		*lines = stdout;
		return 0;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	*lines = fd < 0 ? NULL : fdopen(fd, "w");
	return *lines != NULL
		       ? 0
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

int cmd_rerun(int argc, char **argv)
{
	struct again *g = malloc(sizeof(*g));
	struct errbuf e = { "" };
	FILE *lines = NULL;
	struct options o;
	int code = EXIT_SAME;
	int rc = options_parse(&o, argc, argv, OPTIONS_RERUN, &e);

	if (rc == 0)
		rc = options_check(&o, OPTIONS_RERUN, &e);
	if (rc == 0)
		rc = open_lines(&lines, o.json, &e);
	if (rc == 0)
		rc = confine(&o, &e);
	if (rc == 1)
		options_usage(OPTIONS_RERUN);
	else if (rc < 0 || g == NULL)
		log_line(LOG_ERROR, "%s", rc < 0 ? e.s : "no memory");
	if (rc != 0 || g == NULL) {
		free(g);
		return rc == 1 ? EXIT_SAME : EXIT_ERROR;
	}
	for (uint32_t i = 0; i < o.files; i++) {
		rerun_file(g, o.file[i], &o.engine.rules, lines);
		if (g->result > code)
			code = g->result;
	}
	if (lines != NULL && !close_lines(lines, o.json))
		code = EXIT_ERROR;
	free(g);
	return code;
}
