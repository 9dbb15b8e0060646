/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_store.c - Is what is read of a store what was put in?
 *
 * The oracle of reading is writing: every form is made of the facts that go in, and
 * of those that come out, and must be the same bytes.
 */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "check.h"
#include "core/rng.h"
#include "forms/few.h"
#include "os/clock.h"
#include "store/archive.h"
#include "store/keeper.h"
#include "store/look.h"
#include "store_rig.h"

#define TEXT_MAX (256u << 10)

/* What a form's file has, as one string. */
static size_t form_text(enum form_kind k, const struct form *f, char *out)
{
	int fd = memfd_create("form", 0);
	ssize_t n;

	CHECK(form_write(k, fd, f) == 0);
	n = pread(fd, out, TEXT_MAX, 0);
	close(fd);
	return n < 0 ? 0 : (size_t)n;
}

static void all_comes_out_again(void)
{
	static char text[2][TEXT_MAX];
	struct report_difference in[FEW_MAX];
	struct compare_result result[FEW_MAX];
	struct few few = { 0 };
	struct archive *a = NULL;
	struct store_rig g;
	struct store *s;
	struct errbuf e;
	struct form f;
	char dir[64];
	unsigned n = 0;

	store_rig_folder(dir);
	store_rig_make(&g);
	for (unsigned i = 0; i < 500; i++) {
		store_rig_difference(&in[n], &result[n], i);
		if (few_wants(&few, result[n].evidence.kind, result[n].reason))
			n++;
	}
	CHECK(n > 30 && n < FEW_MAX);
	g.form.difference = in;
	g.form.differences = n;
	g.form.left_out = 500 - n;
	CHECK(store_make(&s, dir, 0, &e) == 0);
	CHECK(store_rig_fill(&g, s, 500) == 0);
	CHECK(store_close(s) == 0);
	CHECK(archive_open(&a, dir, &e) == 0);
	CHECK(archive_form(a, &f, &e) == 0);
	for (unsigned k = 0; k < FORM_KINDS; k++) {
		size_t len = form_text((enum form_kind)k, &g.form, text[0]);

		CHECK(len > 100 && len < TEXT_MAX);
		CHECK(form_text((enum form_kind)k, &f, text[1]) == len);
		CHECK_ROW(memcmp(text[0], text[1], len) == 0,
			  form_option((enum form_kind)k));
	}
	archive_close(a);
	store_rig_remove(dir);
}

static int count_line(void *ctx, const void *p, size_t n)
{
	unsigned *lines = ctx;

	CHECK(n > 1 && ((const char *)p)[n - 1] == '\n');
	(*lines)++;
	return 0;
}

static void kinds_are_counted(void)
{
	const struct archive_kind *kind;
	struct archive *a = NULL;
	struct store_rig g;
	struct store *s;
	struct errbuf e;
	uint64_t sum = 0;
	unsigned lines = 0;
	char dir[64];
	size_t n;

	store_rig_folder(dir);
	store_rig_make(&g);
	CHECK(store_make(&s, dir, 0, &e) == 0);
	CHECK(store_rig_fill(&g, s, 300) == 0);
	CHECK(store_counts(s).stored == 300);
	CHECK(store_close(s) == 0);
	CHECK(archive_open(&a, dir, &e) == 0);
	CHECK(archive_kinds(a, &kind, &n, &e) == 0);
	for (size_t i = 0; i < n; i++)
		sum += kind[i].n;
	/* Five endpoints by two reasons, and five numbers of a judge. */
	CHECK(n == 15 && sum == 300);
	CHECK(archive_lines(a, count_line, &lines, &e) == 0);
	/* start, report, two of times, three gates */
	CHECK(lines == 300 + 7);
	archive_close(a);
	store_rig_remove(dir);
}

