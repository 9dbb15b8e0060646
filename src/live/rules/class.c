/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * class.c - A predicate for each class
 */
#include "rules/class.h"

#include <assert.h>
#include <string.h>

#include "rules/when.h"

#define HEX_LEAST   8u
#define TOKEN_LEAST 16u

static const char *const names[CLASS_COUNT] = {
#define X(id, name) [id] = name,
	CLASSES(X)
#undef X
};

const char *class_name(enum value_class c)
{
	assert(c < CLASS_COUNT);
	return names[c];
}

enum value_class class_find(const char *name, size_t n)
{
	unsigned c = 0;

	while (c < CLASS_COUNT &&
	       (strlen(names[c]) != n || memcmp(names[c], name, n) != 0))
		c++;
	return (enum value_class)c;
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_hex(uint8_t c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_alpha(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_base64url(uint8_t c)
{
	return is_digit(c) || is_alpha(c) || c == '-' || c == '_';
}

static bool all_hex(const uint8_t *p, size_t n)
{
	size_t i = 0;

	while (i < n && is_hex(p[i]))
		i++;
	return i == n;
}

/* How many digits stand at @p? */
static size_t digits(const uint8_t *p, size_t n)
{
	size_t i = 0;

	while (i < n && is_digit(p[i]))
		i++;
	return i;
}

static bool is_uuid(const uint8_t *p, size_t n)
{
	static const uint8_t dash[] = { 8, 13, 18, 23 };
	size_t from = 0;

	if (n != 36)
		return false;
	for (size_t i = 0; i < sizeof(dash); i++) {
		if (p[dash[i]] != '-' || !all_hex(p + from, dash[i] - from))
			return false;
		from = dash[i] + 1u;
	}
	return all_hex(p + from, n - from);
}

static bool is_epoch(const uint8_t *p, size_t n)
{
	return (n == 10 || n == 13 || n == 16 || n == 19) && digits(p, n) == n;
}

static bool is_decimal(const uint8_t *p, size_t n)
{
	size_t sign = n > 0 && p[0] == '-';
	size_t whole = digits(p + sign, n - sign);
	size_t at = sign + whole;

	return whole > 0 && at < n && p[at] == '.' && at + 1 < n &&
	       digits(p + at + 1, n - at - 1) == n - at - 1;
}

static bool is_integer(const uint8_t *p, size_t n)
{
	size_t sign = n > 0 && p[0] == '-';

	return n > sign && digits(p + sign, n - sign) == n - sign;
}

static bool is_jwt(const uint8_t *p, size_t n)
{
	size_t dots = 0, part = 0;

	for (size_t i = 0; i < n; i++) {
		if (p[i] == '.') {
			if (part == 0)
				return false;
			dots++;
			part = 0;
		} else if (is_base64url(p[i])) {
			part++;
		} else {
			return false;
		}
	}
	return dots == 2 && n > 2 && p[0] == 'e' && p[1] == 'y';
}

static bool is_token(const uint8_t *p, size_t n)
{
	size_t i = 0, end = n;

	while (end > 0 && n - end < 2 && p[end - 1] == '=')
		end--;
	while (i < end && (is_base64url(p[i]) || p[i] == '+' || p[i] == '/'))
		i++;
	return n >= TOKEN_LEAST && i == end;
}

static bool is_url(const uint8_t *p, size_t n)
{
	size_t i = 0;

	while (i < n && is_alpha(p[i]))
		i++;
	if (i == 0 || n - i < 4 || memcmp(p + i, "://", 3) != 0)
		return false;
	for (i += 3; i < n; i++)
		if (p[i] <= ' ' || p[i] == 0x7f)
			return false;
	return true;
}

static bool is_etag(const uint8_t *p, size_t n)
{
	size_t weak = n > 2 && p[0] == 'W' && p[1] == '/' ? 2 : 0;

	return n >= weak + 2 && p[weak] == '"' && p[n - 1] == '"' &&
	       !memchr(p + weak + 1, '"', n - weak - 2);
}

bool class_has(enum value_class c, const uint8_t *p, size_t n)
{
	int64_t t;

	switch (c) {
	case CLASS_UUID:
		return is_uuid(p, n);
	case CLASS_TIME:
		return when_date(p, n, &t) == 0;
	case CLASS_EPOCH:
		return is_epoch(p, n);
	case CLASS_INTEGER:
		return is_integer(p, n);
	case CLASS_DECIMAL:
		return is_decimal(p, n);
	case CLASS_JWT:
		return is_jwt(p, n);
	case CLASS_HEX:
		return n >= HEX_LEAST && all_hex(p, n);
	case CLASS_TOKEN:
		return is_token(p, n);
	case CLASS_URL:
		return is_url(p, n);
	case CLASS_ETAG:
		return is_etag(p, n);
	case CLASS_COUNT:
		break;
	}
	return false;
}
