/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * store - What a run found, in a folder: an SQLite database, and what is made
 * of it
 *
 * schema.c says what the tables are, write.c how they are filled, read.c how a
 * report's forms are made of them again. Functions return -Exxx and a sentence;
 * a store that was written by a later version is -EPROTONOSUPPORT.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "forms/forms.h"
#include "os/errbuf.h"
#include "report/report.h"
#include "store/row.h"

#define STORE_FILE    "run.sqlite" /* in the folder */
#define STORE_VERSION 2		   /* of the tables (PRAGMA user_version) */
#define STORE_PATH    1024	   /* room for a folder's name, or a file's */

/* Kinds of differences that are told apart; full: all others are one. */
#define STORE_KINDS 4096u
/* Rows, or time, of a transaction. */
#define STORE_BATCH	 10000u
#define STORE_BATCH_TIME UINT64_C(1000000000) /* ns */

/* --- writing --- */

struct store;

/**
 * struct store_counts - Each difference that was put is counted once
 * @stored:	It is in the store, or will be with the transaction
 * @full:	The store is as long as it may be; its kind counts it
 * @failed:	The disk, or who held the store, did not let it in
 */
struct store_counts {
	uint64_t stored;
	uint64_t full;
	uint64_t failed;
};

/**
 * store_make() - Make the database in @dir, which is there and has none
 * @most:	Bytes that it may have; about, as the last rows go in always.
 *		0: any
 *
 * Return: 0, or -Exxx with a sentence: nothing is there
 */
int store_make(struct store **out, const char *dir, uint64_t most,
	       struct errbuf *e);

/**
 * store_difference() - Put one in
 * @now:	ns, for the transaction's age
 */
void store_difference(struct store *s, const struct report_difference *d,
		      uint64_t now);

/** store_row() - The same with a row of row.h, any bytes. Return: 0, -EBADMSG
 * (it is none, or not of this table), -EIO (it was not taken)
 */
int store_row(struct store *s, const void *p, size_t n, uint64_t now);

/** store_idle() - Nothing comes at the moment: is the transaction old? */
void store_idle(struct store *s, uint64_t now);

/** store_counts() - So far */
struct store_counts store_counts(const struct store *s);

/** store_end() - End the transaction. Return: 0, or -EIO: what was put since
 * the last one is lost
 */
int store_end(struct store *s);

/** store_close() - The same, and close. NULL: 0 */
int store_close(struct store *s);

/** store_remove() - The same, and remove the database's files */
void store_remove(struct store *s);

/* Who takes rows. Return: 0 or -Exxx, and no more is put */
typedef int (*store_put_fn)(void *ctx, const void *p, size_t n);

/** store_start() - Put how a run begins */
int store_start(const struct report_start *s, store_put_fn put, void *ctx);

/**
 * store_save() - Put how it ended: all that a form is made of but differences
 * @refused:	Differences that found no room on their way to the store
 * @line, @lines: Lines of JSON that come last, each with its newline
 */
int store_save(const struct form *f, uint64_t refused, const char *const *line,
	       size_t lines, store_put_fn put, void *ctx);

/* --- reading --- */

struct archive;

/**
 * archive_open() - Open the store of a run that is over, or goes on
 * @path:	Its folder
 *
 * The database may hold anything. Return: 0 or -Exxx with a sentence
 */
int archive_open(struct archive **out, const char *path, struct errbuf *e);

/** archive_end_reading() - Read no more, so that another one may write; what
 * was given stays. Return: 0 or -EIO
 */
int archive_end_reading(struct archive *s);

/** archive_close() - And free all that it gave; NULL: nothing */
void archive_close(struct archive *s);

/**
 * archive_form() - What forms are made of
 * @out:	What it points to lives as long as @s
 *
 * Return: 0, or -ENODATA (the run did not end, or its end was not stored), or
 * -EBADMSG, with a sentence
 */
int archive_form(struct archive *s, struct form *out, struct errbuf *e);

/** archive_numbers() - In the store, of the differences of archive_form() */
const int64_t *archive_numbers(const struct archive *s);

/**
 * archive_lines() - Its lines of JSON: start, each difference, the report
 * @put:	Called with each, its newline included; not 0: it ends
 *
 * Return: 0 or -Exxx with a sentence
 */
int archive_lines(struct archive *s, store_put_fn put, void *ctx,
		  struct errbuf *e);

/**
 * struct archive_kind - Differences of one kind
 * @number:	Which, the same in each run
 * @name, @name_len: Of the endpoint: hostile bytes, with tags
 * @detail:	What differs, of the first one
 * @first, @last: ns since 1970; 0: not known
 * @rule:	Lines of rules that leave it out; "": there are none
 * @id:		Of the store
 */
struct archive_kind {
	int64_t number;
	const char *name;
	size_t name_len;
	enum compare_reason reason;
	bool baseline;
	const char *detail;
	uint64_t n;
	uint64_t first;
	uint64_t last;
	const char *rule;
	int64_t id;
};

/** archive_kinds() - All, those with most differences first. Return: as
 * archive_form()
 */
int archive_kinds(struct archive *s, const struct archive_kind **out, size_t *n,
		  struct errbuf *e);

#endif /* STORE_STORE_H */
