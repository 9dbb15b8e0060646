/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * block.c - Write and read what the journal adds to a capture file
 *
 * A custom block does not tell the length of its data from its padding, so
 * every text has its length in front. The files may come from anybody: each
 * length is checked against what is there.
 */
#include "journal/block_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/bytes.h"

static const uint8_t magic[4] = { 'U', 'S', 'J', '2' };

/* Behind the fixed part of a header block. */
enum {
	HEADER_LIMITS = BLOCK_LEN,	 /* four numbers of 64 bits */
	HEADER_KEY = HEADER_LIMITS + 32, /* two */
	HEADER_SEED = HEADER_KEY + 16,
	HEADER_BEGUN = HEADER_SEED + 8,
	HEADER_MAC = HEADER_BEGUN + 8,	     /* 6 bytes, and 2 of nothing */
	HEADER_VERSION_LEN = HEADER_MAC + 8, /* 16 bits */
	HEADER_OPTIONS_LEN = HEADER_VERSION_LEN + 2,
	HEADER_TEXT = HEADER_OPTIONS_LEN + 2, /* version, then options */
};

void block_put(uint8_t *p, const struct block *b)
{
	memcpy(p, magic, sizeof(magic));
	p[4] = b->kind;
	p[5] = b->flags;
	put_be16(p + 6, b->aux);
	put_be64(p + 8, b->number);
	put_be64(p + 16, b->now);
	put_be64(p + 24, b->a);
	put_be64(p + 32, b->b);
}

int block_get(const uint8_t *p, size_t len, struct block *b)
{
	if (len < BLOCK_LEN || memcmp(p, magic, 3) != 0)
		return -EBADMSG;
	if (p[3] != magic[3])
		return -ENOTSUP;
	*b = (struct block){
		.kind = p[4],
		.flags = p[5],
		.aux = get_be16(p + 6),
		.number = get_be64(p + 8),
		.now = get_be64(p + 16),
		.a = get_be64(p + 24),
		.b = get_be64(p + 32),
	};
	return 0;
}

uint32_t block_put_header(uint8_t *p, const struct block *b,
			  const struct journal_header *h)
{
	size_t version = strlen(h->version);
	size_t options = strlen(h->options);

	block_put(p, b);
	put_be64(p + HEADER_LIMITS, h->limits.flows);
	put_be64(p + HEADER_LIMITS + 8, h->limits.pool);
	put_be64(p + HEADER_LIMITS + 16, h->limits.flow_share);
	put_be64(p + HEADER_LIMITS + 24, h->limits.frags);
	put_be64(p + HEADER_KEY, h->key.k[0]);
	put_be64(p + HEADER_KEY + 8, h->key.k[1]);
	put_be64(p + HEADER_SEED, h->seed);
	put_be64(p + HEADER_BEGUN, h->begun);
	memset(p + HEADER_MAC, 0, 8);
	memcpy(p + HEADER_MAC, h->mac, sizeof(h->mac));
	put_be16(p + HEADER_VERSION_LEN, (uint16_t)version);
	put_be16(p + HEADER_OPTIONS_LEN, (uint16_t)options);
	memcpy(p + HEADER_TEXT, h->version, version);
	memcpy(p + HEADER_TEXT + version, h->options, options);
	return (uint32_t)(HEADER_TEXT + version + options);
}

/* Copy a text as a string; one with a NUL inside is none. */
static int get_text(char *to, const uint8_t *p, size_t len)
{
	if (memchr(p, 0, len))
		return -EBADMSG;
	memcpy(to, p, len);
	to[len] = '\0';
	return 0;
}

int block_get_header(const uint8_t *p, size_t len, const struct block *b,
		     struct journal_header *h, char *text)
{
	size_t version, options;

