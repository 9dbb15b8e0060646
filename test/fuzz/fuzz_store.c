/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_store.c - Fuzz what is read of a store
 *
 * Input: edits of a store that our writer made. Each sets a column of a row of a table
 * to a value of any type, a word of ours among them; a first byte of 255 instead
 * changes bytes of the database's file. What is refused has a sentence; what is read
 * makes every form and every line, and its kinds.
 */
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>

#include "../unit/store_rig.h"
#include "store/archive.h"
#include "store/look.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const table[] = { "start", "map",	    "endpoint", "place",
				     "gate",  "times",	    "quantile", "line",
				     "ended", "difference", "kind",	"tick",
				     "sample" };

#define TABLES (sizeof(table) / sizeof(table[0]))

static const char *const word[] = { "",	       "body",	   "status",
				    "failed",  "share",	   "p99",
				    "slower",  "baseline", "service_first",
				    "\x1b[2J", "GET /f" };

#define WORDS (sizeof(word) / sizeof(word[0]))

static unsigned char *image;
static size_t image_size;
static int nowhere;

static void make_image(void)
{
	struct store_rig g;
	struct store *s;
	struct errbuf e;
	const struct store_tick tick = { .at = 1 };
	const struct sample sample = { .head = "x",
				       .body = "y",
				       .body_len = 1 };
	struct sampler *sampler = NULL;
	char dir[64], path[128];
	FILE *f;

	store_rig_folder(dir);
	store_rig_make(&g);
	if (store_make(&s, dir, 0, &e) != 0 ||
	    store_tick(&tick, store_rig_put, s) != 0 ||
	    store_rig_fill(&g, s, 12) != 0 || store_close(s) != 0 ||
	    sampler_open(&sampler, dir, 0, &e) != 0 ||
	    sampler_put(sampler, 1, &sample) != 0 ||
	    sampler_close(sampler) != 0)
		abort();
	snprintf(path, sizeof(path), "%s/" STORE_FILE, dir);
	f = fopen(path, "rb");
	image = malloc(1 << 20);
	if (!f || !image)
		abort();
	image_size = fread(image, 1, 1 << 20, f);
	fclose(f);
	store_rig_remove(dir);
	nowhere = open("/dev/null", O_WRONLY);
}

static void edit(sqlite3 *db, const uint8_t *p)
{
	char sql[128];
	sqlite3_stmt *st = NULL;
	const char *name;
	int64_t number = 0;

	snprintf(sql, sizeof(sql), "SELECT * FROM %s", table[p[0] % TABLES]);
	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
		return;
	name = sqlite3_column_name(st, p[1] % sqlite3_column_count(st));
	snprintf(sql, sizeof(sql), "UPDATE %s SET %s=? WHERE rowid=?",
		 table[p[0] % TABLES], name);
	sqlite3_finalize(st);
	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
		return;
	memcpy(&number, p + 4, 4);
	switch (p[2] % 6) {
	case 0:
		sqlite3_bind_null(st, 1);
		break;
	case 1:
		sqlite3_bind_int64(st, 1, p[3] & 1 ? (int8_t)p[4] : number);
		break;
	case 2:
		sqlite3_bind_int64(st, 1, INT64_MIN + number);
		break;
	case 3:
		sqlite3_bind_text(st, 1, word[p[3] % WORDS], -1, SQLITE_STATIC);
		break;
	case 4:
		sqlite3_bind_blob(st, 1, p + 4, p[3] % 5, SQLITE_TRANSIENT);
		break;
	default:
		sqlite3_bind_zeroblob(st, 1, (int)(number & 0xffff));
		break;
	}
	sqlite3_bind_int(st, 2, p[7] % 16 + 1);
	sqlite3_step(st);
	sqlite3_finalize(st);
}

static int line_of(void *ctx, const void *p, size_t n)
{
	const char *text = p;

	(void)ctx;
	assert(n > 0);
	for (size_t i = 0; i < n; i++)
		assert(text[i] == '\n' || (text[i] >= ' ' && text[i] <= '~') ||
		       (uint8_t)text[i] >= 0x80);
	return 0;
}

static void read_parts(struct archive *a)
{
	const struct look_list l = { .find = "GET", .find_len = 3, .n = 9 };
	const struct look_difference *d;
	const struct archive_kind *kind;
	const struct store_tick *tick;
	const struct sample *sample;
	struct errbuf e;
	uint64_t all;
	size_t n;

	if (archive_ticks(a, &tick, &n, &e) == 0)
		assert(n <= LOOK_TICKS);
	if (archive_kinds_of(a, &l, &kind, &n, &all, &e) == 0)
		assert(n <= 9);
	if (archive_differences_of(a, 1, &l, &d, &n, &e) == 0)
		assert(n <= 9 && (n == 0 || d->d.detail));
	if (archive_first(a, 9, &d, &n, &e) == 0)
		assert(n <= 9);
	if (archive_samples_of(a, 1, &sample, &n, &e) == 0)
		assert(n <= SAMPLE_SIDES &&
		       (n == 0 || sample->body_len <= SAMPLE_BODY));
}

static void read_all(struct archive *a)
{
	const struct archive_kind *kind;
	struct errbuf e = { "" };
	struct form f;
	size_t n;
	int r = archive_form(a, &f, &e);

	assert((r == 0) == (e.s[0] == '\0'));
	if (r == 0)
		for (unsigned k = 0; k < FORM_KINDS; k++)
			(void)form_write((enum form_kind)k, nowhere, &f);
	e.s[0] = '\0';
	r = archive_kinds(a, &kind, &n, &e);
	assert((r == 0) == (e.s[0] == '\0') && (r != 0 || n <= STORE_KINDS));
	read_parts(a);
	e.s[0] = '\0';
	r = archive_lines(a, line_of, NULL, &e);
	assert((r == 0) == (e.s[0] == '\0'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool bytes = size > 0 && data[0] == 255;
	struct errbuf e = { "" };
	struct archive *a;
	unsigned char *copy;
	sqlite3 *db;

	if (!image)
		make_image();
	copy = sqlite3_malloc64(image_size);
	if (!copy || sqlite3_open(":memory:", &db) != SQLITE_OK)
		abort();
	memcpy(copy, image, image_size);
	for (size_t i = 1; bytes && i + 3 < size; i += 4)
		copy[((size_t)data[i] << 16 | (size_t)data[i + 1] << 8 |
		      data[i + 2]) %
		     image_size] = data[i + 3];
	if (sqlite3_deserialize(db, "main", copy, (sqlite3_int64)image_size,
				(sqlite3_int64)image_size,
				SQLITE_DESERIALIZE_FREEONCLOSE |
					SQLITE_DESERIALIZE_RESIZEABLE) !=
	    SQLITE_OK)
		abort();
	for (size_t i = 0; !bytes && i + 8 <= size && i < 64; i += 8)
		edit(db, data + i);
	if (archive_of(&a, db, "it", &e) == 0) {
		read_all(a);
		archive_close(a);
	} else {
		assert(e.s[0] != '\0');
	}
	return 0;
}
