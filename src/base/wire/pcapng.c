/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pcapng.c - Capture files: pcapng (IETF draft-ietf-opsawg-pcapng)
 *
 * Theory of operation
 *
 * A file is a row of blocks: type, length, body, and the length again. A block
 * is looked at when the window has all of it and both lengths agree; its body
 * is then a struct body, whose bounds every reader of a field tests. A section
 * header sets the byte order and forgets the interfaces.
 *
 * A clock may tick 10^n or 2^n times a second. Times become ns by splitting
 * seconds off first; binary clocks faster than 2^34 lose their lowest bits,
 * which are far below a ns.
 *
 * More than 600 lines: reader and writer stand in one file, for what the one
 * writes the other must read, and both share the layout of each block.
 */
#include "wire/pcap_internal.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define BLOCK_MIN  12u /* type and both lengths */
#define BLOCK_HEAD 8u

#define BOM 0x1a2b3c4du

/* Block types (section 11.1). */
enum {
	BLOCK_IDB = 1,
	BLOCK_PB = 2, /* obsolete, still found in old files */
	BLOCK_SPB = 3,
	BLOCK_NRB = 4,
	BLOCK_ISB = 5,
	BLOCK_EPB = 6,
	BLOCK_DSB = 10, /* secrets */
	BLOCK_CUSTOM = 0x00000bad,
	BLOCK_CUSTOM_NOCOPY = 0x40000bad,
};

/* Options; numbers below 2 mean the same in every block. */
enum {
	OPT_END = 0,
	OPT_COMMENT = 1,
	SHB_USERAPPL = 4,
	IF_NAME = 2,
	IF_TSRESOL = 9,
	IF_TSOFFSET = 14,
	EPB_FLAGS = 2, /* a PB's is the same */
};

#define NO_KIND PCAP_IFACES /* of an interface: there is no room for its kind */

#define NSEC_TICKS UINT64_C(1000000000)
#define TICKS_MAX  (UINT64_C(1) << 34) /* NSEC_TICKS times it fits 64 bits */

/** struct body - What is left of a block's body */
struct body {
	const uint8_t *p;
	uint32_t len;
};

/** struct option - One option, its value in the window */
struct option {
	uint16_t code;
	uint16_t len;
	const uint8_t *value;
};

static uint32_t pad4(uint32_t n)
{
	return (n + 3) & ~UINT32_C(3);
}

static void body_skip(struct body *b, uint32_t n)
{
	b->p += n;
	b->len -= n;
}

/**
 * next_option() - Take an option off the front of a body
 *
 * Return: 1, or 0 at the end of the list, or -EBADMSG
 */
static int next_option(const struct pcap_reader *r, struct body *b,
		       struct option *o)
{
	if (b->len == 0)
		return 0;
	if (b->len < 4)
		return -EBADMSG;
	o->code = pcap_get16(r, b->p);
	o->len = pcap_get16(r, b->p + 2);
	o->value = b->p + 4;
	if (o->code == OPT_END)
		return 0;
	if (pad4(o->len) > b->len - 4)
		return -EBADMSG;
	body_skip(b, 4 + pad4(o->len));
	return 1;
}

/* Ticks a second of an if_tsresol octet; 0: more than 64 bits hold. */
static uint64_t ticks_of(uint8_t resol)
{
	uint64_t ticks = 1;

	if (resol & 0x80)
		return (resol & 0x7f) > 63 ? 0 : UINT64_C(1) << (resol & 0x7f);
	if (resol > 19)
		return 0;
	while (resol-- > 0)
		ticks *= 10;
	return ticks;
}

/* ns since 1970 of @t ticks on the clock of @f, clamped. */
static uint64_t ts_of(const struct pcap_iface *f, uint64_t t)
{
	uint64_t sec = t / f->ticks;
	uint64_t frac = t % f->ticks;
	uint64_t ticks = f->ticks;
	uint64_t offset =
		f->offset < 0 ? 0 - (uint64_t)f->offset : (uint64_t)f->offset;

	if (f->offset < 0) {
		if (sec < offset)
			return 0;
		sec -= offset;
	} else {
		sec = offset > UINT64_MAX - sec ? UINT64_MAX : sec + offset;
	}
	if (sec >= UINT64_MAX / NSEC_TICKS)
		return UINT64_MAX;

	if (ticks % NSEC_TICKS == 0)
		return sec * NSEC_TICKS + frac / (ticks / NSEC_TICKS);
	for (; ticks > TICKS_MAX; ticks >>= 1)
		frac >>= 1;
	return sec * NSEC_TICKS + frac * NSEC_TICKS / ticks;
}

