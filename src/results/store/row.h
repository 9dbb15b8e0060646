/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * row - A row of a store, as bytes that go from one process to another
 *
 * A number of a table, then its values in the order of its columns. Host order:
 * both ends are one program. Who reads one believes nothing in it.
 */
#ifndef STORE_ROW_H
#define STORE_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Tables that are written row by row; schema.c has their columns. */
enum store_table {
	STORE_START,
	STORE_MAP,
	STORE_ENDPOINT,
	STORE_PLACE,
	STORE_GATE,
	STORE_TIMES,
	STORE_QUANTILE,
	STORE_LINE,
	STORE_ENDED,
	STORE_TICK,
	STORE_TABLES
};

enum row_type { ROW_NULL, ROW_INT, ROW_TEXT, ROW_BLOB, ROW_TYPES };

/**
 * struct row - One that is written
 * @cut:	It had no room
 */
struct row {
	uint8_t *p;
	size_t room;
	size_t n;
	bool cut;
};

/** row_begin() - Begin one in @room bytes at @p */
void row_begin(struct row *r, void *p, size_t room, enum store_table t);

/** row_int(), row_text(), row_bytes() - The next value; text NULL: none */
void row_int(struct row *r, int64_t v);
void row_u64(struct row *r, uint64_t v);
void row_text(struct row *r, const char *s);
void row_bytes(struct row *r, const void *p, size_t n);

/** row_end() - Its length; 0: it had no room */
size_t row_end(const struct row *r);

/** struct row_value - A value that is read; @p is borrowed, not aligned */
struct row_value {
	enum row_type type;
	int64_t number;
	const uint8_t *p;
	size_t n;
};

/**
 * struct row_reader - One that is read
 * @table:	Of it
 */
struct row_reader {
	enum store_table table;
	const uint8_t *p;
	size_t n;
	size_t at;
};

/** row_open() - Any bytes. Return: 0; -EBADMSG: it is no row */
int row_open(struct row_reader *r, const void *p, size_t n);

/** row_next() - Return: 1, 0: there is no more, -EBADMSG */
int row_next(struct row_reader *r, struct row_value *out);

#endif /* STORE_ROW_H */
