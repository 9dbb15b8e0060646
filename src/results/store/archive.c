/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * archive.c - A store is opened, and its rows are read
 *
 * A store may come from anywhere, and hold anything: a database that is damaged
 * on purpose, tables with other columns, views in place of tables, values of
 * other types. SQLite is told not to trust it (its "Defense Against The Dark
 * Arts"): no function or virtual table may be used by what the schema says, a
 * cell is checked before it is read, and nothing is written. Each column is
 * checked here for its type and range, and a row that is not as a store of ours
 * has it makes the whole an error; all of it has a bound in memory and in work.
 */
#include "store/archive.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define STEPS	1000	/* of SQLite's machine between two looks at the work */
#define WORK	2000000 /* looks; far more than a million differences take */
#define LONGEST (1 << 20) /* bytes of a value, or of an SQL text */

struct block {
	struct block *next;
};

void *archive_take(struct archive *s, size_t n)
{
	struct block *b;

	if (n > ARCHIVE_BYTES - s->used)
		return NULL;
	b = calloc(1, sizeof(*b) + n);
	if (!b)
		return NULL;
	s->used += n;
	b->next = s->block;
	s->block = b;
	return b + 1;
}

char *archive_printable(struct archive *s, const char *p)
{
	size_t n = strlen(p);
	char *out = archive_take(s, n + 1);

	for (size_t i = 0; out && i < n; i++)
		out[i] = (p[i] >= ' ' && p[i] <= '~') || p[i] == '\n' ? p[i]
								      : '?';
	return out;
}

/* --- columns --- */

int64_t archive_int(struct archive_row *r, int64_t least, int64_t most)
{
	int at = r->at++;
	int64_t v = sqlite3_column_int64(r->st, at);

	if (sqlite3_column_type(r->st, at) != SQLITE_INTEGER || v < least ||
	    v > most) {
		r->bad = true;
		return least;
	}
	return v;
}

uint64_t archive_u64(struct archive_row *r)
{
	return (uint64_t)archive_int(r, 0, INT64_MAX);
}

const char *archive_bytes(struct archive_row *r, size_t *n)
{
	int at = r->at++;
	int type = sqlite3_column_type(r->st, at);
	const char *p = NULL;
	size_t len = 0;

	if (type == SQLITE_TEXT || type == SQLITE_BLOB) {
		p = type == SQLITE_TEXT
			    ? (const char *)sqlite3_column_text(r->st, at)
			    : sqlite3_column_blob(r->st, at);
		len = (size_t)sqlite3_column_bytes(r->st, at);
	}
	if ((!p && len > 0) || (type != SQLITE_TEXT && type != SQLITE_BLOB) ||
	    (!n && type != SQLITE_TEXT) || (!n && p && strlen(p) != len)) {
		r->bad = true;
		len = 0;
	}
	if (n)
		*n = len;
	return len > 0 ? p : "";
}

const char *archive_text(struct archive_row *r)
{
	const char *p;
	char *out;

	if (sqlite3_column_type(r->st, r->at) == SQLITE_NULL) {
		r->at++;
		return NULL;
	}
	p = archive_bytes(r, NULL);
	out = archive_take(r->s, strlen(p) + 1);
	if (out)
		memcpy(out, p, strlen(p));
	else
		r->bad = true;
	return out ? out : "";
}

unsigned archive_word(struct archive_row *r, const char *(*name)(unsigned i),
		      unsigned most)
{
	const char *p = archive_bytes(r, NULL);

	for (unsigned i = 0; i < most; i++)
		if (strcmp(name(i), p) == 0)
			return i;
	r->bad = true;
	return 0;
}

void archive_end(struct archive_row *r, struct report_endpoint *out)
{
	size_t n;
	const char *p = archive_bytes(r, &n);

	if (n == sizeof(out->ip.b))
		memcpy(out->ip.b, p, n);
	else
		r->bad = true;
	out->port = (uint16_t)archive_int(r, 0, UINT16_MAX);
}

static const char *reason_of(unsigned i)
{
	return reason_name((enum compare_reason)i);
}

static const char *how_of(unsigned i)
{
	return unanswered_name((enum unanswered)i);
}

void archive_difference(struct archive_row *r, struct report_difference *d,
			struct compare_result *result)
{
	*result = (struct compare_result){ .verdict = VERDICT_DIFFERENT };
	*d = (struct report_difference){ .result = result };
	r->at = 2;
	d->asked = archive_u64(r);
	d->flow = archive_u64(r);
	d->index = (uint32_t)archive_int(r, 0, UINT32_MAX);
	d->record = archive_u64(r);
	d->baseline = archive_int(r, 0, 1) != 0;
	archive_end(r, &d->client);
	archive_end(r, &d->production);
	archive_end(r, &d->sut);
	result->reason =
		(enum compare_reason)archive_word(r, reason_of, REASON_COUNT);
	result->how =
		(enum unanswered)archive_word(r, how_of, UNANSWERED_COUNT);
	result->reasons = (uint64_t)archive_int(r, INT64_MIN, INT64_MAX);
	result->evidence.kind = (uint32_t)archive_int(r, 0, UINT32_MAX);
	for (unsigned i = 0; i < 2; i++)
		result->status[i] = (uint16_t)archive_int(r, 0, UINT16_MAX);
	for (unsigned i = 0; i < 2; i++)
		result->bytes[i] = archive_u64(r);
	result->offset = (uint64_t)archive_int(r, INT64_MIN, INT64_MAX);
	result->block = (uint64_t)archive_int(r, INT64_MIN, INT64_MAX);
	d->detail = archive_bytes(r, NULL);
	d->request = archive_bytes(r, &d->request_len);
	d->prod_ns = archive_u64(r);
	d->sut_ns = archive_u64(r);
	r->bad |= result->reasons >> REASON_COUNT != 0;
}

/* --- rows --- */

static void bind(sqlite3_stmt *st, const struct archive_bind *b)
{
	int n = b ? sqlite3_bind_parameter_count(st) : 0;

	for (int i = 0; i < n && i < 3; i++)
		sqlite3_bind_int64(st, i + 1, b->n[i]);
	if (n > 3)
		sqlite3_bind_blob(st, 4, b->p, (int)b->len, SQLITE_STATIC);
	if (n > 4)
		sqlite3_bind_text(st, 5, b->p, (int)b->len, SQLITE_STATIC);
}

int archive_each(struct archive *s, const char *sql, unsigned most,
		 int (*row)(struct archive_row *r, unsigned i, void *ctx),
		 void *ctx)
{
	return archive_query(s, sql, NULL, most, row, ctx);
}

int archive_query(struct archive *s, const char *sql,
		  const struct archive_bind *b, unsigned most,
		  int (*row)(struct archive_row *r, unsigned i, void *ctx),
		  void *ctx)
{
	struct archive_row r = { .s = s };
	unsigned i = 0;
	int rc, out = 0;

	rc = sqlite3_prepare_v2(s->db, sql, -1, &r.st, NULL);
	if (rc != SQLITE_OK)
		return -EBADMSG;
	bind(r.st, b);
	while (out == 0 && (rc = sqlite3_step(r.st)) == SQLITE_ROW) {
		r.at = 0;
		if (i == most)
			out = -E2BIG;
		else
			out = row(&r, i++, ctx);
		if (out == 0 && r.bad)
			out = -EBADMSG;
	}
	if (out == 0 && rc != SQLITE_DONE)
		out = rc == SQLITE_BUSY ? -EBUSY : -EBADMSG;
	sqlite3_finalize(r.st);
	return out;
}

int archive_bad(struct archive *s, int r, struct errbuf *e)
{
	if (r == -EBUSY)
		return errbuf_set(e, r,
				  "%s: somebody else holds it; try again when "
				  "that is over",
				  s->path);
	return errbuf_set(e, r,
			  "%s: damaged, or not as understudy writes it; make "
			  "it again from the journal (understudy rerun)",
			  s->path);
}

/* --- opening --- */

static int more_work(void *left)
{
	unsigned *n = left;

	return *n == 0 || (*n)-- == 0;
}

static int harden(sqlite3 *db)
{
	static _Thread_local unsigned left;
	static const struct {
		int what;
		int on;
	} config[] = { { SQLITE_DBCONFIG_DEFENSIVE, 1 },
		       { SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 },
		       { SQLITE_DBCONFIG_ENABLE_TRIGGER, 0 },
		       { SQLITE_DBCONFIG_ENABLE_VIEW, 0 } };
	int r = SQLITE_OK;

	for (size_t i = 0; i < sizeof(config) / sizeof(config[0]); i++)
		if (r == SQLITE_OK)
			r = sqlite3_db_config(db, config[i].what, config[i].on,
					      NULL);
	sqlite3_limit(db, SQLITE_LIMIT_LENGTH, LONGEST);
	sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, LONGEST);
	sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
	sqlite3_limit(db, SQLITE_LIMIT_WORKER_THREADS, 0);
	left = WORK;
	sqlite3_progress_handler(db, STEPS, more_work, &left);
	return r == SQLITE_OK && sqlite3_exec(db,
					      "PRAGMA cell_size_check=1;"
					      "PRAGMA mmap_size=0;"
					      "PRAGMA temp_store=MEMORY;"
					      "PRAGMA query_only=1;BEGIN",
					      NULL, NULL, NULL) == SQLITE_OK
		       ? 0
		       : -EIO;
}