/* Read the first comment and, for frames, the flags. Return: 0 or -EBADMSG. */
static int read_options(const struct pcap_reader *r, struct body b,
			struct pcap_record *rec)
{
	struct option o;
	int found;

	while ((found = next_option(r, &b, &o)) == 1) {
		if (o.code == OPT_COMMENT && !rec->comment) {
			rec->comment = o.value;
			rec->comment_len = o.len;
		} else if (o.code == EPB_FLAGS && o.len == 4 &&
			   rec->kind == PCAP_FRAME) {
			rec->flags = pcap_get32(r, o.value);
		}
	}
	return r->lenient ? 0 : found;
}

static int read_shb(struct pcap_reader *r, struct body b,
		    struct pcap_record *rec)
{
	if (b.len < 16)
		return -EBADMSG;
	if (pcap_get16(r, b.p + 4) != 1)
		return -ENOTSUP;
	r->ifaces = 0;
	r->kinds = 0;
	r->beyond = NO_KIND;
	rec->kind = PCAP_SECTION;
	body_skip(&b, 16);
	return read_options(r, b, rec);
}

/* Take over an option of an interface. Return: 0 or -ENOTSUP. */
static int iface_option(const struct pcap_reader *r, const struct option *o,
			struct pcap_iface *f)
{
	uint32_t n;

	if (o->code == IF_NAME) {
		n = o->len < PCAP_NAMELEN - 1 ? o->len : PCAP_NAMELEN - 1;
		memset(f->name, 0, sizeof(f->name));
		memcpy(f->name, o->value, n);
	} else if (o->code == IF_TSRESOL && o->len == 1) {
		f->ticks = ticks_of(o->value[0]);
		if (f->ticks == 0 && !r->lenient)
			return -ENOTSUP;
	} else if (o->code == IF_TSOFFSET && o->len == 8) {
		uint64_t a = pcap_get32(r, o->value);
		uint64_t b = pcap_get32(r, o->value + 4);

		f->offset = (int64_t)(r->big ? a << 32 | b : b << 32 | a);
	}
	return 0;
}

/* The place of interface number @i: its own, or its kind's; NO_KIND: none. */
static uint32_t place_of(const struct pcap_reader *r, uint32_t i)
{
	if (i < PCAP_OWN)
		return i;
	return i - PCAP_OWN < PCAP_SLOTS ? r->slot[i - PCAP_OWN] : r->beyond;
}

static bool same_kind(const struct pcap_iface *a, const struct pcap_iface *b)
{
	return a->link == b->link && a->ticks == b->ticks &&
	       a->offset == b->offset;
}

/* Find the place of a kind, or make one. */
static uint32_t kind_of(struct pcap_reader *r, const struct pcap_iface *f)
{
	uint32_t n = PCAP_OWN + r->kinds;

	for (uint32_t i = 0; i < n; i++)
		if (same_kind(&r->iface[i], f))
			return i;
	if (n == PCAP_IFACES)
		return NO_KIND;
	r->iface[n] = *f;
	r->kinds++;
	return n;
}

/* Give the next interface a place. */
static void add_iface(struct pcap_reader *r, const struct pcap_iface *f,
		      struct pcap_record *rec)
{
	uint32_t i = r->ifaces++;

	if (i < PCAP_OWN)
		r->iface[i] = *f;
	else if (i - PCAP_OWN < PCAP_SLOTS)
		r->slot[i - PCAP_OWN] = (uint8_t)kind_of(r, f);
	else if (i - PCAP_OWN == PCAP_SLOTS)
		r->beyond = (uint8_t)kind_of(r, f);
	else if (r->beyond != NO_KIND && !same_kind(&r->iface[r->beyond], f))
		r->beyond =
			NO_KIND; /* which of them a frame is of is not known */
	rec->iface = place_of(r, i);
	rec->kind = rec->iface == NO_KIND ? PCAP_OTHER : PCAP_IFACE;
}

static int read_idb(struct pcap_reader *r, struct body b,
		    struct pcap_record *rec)
{
	struct pcap_iface f = { .ticks = 1000000 };
	struct option o;
	int found;

