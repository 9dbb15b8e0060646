/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * write.c - Rows go into a store
 *
 * Theory of operation
 *
 * Rows are gathered in transactions of STORE_BATCH rows or a second, so that a
 * reader sees them soon, and a row costs no wait for the disk. The database is
 * in WAL mode (SQLite's "Write-Ahead Logging"): readers and the writer do not
 * wait for each other, and what a killed process leaves is the last transaction
 * that ended. Somebody who holds the database, or a disk that is full, costs
 * the differences of a transaction; they are counted, and the next one is
 * tried.
 *
 * Each difference is of a kind: the one that its judge has found, or else its
 * endpoint (method and path) with its reason. Kinds are counted here, and
 * written with the transaction, also when the database is as long as it may be
 * and takes no more differences. When a transaction fails, kinds keep what was
 * counted and are written with the next.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/again.h"
#include "store/store_internal.h"

#define BUSY_MS	    250	 /* so long one who holds the database is waited for */
#define PAGE	    4096 /* bytes */
#define CLOSE_TRIES 50
#define CLOSE_WAIT  10	/* ms */
#define KIND_NAMED  128 /* bytes of an endpoint's name */
#define KIND_RULE   320 /* bytes of rules */
#define SLOTS	    (2 * STORE_KINDS)

struct kind {
	int64_t number;
	bool baseline;
	bool dirty;
	bool there; /* it has its row */
	uint32_t name_len;
	char name[KIND_NAMED];
	char detail[COMPARE_DETAIL];
	char rule[KIND_RULE];
	enum compare_reason reason;
	uint64_t n;
	uint64_t first;
	uint64_t last;
};

struct store {
	sqlite3 *db;
	char path[STORE_PATH];
	uint64_t most; /* pages */
	sqlite3_stmt *row[STORE_TABLES];
	sqlite3_stmt *difference;
	sqlite3_stmt *kind_put;
	sqlite3_stmt *kind_more;
	sqlite3_stmt *pages;
	struct store_counts count;
	uint64_t pending; /* differences of this transaction */
	uint64_t rows;	  /* of it */
	uint64_t begun;	  /* when, ns */
	bool open;	  /* there is one */
	bool full;
	bool dirty; /* a kind is */
	uint32_t kinds;
	uint16_t slot[SLOTS]; /* of a kind's number, from 1 */
	struct kind kind[STORE_KINDS];
};

/* --- transactions --- */

static int exec(struct store *s, const char *sql)
{
	return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0
								       : -EIO;
}

static bool begin(struct store *s, uint64_t now)
{
	if (!s->open && exec(s, "BEGIN IMMEDIATE") == 0) {
		s->open = true;
		s->begun = now;
		s->rows = 0;
		assert(s->pending == 0);
	}
	return s->open;
}

static void look_at_size(struct store *s)
{
	if (s->most == 0 || s->full)
		return;
	if (sqlite3_step(s->pages) == SQLITE_ROW)
		s->full =
			(uint64_t)sqlite3_column_int64(s->pages, 0) >= s->most;
	sqlite3_reset(s->pages);
}

static int put_kind(struct store *s, uint32_t i)
{
	struct kind *k = &s->kind[i];
	sqlite3_stmt *st = k->there ? s->kind_more : s->kind_put;
	int r;

	sqlite3_bind_int64(st, 1, (int64_t)i + 1);
	sqlite3_bind_int64(st, 2, (int64_t)k->n);
	sqlite3_bind_int64(st, 3, (int64_t)k->first);
	sqlite3_bind_int64(st, 4, (int64_t)k->last);
	if (!k->there) {
		sqlite3_bind_int64(st, 5, k->number);
		sqlite3_bind_blob(st, 6, k->name, (int)k->name_len,
				  SQLITE_STATIC);
		sqlite3_bind_text(st, 7, reason_name(k->reason), -1,
				  SQLITE_STATIC);
		sqlite3_bind_int(st, 8, k->baseline);
		sqlite3_bind_text(st, 9, k->detail, -1, SQLITE_STATIC);
		sqlite3_bind_text(st, 10, k->rule, -1, SQLITE_STATIC);
	}
	r = sqlite3_step(st) == SQLITE_DONE ? 0 : -EIO;
	sqlite3_reset(st);
	return r;
}

static int put_kinds(struct store *s)
{
	for (uint32_t i = 0; s->dirty && i < s->kinds; i++)
		if (s->kind[i].dirty && put_kind(s, i) != 0)
			return -EIO;
	return 0;
}

static void roll_back(struct store *s)
{
	(void)exec(s, "ROLLBACK");
	assert(s->count.stored >= s->pending);
	s->count.stored -= s->pending;
	s->count.failed += s->pending;
	s->pending = 0;
	s->open = false;
}

/* Return: 0, or -EIO: what it had is lost */
static int commit(struct store *s)
{
	if (!s->open)
		return 0;
	if (put_kinds(s) != 0 || exec(s, "COMMIT") != 0) {
		roll_back(s);
		return -EIO;
	}
	for (uint32_t i = 0; s->dirty && i < s->kinds; i++) {
		s->kind[i].there |= s->kind[i].dirty;
		s->kind[i].dirty = false;
	}
	s->dirty = false;
	s->open = false;
	s->pending = 0;
	look_at_size(s);
	return 0;
}

static void put_one(struct store *s, uint64_t now)
{
	s->rows++;
	if (s->rows >= STORE_BATCH || now - s->begun >= STORE_BATCH_TIME)
		(void)commit(s);
}

void store_idle(struct store *s, uint64_t now)
{
	if (s->dirty)
		(void)begin(s, now);
	if (s->open && now - s->begun >= STORE_BATCH_TIME)
		(void)commit(s);
}

/* --- differences --- */

/* Method and path of a request's line, without its query: they name it. */
static size_t name_of(const struct report_difference *d)
{
	const char *p = d->request;
	size_t n = d->request_len < KIND_NAMED ? d->request_len : KIND_NAMED;
	size_t at = 0, spaces = 0;

	while (at < n && p[at] != '?' && (p[at] != ' ' || spaces++ == 0))
		at++;
	return at;
}

static struct kind *kind_of(struct store *s, const struct report_difference *d)
{
	const struct compare_result *r = d->result;
	size_t n = name_of(d);
	int64_t number = r->evidence.kind != 0
				 ? (int64_t)r->evidence.kind
				 : schema_number(d->request, n, r->reason);
	uint64_t at = ((uint64_t)number * 2 + d->baseline) *
		      UINT64_C(0x9e3779b97f4a7c15) % SLOTS;
	struct kind *k;

	for (; s->slot[at] != 0; at = (at + 1) % SLOTS) {
		k = &s->kind[s->slot[at] - 1];
		if (k->number == number && k->baseline == d->baseline)
			return k;
	}
	/* The last one is of all for which there is no room. */
	if (s->kinds == STORE_KINDS)
		return &s->kind[STORE_KINDS - 1];
	k = &s->kind[s->kinds++];
	s->slot[at] = (uint16_t)s->kinds;
	k->number = number;
	k->baseline = d->baseline;
	k->reason = r->reason;
	k->name_len = (uint32_t)n;
	memcpy(k->name, d->request, n);
	strncpy(k->detail, d->detail, sizeof(k->detail) - 1);
	(void)report_rule(k->rule, sizeof(k->rule), r, k->name, n);
	if (s->kinds == STORE_KINDS) {
		k->number = 0;
		k->name_len = 0;
		k->detail[0] = k->rule[0] = '\0';
	}
	return k;
}

static void bind_end(sqlite3_stmt *st, int at, const struct report_endpoint *e)
{
	sqlite3_bind_blob(st, at, e->ip.b, sizeof(e->ip.b), SQLITE_STATIC);
	sqlite3_bind_int(st, at + 1, e->port);
}

static void bind_u64(sqlite3_stmt *st, int at, uint64_t v)
{
	sqlite3_bind_int64(st, at, (int64_t)v);
}

static int put_difference(struct store *s, int64_t kind,
			  const struct report_difference *d)
{
	const struct compare_result *r = d->result;
	sqlite3_stmt *st = s->difference;
	int rc;

	sqlite3_bind_int64(st, 1, kind);
	bind_u64(st, 2, d->asked);
	bind_u64(st, 3, d->flow);
	bind_u64(st, 4, d->index);
	bind_u64(st, 5, d->record);
	sqlite3_bind_int(st, 6, d->baseline);
	bind_end(st, 7, &d->client);
	bind_end(st, 9, &d->production);
	bind_end(st, 11, &d->sut);
	sqlite3_bind_text(st, 13, reason_name(r->reason), -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 14, unanswered_name(r->how), -1, SQLITE_STATIC);
	bind_u64(st, 15, r->reasons);
	bind_u64(st, 16, r->evidence.kind);
	for (int i = 0; i < 2; i++) {
		sqlite3_bind_int(st, 17 + i, r->status[i]);
		bind_u64(st, 19 + i, r->bytes[i]);
	}
	bind_u64(st, 21, r->offset);
	bind_u64(st, 22, r->block);
	sqlite3_bind_text(st, 23, d->detail, -1, SQLITE_STATIC);
	sqlite3_bind_blob(st, 24, d->request, (int)d->request_len,
			  SQLITE_STATIC);
	bind_u64(st, 25, d->prod_ns);
	bind_u64(st, 26, d->sut_ns);
	rc = sqlite3_step(st) == SQLITE_DONE ? 0 : -EIO;
	sqlite3_reset(st);
	return rc;
}

void store_difference(struct store *s, const struct report_difference *d,
		      uint64_t now)
{
	struct kind *k = kind_of(s, d);

	k->n++;
	k->first = k->first == 0 ? d->asked : k->first;
	k->last = d->asked > k->last ? d->asked : k->last;
	k->dirty = true;
	s->dirty = true;
	if (s->full) {
		s->count.full++;
		return;
	}
	if (!begin(s, now)) {
		s->count.failed++;
		return;
	}
	s->pending++;
	s->count.stored++;
	if (put_difference(s, k - s->kind + 1, d) != 0)
		roll_back(s);
	else
		put_one(s, now);
}

/* --- other rows --- */

static int bind(sqlite3_stmt *st, int at, char type, const struct row_value *v)
{
	static const char letter[ROW_TYPES] = { [ROW_NULL] = 0,
						[ROW_INT] = 'i',
						[ROW_TEXT] = 't',
						[ROW_BLOB] = 'b' };
	bool may_miss = type >= 'A' && type <= 'Z';

	if (may_miss)
		type = (char)(type - 'A' + 'a');
	if (v->type == ROW_NULL)
		return may_miss ? sqlite3_bind_null(st, at) : -EBADMSG;
	if (letter[v->type] != type)
		return -EBADMSG;
	if (v->type == ROW_INT)
		return sqlite3_bind_int64(st, at, v->number);
	if (v->type == ROW_TEXT)
		return sqlite3_bind_text(st, at, (const char *)v->p, (int)v->n,
					 SQLITE_STATIC);
	return sqlite3_bind_blob(st, at, v->p, (int)v->n, SQLITE_STATIC);
}

int store_row(struct store *s, const void *p, size_t n, uint64_t now)
{
	const char *types;
	struct row_reader r;
	struct row_value v;
	sqlite3_stmt *st;
	int at = 0, rc;

	if (row_open(&r, p, n) != 0)
		return -EBADMSG;
	types = store_columns[r.table].types;
	st = s->row[r.table];
	while ((rc = row_next(&r, &v)) > 0) {
		if (types[at] == '\0' || bind(st, at + 1, types[at], &v) != 0)
			return -EBADMSG;
		at++;
	}
	if (rc < 0 || types[at] != '\0')
		return -EBADMSG;
	if (s->full && r.table == STORE_TICK)
		return 0;
	if (!begin(s, now))
		return -EIO;
	rc = sqlite3_step(st) == SQLITE_DONE ? 0 : -EIO;
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	if (rc != 0)
		roll_back(s);
	else
		put_one(s, now);
	return rc;
}

struct store_counts store_counts(const struct store *s)
{
	return s->count;
}

/* --- opening and closing --- */

static int prepare(struct store *s, sqlite3_stmt **out, const char *sql)
{
	return sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT,
				  out, NULL) == SQLITE_OK
		       ? 0
		       : -EIO;
}

