/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * utf8 - Tell valid UTF-8 from other bytes
 */
#ifndef TEXT_UTF8_H
#define TEXT_UTF8_H

#include <stddef.h>
#include <stdint.h>

/**
 * utf8_char() - Length of the character at the front of @len >= 1 bytes
 * @cp:		Its code point
 *
 * Return: 1 to 4, or 0 if no valid character begins here (RFC 3629 section 4:
 * no overlong forms, no surrogates, nothing above U+10FFFF)
 */
static inline unsigned utf8_char(const uint8_t *p, size_t len, uint32_t *cp)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t c = p[0];
	unsigned n;

	if (c < 0x80) {
		*cp = c;
		return 1;
	}
	if (c < 0xc2 || c > 0xf4)
		return 0;
	n = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	if (len < n)
		return 0;
	c &= 0xffu >> (n + 1);
	for (unsigned i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3fu);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*cp = c;
	return n;
}

#endif /* TEXT_UTF8_H */