	if (b.len < 8)
		return -EBADMSG;
	f.link = pcap_get16(r, b.p);
	f.snaplen = pcap_get32(r, b.p + 4);
	body_skip(&b, 8);
	while ((found = next_option(r, &b, &o)) == 1) {
		int e = iface_option(r, &o, &f);

		if (e != 0)
			return e;
	}
	if (found < 0 && !r->lenient)
		return found;
	if (f.ticks == 0) { /* all its times are "none" */
		f.ticks = 1;
		f.offset = INT64_MIN;
	}
	if (r->ifaces == UINT32_MAX)
		return -ENOTSUP;
	add_iface(r, &f, rec);
	return 0;
}

/* Note where a frame came from. Return: 0, or -EBADMSG if that is nowhere. */
static int set_iface(const struct pcap_reader *r, uint32_t iface,
		     struct pcap_record *rec)
{
	if (iface >= r->ifaces)
		return -EBADMSG;
	rec->iface = place_of(r, iface);
	rec->kind = rec->iface == NO_KIND ? PCAP_UNREAD : PCAP_FRAME;
	return 0;
}

/* Take @cap captured bytes of @wire off @b. Return: 0 or -EBADMSG. */
static int set_data(struct body *b, uint32_t cap, uint32_t wire,
		    struct pcap_record *rec)
{
	if (cap >
	    b->len) /* which is a multiple of 4: so is the padding there */
		return -EBADMSG;
	rec->data = b->p;
	rec->cap = cap;
	rec->wire = wire > cap ? wire : cap;
	rec->claimed = wire;
	body_skip(b, pad4(cap));
	return 0;
}

/* An enhanced packet, or an obsolete one: its interface has 16 bits. */
static int read_epb(struct pcap_reader *r, uint32_t type, struct body b,
		    struct pcap_record *rec)
{
	const uint8_t *p = b.p;
	uint64_t ts;
	int e;

	if (b.len < 20)
		return -EBADMSG;
	e = set_iface(r, type == BLOCK_PB ? pcap_get16(r, p) : pcap_get32(r, p),
		      rec);
	if (e != 0 || rec->kind == PCAP_UNREAD)
		return e;
	ts = (uint64_t)pcap_get32(r, p + 4) << 32 | pcap_get32(r, p + 8);
	rec->ts = ts_of(&r->iface[rec->iface], ts);
	body_skip(&b, 20);
	e = set_data(&b, pcap_get32(r, p + 12), pcap_get32(r, p + 16), rec);
	return e != 0 ? e : read_options(r, b, rec);
}

/* A simple packet: interface 0, no time, cut at the interface's length. */
static int read_spb(struct pcap_reader *r, struct body b,
		    struct pcap_record *rec)
{
	uint32_t wire, cap, snaplen;
	int e;

	if (b.len < 4)
		return -EBADMSG;
	e = set_iface(r, 0, rec);
	if (e != 0)
		return e;
	wire = pcap_get32(r, b.p);
	snaplen = r->iface[0].snaplen;
	body_skip(&b, 4);
	cap = snaplen != 0 && snaplen < wire ? snaplen : wire;
	return set_data(&b, cap, wire, rec);
}

static int read_custom(const struct pcap_reader *r, struct body b,
		       struct pcap_record *rec)
{
	if (b.len < 4)
		return -EBADMSG;
	rec->kind = PCAP_CUSTOM;
	rec->pen = pcap_get32(r, b.p);
	rec->data = b.p + 4;
	rec->cap = b.len - 4;
	rec->wire = rec->cap;
	return 0;
}

static int read_block(struct pcap_reader *r, uint32_t type, struct body b,
		      struct pcap_record *rec)
{
	switch (type) {
	case PCAPNG_SHB:
		return read_shb(r, b, rec);
	case BLOCK_IDB:
		return read_idb(r, b, rec);
	case BLOCK_EPB:
	case BLOCK_PB:
		return read_epb(r, type, b, rec);
	case BLOCK_SPB:
		return read_spb(r, b, rec);
	case BLOCK_CUSTOM:
	case BLOCK_CUSTOM_NOCOPY:
		return read_custom(r, b, rec);
	case BLOCK_NRB:
	case BLOCK_ISB:
	case BLOCK_DSB:
		return 0; /* PCAP_OTHER, as the record began */
	default:
		rec->kind = PCAP_UNKNOWN;
		return 0;
	}
}

/* Set the byte order from the section header at @p. Return: 0 or -EBADMSG. */
static int set_order(struct pcap_reader *r, const uint8_t *p)
{
	r->big = get_be32(p + BLOCK_HEAD) == BOM;
	return r->big || get_le32(p + BLOCK_HEAD) == BOM ? 0 : -EBADMSG;
}