static void a_full_store_counts_on(void)
{
	struct report_difference d;
	struct compare_result r;
	const struct archive_kind *kind;
	struct archive *a = NULL;
	struct store_counts c;
	struct store_rig g;
	struct store *s;
	struct errbuf e;
	struct form f;
	uint64_t sum = 0;
	char dir[64];
	size_t n;

	store_rig_folder(dir);
	store_rig_make(&g);
	CHECK(store_make(&s, dir, 1 << 20, &e) == 0);
	for (unsigned i = 0; i < 30000; i++) {
		store_rig_difference(&d, &r, i);
		store_difference(s, &d, i);
	}
	c = store_counts(s);
	CHECK(c.stored >= STORE_BATCH && c.full > 0 && c.failed == 0);
	CHECK(c.stored + c.full == 30000);
	CHECK(store_rig_fill(&g, s, 0) == 0);
	CHECK(store_close(s) == 0);
	CHECK(archive_open(&a, dir, &e) == 0);
	CHECK(archive_form(a, &f, &e) == 0);
	CHECK(archive_kinds(a, &kind, &n, &e) == 0);
	for (size_t i = 0; i < n; i++)
		sum += kind[i].n;
	CHECK(sum == 30000);
	archive_close(a);
	store_rig_remove(dir);
}

static void kinds_beyond_the_last_are_one(void)
{
	static char request[STORE_KINDS + 100][32];
	struct report_difference d;
	struct compare_result r;
	const struct archive_kind *kind;
	struct archive *a = NULL;
	struct store *s;
	struct errbuf e;
	uint64_t sum = 0;
	char dir[64];
	size_t n;

	store_rig_folder(dir);
	CHECK(store_make(&s, dir, 0, &e) == 0);
	for (unsigned i = 0; i < STORE_KINDS + 100; i++) {
		store_rig_difference(&d, &r, 1);
		snprintf(request[i], sizeof(request[i]), "GET /%u", i);
		d.request = request[i];
		d.request_len = strlen(request[i]);
		store_difference(s, &d, 0);
	}
	CHECK(store_close(s) == 0);
	CHECK(archive_open(&a, dir, &e) == 0);
	CHECK(archive_kinds(a, &kind, &n, &e) == 0);
	CHECK(n == STORE_KINDS);
	for (size_t i = 0; i < n; i++)
		sum += kind[i].n;
	CHECK(sum == STORE_KINDS + 100);
	CHECK(kind[0].n == 101 && kind[0].number == 0);
	archive_close(a);
	store_rig_remove(dir);
}

static void fill_samples(const char *dir, uint64_t most, int64_t n)
{
	struct sampler *s = NULL;
	struct errbuf e;

	CHECK(sampler_open(&s, dir, most, &e) == 0);
	for (int64_t i = 1; s && i <= n; i++)
		for (unsigned k = 0; k < SAMPLE_SIDES; k++) {
			struct sample p = { .side = (enum sample_side)k,
					    .shown = SAMPLE_DECODED,
					    .at = k == 0 ? SAMPLE_SAME : 70,
					    .start = 60,
					    .bytes = 90,
					    .head = "HTTP/1.1 200 OK\r\n\r\n",
					    .head_len = 19,
					    .body = "a\0<b",
					    .body_len = 4 };

			CHECK(sampler_put(s, i, &p) == 0);
		}
	CHECK(sampler_close(s) == 0);
}

static void parts_are_read_without_the_rest(void)
{
	struct look_list l = { .n = 4 };
	const struct look_difference *d;
	const struct archive_kind *kind, *one;
	const struct sample *p;
	struct archive *a = NULL;
	struct store_rig g;
	struct store *s;
	struct errbuf e;
	struct form f;
	uint64_t all, seen = 0;
	bool ended;
	char dir[64];
	size_t n;

	store_rig_folder(dir);
	store_rig_make(&g);
	CHECK(store_make(&s, dir, 0, &e) == 0);
	CHECK(store_rig_fill(&g, s, 300) == 0);
	CHECK(store_close(s) == 0);
	fill_samples(dir, 0, 2);
	CHECK(archive_open(&a, dir, &e) == 0);
	CHECK(archive_facts(a, &f, &ended, &e) == 0 && ended && f.gates == 3);
	do {
		CHECK(archive_kinds_of(a, &l, &kind, &n, &all, &e) == 0);
		for (size_t i = 0; i < n; i++)
			seen += kind[i].n;
		l.from += (uint32_t)n;
	} while (n == 4);
	CHECK(l.from == 15 && all == 15 && seen == 300);
	l = (struct look_list){ .find = "10.00", .find_len = 5, .n = 3 };
	CHECK(archive_kinds_of(a, &l, &kind, &n, &all, &e) == 0);
	CHECK(n == 3 && all == 15);
	l.find = "10\0001";
	CHECK(archive_kinds_of(a, &l, &kind, &n, &all, &e) == 0);
	CHECK(n == 0 && all == 0);
	CHECK(archive_kind_at(a, 3, &one, &e) == 0 && one->id == 3);
	CHECK(archive_kind_at(a, 99, &one, &e) == -ENOENT);
	l = (struct look_list){ .from = 2, .n = 300 };
	CHECK(archive_differences_of(a, 3, &l, &d, &n, &e) == 0);
	CHECK(n == one->n - 2 && d[0].kind == 3 && !d[0].sampled);
	CHECK(archive_difference_at(a, 2, &d, &e) == 0 && d->sampled);
	CHECK(archive_difference_at(a, 301, &d, &e) == -ENOENT);
	CHECK(archive_samples_of(a, 2, &p, &n, &e) == 0 && n == SAMPLE_SIDES);
	CHECK(p[0].at == SAMPLE_SAME && p[2].at == 70 && p[2].start == 60);
	CHECK(p[2].side == SAMPLE_SUT && p[2].shown == SAMPLE_DECODED);
	CHECK(p[1].body_len == 4 && memcmp(p[1].body, "a\0<b", 4) == 0);
	CHECK(archive_samples_of(a, 3, &p, &n, &e) == 0 && n == 0);
	CHECK(archive_first(a, 40, &d, &n, &e) == 0 && n == 40);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < i; k++)
			CHECK(i >= 15 || d[i].kind != d[k].kind);
	archive_close(a);
	store_rig_remove(dir);
}

