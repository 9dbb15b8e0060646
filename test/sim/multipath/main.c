/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * main.c - Plays cells and prints what came of them
 *
 *	multipath_sim [--named] [--drawn N] [--thesis] [--seed S] [--jobs J]
 *		      [--every] [--all] [--floor SHARE:PERCENT]
 *
 * Without a word on what to play: all of it. --every calls mp_check() after each call.
 * --all prints each drawn cell and not only those under 80 %. --floor fails if fewer
 * than PERCENT of the drawn cells reach SHARE. Exits 1 if an invariant or a bar did not
 * hold.
 *
 * Cells are shared among J processes; what each has found comes back by a pipe, and is
 * printed in the cells' order, so that the table does not depend on J.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cells.h"

#define DRAWN_MOST 10000u
#define JOBS_MOST  16

enum kind { NAMED, THESIS, DRAWN };

struct job {
	enum kind kind;
	unsigned n;
};

static struct {
	uint64_t seed;
	unsigned drawn;
	unsigned jobs;
	bool named, thesis, every, all;
	double floor_share, floor_percent;
} opt = { .seed = 1, .jobs = 2 };

static struct job *job;
static struct result *result;
static unsigned jobs;

static void plan(enum kind kind, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		job[jobs++] = (struct job){ kind, i };
}

/* Percent of what a direct connection reaches on each path alone in the same time,
 * without loss.
 */
static double share_of_direct(const struct cell *c, const struct result *r)
{
	double sum = 0;

	for (unsigned i = 0; i < c->paths; i++) {
		struct cell one = *c;
		struct result d;

		one.paths = 1;
		one.direct = true;
		one.to[0] = c->to[i];
		one.back[0] = c->back[i];
		one.to[0].loss = one.back[0].loss = 0;
		world_run(&one, &d);
		sum += d.goodput;
	}
	return 100 * r->goodput / sum;
}

static void play(const struct job *j, struct result *r)
{
	struct named n;
	char table[96];
	bool sound;

	if (j->kind == NAMED)
		named_cell(j->n, &n);
	else if (j->kind == THESIS)
		thesis_cell(j->n, &n.cell, table, sizeof(table), &sound);
	else
		drawn_cell(opt.seed, j->n, &n.cell);
	n.cell.every = opt.every;
	world_run(&n.cell, r);
	if (j->kind != DRAWN)
		return;
	r->share = share_of_direct(&n.cell, r);
	if (r->share < 80) {
		struct result l;

		/* Is it the start that is not over, or for good? */
		n.cell.from += 30 * SEC;
		n.cell.until += 30 * SEC;
		world_run(&n.cell, &l);
		r->later = share_of_direct(&n.cell, &l);
	}
}

static void write_all(int fd, const void *p, size_t n)
{
	const char *at = p;

	while (n > 0) {
		ssize_t r = write(fd, at, n);

		if (r <= 0)
			_exit(2);
		at += r;
		n -= (size_t)r;
	}
}

/* One process plays every J-th cell. */
static int start(unsigned which)
{
	int fd[2];
	pid_t pid;

	if (pipe(fd) != 0)
		exit(2);
	pid = fork();
	if (pid < 0)
		exit(2);
	if (pid > 0) {
		close(fd[1]);
		return fd[0];
	}
	close(fd[0]);
	for (unsigned i = which; i < jobs; i += opt.jobs) {
		struct result r;

		play(&job[i], &r);
		write_all(fd[1], &r, sizeof(r));
	}
	_exit(0);
}

static bool play_all(void)
{
	FILE *from[JOBS_MOST];
	bool ok = true;

	assert(opt.jobs > 0);
	for (unsigned i = 0; i < opt.jobs; i++)
		from[i] = fdopen(start(i), "r");
	for (unsigned i = 0; i < jobs && ok; i++)
		ok = fread(&result[i], sizeof(result[i]), 1,
			   from[i % opt.jobs]) == 1;
	for (unsigned i = 0; i < opt.jobs; i++) {
		int status;

		fclose(from[i]);
		if (wait(&status) < 0 || status != 0)
			ok = false;
	}
	return ok;
}

static bool show_broken(const char *name, const struct result *r)
{
	if (r->broken[0] == '\0')
		return true;
	printf("not ok: %s: %s\n", name, r->broken);
	return false;
}

