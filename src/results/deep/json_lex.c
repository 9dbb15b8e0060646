/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * json_lex.c - Strings and numbers of a JSON text
 *
 * A string is hashed in words of eight bytes of its characters in UTF-8. As
 * long as it is plain ASCII these are the bytes of the text (json_string());
 * from the first escape or other character on, json_string_slow() makes them
 * one by one. The words are the same however a character is written. A lone
 * surrogate, which only an escape can name, has the three bytes that UTF-8
 * would give it.
 *
 * A number is its significant digits and a power of ten: neither zeros at
 * either end nor a point nor an exponent tell one spelling from another. Up to
 * 19 digits are an integer, more are hashed.
 */
#include "deep/json_internal.h"

#include <string.h>

#define DIGITS_MOST   19u			/* below 2^64 */
#define EXPONENT_MOST INT64_C(1000000000000000) /* 10^15 */
#define SCALE_MOST    36 /* digits that a signed 128-bit integer has */

/* Words of a string that comes byte by byte. */
struct words {
	const struct json_keys *k;
	uint64_t h;
	uint64_t w;
	uint64_t len;
	unsigned fill;
};

static inline void put(struct words *o, uint8_t c)
{
	assert(o->fill < 8);
	o->w |= (uint64_t)c << 8 * o->fill;
	o->len++;
	if (++o->fill == 8) {
		o->h = fold(o->h ^ o->w, o->k->word);
		o->w = 0;
		o->fill = 0;
	}
}

static void put_character(struct words *o, uint32_t c)
{
	assert(c < 0x110000);
	if (c < 0x80) {
		put(o, (uint8_t)c);
		return;
	}
	if (c < 0x800) {
		put(o, (uint8_t)(0xc0 | c >> 6));
	} else {
		if (c < 0x10000) {
			put(o, (uint8_t)(0xe0 | c >> 12));
		} else {
			put(o, (uint8_t)(0xf0 | c >> 18));
			put(o, (uint8_t)(0x80 | (c >> 12 & 0x3f)));
		}
		put(o, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
	}
	put(o, (uint8_t)(0x80 | (c & 0x3f)));
}

static int hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The four digits at @p, or -1. */
static int32_t four_digits(const uint8_t *p, const uint8_t *end)
{
	int32_t v = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int digit = hex_value(p[i]);

		if (digit < 0)
			return -1;
		v = v << 4 | digit;
	}
	return v;
}

/* Behind "\u". */
static const uint8_t *unicode_escape(struct words *o, const uint8_t *p,
				     const uint8_t *end)
{
	int32_t c = four_digits(p, end);
	int32_t low = -1;

	if (c < 0)
		return NULL;
	p += 4;
	if (c >= 0xd800 && c < 0xdc00 && end - p >= 6 && p[0] == '\\' &&
	    p[1] == 'u')
		low = four_digits(p + 2, end);
	if (low >= 0xdc00 && low < 0xe000) {
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
		p += 6;
	}
	put_character(o, (uint32_t)c);
	return p;
}

/* Behind a backslash. */
static const uint8_t *escape(struct words *o, const uint8_t *p,
			     const uint8_t *end)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *at;

	if (p == end)
		return NULL;
	if (*p == 'u')
		return unicode_escape(o, p + 1, end);
	at = memchr(from, *p, sizeof(from) - 1);
	if (!at)
		return NULL;
	put(o, (uint8_t)to[at - from]);
	return p + 1;
}

/* The character that begins with @p[0], which is not ASCII (RFC 3629 section
 * 4).
 */
static const uint8_t *multibyte(struct words *o, const uint8_t *p,
				const uint8_t *end)
{
	uint8_t c = p[0];
	uint8_t low = 0x80, high = 0xbf;
	int more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;

	if (c < 0xc2 || c > 0xf4 || end - p <= more)
		return NULL;
	if (c == 0xe0)
		low = 0xa0;
	else if (c == 0xed)
		high = 0x9f;
	else if (c == 0xf0)
		low = 0x90;
	else if (c == 0xf4)
		high = 0x8f;
	put(o, c);
	for (int i = 1; i <= more; i++) {
		if (p[i] < low || p[i] > high)
			return NULL;
		put(o, p[i]);
		low = 0x80;
		high = 0xbf;
	}
	return p + more + 1;
}

