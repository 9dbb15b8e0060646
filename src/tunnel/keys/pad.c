/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pad.c - Packets under a one-time pad
 *
 * Theory of operation
 *
 * No byte of the pad may hide two packets, whatever happens to the process or
 * the host. So a byte is used in three steps. The page's mark moves, by a whole
 * block, and is made durable; then packets take bytes before the mark; then
 * these are wiped. Who starts anew begins at the mark: of a block that was
 * begun the rest is lost. All before the mark that could not be wiped in time
 * is wiped at the start.
 *
 * The receiver wipes what it has opened, so that what comes again finds a key
 * of zeros and is not opened: the pad is its own replay window, as long as
 * itself. Wiping is durable sooner or later; what must not be taken again after
 * a crash is what lies before the receiver's own mark, which moves as the
 * sender's does before anything behind it is taken. It tells the sender where
 * that is (padlink.c), who then goes on from there.
 *
 * A copy of a used file, from a backup perhaps, would be sent by from where it
 * was made. So the page says which file it is, and the other end where it has
 * got to.
 *
 * Bytes of packets that were lost are wiped LATE blocks later.
 *
 * A forged packet moves nothing: the tag is computed from bytes that are only
 * looked at. What is tried against one tag does not help against another: each
 * has a key of its own, so nothing here rests on a cipher.
 */
#include "keys/pad.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "core/bytes.h"
#include "keys/noise.h"

#define MAGIC	   "understudy pad\0"
#define VERSION	   1u
#define BLOCKS	   64u /* that a half has at least */
#define LATE	   32u /* blocks behind the mark that packets may come from */
#define PACKET	   (64u << 10) /* longer than any is */
#define AT_VERSION 16
#define AT_WHOSE   20
#define AT_BLOCK   24
#define AT_SIZE	   32
#define AT_SEND	   40
#define AT_RECV	   48
#define AT_PLACE   56

enum whose { NOBODYS, BEGINS, ANSWERS };

void pad_page(uint8_t page[PAD_PAGE], uint64_t size)
{
	uint32_t block = PAD_BLOCK_LEAST;

	assert(size >= PAD_LEAST && size <= PAD_MOST && size % 2 == 0);
	while (block < PAD_BLOCK_MOST && 2 * block <= size / 2 / BLOCKS)
		block *= 2;
	memset(page, 0, PAD_PAGE);
	memcpy(page, MAGIC, sizeof(MAGIC));
	put_be32(page + AT_VERSION, VERSION);
	put_be32(page + AT_BLOCK, block);
	put_be64(page + AT_SIZE, PAD_PAGE + size);
}

static bool is_zero(const uint8_t *p, uint64_t n)
{
	uint8_t any = 0;

	for (uint64_t i = 0; i < n; i++)
		any |= p[i];
	return any == 0;
}

bool pad_random(const uint8_t *p, uint64_t n)
{
	for (uint64_t i = 0; i + PAD_KEY <= n; i += PAD_KEY)
		if (is_zero(p + i, PAD_KEY))
			return false;
	return true;
}

/* The page as it is to be kept. */
static int write_marks(struct pad *p)
{
	int r;

	put_be64(p->bytes + AT_SEND, p->send.mark);
	put_be64(p->bytes + AT_RECV, p->recv.mark);
	r = p->keep(p->ctx);
	if (r != 0)
		p->state = PAD_NOT_KEPT;
	return r;
}

/* Let the bytes before @end be used. */
static int move_mark(struct pad *p, struct pad_half *h, uint64_t end)
{
	uint64_t blocks = (end - h->mark + p->block - 1) / p->block;

	h->mark += blocks * p->block;
	if (h->mark > h->to)
		h->mark = h->to;
	return write_marks(p);
}

static bool within(const struct pad_half *h)
{
	return h->from <= h->mark && h->mark <= h->to;
}

