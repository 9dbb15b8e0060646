/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * store_internal - What the files of store share
 */
#ifndef STORE_STORE_INTERNAL_H
#define STORE_STORE_INTERNAL_H

#include <sqlite3.h>

#include "store/store.h"

/** struct store_columns - A table that rows are of
 * @types:	A letter for each column: i number, t text, b bytes; a capital
 *		one may be NULL
 */
struct store_columns {
	const char *table;
	const char *types;
};

extern const struct store_columns store_columns[STORE_TABLES];

/* schema.c */

/**
 * schema_make() - Make an empty database's tables, or bring those of an earlier
 * version up to ours
 *
 * Return: 0, -EPROTONOSUPPORT, -EBADMSG, -EIO
 */
int schema_make(sqlite3 *db);

/** schema_reach() - The same up to version @to, at most ours */
int schema_reach(sqlite3 *db, int64_t to);

/** schema_check() - Is it a store of a version that we read? Return: which, or
 * -Exxx with a sentence
 */
int schema_check(sqlite3 *db, const char *path, struct errbuf *e);

/** schema_file() - The database's path. Return: 0, -ENAMETOOLONG */
int schema_file(char out[STORE_PATH], const char *dir, const char *behind);

/** schema_number() - Of the kind of a difference that no judge has found */
int64_t schema_number(const char *name, size_t n, enum compare_reason reason);

/** store_unit() - As a store spells it (save.c) */
const char *store_unit(enum report_gate_unit u);

#endif /* STORE_STORE_INTERNAL_H */
