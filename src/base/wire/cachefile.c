/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cachefile.c - Small states in chunks, and tcpreplay's cache files
 *
 * Theory of operation
 *
 * A byte holds k packets of 8/k bits each, the first packet in the lowest bits.
 * k is a power of two, so a packet never crosses a byte, and a chunk of whole
 * bytes never splits one: written one after the other, chunks are the file.
 *
 * The table is a window over the packets of a capture that moves forward. Chunk
 * n of the capture lies in slot n modulo the number of slots. When the window
 * is full the caller writes its oldest chunk away and drops it; so a table of
 * any length is built in the memory of a few chunks, and any packet still in
 * the window is found without a search.
 *
 * A chunk is cleared when its first packet comes. From then on bits are only
 * ORed: who decides late about a packet adds to what is there.
 *
 * A file is read as it lies: its header says how long it must be, and it must
 * be that long, so no packet that it claims lies behind its end.
 */
#include "wire/cachefile.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "core/bytes.h"

static const uint8_t magic[8] = { 't', 'c', 'p', 'p', 'r', 'e', 'p', 0 };
static const uint8_t version[4] = { '0', '4', 0, 0 };

/* Where the header's fields are. */
enum {
	AT_VERSION = 8,
	AT_PACKETS = 12,
	AT_PER_BYTE = 20,
	AT_COMMENT_LEN = 22,
};

static bool is_layout(unsigned per_byte)
{
	return per_byte == 8 || per_byte == 4 || per_byte == 2 || per_byte == 1;
}

static unsigned state_mask(const struct bitcache *c)
{
	return (1u << c->bits) - 1;
}

/* @per_byte is a power of two. */
static unsigned state_shift(const struct bitcache *c, uint64_t i)
{
	return (unsigned)(i & (c->per_byte - 1)) * c->bits;
}

static uint64_t per_chunk(const struct bitcache *c)
{
	return (uint64_t)c->chunk * c->per_byte;
}

int bitcache_init(struct bitcache *c, unsigned per_byte, uint8_t *mem,
		  size_t chunk, size_t slots)
{
	if (!is_layout(per_byte) || chunk == 0 || slots == 0)
		return -EINVAL;
	*c = (struct bitcache){
		.mem = mem,
		.chunk = chunk,
		.slots = slots,
		.per_byte = per_byte,
		.bits = 8 / per_byte,
	};
	return 0;
}

/* The byte of packet @i, which is in the window. */
static uint8_t *byte_of(const struct bitcache *c, uint64_t i)
{
	uint64_t slot, at;

	assert(c->slots > 0 && per_chunk(c) > 0);
	slot = i / per_chunk(c) % c->slots;
	at = i % per_chunk(c) / c->per_byte;

	return c->mem + slot * c->chunk + at;
}

/* Begin another chunk. Return: 0 or -ENOSPC */
static int begin_chunk(struct bitcache *c)
{
	if (c->count / per_chunk(c) - c->dropped >= c->slots)
		return -ENOSPC;
	c->next = byte_of(c, c->count);
	c->left = per_chunk(c);
	memset(c->next, 0, c->chunk);
	return 0;
}

int bitcache_add(struct bitcache *c, unsigned state)
{
	int rc;

	if (state > state_mask(c))
		return -EINVAL;
	/* It is called for every packet, so there is no division here. */
	if (c->left == 0) {
		rc = begin_chunk(c);
		if (rc)
			return rc;
	}
	*c->next = (uint8_t)(*c->next | state << state_shift(c, c->count));
	c->count++;
	c->left--;
	if (!(c->count & (c->per_byte - 1)))
		c->next++;
	return 0;
}

static bool in_window(const struct bitcache *c, uint64_t i)
{
	return i < c->count && i / per_chunk(c) >= c->dropped;
}

int bitcache_set(struct bitcache *c, uint64_t i, unsigned bits)
{
	uint8_t *byte;

	if (bits > state_mask(c))
		return -EINVAL;
	if (!in_window(c, i))
		return -ERANGE;
	byte = byte_of(c, i);
	*byte = (uint8_t)(*byte | bits << state_shift(c, i));
	return 0;
}

int bitcache_get(const struct bitcache *c, uint64_t i)
{
	if (!in_window(c, i))
		return -ERANGE;
	return (int)((unsigned)*byte_of(c, i) >> state_shift(c, i) &
		     state_mask(c));
}

const uint8_t *bitcache_oldest(const struct bitcache *c, size_t *len)
{
	uint64_t first = c->dropped * per_chunk(c);
	uint64_t held;

	if (c->count <= first)
		return NULL;
	held = bitcache_bytes(c->count - first, c->per_byte);
	*len = held < c->chunk ? (size_t)held : c->chunk;
	return byte_of(c, first);
}

void bitcache_drop(struct bitcache *c)
{
	assert(c->count > c->dropped * per_chunk(c));
	c->dropped++;
	/* A chunk that was not full leaves a gap: the next packet begins one.
	 */
	if (c->count < c->dropped * per_chunk(c))
		c->count = c->dropped * per_chunk(c);
}

uint64_t bitcache_bytes(uint64_t count, unsigned per_byte)
{
	if (!is_layout(per_byte))
		return 0;
	return count / per_byte + (count % per_byte != 0);
}