static void samples_are_bounded(void)
{
	struct archive *a = NULL;
	struct store_rig g;
	struct store *s;
	struct errbuf e;
	const struct sample *p;
	char dir[64];
	size_t n;

	store_rig_folder(dir);
	store_rig_make(&g);
	CHECK(store_make(&s, dir, 0, &e) == 0);
	CHECK(store_rig_fill(&g, s, 20) == 0);
	CHECK(store_close(s) == 0);
	fill_samples(dir, 1, 2);
	CHECK(archive_open(&a, dir, &e) == 0);
	CHECK(archive_samples_of(a, 1, &p, &n, &e) == 0 && n == 0);
	archive_close(a);
	store_rig_remove(dir);
}

static void ticks_of_a_long_run_are_further_apart(void)
{
	static const unsigned many[] = { 0, 1, 299, 300, 301, 5000 };

	for (size_t i = 0; i < sizeof(many) / sizeof(many[0]); i++) {
		struct store_tick t = { 0 };
		const struct store_tick *out;
		struct archive *a = NULL;
		struct errbuf e;
		struct store *s;
		char dir[64];
		size_t n = 1;

		store_rig_folder(dir);
		CHECK(store_make(&s, dir, 0, &e) == 0);
		for (unsigned k = 1; k <= many[i]; k++) {
			t.at = t.n.seen = t.is.behind = k;
			CHECK(store_tick(&t, store_rig_put, s) == 0);
		}
		CHECK(store_close(s) == 0);
		CHECK(archive_open(&a, dir, &e) == 0);
		CHECK(archive_ticks(a, &out, &n, &e) == 0);
		CHECK(n <= LOOK_TICKS && (n == 0) == (many[i] == 0));
		CHECK(many[i] > 300 || n == many[i]);
		if (n > 0)
			CHECK(out[0].at == 1 && out[n - 1].n.seen == many[i] &&
			      out[n - 1].is.behind == many[i]);
		archive_close(a);
		store_rig_remove(dir);
	}
}

static int write_raw(const char *dir, const char *sql)
{
	char path[128];
	sqlite3 *db;
	int r;

	snprintf(path, sizeof(path), "%s/" STORE_FILE, dir);
	r = sqlite3_open(path, &db);
	if (r == SQLITE_OK)
		r = sqlite3_exec(db, sql, NULL, NULL, NULL);
	sqlite3_close(db);
	return r;
}