static int read_page(struct pad *p, uint64_t size, bool begins)
{
	const uint8_t *b = p->bytes;
	uint64_t mid = PAD_PAGE + (size - PAD_PAGE) / 2;
	uint32_t whose;

	if (size < PAD_PAGE + PAD_LEAST || size > PAD_PAGE + PAD_MOST ||
	    size % 2 != 0 || memcmp(b, MAGIC, sizeof(MAGIC)) != 0 ||
	    get_be32(b + AT_VERSION) != VERSION ||
	    get_be64(b + AT_SIZE) != size)
		return -EINVAL;
	whose = get_be32(b + AT_WHOSE);
	p->block = get_be32(b + AT_BLOCK);
	if (p->block < PAD_BLOCK_LEAST || p->block > PAD_BLOCK_MOST)
		return -EINVAL;
	if (whose != NOBODYS && whose != (begins ? BEGINS : ANSWERS))
		return -EPERM;
	if (whose != NOBODYS && get_be64(b + AT_PLACE) != p->place)
		return -EEXIST;
	p->send =
		(struct pad_half){ begins ? PAD_PAGE : mid, begins ? mid : size,
				   get_be64(b + AT_SEND) };
	p->recv =
		(struct pad_half){ begins ? mid : PAD_PAGE, begins ? size : mid,
				   get_be64(b + AT_RECV) };
	if (whose == NOBODYS) {
		p->send.mark = p->send.from;
		p->recv.mark = p->recv.from;
	}
	return within(&p->send) && within(&p->recv) ? 0 : -EINVAL;
}

/* What was used last may not have been wiped. */
static void wipe_before(struct pad *p, const struct pad_half *h)
{
	uint64_t most = (LATE + 2) * (uint64_t)p->block + PACKET;
	uint64_t n = h->mark - h->from;

	if (n > most)
		n = most;
	noise_wipe(p->bytes + h->mark - n, n);
}

int pad_load(struct pad *p, uint64_t size, bool begins)
{
	struct pad l = *p;
	uint64_t next;
	int r = size >= PAD_PAGE ? read_page(&l, size, begins) : -EINVAL;

	if (r != 0)
		return r;
	l.at = l.send.mark;
	l.floor = l.recv.mark;
	l.wiped = l.recv.mark;
	l.state = PAD_GOOD;
	memset(l.highest, 0, sizeof(l.highest));
	if (l.send.to - l.at <= PAD_KEY || l.recv.to - l.floor <= PAD_KEY)
		return -ENOSPC;
	next = l.send.to - l.at < l.block ? l.send.to - l.at : l.block;
	if (!pad_random(l.bytes + l.at, next))
		return -ENODATA;
	next = l.recv.to - l.floor < l.block ? l.recv.to - l.floor : l.block;
	if (!pad_random(l.bytes + l.floor, next))
		return -ENODATA;
	wipe_before(&l, &l.send);
	wipe_before(&l, &l.recv);
	put_be32(l.bytes + AT_WHOSE, begins ? BEGINS : ANSWERS);
	put_be64(l.bytes + AT_PLACE, l.place);
	r = write_marks(&l);
	if (r == 0)
		*p = l;
	return r;
}

static void put_offset(uint8_t *d, uint64_t offset)
{
	put_be16(d + 2, (uint16_t)(offset >> 32));
	put_be32(d + 4, (uint32_t)offset);
}

uint64_t pad_offset(const uint8_t *d)
{
	return (uint64_t)get_be16(d + 2) << 32 | get_be32(d + 4);
}

static void combine(uint8_t *d, const uint8_t *pad, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		d[i] ^= pad[i];
}

/* Make bytes from @p->at on ready to be used. */
static int take(struct pad *p, uint64_t n)
{
	uint64_t old = p->send.mark;
	int r;

	if (p->state == PAD_GOOD && p->send.to - p->at < n)
		p->state = PAD_USED_UP;
	if (p->state != PAD_GOOD)
		return -ENOSPC;
	if (p->send.mark - p->at >= n)
		return 0;
	r = move_mark(p, &p->send, p->at + n);
	if (r != 0)
		return r;
	if (!pad_random(p->bytes + old, p->send.mark - old)) {
		p->state = PAD_ZERO;
		return -ENOSPC;
	}
	return 0;
}

