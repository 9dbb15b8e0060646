/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sample.c - Samples are added to a store
 *
 * All in one transaction: a store has the samples of a run, or none.
 */
#include "store/sample.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "store/store_internal.h"

struct sampler {
	sqlite3 *db;
	sqlite3_stmt *put;
	uint64_t left; /* bytes */
	bool bad;
};

const char *sample_side_name(enum sample_side s)
{
	static const char *const name[] = { [SAMPLE_REQUEST] = "request",
					    [SAMPLE_PROD] = "production",
					    [SAMPLE_SUT] = "sut" };

	return name[s];
}

const char *sample_shown_name(enum sample_shown s)
{
	static const char *const name[] = {
#define X(id, text) [id] = text,
		SAMPLE_SHOWNS(X)
#undef X
	};

	return name[s];
}

static int64_t number_of(sqlite3 *db, const char *pragma)
{
	sqlite3_stmt *s = NULL;
	int64_t n = 0;

	if (sqlite3_prepare_v2(db, pragma, -1, &s, NULL) == SQLITE_OK &&
	    sqlite3_step(s) == SQLITE_ROW)
		n = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return n;
}

static int begin(struct sampler *s, uint64_t most)
{
	uint64_t has = (uint64_t)number_of(s->db, "PRAGMA page_count") *
		       (uint64_t)number_of(s->db, "PRAGMA page_size");

	s->left = most == 0 ? UINT64_MAX : most > has ? most - has : 0;
	return sqlite3_exec(s->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == 0 &&
			       sqlite3_prepare_v2(s->db,
						  "INSERT INTO sample "
						  "VALUES(?,?,?,?,?,?,?,?)",
						  -1, &s->put,
						  NULL) == SQLITE_OK
		       ? 0
		       : -EIO;
}

int sampler_open(struct sampler **out, const char *dir, uint64_t most,
		 struct errbuf *e)
{
	struct sampler *s = calloc(1, sizeof(*s));
	char path[STORE_PATH];
	int r = s ? schema_file(path, dir, "") : -ENOMEM;

	if (r == 0)
		r = sqlite3_open_v2(path, &s->db,
				    SQLITE_OPEN_READWRITE |
					    SQLITE_OPEN_NOMUTEX |
					    SQLITE_OPEN_NOFOLLOW,
				    NULL) == SQLITE_OK
			    ? begin(s, most)
			    : -EIO;
	if (r != 0) {
		if (s) {
			s->bad = true;
			(void)sampler_close(s);
		}
		return errbuf_set(e, r, "%s: samples find no room", dir);
	}
	*out = s;
	return 0;
}

int sampler_put(struct sampler *s, int64_t difference, const struct sample *p)
{
	size_t n = p->head_len + p->body_len + 100;
	sqlite3_stmt *st = s->put;

	assert(p->head_len <= SAMPLE_HEAD && p->body_len <= SAMPLE_BODY);
	if (s->left < n) {
		s->left = 0;
		return 0;
	}
	s->left -= n;
	sqlite3_bind_int64(st, 1, difference);
	sqlite3_bind_text(st, 2, sample_side_name(p->side), -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 3, sample_shown_name(p->shown), -1,
			  SQLITE_STATIC);
	sqlite3_bind_int64(st, 4, p->at == SAMPLE_SAME ? -1 : (int64_t)p->at);
	sqlite3_bind_int64(st, 5, (int64_t)p->start);
	sqlite3_bind_int64(st, 6, (int64_t)p->bytes);
	sqlite3_bind_blob(st, 7, p->head, (int)p->head_len, SQLITE_STATIC);
	sqlite3_bind_blob(st, 8, p->body, (int)p->body_len, SQLITE_STATIC);
	s->bad |= sqlite3_step(st) != SQLITE_DONE;
	sqlite3_reset(st);
	return s->bad ? -EIO : 0;
}

int sampler_close(struct sampler *s)
{
	int r = 0;

	if (!s)
		return 0;
	sqlite3_finalize(s->put);
	if (s->bad || sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL) != 0)
		r = -EIO;
	sqlite3_close(s->db); /* what was not committed is undone */
	free(s);
	return r;
}
