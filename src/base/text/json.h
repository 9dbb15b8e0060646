/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * json - Write one line of JSON into a buffer
 *
 * Strings may hold any bytes: what is valid UTF-8 and no control character
 * stays, every other byte b becomes \u00XX (RFC 8259 section 7). A line that
 * does not fit is no line: json_line() gives 0 then, never a piece.
 */
#ifndef TEXT_JSON_H
#define TEXT_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct json - A line being written
 * @buf, @size:	Where
 * @len:	Bytes so far
 * @full:	Something did not fit
 * @comma:	A comma comes before the next value
 */
struct json {
	char *buf;
	size_t size;
	size_t len;
	bool full;
	bool comma;
};

/** json_begin() - Start a line: an object is open */
void json_begin(struct json *j, char *buf, size_t size);

/**
 * json_line() - End it: close the object, newline, terminating NUL
 *
 * Return: bytes without the NUL, or 0 if it did not fit
 */
size_t json_line(struct json *j);

/* In all of these @key is NULL inside an array. */

/** json_object(), json_array() - Open one */
void json_object(struct json *j, const char *key);
void json_array(struct json *j, const char *key);

/** json_close_object(), json_close_array() - Close it */
void json_close_object(struct json *j);
void json_close_array(struct json *j);

/** json_u64() - A whole number */
void json_u64(struct json *j, const char *key, uint64_t v);

/** json_i64() - A whole number that may be below 0 */
void json_i64(struct json *j, const char *key, int64_t v);

/** json_bool() - true or false */
void json_bool(struct json *j, const char *key, bool v);

/** json_null() - No value */
void json_null(struct json *j, const char *key);

/** json_ms(), json_us() - @ns in ms with three decimals, in us rounded down */
void json_ms(struct json *j, const char *key, uint64_t ns);
void json_us(struct json *j, const char *key, uint64_t ns);

/** json_s() - @ns in seconds with six decimals */
void json_s(struct json *j, const char *key, uint64_t ns);

/** json_bytes() - @len bytes at @p, whatever they are, as a string */
void json_bytes(struct json *j, const char *key, const void *p, size_t len);

/** json_str() - A terminated string; NULL: null */
void json_str(struct json *j, const char *key, const char *s);

#endif /* TEXT_JSON_H */
