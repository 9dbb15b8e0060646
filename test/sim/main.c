/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * main.c - Seeds in, failures out
 *
 *	sim_runner [OPTIONS]
 *
 *	--seed N	the first seed (1)
 *	--seeds N	so many of them (1)
 *	--conns N	connections of a run (60)
 *	--batch N	frames between two flushes of the sink (0: all of a turn)
 *	--profile NAME	not the one that the seed chooses
 *	--skew MS	the mirror shows production so much later; -MS: the client
 *	--compare N	0 none, 1 identical, 2 equivalent; not what the seed chooses
 *	--dump FILE	all that is sent and told, as bytes
 *	--digest	print a line for each seed: seed, all output, what was sent
 *	--strict	what is known not to hold (README.md) fails too
 *	--tap		print TAP: a line for each profile
 *	-v		print the trace of every run
 *
 * A seed that fails is run again with a trace; what concerned the connection is
 * printed, and the command that repeats it.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim.h"

#define SHOWN 120 /* lines of the trace that a failure prints */

static const char *self;

void *sim_alloc(size_t n)
{
	void *p = calloc(1, n);

	if (p == NULL)
		abort();
	return p;
}

static void show(const struct sim *s, int conn)
{
	uint32_t first = s->trace_n > TRACE_MAX ? s->trace_n - TRACE_MAX : 0;
	uint32_t left = SHOWN;
	uint32_t i = s->trace_n;

	while (i > first && left > 0)
		left -= s->trace[--i % TRACE_MAX].conn == conn || conn < 0;
	for (; i < s->trace_n; i++)
		if (s->trace[i % TRACE_MAX].conn == conn || conn < 0)
			printf("#   %s\n", s->trace[i % TRACE_MAX].text);
}

static void fail(struct sim *s, const struct conn *c, const char *fmt,
		 va_list ap)
{

	if (s->failed)
		return;
	s->failed = true;
	if (s->trace == NULL)
		return; /* it is run again with one */
	show(s, c == NULL ? -1 : (int)c->id);
	printf("# seed %llu (%s), +%.6f", (unsigned long long)s->opt->seed,
	       s->profile->name, (double)s->now / 1e9);
	if (c != NULL)
		printf(", connection %u", c->id);
	printf(": ");
	vprintf(fmt, ap);
	printf("\n");
}

void sim_fail(struct sim *s, const struct conn *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fail(s, c, fmt, ap);
	va_end(ap);
}

void sim_known(struct sim *s, const struct conn *c, enum known k,
	       const char *fmt, ...)
{
	va_list ap;

	s->known[k]++;
	if (!s->opt->strict)
		return;
	va_start(ap, fmt);
	fail(s, c, fmt, ap);
	va_end(ap);
}

static void line(struct sim *s, const struct conn *c, const char *text)
{
	struct trace_line *l = &s->trace[s->trace_n++ % TRACE_MAX];

	l->conn = c == NULL ? -1 : (int)c->id;
	snprintf(l->text, sizeof(l->text), "+%.6f c%d %s", (double)s->now / 1e9,
		 l->conn, text);
	if (s->opt->verbose)
		printf("# %s\n", l->text);
}

void sim_trace(struct sim *s, const struct conn *c, const char *fmt, ...)
{
	char text[TRACE_LEN - 32];
	va_list ap;

	if (s->trace == NULL)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	line(s, c, text);
}

void sim_pkt(struct sim *s, const char *where, const struct pkt *p)
{
	static const char letters[] = "FSRP.";
	char flags[6] = "";
	uint32_t seq0 = 0;
	uint32_t ack0 = 0;
	int n = 0;

	if (s->trace == NULL || p->raw)
		return;
	for (int i = 0; i < 5; i++)
		if (p->flags & 1 << i)
			flags[n++] = letters[i];
	if (p->conn != NULL) {
		uint32_t up = p->conn->c.iss;
		uint32_t down =
			p->leg != NULL ? p->leg->sut.iss : p->conn->p.iss;

		seq0 = p->up ? up : down;
		ack0 = p->up ? down : up;
	}
	sim_trace(s, p->conn, "%-12s %c %s %u:%u(%u) ack %u win %u%s%s%s",
		  where, p->up ? '>' : '<', flags, p->seq - seq0,
		  p->seq - seq0 + p->len, p->len, p->ack - ack0, p->win,
		  p->has & HAS_TS ? " ts" : "", p->sacks ? " sack" : "",
		  p->bad ? " broken" : "");
}