	if (len < HEADER_TEXT)
		return -EBADMSG;
	version = get_be16(p + HEADER_VERSION_LEN);
	options = get_be16(p + HEADER_OPTIONS_LEN);
	if (version > JOURNAL_VERSION_MAX ||
	    version + options > len - HEADER_TEXT ||
	    get_be64(p + HEADER_LIMITS) > UINT32_MAX ||
	    get_be64(p + HEADER_LIMITS + 24) > UINT32_MAX ||
	    get_text(text, p + HEADER_TEXT, version) != 0 ||
	    get_text(text + version + 1, p + HEADER_TEXT + version, options) !=
		    0)
		return -EBADMSG;
	h->version = text;
	h->options = text + version + 1;
	h->limits.flows = (uint32_t)get_be64(p + HEADER_LIMITS);
	h->limits.pool = get_be64(p + HEADER_LIMITS + 8);
	h->limits.flow_share = get_be64(p + HEADER_LIMITS + 16);
	h->limits.frags = (uint32_t)get_be64(p + HEADER_LIMITS + 24);
	h->key.k[0] = get_be64(p + HEADER_KEY);
	h->key.k[1] = get_be64(p + HEADER_KEY + 8);
	h->seed = get_be64(p + HEADER_SEED);
	h->begun = get_be64(p + HEADER_BEGUN);
	memcpy(h->mac, p + HEADER_MAC, sizeof(h->mac));
	h->started = b->b;
	h->only_client = (b->flags & BLOCK_ONLY_CLIENT) != 0;
	return 0;
}

uint32_t block_put_next(uint8_t *p, const struct block *b, const char *name)
{
	size_t len = strlen(name);

	block_put(p, b);
	put_be16(p + BLOCK_LEN, (uint16_t)len);
	memcpy(p + BLOCK_LEN + 2, name, len);
	return (uint32_t)(BLOCK_LEN + 2 + len);
}

int block_get_next(const uint8_t *p, size_t len, char *name)
{
	size_t n;

	if (len < BLOCK_LEN + 2)
		return -EBADMSG;
	n = get_be16(p + BLOCK_LEN);
	p += BLOCK_LEN + 2;
	if (n == 0 || n > BLOCK_NAME || n > len - BLOCK_LEN - 2 ||
	    memchr(p, '/', n) || (n == 1 && p[0] == '.') ||
	    (n == 2 && memcmp(p, "..", 2) == 0))
		return -EBADMSG;
	return get_text(name, p, n);
}

size_t block_put_comment(char *out, const struct block *b, const void *p,
			 size_t len)
{
	int n;

	if (len > 0) {
		memcpy(out, p, len);
		memcpy(out + len, "; ", 2);
		len += 2;
	}
	n = snprintf(out + len, BLOCK_COMMENT - len,
		     "#%" PRIu64 " now=%" PRIu64 " sut=%" PRIu64
		     " gso=%u csum=%u",
		     b->number, b->now, b->a, (unsigned)b->aux,
		     b->flags & (BLOCK_CSUM_OK | BLOCK_TRUSTED));
	return len + (size_t)n;
}

/* A text that is read from its front. */
struct reading {
	const uint8_t *p;
	size_t len;
};

/* Step over @label and a decimal number up to @max behind it. */
static int read_number(struct reading *r, const char *label, uint64_t max,
		       uint64_t *out)
{
	size_t n = strlen(label);
	uint64_t v = 0;
	size_t digits = 0;

	if (r->len < n || memcmp(r->p, label, n) != 0)
		return -EBADMSG;
	r->p += n;
	r->len -= n;
	for (; r->len > 0 && *r->p >= '0' && *r->p <= '9'; digits++) {
		unsigned d = *r->p - (unsigned)'0';

		if (d > max || v > (max - d) / 10)
			return -EBADMSG;
		v = v * 10 + d;
		r->p++;
		r->len--;
	}
	if (digits == 0)
		return -EBADMSG;
	*out = v;
	return 0;
}

int block_get_comment(const uint8_t *p, size_t len, struct block *b)
{
	struct reading r = { p, 0 };
	uint64_t number, now, sut, gso, csum;

	/* The caller's comment may have the sign, too: the last one is ours. */
	while (len > 0 && p[len - 1] != '#') {
		len--;
		r.len++;
	}
	if (len == 0)
		return -EBADMSG;
	r.p = p + len - 1;
	r.len++;
	if (read_number(&r, "#", UINT64_MAX, &number) != 0 ||
	    read_number(&r, " now=", UINT64_MAX, &now) != 0 ||
	    read_number(&r, " sut=", UINT8_MAX, &sut) != 0 ||
	    read_number(&r, " gso=", UINT16_MAX, &gso) != 0 ||
	    read_number(&r, " csum=", BLOCK_CSUM_OK | BLOCK_TRUSTED, &csum) !=
		    0 ||
	    r.len > 0)
		return -EBADMSG;
	*b = (struct block){ .kind = BLOCK_FRAME,
			     .flags = (uint8_t)csum,
			     .aux = (uint16_t)gso,
			     .number = number,
			     .now = now,
			     .a = sut };
	return 0;
}