static bool show_named(const struct job *j, const struct result *r)
{
	struct named n;
	double share = r->share;
	bool ok = true;
	const char *head = "%-36s %5.1f %5.1f %6.0f %5llu %4llu %6llu";

	named_cell(j->n, &n);
	if (j->n == 0)
		printf("\n%-36s %5s %5s %6s %5s %4s %6s\n", "cell", "share",
		       "whole", "gap ms", "retx", "rto", "again");
	printf(head, n.cell.name, share,
	       r->goodput > 0 ? r->share * r->whole / r->goodput : 0, r->gap,
	       (unsigned long long)r->retx, (unsigned long long)r->rtos,
	       (unsigned long long)r->again);
	if (n.cell.ping > 0)
		printf("  ping %.0f/%.0f ms", r->ping50, r->ping99);
	if (n.cell.flows > 1)
		printf("  Jain %.3f", r->jain);
	ok &= n.bar == 0 || share >= n.bar;
	ok &= n.ping_bar == 0 || r->ping99 <= n.ping_bar;
	ok &= n.gap_bar == 0 || r->gap <= n.gap_bar;
	ok &= n.jain_bar == 0 || r->jain >= n.jain_bar;
	if (share < n.wish)
		printf("  known to be under %.0f %%", n.wish);
	if (!ok)
		printf("  UNDER: %.0f %% %.0f ms %.0f ms %.2f", n.bar,
		       n.ping_bar, n.gap_bar, n.jain_bar);
	putchar('\n');
	return show_broken(n.cell.name, r) && ok;
}

static int by_value(const void *a, const void *b)
{
	double x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x > y) - (x < y);
}

/* Figures of the thesis's cells; those that are sound are compared. */
static bool show_thesis(unsigned from)
{
	static double ratio[THESIS_CELLS];
	unsigned n = 0, near = 0;
	bool ok = true;

	printf("\nthe thesis's tables, kB/s: here, there; * can be compared\n");
	for (unsigned i = 0; i < THESIS_CELLS; i++) {
		const struct result *r = &result[from + i];
		struct cell c;
		char table[96];
		bool sound;

		thesis_cell(i, &c, table, sizeof(table), &sound);
		printf("%-36s %9.1f %9.1f%s\n", table, r->goodput / 1024,
		       c.want / 1024, sound ? " *" : "");
		ok &= show_broken(table, r);
		if (!sound)
			continue;
		ratio[n] = r->goodput / c.want;
		near += ratio[n] > 0.8 && ratio[n] < 1.1;
		n++;
	}
	qsort(ratio, n, sizeof(ratio[0]), by_value);
	printf("of %u that can be compared: here / there %.2f to %.2f, median "
	       "%.2f, %u within 0.80 to 1.10\n",
	       n, ratio[0], ratio[n - 1], ratio[n / 2], near);
	return ok && near * 100 >= n * 85;
}

static bool show_drawn(unsigned from)
{
	static double share[DRAWN_MOST];
	double of_nominal = 0;
	unsigned n95 = 0, n90 = 0, n80 = 0, reach = 0;
	bool ok = true;

	printf("\ndrawn cells, seed %llu: those under 80 %% (paths: kB/s / ms "
	       "one way / loss %%)\n",
	       (unsigned long long)opt.seed);
	for (unsigned i = 0; i < opt.drawn; i++) {
		const struct result *r = &result[from + i];
		struct cell c;
		char words[256];

		drawn_cell(opt.seed, i, &c);
		drawn_words(&c, words, sizeof(words));
		share[i] = r->share;
		of_nominal += r->nominal / opt.drawn;
		n95 += r->share >= 95;
		n90 += r->share >= 90;
		n80 += r->share >= 80;
		reach += r->share >= opt.floor_share;
		ok &= show_broken(c.name, r);
		if (!opt.all && r->share >= 80)
			continue;
		printf("%4u %5.1f%s", i, r->share,
		       r->share >= 80	? ""
		       : r->later >= 90 ? " still starting"
					: " for good");
		if (r->share < 80)
			printf(" (30 s later %.1f)", r->later);
		printf(" gap %5.0f retx %5llu rto %3llu given %5llu "
		       "again %6llu:%s; rates",
		       r->gap, (unsigned long long)r->retx,
		       (unsigned long long)r->rtos,
		       (unsigned long long)r->given_up,
		       (unsigned long long)r->again, words);
		for (unsigned k = 0; k < c.paths; k++)
			printf(" %llu", (unsigned long long)r->rate[k] / 1000);
		putchar('\n');
	}
	qsort(share, opt.drawn, sizeof(share[0]), by_value);
	printf("%u cells: least %.1f, 5 %% %.1f, 10 %% %.1f, median %.1f; "
	       ">= 95: %.1f %%, >= 90: %.1f %%, >= 80: %.1f %%; mean of what "
	       "the "
	       "links can carry %.1f\n",
	       opt.drawn, share[0], share[opt.drawn / 20],
	       share[opt.drawn / 10], share[opt.drawn / 2],
	       100.0 * n95 / opt.drawn, 100.0 * n90 / opt.drawn,
	       100.0 * n80 / opt.drawn, of_nominal);
	if (100.0 * reach < opt.floor_percent * opt.drawn) {
		printf("UNDER: %.1f %% of them reach %.0f\n",
		       100.0 * reach / opt.drawn, opt.floor_share);
		ok = false;
	}
	return ok;
}