int cachefile_open(struct cachefile *f, const uint8_t *p, size_t len)
{
	uint64_t packets, need, have;
	size_t comment;

	if (len < sizeof(magic) || memcmp(p, magic, sizeof(magic)) != 0)
		return -EBADMSG;
	if (len < CACHEFILE_HEADER)
		return -ENODATA;
	if (memcmp(p + AT_VERSION, version, sizeof(version)) != 0)
		return -EPROTONOSUPPORT;
	if (get_be16(p + AT_PER_BYTE) != CACHEFILE_PER_BYTE)
		return -ENOTSUP;
	comment = get_be16(p + AT_COMMENT_LEN);
	if (comment > CACHEFILE_COMMENT_MAX)
		return -EMSGSIZE;
	if (len - CACHEFILE_HEADER < comment)
		return -ENODATA;
	packets = get_be64(p + AT_PACKETS);
	need = bitcache_bytes(packets, CACHEFILE_PER_BYTE);
	have = len - CACHEFILE_HEADER - comment;
	if (have < need)
		return -ENODATA;
	if (have > need)
		return -EFBIG;
	f->packets = packets;
	f->comment = (const char *)p + CACHEFILE_HEADER;
	f->comment_len = comment;
	f->data = p + CACHEFILE_HEADER + comment;
	return 0;
}

const char *cachefile_why(int rc)
{
	switch (rc) {
	case -ENODATA:
		return "shorter than its header says";
	case -EFBIG:
		return "longer than its header says; tcpprep makes such files "
		       "of -x or -X with -a, and their packets are shifted";
	case -EBADMSG:
		return "not a cache file of tcpprep";
	case -EPROTONOSUPPORT:
		return "a cache file of another version than 04";
	case -ENOTSUP:
		return "a cache file that does not have 4 packets in a byte";
	case -EMSGSIZE:
		return "its comment is longer than 65534 bytes";
	default:
		return "cannot be read";
	}
}

int cachefile_get(const struct cachefile *f, uint64_t i)
{
	const unsigned bits = 8 / CACHEFILE_PER_BYTE;
	unsigned state;

	if (i >= f->packets)
		return -ERANGE;
	state = (unsigned)f->data[i / CACHEFILE_PER_BYTE] >>
			(unsigned)(i % CACHEFILE_PER_BYTE) * bits &
		((1u << bits) - 1);
	return state == 1 ? BITCACHE_SKIP : (int)state;
}

void cachefile_header(uint8_t out[CACHEFILE_HEADER], uint64_t packets,
		      uint16_t comment_len)
{
	memcpy(out, magic, sizeof(magic));
	memcpy(out + AT_VERSION, version, sizeof(version));
	put_be32(out + AT_PACKETS, (uint32_t)(packets >> 32));
	put_be32(out + AT_PACKETS + 4, (uint32_t)packets);
	put_be16(out + AT_PER_BYTE, CACHEFILE_PER_BYTE);
	put_be16(out + AT_COMMENT_LEN, comment_len);
}

void bitcache_pair_init(struct bitcache_pair *p)
{
	*p = (struct bitcache_pair){ .digest = UINT64_C(0x9e3779b97f4a7c15) };
}

/* The finalizer of MurmurHash3: every bit of @x reaches every bit of the sum.
 */
static uint64_t mix(uint64_t x)
{
	x ^= x >> 33;
	x *= UINT64_C(0xff51afd7ed558ccd);
	x ^= x >> 33;
	x *= UINT64_C(0xc4ceb9fe1a85ec53);
	return x ^ x >> 33;
}

void bitcache_pair_add(struct bitcache_pair *p, uint64_t ts, uint32_t wire)
{
	uint64_t us = ts / 1000;

	if (p->frames == 0)
		p->first = us;
	p->digest = mix(p->digest ^ (us - p->first)) + wire;
	p->frames++;
}

/* "capture 0123456789abcdef frames digest 0123456789abcdef\n" */
static const char before_frames[] = "capture ";
static const char before_digest[] = " frames digest ";

#define HEX	  16u
#define AT_FRAMES (sizeof(before_frames) - 1)
#define AT_DIGEST (AT_FRAMES + HEX + sizeof(before_digest) - 1)

_Static_assert(AT_DIGEST + HEX + 1 == BITCACHE_PAIR_TEXT,
	       "length of a pairing");

static void put_hex(char *out, uint64_t v)
{
	for (unsigned i = 0; i < HEX; i++)
		out[i] = "0123456789abcdef"[v >> (60 - 4 * i) & 15];
}

static bool get_hex(const char *p, uint64_t *v)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < HEX; i++) {
		char c = p[i];

		if (c >= '0' && c <= '9')
			sum = sum << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			sum = sum << 4 | (uint64_t)(c - 'a' + 10);
		else
			return false;
	}
	*v = sum;
	return true;
}

void bitcache_pair_text(const struct bitcache_pair *p,
			char out[BITCACHE_PAIR_TEXT])
{
	memcpy(out, before_frames, AT_FRAMES);
	put_hex(out + AT_FRAMES, p->frames);
	memcpy(out + AT_FRAMES + HEX, before_digest, sizeof(before_digest) - 1);
	put_hex(out + AT_DIGEST, p->digest);
	out[BITCACHE_PAIR_TEXT - 1] = '\n';
}

bool bitcache_pair_find(const struct cachefile *f, uint64_t *frames,
			uint64_t *digest)
{
	const char *p = f->comment;
	uint64_t n, d;

	/* It is the first line; a user's comment comes behind it. */
	if (f->comment_len < BITCACHE_PAIR_TEXT ||
	    memcmp(p, before_frames, AT_FRAMES) != 0 ||
	    memcmp(p + AT_FRAMES + HEX, before_digest,
		   sizeof(before_digest) - 1) != 0 ||
	    p[BITCACHE_PAIR_TEXT - 1] != '\n' || !get_hex(p + AT_FRAMES, &n) ||
	    !get_hex(p + AT_DIGEST, &d))
		return false;
	*frames = n;
	*digest = d;
	return true;
}
