/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * row.c - A row of a store, as bytes
 *
 * A byte for the table; for each value a byte that says what it is, and 8 bytes
 * of a number, or 4 of a length and so many more.
 */
#include "store/row.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

static void put(struct row *r, const void *p, size_t n)
{
	if (r->cut || n > r->room - r->n) {
		r->cut = true;
		return;
	}
	memcpy(r->p + r->n, p, n);
	r->n += n;
}

void row_begin(struct row *r, void *p, size_t room, enum store_table t)
{
	uint8_t table = (uint8_t)t;

	assert(t < STORE_TABLES);
	*r = (struct row){ .p = p, .room = room };
	put(r, &table, 1);
}

void row_int(struct row *r, int64_t v)
{
	uint8_t type = ROW_INT;

	put(r, &type, 1);
	put(r, &v, sizeof(v));
}

void row_u64(struct row *r, uint64_t v)
{
	/* SQLite has no more; what is that large is no count of ours. */
	row_int(r, v > INT64_MAX ? INT64_MAX : (int64_t)v);
}

static void put_long(struct row *r, enum row_type t, const void *p, size_t n)
{
	uint8_t type = (uint8_t)t;
	uint32_t len = (uint32_t)n;

	if (n > UINT32_MAX) {
		r->cut = true;
		return;
	}
	put(r, &type, 1);
	put(r, &len, sizeof(len));
	if (n > 0)
		put(r, p, n);
}

void row_text(struct row *r, const char *s)
{
	uint8_t type = ROW_NULL;

	if (s)
		put_long(r, ROW_TEXT, s, strlen(s));
	else
		put(r, &type, 1);
}

void row_bytes(struct row *r, const void *p, size_t n)
{
	put_long(r, ROW_BLOB, p, n);
}

size_t row_end(const struct row *r)
{
	return r->cut ? 0 : r->n;
}

int row_open(struct row_reader *r, const void *p, size_t n)
{
	const uint8_t *b = p;

	if (n == 0 || b[0] >= STORE_TABLES)
		return -EBADMSG;
	*r = (struct row_reader){
		.table = (enum store_table)b[0], .p = b, .n = n, .at = 1
	};
	return 0;
}

int row_next(struct row_reader *r, struct row_value *out)
{
	struct row_value v = { 0 };
	uint32_t len;

	if (r->at == r->n)
		return 0;
	v.type = (enum row_type)r->p[r->at];
	if (v.type >= ROW_TYPES)
		return -EBADMSG;
	r->at++;
	if (v.type == ROW_INT) {
		if (r->n - r->at < sizeof(v.number))
			return -EBADMSG;
		memcpy(&v.number, r->p + r->at, sizeof(v.number));
		r->at += sizeof(v.number);
	} else if (v.type != ROW_NULL) {
		if (r->n - r->at < sizeof(len))
			return -EBADMSG;
		memcpy(&len, r->p + r->at, sizeof(len));
		r->at += sizeof(len);
		if (r->n - r->at < len)
			return -EBADMSG;
		v.p = r->p + r->at;
		v.n = len;
		r->at += len;
	}
	assert(r->at <= r->n);
	*out = v;
	return 1;
}