/* Step over a block that no window holds, if it can be one. */
static int64_t long_block(const struct pcap_reader *r, uint32_t type,
			  uint32_t total, struct pcap_record *rec)
{
	bool frame = type == BLOCK_EPB || type == BLOCK_PB || type == BLOCK_SPB;

	if (!r->long_blocks || !r->started || total > PCAP_SKIP_MAX)
		return -EBADMSG;
	if (!frame && type != BLOCK_NRB && type != BLOCK_DSB &&
	    type != BLOCK_CUSTOM && type != BLOCK_CUSTOM_NOCOPY)
		return -EBADMSG;
	rec->kind = frame ? PCAP_UNREAD : PCAP_OTHER;
	return total;
}

/* Read the block at the front of the window. Return: as pcap_read(). */
static int64_t whole_block(struct pcap_reader *r, const uint8_t *p, size_t len,
			   struct pcap_record *rec)
{
	uint32_t type = pcap_get32(r, p);
	uint32_t total = pcap_get32(r, p + 4);
	struct body b = { p + BLOCK_HEAD, total - BLOCK_MIN };
	int e;

	if (total < BLOCK_MIN || total % 4 != 0)
		return -EBADMSG;
	if (total > PCAP_RECORD_MAX)
		return long_block(r, type, total, rec);
	if (total > len)
		return 0;
	if (pcap_get32(r, p + total - 4) != total)
		return -EBADMSG;
	e = read_block(r, type, b, rec);
	if (e != 0 && r->lenient && r->started) {
		*rec = (struct pcap_record){ .kind = PCAP_BROKEN };
		e = 0;
	}
	return e != 0 ? e : (int64_t)total;
}

int64_t pcapng_read(struct pcap_reader *r, const uint8_t *p, size_t len,
		    struct pcap_record *rec)
{
	struct pcap_record got = { .kind = PCAP_OTHER };
	bool was_big = r->big;
	int64_t n = 0;

	if (len < BLOCK_MIN)
		return 0;
	if (get_be32(p) == PCAPNG_SHB)
		n = set_order(r, p);
	if (n == 0)
		n = whole_block(r, p, len, &got);
	if (n <= 0) {
		r->big = was_big; /* it is asked again with a longer window */
		return n;
	}

	r->started = true;
	r->ng = true;
	if (got.kind == PCAP_FRAME)
		r->records++;
	*rec = got;
	return n;
}

static bool is_type(uint32_t type)
{
	return (type >= BLOCK_IDB && type <= BLOCK_EPB) || type == BLOCK_DSB ||
	       type == BLOCK_CUSTOM || type == BLOCK_CUSTOM_NOCOPY ||
	       type == PCAPNG_SHB;
}

/* Does a block begin here, as far as its first two fields tell? */
static bool is_head(const struct pcap_reader *r, const uint8_t *p)
{
	uint32_t total = pcap_get32(r, p + 4);

	return is_type(pcap_get32(r, p)) && total >= BLOCK_MIN &&
	       total % 4 == 0 && total <= PCAP_RECORD_MAX;
}

/* How many blocks in a row begin with @p; -1: the window is too short. */
static int count_blocks(const struct pcap_reader *r, const uint8_t *p,
			size_t len, enum pcap_window state)
{
	int n = 0;

	while (n < PCAP_AGREE) {
		uint32_t total;

		if (len < BLOCK_MIN) {
			if (state == PCAP_MORE)
				return -1;
			return n + (len == 0 && n > 0 && state == PCAP_LAST);
		}
		if (!is_head(r, p))
			return n;
		total = pcap_get32(r, p + 4);
		if (total > len)
			return state == PCAP_MORE ? -1 : n;
		if (pcap_get32(r, p + total - 4) != total)
			return n;
		n++;
		p += total;
		len -= total;
	}
	return n;
}

int pcapng_resync(const struct pcap_reader *r, const uint8_t *p, size_t len,
		  enum pcap_window state, size_t *skip)
{
	size_t at = 0;

	for (; len - at >= BLOCK_MIN; at++) {
		int n;

		if (!is_head(r, p + at))
			continue;
		n = count_blocks(r, p + at, len - at, state);
		*skip = at;
		if (n < 0)
			return 0;
		if (n > 0) /* two lengths that agree are no chance */
			return n;
	}
	*skip = state == PCAP_LAST ? len : at;
	return 0;
}