const uint8_t *json_string_slow(const struct json_keys *k, const uint8_t *p,
				const uint8_t *end, uint64_t h, uint64_t len,
				uint64_t *hash)
{
	struct words o = { .k = k, .h = h, .len = len };

	while (p && p < end && *p != '"') {
		if (*p == '\\') {
			p = escape(&o, p + 1, end);
		} else if (*p >= 0x80) {
			p = multibyte(&o, p, end);
		} else if (*p >= 0x20) {
			put(&o, *p++);
		} else {
			return NULL;
		}
	}
	if (!p || p == end)
		return NULL;
	*hash = string_end(k, o.h, o.w, o.len);
	return p + 1;
}

/* Where the parts of a number's text are: whole[.part][e[sign]power] */
struct spelling {
	bool negative;
	const uint8_t *whole, *part, *power;
	size_t whole_len, part_len, power_len;
	bool power_negative;
};

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static const uint8_t *skip_digits(const uint8_t *p, const uint8_t *end)
{
	while (p < end && is_digit(*p))
		p++;
	return p;
}

/* Return: behind it, or NULL */
static const uint8_t *spell(struct spelling *s, const uint8_t *p,
			    const uint8_t *end)
{
	*s = (struct spelling){ .negative = p < end && *p == '-' };
	s->whole = p + s->negative;
	p = skip_digits(s->whole, end);
	s->whole_len = (size_t)(p - s->whole);
	if (s->whole_len == 0 || (s->whole_len > 1 && *s->whole == '0'))
		return NULL;
	if (p < end && *p == '.') {
		s->part = p + 1;
		p = skip_digits(s->part, end);
		s->part_len = (size_t)(p - s->part);
		if (s->part_len == 0)
			return NULL;
	}
	if (p < end && (*p | 0x20) == 'e') {
		p++;
		s->power_negative = p < end && *p == '-';
		if (p < end && (*p == '-' || *p == '+'))
			p++;
		s->power = p;
		p = skip_digits(p, end);
		s->power_len = (size_t)(p - s->power);
		if (s->power_len == 0)
			return NULL;
	}
	return p;
}

/* Digit @i of both parts. */
static uint8_t digit_of(const struct spelling *s, size_t i)
{
	return i < s->whole_len ? s->whole[i] : s->part[i - s->whole_len];
}

/* Return: false if it is beyond EXPONENT_MOST */
static bool power_of(const struct spelling *s, int64_t *out)
{
	int64_t v = 0;

	for (size_t i = 0; i < s->power_len; i++) {
		v = v * 10 + (s->power[i] - '0');
		if (v > EXPONENT_MOST)
			return false;
	}
	*out = s->power_negative ? -v : v;
	return true;
}

/* Return: false: its exponent is too large */
static bool evaluate(const struct json_keys *k, const struct spelling *s,
		     struct number *out)
{
	size_t n = s->whole_len + s->part_len, first = 0, last = n;
	int64_t power = 0;

	while (first < n && digit_of(s, first) == '0')
		first++;
	*out = (struct number){ .m = 0 };
	if (first == n)
		return true;
	while (digit_of(s, last - 1) == '0')
		last--;
	assert(first < last && last <= n);
	if (!power_of(s, &power))
		return false;
	out->negative = s->negative;
	out->e = power + (int64_t)s->whole_len - (int64_t)last;
	if (last - first <= DIGITS_MOST) {
		for (size_t i = first; i < last; i++)
			out->m = out->m * 10 + (uint64_t)(digit_of(s, i) - '0');
	} else {
		struct words o = { .k = k, .h = k->seed };

		for (size_t i = first; i < last; i++)
			put(&o, digit_of(s, i));
		out->m = string_end(k, o.h, o.w, o.len);
		out->hashed = true;
	}
	return true;
}

/* An integer of at most 18 digits, which most numbers are. Return: behind it,
 * or NULL: it is something else
 */