struct sums {
	uint64_t conns;
	uint64_t frames;
	uint64_t effects;
	uint64_t bad;
	uint64_t known[KNOWN_COUNT];
	uint64_t mark[MARK_COUNT];
	uint64_t with_known; /* seeds */
};

static bool run(struct options *o, bool trace, bool say, struct sums *sums)
{
	struct sim *s = sim_alloc(sizeof(*s));
	bool ok;

	s->opt = o;
	if (trace || o->verbose)
		s->trace = sim_alloc(TRACE_MAX * sizeof(*s->trace));
	ok = sim_run(s);
	if (say)
		printf("%llu %016llx %016llx\n", (unsigned long long)o->seed,
		       (unsigned long long)s->digest,
		       (unsigned long long)s->emit_digest);
	if (sums != NULL) {
		const struct engine_counters *c =
			&engine_stats(s->engine)->count;

		sums->conns += s->conns;
		sums->frames += c->frames_mirror + c->frames_sut;
		sums->effects += s->effects;
		sums->bad += !ok;
		for (int i = 0; i < KNOWN_COUNT; i++)
			sums->known[i] += s->known[i];
		sums->with_known += s->known[0] + s->known[1] > 0;
		for (int i = 0; i < MARK_COUNT; i++)
			sums->mark[i] += s->mark[i];
	}
	sim_free(s);
	return ok;
}

static void repeat(struct options *o)
{
	run(o, true, false, NULL);
	printf("# repeat: %s --seed %llu --conns %u --batch %u --skew %d"
	       "%s%s%s%s%s -v\n",
	       self, (unsigned long long)o->seed, o->conns, o->batch, o->skew,
	       o->profile >= 0 ? " --profile " : "",
	       o->profile >= 0 ? profile_of((unsigned)o->profile)->name : "",
	       o->compare == 0	 ? " --compare 0"
	       : o->compare == 1 ? " --compare 1"
	       : o->compare == 2 ? " --compare 2"
				 : "",
	       o->strict ? " --strict" : "", o->heal ? " --heal" : "");
	fflush(stdout);
}

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void run_seeds(struct options *o, uint64_t seeds, bool say,
		      struct sums *sums)
{
	uint64_t first = o->seed;

	for (uint64_t i = 0; i < seeds && sums->bad < 20; i++) {
		o->seed = first + i;
		if (!run(o, false, say, sums))
			repeat(o);
	}
	o->seed = first;
}

static void tell(const struct sums *n, double secs, uint64_t seeds)
{
	printf("# %llu connections, %llu frames in, %llu effects, %.1f s, "
	       "%.1f seeds/s, %.0f connections/s, %llu failed\n",
	       (unsigned long long)n->conns, (unsigned long long)n->frames,
	       (unsigned long long)n->effects, secs, (double)seeds / secs,
	       (double)n->conns / secs, (unsigned long long)n->bad);
	if (n->known[0] + n->known[1] > 0)
		printf("# known not to hold: %llu out of order, %llu ended "
		       "early, in %llu seeds\n",
		       (unsigned long long)n->known[KNOWN_ORDER],
		       (unsigned long long)n->known[KNOWN_WHOLE],
		       (unsigned long long)n->with_known);
}

/* Return: what was not reached often enough, if that is a failure, and whether what
 * is known not to hold came too often
 */
