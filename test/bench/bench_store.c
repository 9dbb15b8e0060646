/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_store.c - How fast differences come into a store
 *
 * usage: bench_store [N [TURNS]]
 *
 * N (1,000,000) differences, in turns (3): by the way that a run's take, from the
 * packet thread through the ring to the keeper's process, which makes words of them,
 * tags for secrets and rows; and by a bare loop over a prepared INSERT into the same
 * table with the same index, in transactions of the same length. Prints rows a second
 * of both, the median of the ratio of one turn, and its range. The producer waits here
 * when the ring is full, which a run does not: none is refused.
 */
#include <stdio.h>

#include "account/snapshot.h"
#include "engine/engine.h"
#include "os/clock.h"
#include "record/record.h"
#include "redact/redact.h"
#include "store/keeper.h"
#include "store/archive.h"
#include "../unit/store_rig.h"

#define TURNS_MAX 31

struct worder {
	struct redact redact;
	struct compare_result result;
	char detail[COMPARE_DETAIL];
	char request[ITEM_REQUEST];
};

static bool make(void *ctx, const void *p, size_t n,
		 struct report_difference *out)
{
	const struct run_epoch epoch = { UINT64_C(1767225600000000000), 0 };
	struct worder *m = ctx;
	struct engine_item item;

	item_read(&item, p, (uint32_t)n);
	item_difference(out, &epoch, &m->redact, &item, &m->result, m->detail,
			m->request);
	return true;
}

struct message {
	struct exchange_record x;
	struct exchange_text t;
};

static void make_message(struct message *m, unsigned i)
{
	m->x.index = i % 9;
	m->x.flow = i;
	m->x.reason = i % 2 == 0 ? REASON_STATUS : REASON_BODY;
	m->x.reasons = reason_bit((enum compare_reason)m->x.reason);
	m->t.request_len = (uint8_t)snprintf(
		m->t.request, sizeof(m->t.request),
		"GET /orders/%u?token=hunter2&page=%u HTTP/1.1", i % 200, i);
}

static void fail(const char *what)
{
	fprintf(stderr, "bench_store: %s\n", what);
	exit(2);
}

static void remove_all(const char *dir)
{
	static const char *const name[] = { "report.txt", "report.html",
					    "summary.md", "junit.xml" };
	char path[128];

	for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, name[i]);
		(void)unlink(path);
	}
	store_rig_remove(dir);
}

static double by_keeper(unsigned n)
{
	static struct worder worder;
	struct message m = { .x = { .kind = EVENT_VERDICT,
				    .verdict = VERDICT_DIFFERENT,
				    .has_text = true,
				    .status = { 200, 500 },
				    .bytes = { 812, 640 },
				    .asked = 5 } };
	struct keeper_config c = { .difference = make, .ctx = &worder };
	struct keeper_end end;
	struct store_rig g;
	struct keeper *k;
	struct errbuf e;
	uint64_t began;
	double s;
	char dir[64];

	redact_init(&worder.redact, &(struct hash_key){ { 1, 2 } }, NULL,
		    false);
	store_rig_folder(dir);
	store_rig_make(&g);
	c.dir = dir;
	if (keeper_start(&k, &c, &e) != 0)
		fail(e.s);
	began = clock_mono();
	for (unsigned i = 0; i < n; i++) {
		make_message(&m, i);
		while (!keeper_put(k, &m, sizeof(m), NULL, 0))
			clock_pause(200000);
	}
	if (store_start(&g.start, keeper_row, k) != 0 ||
	    store_save(&g.form, 0, NULL, 0, keeper_row, k) != 0)
		fail("the last rows were not taken");
	keeper_end(k, &end);
	s = (double)(clock_mono() - began) / 1e9;
	if (!end.whole || end.count.stored != n)
		fail("not all of it was stored");
	keeper_close(k);
	remove_all(dir);
	return n / s;
}

static void bind_row(sqlite3_stmt *st, unsigned i)
{
	static const uint8_t ip[16] = { 0 };
	char request[64];

	for (int at = 1; at <= 26; at++)
		sqlite3_bind_int64(st, at, (int64_t)i * at % 4096);
	sqlite3_bind_int64(st, 1, i % 400);
	sqlite3_bind_int64(st, 2, INT64_C(1767225600000000000) + i);
	for (int at = 7; at <= 11; at += 2)
		sqlite3_bind_blob(st, at, ip, sizeof(ip), SQLITE_STATIC);
	sqlite3_bind_text(st, 13, "status", -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 14, "reset", -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 23, "200 / 500", -1, SQLITE_STATIC);
	sqlite3_bind_blob(st, 24, request,
			  snprintf(request, sizeof(request),
				   "GET /orders/%u?token=<secret:1a2b3c4d>&"
				   "page=%u HTTP/1.1",
				   i % 200, i),
			  SQLITE_TRANSIENT);
}

static double by_loop(unsigned n)
{
	sqlite3_stmt *st = NULL;
	sqlite3 *db = NULL;
	char dir[64], path[STORE_PATH];
	uint64_t began = clock_mono();

	store_rig_folder(dir);
	if (schema_file(path, dir, "") != 0 || sqlite3_open(path, &db) != 0 ||
	    sqlite3_exec(db,
			 "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL",
			 NULL, NULL, NULL) != 0 ||
	    schema_make(db) != 0 ||
	    sqlite3_prepare_v2(db,
			       "INSERT INTO difference VALUES(NULL,?,?,?,?,?,"
			       "?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
			       -1, &st, NULL) != 0)
		fail(sqlite3_errmsg(db));
	for (unsigned i = 0; i < n; i++) {
		if (i % STORE_BATCH == 0)
			sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
		bind_row(st, i);
		if (sqlite3_step(st) != SQLITE_DONE)
			fail(sqlite3_errmsg(db));
		sqlite3_reset(st);
		if (i % STORE_BATCH == STORE_BATCH - 1 || i == n - 1)
			sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
	}
	sqlite3_finalize(st);
	sqlite3_close(db);
	remove_all(dir);
	return n / ((double)(clock_mono() - began) / 1e9);
}

static int ascending(const void *a, const void *b)
{
	const double *x = a;
	const double *y = b;

	return (*x > *y) - (*x < *y);
}

int main(int argc, char **argv)
{
	unsigned n = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 1000000;
	unsigned turns = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 3;
	double ratio[TURNS_MAX];

	turns = turns < 1 ? 1 : turns > TURNS_MAX ? TURNS_MAX : turns;
	for (unsigned i = 0; i < turns; i++) {
		double a = by_keeper(n);
		double b = by_loop(n);

		ratio[i] = a / b;
		printf("store %.0f rows/s, bare loop %.0f rows/s: %.2f\n", a, b,
		       ratio[i]);
		fflush(stdout);
	}
	qsort(ratio, turns, sizeof(*ratio), ascending);
	printf("ratio median %.2f, %.2f to %.2f\n", ratio[turns / 2], ratio[0],
	       ratio[turns - 1]);
	return ratio[turns / 2] >= 0.5 ? 0 : 1;
}