int pad_seal(struct pad *p, unsigned path, uint8_t *d, uint32_t n)
{
	uint64_t at = p->at;
	uint8_t *key = p->bytes + at;
	int r = take(p, PAD_KEY + (uint64_t)n);

	assert(path < PAD_PATHS);
	if (r != 0)
		return r;
	/* Used, even if the tag fails: half of it may have been done. */
	p->at += PAD_KEY + (uint64_t)n;
	assert(p->at <= p->send.mark && p->send.mark <= p->send.to);
	d[0] = PAD_TYPE;
	d[1] = (uint8_t)path;
	put_offset(d, at);
	combine(d + PAD_HEADER, key + PAD_KEY, n);
	r = p->ops->poly(d + PAD_HEADER + n, key, d, PAD_HEADER + n);
	noise_wipe(key, PAD_KEY + (uint64_t)n);
	return r;
}

/* In a time that does not depend on where they differ. */
static bool same(const uint8_t *a, const uint8_t *b)
{
	uint8_t any = 0;

	for (unsigned i = 0; i < CRYPTO_TAG; i++)
		any |= a[i] ^ b[i];
	return any == 0;
}

/* Let packets up to @end be taken. One that is so late that it is not waited
 * for leaves no bytes behind.
 */
static int take_in(struct pad *p, uint64_t end)
{
	uint64_t late = LATE * (uint64_t)p->block, to;
	int r = move_mark(p, &p->recv, end);

	if (r != 0)
		return r;
	to = p->recv.mark - p->recv.from > late ? p->recv.mark - late
						: p->recv.from;
	if (p->wiped < to) {
		noise_wipe(p->bytes + p->wiped, to - p->wiped);
		p->wiped = to;
	}
	return 0;
}

int pad_open(struct pad *p, uint8_t *d, uint32_t n, bool *newest)
{
	uint8_t tag[CRYPTO_TAG];
	uint64_t at, end;
	uint32_t len;
	int r;

	if (n < PAD_HEADER + CRYPTO_TAG || d[1] >= PAD_PATHS)
		return -EINVAL;
	len = n - PAD_HEADER - CRYPTO_TAG;
	at = pad_offset(d);
	end = at + PAD_KEY + len;
	if (at < p->recv.from || end > p->recv.to)
		return -EINVAL;
	if (at < p->floor || is_zero(p->bytes + at, PAD_KEY))
		return -EALREADY;
	r = p->ops->poly(tag, p->bytes + at, d, PAD_HEADER + len);
	if (r != 0)
		return r;
	if (!same(tag, d + PAD_HEADER + len))
		return -EBADMSG;
	if (end > p->recv.mark && take_in(p, end) != 0)
		return -EIO;
	combine(d + PAD_HEADER, p->bytes + at + PAD_KEY, len);
	noise_wipe(p->bytes + at, PAD_KEY + (uint64_t)len);
	*newest = at >= p->highest[d[1]];
	if (*newest)
		p->highest[d[1]] = at;
	return 0;
}

void pad_skip(struct pad *p, uint64_t floor, uint64_t mark)
{
	if (floor > p->send.mark || mark > p->send.mark) {
		p->state = PAD_TWICE;
		return;
	}
	if (floor <= p->at)
		return;
	noise_wipe(p->bytes + p->at, floor - p->at);
	p->at = floor;
}

void pad_jump(struct pad *p)
{
	noise_wipe(p->bytes + p->at, p->send.mark - p->at);
	p->at = p->send.mark;
}

uint64_t pad_left(const struct pad *p)
{
	return p->send.to - p->at;
}