static void usage(void)
{
	fprintf(stderr, "usage: multipath_sim [--named] [--drawn N] [--thesis] "
			"[--seed S] [--jobs J] [--every] [--all] "
			"[--floor SHARE:PERCENT]\n");
	exit(2);
}

static void read_options(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *v = i + 1 < argc ? argv[i + 1] : NULL;

		if (strcmp(argv[i], "--named") == 0)
			opt.named = true;
		else if (strcmp(argv[i], "--thesis") == 0)
			opt.thesis = true;
		else if (strcmp(argv[i], "--every") == 0)
			opt.every = true;
		else if (strcmp(argv[i], "--all") == 0)
			opt.all = true;
		else if (v == NULL)
			usage();
		else if (strcmp(argv[i++], "--drawn") == 0)
			opt.drawn = (unsigned)strtoul(v, NULL, 10);
		else if (strcmp(argv[i - 1], "--seed") == 0)
			opt.seed = strtoull(v, NULL, 10);
		else if (strcmp(argv[i - 1], "--jobs") == 0)
			opt.jobs = (unsigned)strtoul(v, NULL, 10);
		else if (strcmp(argv[i - 1], "--floor") != 0 ||
			 sscanf(v, "%lf:%lf", &opt.floor_share,
				&opt.floor_percent) != 2)
			usage();
	}
	if (!opt.named && !opt.thesis && opt.drawn == 0) {
		opt.named = opt.thesis = true;
		opt.drawn = 1000;
	}
	if (opt.drawn > DRAWN_MOST || opt.jobs < 1 || opt.jobs > JOBS_MOST)
		usage();
}

int main(int argc, char **argv)
{
	struct timespec a, b;
	struct named n;
	unsigned count = 0, at = 0;
	bool ok;

	read_options(argc, argv);
	while (opt.named && named_cell(count, &n))
		count++;
	job = calloc(count + THESIS_CELLS + opt.drawn, sizeof(*job));
	result = calloc(count + THESIS_CELLS + opt.drawn, sizeof(*result));
	if (job == NULL || result == NULL)
		abort();
	plan(NAMED, count);
	plan(THESIS, opt.thesis ? THESIS_CELLS : 0);
	plan(DRAWN, opt.drawn);
	clock_gettime(CLOCK_MONOTONIC, &a);
	ok = play_all();
	clock_gettime(CLOCK_MONOTONIC, &b);
	if (!ok)
		fprintf(stderr, "a process that plays cells ended early\n");
	for (; at < count; at++)
		ok &= show_named(&job[at], &result[at]);
	if (opt.thesis) {
		ok &= show_thesis(at);
		at += THESIS_CELLS;
	}
	if (opt.drawn > 0)
		ok &= show_drawn(at);
	printf("%u cells in %.1f s\n", jobs,
	       (double)(b.tv_sec - a.tv_sec) +
		       (double)(b.tv_nsec - a.tv_nsec) / 1e9);
	return ok ? 0 : 1;
}
