/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * when - Moments as servers write them
 */
#ifndef RULES_WHEN_H
#define RULES_WHEN_H

#include <stddef.h>
#include <stdint.h>

/**
 * when_http() - Read a date of HTTP (RFC 9110 section 5.6.7, all three forms)
 * @p, @n:	All of the text; the day's name is not checked, years are 1 to
 *		9999. Two digits of a year are 1970 to 2069
 * @s:		Seconds since 1970
 *
 * Return: 0, or -EINVAL, and @s is untouched
 */
int when_http(const uint8_t *p, size_t n, int64_t *s);

/**
 * when_iso() - Read a moment of RFC 3339, "T" or a blank in the middle
 * @p, @n:	All of the text, with Z, an offset, or without (then it is UTC);
 *		years 1 to 9999; digits behind the ninth of a second are left
 *		out
 * @ns:		Nanoseconds since 1970, at most those of years 1678 to 2261
 *
 * Return: 0, or -EINVAL (or a year that @ns cannot have), and @ns is untouched
 */
int when_iso(const uint8_t *p, size_t n, int64_t *ns);

/** when_date() - when_iso() or when_http(), in nanoseconds */
int when_date(const uint8_t *p, size_t n, int64_t *ns);

/**
 * when_any() - when_date(), or a number since 1970 of 10 (seconds), 13 (ms), 16
 * (us) or 19 digits (ns)
 */
int when_any(const uint8_t *p, size_t n, int64_t *ns);

/** when_day() - Nanoseconds of the first moment of YYYY-MM-DD, as when_iso() */
int when_day(const uint8_t *p, size_t n, int64_t *ns);

#endif /* RULES_WHEN_H */