static int prepare_rows(struct store *s)
{
	int r = 0;

	for (unsigned t = 0; r == 0 && t < STORE_TABLES; t++) {
		const struct store_columns *c = &store_columns[t];
		char sql[160] = "INSERT INTO ";

		strcat(sql, c->table);
		strcat(sql, " VALUES(?");
		for (size_t i = 1; c->types[i] != '\0'; i++)
			strcat(sql, ",?");
		strcat(sql, ")");
		assert(strlen(sql) < sizeof(sql));
		r = prepare(s, &s->row[t], sql);
	}
	return r;
}

static int prepare_all(struct store *s)
{
	int r = prepare_rows(s);

	if (r == 0)
		r = prepare(s, &s->difference,
			    "INSERT INTO difference VALUES(NULL,?,?,?,?,?,?,?,"
			    "?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
	if (r == 0)
		r = prepare(s, &s->kind_put,
			    "INSERT INTO kind(id,n,first,last,number,name,"
			    "reason,baseline,detail,rule) "
			    "VALUES(?,?,?,?,?,?,?,?,?,?)");
	if (r == 0)
		r = prepare(s, &s->kind_more,
			    "UPDATE kind SET n=?2,first=?3,last=?4 "
			    "WHERE id=?1");
	if (r == 0)
		r = prepare(s, &s->pages, "PRAGMA page_count");
	return r;
}

int store_make(struct store **out, const char *dir, uint64_t most,
	       struct errbuf *e)
{
	struct store *s = calloc(1, sizeof(*s));
	int r = s ? schema_file(s->path, dir, "") : -ENOMEM;

	if (r == 0 && access(s->path, F_OK) == 0)
		r = -EEXIST;
	if (r != 0) {
		free(s);
		return errbuf_set(e, r, "%s: %s", dir, strerror(-r));
	}
	s->most = most / PAGE;
	r = sqlite3_open_v2(s->path, &s->db,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
				    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW,
			    NULL) == SQLITE_OK
		    ? 0
		    : -EIO;
	if (r == 0)
		r = exec(s, "PRAGMA page_size=4096;PRAGMA journal_mode=WAL;"
			    "PRAGMA synchronous=NORMAL;"
			    "PRAGMA temp_store=MEMORY");
	if (r == 0)
		r = schema_make(s->db);
	if (r == 0)
		r = prepare_all(s);
	if (r != 0) {
		errbuf_set(e, r, "%s: %s", s->path, sqlite3_errmsg(s->db));
		store_remove(s);
		return r;
	}
	sqlite3_busy_timeout(s->db, BUSY_MS);
	*out = s;
	return 0;
}

int store_end(struct store *s)
{
	if (s->dirty)
		(void)begin(s, 0);
	return s->open ? commit(s) : s->dirty ? -EIO : 0;
}

int store_close(struct store *s)
{
	int r = s ? store_end(s) : 0;

	if (!s)
		return r;
	for (unsigned t = 0; t < STORE_TABLES; t++)
		sqlite3_finalize(s->row[t]);
	sqlite3_finalize(s->difference);
	sqlite3_finalize(s->kind_put);
	sqlite3_finalize(s->kind_more);
	sqlite3_finalize(s->pages);
	/* Then it is one file, and who reads it writes none beside it. Who
	 * reads at this moment is waited for.
	 */
	for (int i = 0; i < CLOSE_TRIES; i++) {
		if (exec(s, "PRAGMA journal_mode=DELETE") == 0)
			break;
		(void)sqlite3_sleep(CLOSE_WAIT);
	}
	sqlite3_close(s->db);
	free(s);
	return r;
}

void store_remove(struct store *s)
{
	static const char *const behind[] = { "", "-wal", "-shm", "-journal" };
	char name[STORE_PATH + 16];
	size_t n;

	if (!s)
		return;
	n = strlen(s->path);
	memcpy(name, s->path, n);
	s->dirty = false;
	(void)store_close(s);
	for (size_t i = 0; i < sizeof(behind) / sizeof(behind[0]); i++) {
		strcpy(name + n, behind[i]);
		(void)unlink(name);
	}
}
