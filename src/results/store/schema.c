/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * schema.c - The tables of a store, and their versions
 *
 * Theory of operation
 *
 * application_id says that a database is a store, user_version which tables it
 * has. A step leads from each version to the next; a new database goes through
 * all of them. So an old store is brought up to date in the way in which a new
 * one is made, and what a test of the steps proves of one holds for the other.
 *
 * Names and not numbers stand for what is one of several (a reason, a verdict),
 * since our numbers may change. Addresses are 16 bytes, IPv4 as RFC 4291 maps
 * it. Times are ns since 1970, shares 1/1000000. What was captured is bytes,
 * already with tags for secrets.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "store/store_internal.h"

#define APPLICATION 0x756e6479 /* "undy" */

static const char *const step[STORE_VERSION] = {
	/* 0 to 1 */
	"CREATE TABLE start(version TEXT, command TEXT, options TEXT,"
	" started INTEGER);"
	"CREATE TABLE map(production BLOB, production_port INTEGER, sut BLOB,"
	" sut_port INTEGER, baseline INTEGER, identical INTEGER,"
	" equivalent INTEGER, different INTEGER, not_compared INTEGER);"
	"CREATE TABLE endpoint(name TEXT, identical INTEGER,"
	" equivalent INTEGER, different INTEGER, not_compared INTEGER);"
	"CREATE TABLE place(name BLOB, reason TEXT, kind INTEGER, place TEXT,"
	" change TEXT, n INTEGER, since INTEGER);"
	"CREATE TABLE gate(name TEXT, endpoint TEXT, state TEXT, unit TEXT,"
	" needs INTEGER, most INTEGER, low INTEGER, at INTEGER, high INTEGER);"
	"CREATE TABLE times(name TEXT, production BLOB, port INTEGER,"
	" metric TEXT, error INTEGER, yard TEXT, n_yard INTEGER,"
	" n_sut INTEGER, blocks INTEGER);"
	"CREATE TABLE quantile(times INTEGER, permille INTEGER, says TEXT,"
	" yard INTEGER, sut INTEGER, more INTEGER, low INTEGER, high INTEGER,"
	" share INTEGER, share_low INTEGER, share_high INTEGER);"
	"CREATE TABLE line(json TEXT);"
	"CREATE TABLE ended(code INTEGER, elapsed INTEGER, sums INTEGER,"
	" identical INTEGER, equivalent INTEGER, different INTEGER,"
	" not_compared INTEGER, rules INTEGER, left_out INTEGER,"
	" refused INTEGER, report TEXT);"
	"CREATE TABLE kind(id INTEGER PRIMARY KEY, number INTEGER, name BLOB,"
	" reason TEXT, baseline INTEGER, detail TEXT, n INTEGER,"
	" first INTEGER, last INTEGER);"
	"CREATE TABLE difference(id INTEGER PRIMARY KEY, kind INTEGER,"
	" asked INTEGER, flow INTEGER, number INTEGER, record INTEGER,"
	" baseline INTEGER, client BLOB, client_port INTEGER, production BLOB,"
	" production_port INTEGER, sut BLOB, sut_port INTEGER, reason TEXT,"
	" how TEXT, reasons INTEGER, judged INTEGER, status_production INTEGER,"
	" status_sut INTEGER, bytes_production INTEGER, bytes_sut INTEGER,"
	" offset INTEGER, block INTEGER, detail TEXT, request BLOB,"
	" production_ns INTEGER, sut_ns INTEGER);"
	"CREATE INDEX difference_kind ON difference(kind);",
	/* 1 to 2 */
	"ALTER TABLE kind ADD COLUMN rule TEXT DEFAULT '';"
	"CREATE INDEX kind_n ON kind(n DESC, id);"
	"CREATE TABLE tick(at INTEGER, seen INTEGER, delivered INTEGER,"
	" answered INTEGER, identical INTEGER, equivalent INTEGER,"
	" different INTEGER, not_compared INTEGER, drops INTEGER,"
	" flows INTEGER, behind INTEGER);"
	"CREATE TABLE sample(difference INTEGER, side TEXT, shown TEXT,"
	" at INTEGER, start INTEGER, bytes INTEGER, head BLOB, body BLOB);"
	"CREATE INDEX sample_difference ON sample(difference);",
};