static void stores_that_are_none_are_refused(void)
{
	static const struct {
		const char *name;
		const char *sql;
		int open;
		int form;
	} row[] = {
		{ "as it was", "SELECT 1", 0, 0 },
		{ "later", "PRAGMA user_version=3", -EPROTONOSUPPORT, 0 },
		{ "another's", "PRAGMA application_id=1", -EBADMSG, 0 },
		{ "no version", "PRAGMA user_version=0", -EBADMSG, 0 },
		{ "not ended", "DELETE FROM ended", 0, -ENODATA },
		{ "ended twice", "INSERT INTO ended SELECT * FROM ended", 0,
		  -E2BIG },
		{ "a table is missing", "DROP TABLE gate", 0, -EBADMSG },
		{ "a column is missing", "ALTER TABLE gate DROP COLUMN state",
		  0, -EBADMSG },
		{ "a view",
		  "ALTER TABLE gate RENAME TO g;"
		  "CREATE VIEW gate AS SELECT * FROM g",
		  0, -EBADMSG },
		{ "another type", "UPDATE difference SET client='10.0.0.1'", 0,
		  -EBADMSG },
		{ "a word of nobody's", "UPDATE place SET reason='odd'", 0,
		  -EBADMSG },
		{ "no row of times", "UPDATE quantile SET times=2", 0,
		  -EBADMSG },
		{ "a port", "UPDATE map SET sut_port=65536", 0, -EBADMSG },
		{ "a zero in a text", "UPDATE start SET options=x'61006200'", 0,
		  -EBADMSG },
		{ "too many rows",
		  "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM "
		  "n LIMIT 5000) INSERT INTO gate SELECT gate.* FROM gate,n",
		  0, -EBADMSG },
	};
	struct store_rig g;

	store_rig_make(&g);
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct archive *a = NULL;
		struct errbuf e = { "" };
		struct store *s;
		struct form f;
		char dir[64];
		int r;

		store_rig_folder(dir);
		CHECK(store_make(&s, dir, 0, &e) == 0);
		CHECK(store_rig_fill(&g, s, 20) == 0);
		CHECK(store_close(s) == 0);
		CHECK_ROW(write_raw(dir, row[i].sql) == SQLITE_OK, row[i].name);
		r = archive_open(&a, dir, &e);
		CHECK_ROW(r == row[i].open, row[i].name);
		if (r == 0)
			CHECK_ROW(archive_form(a, &f, &e) == row[i].form,
				  row[i].name);
		CHECK_ROW((e.s[0] != '\0') == (row[i].open || row[i].form),
			  row[i].name);
		archive_close(a);
		store_rig_remove(dir);
	}
}

/* Each earlier version becomes ours. */
static void earlier_versions_are_brought_up(void)
{
	for (int v = 0; v < STORE_VERSION; v++) {
		char sql[64];
		sqlite3 *db;
		struct errbuf e;

		CHECK(sqlite3_open(":memory:", &db) == SQLITE_OK);
		CHECK(schema_reach(db, v) == 0);
		if (v > 0)
			CHECK(schema_check(db, "it", &e) == v);
		CHECK(schema_make(db) == 0);
		CHECK(schema_check(db, "it", &e) == STORE_VERSION);
		for (unsigned t = 0; t < STORE_TABLES; t++) {
			const struct store_columns *c = &store_columns[t];
			sqlite3_stmt *st = NULL;

			snprintf(sql, sizeof(sql), "SELECT * FROM %s",
				 c->table);
			CHECK(sqlite3_prepare_v2(db, sql, -1, &st, NULL) ==
			      SQLITE_OK);
			CHECK_ROW((size_t)sqlite3_column_count(st) ==
					  strlen(c->types),
				  c->table);
			sqlite3_finalize(st);
		}
		CHECK(schema_make(db) == 0);
		sqlite3_close(db);
	}
}

static void rows_of_any_bytes_change_nothing(void)
{
	struct rng r = { 5 };
	struct errbuf e;
	struct store *s;
	unsigned taken = 0;
	uint8_t good[64];
	char dir[64];
	struct row row;
	size_t n;

	store_rig_folder(dir);
	CHECK(store_make(&s, dir, 0, &e) == 0);
	row_begin(&row, good, sizeof(good), STORE_LINE);
	row_text(&row, "{}\n");
	n = row_end(&row);
	CHECK(n > 0 && store_row(s, good, n, 0) == 0);
	for (size_t i = 0; i < n; i++)
		CHECK(store_row(s, good, i, 0) == -EBADMSG);
	for (unsigned i = 0; i < 20000; i++) {
		/* Of exactly its length, so that a byte too far is seen. */
		size_t len = rng_below(&r, 30);
		uint8_t *p = malloc(len + 1);

		for (size_t k = 0; k < len; k++)
			p[k] = (uint8_t)rng_below(&r, k == 0 ? 10 : 5);
		p = realloc(p, len > 0 ? len : 1);
		taken += store_row(s, p, len, 0) == 0;
		free(p);
	}
	CHECK(taken < 2000);
	row_begin(&row, good, 8, STORE_LINE);
	row_text(&row, "longer than that");
	CHECK(row_end(&row) == 0);
	CHECK(store_close(s) == 0);
	store_rig_remove(dir);
}

