/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * archive - What the files that read a store share
 */
#ifndef STORE_ARCHIVE_H
#define STORE_ARCHIVE_H

#include "forms/few.h"
#include "store/store_internal.h"

/* A store that somebody made may ask for any amount of memory. */
#define ARCHIVE_BYTES ((size_t)64 << 20) /* that all of it may have */
#define ARCHIVE_ROWS  4096u		 /* of a table that is read whole */

struct block; /* memory of a archive */

struct archive {
	sqlite3 *db;
	const char *path;
	int version; /* of its tables */
	size_t used;
	struct block *block;
	struct report_start start;
	struct report_data data;
	struct report_rules rules;
	struct report_sum sum;
	struct few few;
	int64_t number[FEW_MAX]; /* of each that was chosen */
};

/** archive_of() - The store in @db, which is taken over, also on failure; as
 * archive_open()
 */
int archive_of(struct archive **out, sqlite3 *db, const char *path,
	       struct errbuf *e);

/** archive_take() - Zeroed memory that lives as long as @s, or NULL */
void *archive_take(struct archive *s, size_t n);

/**
 * struct archive_row - A row that is read
 * @bad:	A column is not what it should be
 */
struct archive_row {
	struct archive *s;
	sqlite3_stmt *st;
	int at; /* the next column */
	bool bad;
};

/* The next column. What is not what it should be: 0 or "", and the row is bad.
 */
int64_t archive_int(struct archive_row *r, int64_t least, int64_t most);
uint64_t archive_u64(struct archive_row *r);
/* Borrowed till the next row; @n may be NULL: it has no 0 in it then */
const char *archive_bytes(struct archive_row *r, size_t *n);
/* A copy; NULL: it is NULL */
const char *archive_text(struct archive_row *r);
/* Number of the word that @name gives, below @most */
unsigned archive_word(struct archive_row *r, const char *(*name)(unsigned i),
		      unsigned most);
void archive_end(struct archive_row *r, struct report_endpoint *out);

/**
 * archive_each() - Call @row for each row of @sql
 *
 * Return: 0; -EBADMSG: it is no such table, or @row said so by @bad; -E2BIG:
 * more than @most
 */
int archive_each(struct archive *s, const char *sql, unsigned most,
		 int (*row)(struct archive_row *r, unsigned i, void *ctx),
		 void *ctx);

/** struct archive_bind - Values of a query: ?1 to ?3, and bytes: ?4 as such, ?5
 * as text
 */
struct archive_bind {
	int64_t n[3];
	const void *p;
	size_t len;
};

/** archive_query() - The same with values; @b NULL: without */
int archive_query(struct archive *s, const char *sql,
		  const struct archive_bind *b, unsigned most,
		  int (*row)(struct archive_row *r, unsigned i, void *ctx),
		  void *ctx);

/** archive_kind_row() - A row of "SELECT * FROM kind". Return: 0 or -ENOMEM */
int archive_kind_row(struct archive_row *r, struct archive_kind *k);

/** archive_bad() - The sentence of an error of archive_each() */
int archive_bad(struct archive *s, int r, struct errbuf *e);

/**
 * archive_difference() - A row of "SELECT * FROM difference" as a report has it
 * @r:		What @d points to
 */
void archive_difference(struct archive_row *r, struct report_difference *d,
			struct compare_result *result);

/** archive_printable() - Bytes that are for a terminal or a program: what is
 * neither printable ASCII nor the end of a line becomes a question mark
 */
char *archive_printable(struct archive *s, const char *p);

#endif /* STORE_ARCHIVE_H */