/** struct writer - A block that is being written; @full: it does not fit */
struct writer {
	uint8_t *out;
	size_t size;
	size_t n;
	bool full;
};

/* Reserve @len bytes. Return: where, or NULL if they do not fit. */
static uint8_t *reserve(struct writer *w, size_t len)
{
	uint8_t *p = w->out + w->n;

	if (w->full || w->size - w->n < len) {
		w->full = true;
		return NULL;
	}
	w->n += len;
	return p;
}

static void add16(struct writer *w, uint16_t v)
{
	uint8_t *p = reserve(w, 2);

	if (p)
		put_le16(p, v);
}

static void add32(struct writer *w, uint32_t v)
{
	uint8_t *p = reserve(w, 4);

	if (p)
		put_le32(p, v);
}

/* Add @len bytes, padded with zeros to a multiple of 4. */
static void add_bytes(struct writer *w, const void *data, uint32_t len)
{
	uint8_t *p = len > UINT32_MAX - 3 ? NULL : reserve(w, pad4(len));

	if (!p) {
		w->full = true;
		return;
	}
	if (len > 0)
		memcpy(p, data, len);
	memset(p + len, 0, pad4(len) - len);
}

static void add_option(struct writer *w, uint16_t code, const void *data,
		       size_t len)
{
	assert(len <= UINT16_MAX);

	add16(w, code);
	add16(w, (uint16_t)len);
	add_bytes(w, data, (uint32_t)len);
}

static struct writer begin_block(uint8_t *out, size_t size, uint32_t type)
{
	struct writer w = { .out = out, .size = size };

	add32(&w, type);
	add32(&w, 0);
	return w;
}

/* Write both lengths. Return: the block's, 0 if it does not fit. */
static size_t end_block(struct writer *w)
{
	uint32_t total = (uint32_t)w->n + 4;

	add32(w, total);
	if (w->full)
		return 0;
	put_le32(w->out + 4, total);
	return total;
}

size_t pcapng_write_shb(uint8_t *out, size_t size, const char *appl,
			const char *comment, size_t comment_len)
{
	struct writer w = begin_block(out, size, PCAPNG_SHB);

	add32(&w, BOM);
	add16(&w, 1);
	add16(&w, 0);
	add32(&w, UINT32_MAX); /* length of the section: not known */
	add32(&w, UINT32_MAX);
	if (comment)
		add_option(&w, OPT_COMMENT, comment, comment_len);
	if (appl)
		add_option(&w, SHB_USERAPPL, appl, strlen(appl));
	if (comment || appl)
		add_option(&w, OPT_END, NULL, 0);
	return end_block(&w);
}

size_t pcapng_write_idb(uint8_t *out, size_t size, uint16_t link,
			uint32_t snaplen, const char *name)
{
	static const uint8_t resol = 9;
	struct writer w = begin_block(out, size, BLOCK_IDB);

	add16(&w, link);
	add16(&w, 0);
	add32(&w, snaplen);
	if (name)
		add_option(&w, IF_NAME, name, strlen(name));
	add_option(&w, IF_TSRESOL, &resol, 1);
	add_option(&w, OPT_END, NULL, 0);
	return end_block(&w);
}

size_t pcapng_write_epb(uint8_t *out, size_t size, uint32_t iface, uint64_t ts,
			const uint8_t *data, uint32_t cap, uint32_t wire,
			uint32_t flags, const char *comment, size_t comment_len)
{
	struct writer w = begin_block(out, size, BLOCK_EPB);

	add32(&w, iface);
	add32(&w, (uint32_t)(ts >> 32));
	add32(&w, (uint32_t)ts);
	add32(&w, cap);
	add32(&w, wire);
	add_bytes(&w, data, cap);
	if (flags != 0) {
		add16(&w, EPB_FLAGS);
		add16(&w, 4);
		add32(&w, flags);
	}
	if (comment)
		add_option(&w, OPT_COMMENT, comment, comment_len);
	if (flags != 0 || comment)
		add_option(&w, OPT_END, NULL, 0);
	return end_block(&w);
}

size_t pcapng_write_custom(uint8_t *out, size_t size, uint32_t pen,
			   const uint8_t *data, uint32_t len)
{
	struct writer w = begin_block(out, size, BLOCK_CUSTOM);

	add32(&w, pen);
	add_bytes(&w, data, len);
	return end_block(&w);
}