static bool as_it_is(void *ctx, const void *p, size_t n,
		     struct report_difference *out)
{
	static struct compare_result result;
	unsigned i;

	(void)ctx;
	if (n != sizeof(i))
		return false;
	memcpy(&i, p, sizeof(i));
	store_rig_difference(out, &result, i);
	return true;
}

/* The whole way, by the process: each difference is stored or refused. */
static void a_keeper_keeps(void)
{
	struct keeper_config c = { .difference = as_it_is };
	struct keeper_end end;
	struct keeper *k = NULL;
	struct archive *a = NULL;
	struct store_rig g;
	struct errbuf e = { "" };
	struct form f;
	struct stat st;
	char dir[64], path[128];
	unsigned taken = 0;

	store_rig_folder(dir);
	store_rig_make(&g);
	c.dir = dir;
	CHECK(keeper_start(&k, &c, &e) == 0);
	if (!k)
		return;
	for (unsigned i = 0; i < 500000 || keeper_refused(k) == 0; i++)
		taken += keeper_put(k, &i, sizeof(i), NULL, 0);
	CHECK(store_start(&g.start, keeper_row, k) == 0);
	CHECK(store_save(&g.form, keeper_refused(k), NULL, 0, keeper_row, k) ==
	      0);
	keeper_end(k, &end);
	CHECK(end.whole && end.refused > 0);
	CHECK(end.count.stored == taken && end.count.failed == 0);
	keeper_close(k);
	CHECK(archive_open(&a, dir, &e) == 0);
	CHECK(archive_form(a, &f, &e) == 0 && f.code == 1);
	archive_close(a);
	CHECK(stat(dir, &st) == 0 && (st.st_mode & 0777) == 0700);
	snprintf(path, sizeof(path), "%s/report.html", dir);
	CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
	for (unsigned i = 0; i < 4; i++) {
		static const char *const name[] = { "report.txt", "report.html",
						    "summary.md", "junit.xml" };

		snprintf(path, sizeof(path), "%s/%s", dir, name[i]);
		CHECK(unlink(path) == 0);
	}
	store_rig_remove(dir);
	CHECK(stat(dir, &st) != 0);
}

static void a_keeper_that_is_told_to_forget_leaves_nothing(void)
{
	struct keeper_config c = { .difference = as_it_is };
	struct keeper *k = NULL, *other = NULL;
	struct errbuf e = { "" };
	struct stat st;
	char dir[64];
	unsigned i = 0;

	store_rig_folder(dir);
	c.dir = dir;
	CHECK(keeper_start(&k, &c, &e) == 0);
	if (!k)
		return;
	CHECK(keeper_put(k, &i, sizeof(i), NULL, 0));
	CHECK(keeper_start(&other, &c, &e) != 0 && !other);
	CHECK(strstr(e.s, "is there already; remove it") != NULL);
	keeper_forget(k);
	keeper_close(k);
	CHECK(stat(dir, &st) != 0);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "all comes out again", all_comes_out_again },
		{ "kinds are counted", kinds_are_counted },
		{ "a full store counts on", a_full_store_counts_on },
		{ "parts are read without the rest",
		  parts_are_read_without_the_rest },
		{ "samples are bounded", samples_are_bounded },
		{ "ticks of a long run are further apart",
		  ticks_of_a_long_run_are_further_apart },
		{ "kinds beyond the last are one",
		  kinds_beyond_the_last_are_one },
		{ "stores that are none are refused",
		  stores_that_are_none_are_refused },
		{ "earlier versions are brought up",
		  earlier_versions_are_brought_up },
		{ "rows of any bytes change nothing",
		  rows_of_any_bytes_change_nothing },
		{ "a keeper keeps", a_keeper_keeps },
		{ "a keeper that is told to forget leaves nothing",
		  a_keeper_that_is_told_to_forget_leaves_nothing },
	};

	return check_main(tests, sizeof(tests) / sizeof(tests[0]));
}
