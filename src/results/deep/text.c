/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * text.c - Lines with masks
 *
 * Lines that are the same in bytes are not looked at. In others the leftmost
 * match of any mask is found on either side, the longest one of several, and
 * what is in front of it is compared; so it goes on behind both. The steps of
 * all masks have one budget for the whole text, so that no line can hold the
 * judge up.
 */
#include "deep/text.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define NO_MASK UINT32_MAX

/* A match, or the rest of a line. */
struct match {
	uint32_t mask;
	size_t at;
	size_t len;
};

/* Return: 0 or -E2BIG */
static int first_match(const struct rules_view *v, const uint8_t *p, size_t n,
		       size_t from, uint64_t *work, struct match *out)
{
	*out = (struct match){ .mask = NO_MASK, .at = n };
	for (uint32_t i = 0; i < v->masks; i++) {
		size_t at, len;
		int rc = mask_find(v->mask[i], p, n, from, &at, &len, work);

		if (rc < 0)
			return rc;
		assert(rc == 0 || (at >= from && len > 0 && len <= n - at));
		if (rc == 1 &&
		    (at < out->at || (at == out->at && len > out->len)))
			*out = (struct match){ i, at, len };
	}
	return 0;
}

int text_masked(const struct rules_view *v, const uint8_t *a, size_t an,
		const uint8_t *b, size_t bn, uint64_t *work, uint64_t *masks)
{
	uint64_t used = 0;
	size_t i = 0, k = 0;

	if (an == bn && memcmp(a, b, an) == 0)
		return 1;
	for (;;) {
		struct match m, o;

		if (first_match(v, a, an, i, work, &m) < 0 ||
		    first_match(v, b, bn, k, work, &o) < 0)
			return -E2BIG;
		if (m.mask != o.mask || m.at - i != o.at - k ||
		    memcmp(a + i, b + k, m.at - i) != 0)
			return 0;
		if (m.mask == NO_MASK)
			break;
		if (m.len != o.len || memcmp(a + m.at, b + o.at, m.len) != 0)
			used |= UINT64_C(1) << m.mask;
		assert(m.len > 0 && o.len > 0);
		i = m.at + m.len;
		k = o.at + o.len;
	}
	*masks |= used;
	return 1;
}

/* Bytes of the line that begins at @at, with its end. */
static size_t line_length(const uint8_t *p, size_t n, size_t at)
{
	const uint8_t *end = at < n ? memchr(p + at, '\n', n - at) : NULL;

	return end ? (size_t)(end - p) + 1 - at : n - at;
}

void text_compare(const struct rules_view *v, const uint8_t *a, size_t an,
		  const uint8_t *b, size_t bn, struct text_verdict *out)
{
	uint64_t work = TEXT_WORK * ((uint64_t)an + bn) + TEXT_WORK;
	size_t i = 0, k = 0;

	*out = (struct text_verdict){ .line = 0 };
	while (i < an || k < bn) {
		size_t in = line_length(a, an, i), kn = line_length(b, bn, k);
		int same = 0;

		assert(in <= an - i && kn <= bn - k && in + kn > 0);
		out->line++;
		if (in > 0 && kn > 0)
			same = text_masked(v, a + i, in, b + k, kn, &work,
					   &out->masks);
		if (same != 1) {
			out->outcome =
				same < 0 ? TEXT_UNJUDGED : TEXT_DIFFERENT;
			out->change = same < 0	? TEXT_NO_CHANGE
				      : kn == 0 ? TEXT_MISSING
				      : in == 0 ? TEXT_EXTRA
						: TEXT_VALUE;
			out->at[0] = i;
			out->at[1] = k;
			out->len[0] = in;
			out->len[1] = kn;
			return;
		}
		i += in;
		k += kn;
	}
	out->line = 0;
}

size_t binary_first(const uint8_t *a, size_t an, const uint8_t *b, size_t bn)
{
	size_t n = an < bn ? an : bn, i = 0;

	while (n - i >= 4096 && memcmp(a + i, b + i, 4096) == 0)
		i += 4096;
	while (i < n && a[i] == b[i])
		i++;
	return i;
}

const char *binary_type(const uint8_t *p, size_t n)
{
	static const struct {
		const char *magic;
		size_t n;
		const char *name;
	} types[] = {
		{ "\x89PNG\r\n\x1a\n", 8, "PNG" },
		{ "\xff\xd8\xff", 3, "JPEG" },
		{ "GIF8", 4, "GIF" },
		{ "%PDF-", 5, "PDF" },
		{ "PK\3\4", 4, "ZIP" },
		{ "\x1f\x8b\x08", 3, "gzip" },
		{ "\x28\xb5\x2f\xfd", 4, "zstd" },
		{ "\0asm", 4, "WebAssembly" },
		{ "wOF2", 4, "WOFF2" },
		{ "RIFF", 4, "RIFF" },
		{ "\x7f"
		  "ELF",
		  4, "ELF" },
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (n >= types[i].n &&
		    memcmp(p, types[i].magic, types[i].n) == 0)
			return types[i].name;
	return "";
}