static inline const uint8_t *integer(const uint8_t *p, const uint8_t *end,
				     struct number *out)
{
	bool negative = *p == '-';
	const uint8_t *from = p + negative;
	uint64_t m = 0;
	int64_t e = 0;

	for (p = from; p < end && is_digit(*p) && p - from < 18; p++)
		m = m * 10 + (uint64_t)(*p - '0');
	if (p == from || p == end || is_digit(*p) || *p == '.' ||
	    (*p | 0x20) == 'e' || (*from == '0' && p - from > 1))
		return NULL;
	while (m != 0 && m % 10 == 0) {
		m /= 10;
		e++;
	}
	*out = (struct number){ .m = m,
				.e = e,
				.negative = negative && m != 0 };
	return p;
}

const uint8_t *json_number(const struct json_keys *k, const uint8_t *p,
			   const uint8_t *end, struct number *out,
			   enum json_fault *fault)
{
	const uint8_t *behind = integer(p, end, out);
	struct spelling s;

	if (behind)
		return behind;
	behind = spell(&s, p, end);
	if (!behind || !evaluate(k, &s, out)) {
		*fault = !behind ? JSON_BROKEN : JSON_HUGE;
		return NULL;
	}
	return behind;
}

/* @n * 10^@by, or false: it would have more than SCALE_MOST digits, and @n is
 * the last power that has no more.
 */
static bool scale(unsigned __int128 *n, int64_t by)
{
	unsigned __int128 most = 1;

	for (int i = 0; i < SCALE_MOST; i++)
		most *= 10;
	assert(by >= 0 || *n == 0);
	if (*n == 0)
		return true;
	for (; by > 0; by--) {
		if (*n >= most / 10)
			return false;
		*n *= 10;
	}
	return true;
}

bool json_near(const uint8_t *a, size_t an, const uint8_t *b, size_t bn,
	       const struct json_rule *r)
{
	static const struct json_keys none;
	unsigned __int128 x, y, within = r->within_m, apart;
	int64_t e = r->within_e;
	struct number na, nb;
	struct spelling sa, sb;

	assert(r->verb == JSON_NUMBER);
	if (spell(&sa, a, a + an) != a + an || spell(&sb, b, b + bn) != b + bn)
		return false;
	if (!evaluate(&none, &sa, &na) || !evaluate(&none, &sb, &nb))
		return false;
	if (na.hashed || nb.hashed)
		return false;
	if (na.m != 0 && na.e < e)
		e = na.e;
	if (nb.m != 0 && nb.e < e)
		e = nb.e;
	x = na.m;
	y = nb.m;
	if (!scale(&x, na.e - e) || !scale(&y, nb.e - e))
		return false;
	scale(&within, r->within_e - e); /* or as far as there is room */
	if (na.negative != nb.negative)
		apart = x + y;
	else
		apart = x > y ? x - y : y - x;
	return apart <= within;
}

const uint8_t *json_skip_string(const uint8_t *p, const uint8_t *end)
{
	for (;;) {
		while (end - p >= 8 && string_stops(le64(p)) == 0)
			p += 8;
		while (p < end && *p != '"' && *p != '\\' && end - p < 8)
			p++;
		if (p == end)
			return end;
		if (*p == '"')
			return p + 1;
		if (*p == '\\' && end - p > 1)
			p++;
		p++;
	}
}

const uint8_t *json_skip(const uint8_t *p, const uint8_t *end)
{
	uint32_t depth = 0;

	do {
		p = skip_blank(p, end);
		if (p == end)
			break;
		if (*p == '"') {
			p = json_skip_string(p + 1, end);
		} else if (*p == '{' || *p == '[') {
			depth++;
			p++;
		} else if (*p == '}' || *p == ']') {
			assert(depth > 0);
			depth--;
			p++;
		} else {
			/* a scalar, a comma or a colon */
			p++;
			while (p < end &&
			       (is_digit(*p) || *p >= 'a' || *p == '.' ||
				*p == '+' || *p == '-' || *p == 'E') &&
			       *p != '{' && *p != '}')
				p++;
		}
	} while (depth > 0);
	return p;
}