int archive_of(struct archive **out, sqlite3 *db, const char *path,
	       struct errbuf *e)
{
	struct archive *s = calloc(1, sizeof(*s));
	int r;

	if (!s) {
		sqlite3_close(db);
		return errbuf_set(e, -ENOMEM, "no memory");
	}
	s->db = db;
	s->path = path;
	r = harden(db) == 0 ? schema_check(db, path, e)
			    : errbuf_set(e, -EBADMSG, "%s: cannot be read: %s",
					 path, sqlite3_errmsg(db));
	if (r < 0) {
		archive_close(s);
		return r;
	}
	s->version = r;
	*out = s;
	return 0;
}

int archive_open(struct archive **out, const char *path, struct errbuf *e)
{
	char file[STORE_PATH];
	sqlite3 *db = NULL;
	int r = schema_file(file, path, "");

	if (r != 0)
		return errbuf_set(e, r, "%s: too long a name", path);
	if (sqlite3_open_v2(file, &db,
			    SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX |
				    SQLITE_OPEN_NOFOLLOW,
			    NULL) != SQLITE_OK) {
		sqlite3_close(db);
		return errbuf_set(e, -ENOENT,
				  "%s: no " STORE_FILE " that can be read is "
				  "there; give the folder that a run made with "
				  "--out",
				  path);
	}
	sqlite3_busy_timeout(db, 1000);
	return archive_of(out, db, path, e);
}

int archive_end_reading(struct archive *s)
{
	return sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK
		       ? 0
		       : -EIO;
}

void archive_close(struct archive *s)
{
	if (!s)
		return;
	sqlite3_close(s->db);
	while (s->block) {
		struct block *b = s->block;

		s->block = b->next;
		free(b);
	}
	free(s);
}