const struct store_columns store_columns[STORE_TABLES] = {
	[STORE_START] = { "start", "ttti" },
	[STORE_MAP] = { "map", "bibiiiiii" },
	[STORE_ENDPOINT] = { "endpoint", "tiiii" },
	[STORE_PLACE] = { "place", "btittii" },
	[STORE_GATE] = { "gate", "tTttiiiii" },
	[STORE_TIMES] = { "times", "tBititiii" },
	[STORE_QUANTILE] = { "quantile", "iitiiiiiiii" },
	[STORE_LINE] = { "line", "t" },
	[STORE_ENDED] = { "ended", "iiiiiiiiiit" },
	[STORE_TICK] = { "tick", "iiiiiiiiiii" },
};

static int number_of(sqlite3 *db, const char *pragma, int64_t *out)
{
	sqlite3_stmt *s = NULL;
	int r = sqlite3_prepare_v2(db, pragma, -1, &s, NULL);

	if (r == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW)
		*out = sqlite3_column_int64(s, 0);
	else
		r = r == SQLITE_OK ? SQLITE_ERROR : r;
	sqlite3_finalize(s);
	return r == SQLITE_OK ? 0 : -EBADMSG;
}

static int one_step(sqlite3 *db, int64_t from)
{
	char mark[96];

	snprintf(mark, sizeof(mark),
		 "PRAGMA application_id=%d;PRAGMA user_version=%d;COMMIT",
		 APPLICATION, (int)from + 1);
	if (sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == 0 &&
	    sqlite3_exec(db, step[from], NULL, NULL, NULL) == 0 &&
	    sqlite3_exec(db, mark, NULL, NULL, NULL) == 0)
		return 0;
	sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return -EIO;
}

int schema_reach(sqlite3 *db, int64_t to)
{
	int64_t version;
	int r = number_of(db, "PRAGMA user_version", &version);

	assert(to >= 0 && to <= STORE_VERSION);
	if (r == 0 && (version < 0 || version > to))
		r = -EPROTONOSUPPORT;
	for (; r == 0 && version < to; version++)
		r = one_step(db, version);
	return r;
}

int schema_make(sqlite3 *db)
{
	return schema_reach(db, STORE_VERSION);
}

int schema_check(sqlite3 *db, const char *path, struct errbuf *e)
{
	int64_t id = 0, version = 0;

	if (number_of(db, "PRAGMA application_id", &id) != 0 ||
	    id != APPLICATION ||
	    number_of(db, "PRAGMA user_version", &version) != 0 || version < 1)
		return errbuf_set(e, -EBADMSG,
				  "%s: it is not the store of a run; give the "
				  "folder that a run made with --out",
				  path);
	if (version > STORE_VERSION)
		return errbuf_set(e, -EPROTONOSUPPORT,
				  "%s: a later version wrote it (its tables "
				  "are of version %lld, ours of %d); use that "
				  "one",
				  path, (long long)version, STORE_VERSION);
	return (int)version;
}

int schema_file(char out[STORE_PATH], const char *dir, const char *behind)
{
	int n = snprintf(out, STORE_PATH, "%s/" STORE_FILE "%s", dir, behind);

	return n < STORE_PATH ? 0 : -ENAMETOOLONG;
}

/* FNV-1a (draft-eastlake-fnv): the same in every run, and of no secret. */
int64_t schema_number(const char *name, size_t n, enum compare_reason reason)
{
	const char *why = reason_name(reason);
	uint64_t h = 0xcbf29ce484222325;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (uint8_t)name[i]) * 0x100000001b3;
	for (; *why != '\0'; why++)
		h = (h ^ (uint8_t)*why) * 0x100000001b3;
	/* Those of a judge have 32 bits: no number is both. */
	return (int64_t)((h >> 2) | UINT64_C(1) << 62);
}
