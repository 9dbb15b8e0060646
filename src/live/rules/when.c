/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * when.c - Dates of HTTP and of RFC 3339
 *
 * A form is a pattern: D is a digit of the day, d one or a blank, o one of the
 * month, Y of the year, h, m and s of the time; N is a letter of a month's
 * name, w one of a day's; ? is T, t or a blank; all else stands for itself.
 */
#include "rules/when.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define NS	  INT64_C(1000000000)
#define DAY	  INT64_C(86400)
#define YEAR_LOW  1678 /* of moments in int64_t nanoseconds, whole years */
#define YEAR_HIGH 2261

/* What a form's fields are. */
struct moment {
	int year, month, day, hour, minute, second;
	char name[3]; /* of the month */
	unsigned letters;
};

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int *field_of(struct moment *m, char f)
{
	switch (f) {
	case 'd':
	case 'D':
		return &m->day;
	case 'o':
		return &m->month;
	case 'Y':
		return &m->year;
	case 'h':
		return &m->hour;
	case 'm':
		return &m->minute;
	case 's':
		return &m->second;
	default:
		return NULL;
	}
}

/* Does one byte fit one letter of the form? */
static bool take(struct moment *m, char f, uint8_t c)
{
	int *field = field_of(m, f);

	if (field) {
		/* asctime() writes a day below 10 with a blank */
		if (!is_digit(c) && !(f == 'd' && c == ' '))
			return false;
		*field = *field * 10 + (c == ' ' ? 0 : c - '0');
		return true;
	}
	if (f == 'N' && is_letter(c)) {
		m->name[m->letters++ % 3] = (char)(c | 0x20);
		return true;
	}
	if (f == 'w')
		return is_letter(c);
	if (f == '?')
		return c == 'T' || c == 't' || c == ' ';
	return (uint8_t)f == c;
}

/* Read the first bytes by a form. */
static bool by_form(struct moment *m, const char *form, const uint8_t *p,
		    size_t n)
{
	size_t len = strlen(form);

	*m = (struct moment){ .day = 0 };
	if (n < len)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!take(m, form[i], p[i]))
			return false;
	return true;
}

static bool name_month(struct moment *m)
{
	static const char months[] = "janfebmaraprmayjunjulaugsepoctnovdec";

	for (int i = 0; i < 12; i++)
		if (memcmp(months + (size_t)i * 3, m->name, 3) == 0)
			m->month = i + 1;
	return m->month != 0;
}

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Days from 1970-01-01 to the first of March of that year, and on: the leap day
 * is the last one of a year that begins in March.
 */
static int64_t days_of(const struct moment *m)
{
	int64_t y = m->month > 2 ? m->year : m->year - 1;
	int64_t month = m->month > 2 ? m->month - 3 : m->month + 9;

	assert(month >= 0 && month < 12);
	return y * 365 + y / 4 - y / 100 + y / 400 + (month * 153 + 2) / 5 +
	       m->day - 1 - 719468;
}

static bool is_moment(const struct moment *m)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30,
					31, 31, 30, 31, 30, 31 };

	if (m->year < 1 || m->month < 1 || m->month > 12 || m->day < 1)
		return false;
	if (m->day > days[m->month - 1] + (m->month == 2 && is_leap(m->year)))
		return false;
	return m->hour < 24 && m->minute < 60 && m->second <= 60;
}

static int64_t seconds_of(const struct moment *m)
{
	assert(m->hour < 24 && m->minute < 60 && m->second <= 60);
	return days_of(m) * DAY + m->hour * 3600 + m->minute * 60 + m->second;
}

