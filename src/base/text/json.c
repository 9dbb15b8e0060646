/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * json.c - Write one line of JSON into a buffer
 */
#include "text/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/limits.h"
#include "text/utf8.h"

#define NUMBER_MAX 32 /* room for any number as text */

/* Room for the terminating NUL is kept free. */
static void put(struct json *j, const char *p, size_t n)
{
	if (j->full || n >= j->size - j->len) {
		j->full = true;
		return;
	}
	memcpy(j->buf + j->len, p, n);
	j->len += n;
}

static void put_quoted(struct json *j, const uint8_t *p, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	char escape[6] = { '\\', 'u', '0', '0' };
	uint32_t cp;
	unsigned n;

	put(j, "\"", 1);
	for (; len > 0; p += n, len -= n) {
		n = utf8_char(p, len, &cp);
		if (n == 1 && (cp == '"' || cp == '\\')) {
			put(j, "\\", 1);
			put(j, (const char *)p, 1);
		} else if (n == 0 || cp < 0x20 || (cp >= 0x7f && cp < 0xa0)) {
			/* C1 control characters (two bytes) are one escape. */
			if (n == 0) {
				cp = *p;
				n = 1;
			}
			escape[4] = hex[cp >> 4];
			escape[5] = hex[cp & 15];
			put(j, escape, sizeof(escape));
		} else {
			put(j, (const char *)p, n);
		}
	}
	put(j, "\"", 1);
}

static void put_key(struct json *j, const char *key)
{
	if (j->comma)
		put(j, ",", 1);
	j->comma = true;
	if (key) {
		put_quoted(j, (const uint8_t *)key, strlen(key));
		put(j, ":", 1);
	}
}

static void open_with(struct json *j, const char *key, const char *bracket)
{
	put_key(j, key);
	put(j, bracket, 1);
	j->comma = false;
}

static void close_with(struct json *j, const char *bracket)
{
	put(j, bracket, 1);
	j->comma = true;
}

void json_begin(struct json *j, char *buf, size_t size)
{
	*j = (struct json){ .buf = buf, .size = size, .full = size == 0 };
	put(j, "{", 1);
}

size_t json_line(struct json *j)
{
	put(j, "}\n", 2);
	if (j->full)
		return 0;
	j->buf[j->len] = '\0';
	return j->len;
}

void json_object(struct json *j, const char *key)
{
	open_with(j, key, "{");
}

void json_array(struct json *j, const char *key)
{
	open_with(j, key, "[");
}

void json_close_object(struct json *j)
{
	close_with(j, "}");
}

void json_close_array(struct json *j)
{
	close_with(j, "]");
}

static void put_plain(struct json *j, const char *key, const char *text)
{
	put_key(j, key);
	put(j, text, strlen(text));
}

void json_u64(struct json *j, const char *key, uint64_t v)
{
	char text[NUMBER_MAX];

	snprintf(text, sizeof(text), "%" PRIu64, v);
	put_plain(j, key, text);
}

void json_i64(struct json *j, const char *key, int64_t v)
{
	char text[NUMBER_MAX];

	snprintf(text, sizeof(text), "%" PRId64, v);
	put_plain(j, key, text);
}

void json_bool(struct json *j, const char *key, bool v)
{
	put_plain(j, key, v ? "true" : "false");
}

void json_null(struct json *j, const char *key)
{
	put_plain(j, key, "null");
}

void json_ms(struct json *j, const char *key, uint64_t ns)
{
	char text[NUMBER_MAX];

	snprintf(text, sizeof(text), "%" PRIu64 ".%03" PRIu64, ns / NS_PER_MS,
		 ns % NS_PER_MS / NS_PER_US);
	put_plain(j, key, text);
}

void json_s(struct json *j, const char *key, uint64_t ns)
{
	char text[NUMBER_MAX];

	snprintf(text, sizeof(text), "%" PRIu64 ".%06" PRIu64, ns / NS_PER_SEC,
		 ns % NS_PER_SEC / NS_PER_US);
	put_plain(j, key, text);
}

void json_us(struct json *j, const char *key, uint64_t ns)
{
	json_u64(j, key, ns / NS_PER_US);
}

void json_bytes(struct json *j, const char *key, const void *p, size_t len)
{
	put_key(j, key);
	put_quoted(j, p, len);
}

void json_str(struct json *j, const char *key, const char *s)
{
	if (s)
		json_bytes(j, key, s, strlen(s));
	else
		json_null(j, key);
}