static unsigned told_marks(const struct options *o, const struct sums *n)
{
	unsigned few;

	if (n->with_known > o->known) {
		printf("# known not to hold in %llu seeds, at most in %llu\n",
		       (unsigned long long)n->with_known,
		       (unsigned long long)o->known);
		return 1;
	}
	if (o->profile < 0)
		return 0;
	few = marks_tell(profile_of((unsigned)o->profile), n->mark, n->conns,
			 o->heal);
	return o->floors ? few : 0;
}

static int tap(struct options *o, uint64_t seeds)
{
	int bad = 0;
	int n = 0;

	for (unsigned i = 0; profile_of(i) != NULL; i++) {
		struct sums sums = { 0 };
		double from = seconds();

		o->profile = (int)i;
		run_seeds(o, seeds, false, &sums);
		tell(&sums, seconds() - from, seeds);
		sums.bad += told_marks(o, &sums);
		bad += sums.bad > 0;
		printf("%sok %d - profile %s, %llu connections\n",
		       sums.bad > 0 ? "not " : "", ++n, profile_of(i)->name,
		       (unsigned long long)sums.conns);
		fflush(stdout);
	}
	printf("1..%d\n", n);
	return bad > 0;
}

static int profile_named(const char *name)
{
	unsigned i = 0;

	while (profile_of(i) != NULL && strcmp(profile_of(i)->name, name) != 0)
		i++;
	if (profile_of(i) == NULL) {
		fprintf(stderr, "sim_runner: no profile %s\n", name);
		exit(2);
	}
	return (int)i;
}

/* Return: the number of words taken, 0: not known */
static int option(struct options *o, uint64_t *seeds, const char *name,
		  const char *v)
{
	uint64_t n = v == NULL ? 0 : strtoull(v, NULL, 10);

	if (strcmp(name, "-v") == 0) {
		o->verbose = true;
		return 1;
	}
	if (v == NULL)
		return 0;
	if (strcmp(name, "--seed") == 0)
		o->seed = n;
	else if (strcmp(name, "--seeds") == 0)
		*seeds = n;
	else if (strcmp(name, "--conns") == 0)
		o->conns = (uint32_t)n;
	else if (strcmp(name, "--batch") == 0)
		o->batch = (uint32_t)n;
	else if (strcmp(name, "--compare") == 0)
		o->compare = (int)n;
	else if (strcmp(name, "--known") == 0)
		o->known = n;
	else if (strcmp(name, "--skew") == 0)
		o->skew = (int)strtol(v, NULL, 10);
	else if (strcmp(name, "--profile") == 0)
		o->profile = profile_named(v);
	else if (strcmp(name, "--dump") == 0)
		o->dump = fopen(v, "wb");
	else
		return 0;
	return 2;
}

int main(int argc, char **argv)
{
	struct options o = { .seed = 1,
			     .conns = 60,
			     .profile = -1,
			     .compare = -1,
			     .known = UINT64_MAX };
	struct sums sums = { 0 };
	uint64_t seeds = 1;
	bool is_tap = false;
	bool say = false;
	double from;

	self = argv[0];
	for (int i = 1; i < argc;) {
		int n = option(&o, &seeds, argv[i],
			       i + 1 < argc ? argv[i + 1] : NULL);

		bool *flag = strcmp(argv[i], "--tap") == 0	? &is_tap
			     : strcmp(argv[i], "--strict") == 0 ? &o.strict
			     : strcmp(argv[i], "--heal") == 0	? &o.heal
			     : strcmp(argv[i], "--floors") == 0 ? &o.floors
			     : strcmp(argv[i], "--digest") == 0 ? &say
								: NULL;

		if (flag != NULL) {
			*flag = true;
			n = 1;
		}
		if (n == 0) {
			fprintf(stderr, "sim_runner: %s?\n", argv[i]);
			return 2;
		}
		i += n;
	}
	if (is_tap)
		return tap(&o, seeds);
	from = seconds();
	run_seeds(&o, seeds, say, &sums);
	if (!say) {
		tell(&sums, seconds() - from, seeds);
		sums.bad += told_marks(&o, &sums);
	}
	if (o.dump != NULL && fclose(o.dump) != 0)
		return 2;
	return sums.bad > 0;
}