int when_http(const uint8_t *p, size_t n, int64_t *s)
{
	static const char fix[] = "www, DD NNN YYYY hh:mm:ss GMT";
	static const char old[] = ", DD-NNN-YY hh:mm:ss GMT";
	static const char plain[] = "www NNN dD hh:mm:ss YYYY";
	size_t word = 0;
	struct moment m;
	bool fits = (n == sizeof(fix) - 1 && by_form(&m, fix, p, n)) ||
		    (n == sizeof(plain) - 1 && by_form(&m, plain, p, n));

	while (word < n && is_letter(p[word]))
		word++;
	if (!fits && word > 0 && n - word == sizeof(old) - 1 &&
	    by_form(&m, old, p + word, n - word)) {
		m.year += m.year < 70 ? 2000 : 1900;
		fits = true;
	}
	if (!fits || !name_month(&m) || !is_moment(&m))
		return -EINVAL;
	*s = seconds_of(&m);
	return 0;
}

/* Read ".123", if there is one. Return: bytes of it */
static size_t read_fraction(const uint8_t *p, size_t n, int64_t *ns)
{
	int64_t unit = NS;
	size_t i = 1;

	*ns = 0;
	if (n < 2 || p[0] != '.' || !is_digit(p[1]))
		return 0;
	for (; i < n && is_digit(p[i]); i++) {
		unit /= 10;
		*ns += (p[i] - '0') * unit;
	}
	return i;
}

/* Read Z, an offset or nothing, which end the text. */
static bool read_zone(const uint8_t *p, size_t n, int64_t *east)
{
	struct moment z;

	*east = 0;
	if (n == 0 || (n == 1 && (p[0] == 'Z' || p[0] == 'z')))
		return true;
	if (p[0] != '+' && p[0] != '-')
		return false;
	if (!(n == 6 && by_form(&z, "hh:mm", p + 1, 5)) &&
	    !(n == 5 && by_form(&z, "hhmm", p + 1, 4)))
		return false;
	*east = (z.hour * 60 + z.minute) * (p[0] == '-' ? -60 : 60);
	return z.hour < 24 && z.minute < 60;
}

int when_iso(const uint8_t *p, size_t n, int64_t *ns)
{
	static const char form[] = "YYYY-oo-DD?hh:mm:ss";
	size_t at = sizeof(form) - 1;
	int64_t fraction, east;
	struct moment m;

	if (!by_form(&m, form, p, n) || !is_moment(&m))
		return -EINVAL;
	at += read_fraction(p + at, n - at, &fraction);
	if (!read_zone(p + at, n - at, &east))
		return -EINVAL;
	if (m.year < YEAR_LOW || m.year > YEAR_HIGH)
		return -EINVAL;
	*ns = (seconds_of(&m) - east) * NS + fraction;
	return 0;
}

int when_date(const uint8_t *p, size_t n, int64_t *ns)
{
	int64_t s;

	if (when_iso(p, n, ns) == 0)
		return 0;
	if (when_http(p, n, &s) != 0 || s > INT64_MAX / NS ||
	    s < INT64_MIN / NS)
		return -EINVAL;
	*ns = s * NS;
	return 0;
}

int when_any(const uint8_t *p, size_t n, int64_t *ns)
{
	int64_t unit = n == 10 ? NS : n == 13 ? NS / 1000 : n == 16 ? 1000 : 1;
	int64_t v = 0;

	if (n != 10 && n != 13 && n != 16 && n != 19)
		return when_date(p, n, ns);
	for (size_t i = 0; i < n; i++) {
		if (!is_digit(p[i]))
			return when_date(p, n, ns);
		if (v > (INT64_MAX - 9) / 10)
			return -EINVAL;
		v = v * 10 + (p[i] - '0');
	}
	if (v > INT64_MAX / unit)
		return -EINVAL;
	*ns = v * unit;
	return 0;
}

int when_day(const uint8_t *p, size_t n, int64_t *ns)
{
	static const char form[] = "YYYY-oo-DD";
	struct moment m;

	if (n != sizeof(form) - 1 || !by_form(&m, form, p, n) || !is_moment(&m))
		return -EINVAL;
	if (m.year < YEAR_LOW || m.year > YEAR_HIGH)
		return -EINVAL;
	*ns = seconds_of(&m) * NS;
	return 0;
}
