/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pcap.c - Capture files: the old format, and telling the two apart
 *
 * Theory of operation
 *
 * The first 4 bytes tell the format and the byte order. A pcap file is a header
 * and records, each with a header of 16 bytes; its one link type becomes
 * interface 0, so that callers need not know which format they read. pcapng is
 * in pcapng.c.
 *
 * A reader keeps no bytes: when the window ends inside a record it says so and
 * has not moved. Nothing that a record claims is believed before the window has
 * it.
 */
#include "wire/pcap_internal.h"

#include <errno.h>
#include <string.h>

#include "wire/numbers.h"

#define HEADER_LEN 24
#define RECORD_LEN 16

#define MAGIC_USEC 0xa1b2c3d4u
#define MAGIC_NSEC 0xa1b23c4du
#define MAGIC_MOD  0xa1b2cd34u /* Kuznetzov's: records have longer headers */

#define LINK_ETHERNET 1

#define SNAPLEN_LEAST 65535u		 /* that any file may be read with */
#define NEAR_SECS     (366u * 24 * 3600) /* between two records */

#define USEC_TICKS UINT64_C(1000000)
#define NSEC_TICKS UINT64_C(1000000000)

/* Bytes of a record's header that are longer in Kuznetzov's: interface,
 * protocol, kind of packet.
 */
#define MOD_MORE 8

#define MINOR_KNOWN 4

/* The orders of a record's two lengths. Before 2.3 the length on the wire came
 * first, and of 2.3 there are both.
 */
enum {
	CAPTURED_FIRST,
	WIRE_FIRST,
	SHORTER_FIRST,
};

/* Fractions of a second of the magic numbers; 0: another number. */
static uint64_t magic_ticks(uint32_t magic)
{
	switch (magic) {
	case MAGIC_USEC:
	case MAGIC_MOD:
		return USEC_TICKS;
	case MAGIC_NSEC:
		return NSEC_TICKS;
	default:
		return 0;
	}
}

bool pcap_is_magic(const uint8_t *p)
{
	uint32_t big = get_be32(p);
	uint32_t little = get_le32(p);

	return magic_ticks(big) != 0 || magic_ticks(little) != 0 ||
	       big == PCAPNG_SHB;
}

void pcap_reader_init(struct pcap_reader *r)
{
	memset(r, 0, sizeof(*r));
}

static int64_t read_header(struct pcap_reader *r, const uint8_t *p, size_t len,
			   struct pcap_record *rec)
{
	bool big = magic_ticks(get_be32(p)) != 0;
	uint32_t magic = big ? get_be32(p) : get_le32(p);
	uint64_t ticks = magic_ticks(magic);
	uint16_t minor;

	if (ticks == 0)
		return -EBADMSG;
	if (len < HEADER_LEN)
		return 0;
	if ((big ? get_be16(p + 4) : get_le16(p + 4)) != 2)
		return -ENOTSUP;

	minor = big ? get_be16(p + 6) : get_le16(p + 6);
	if (minor > MINOR_KNOWN && !r->lenient)
		return -ENOTSUP;
	r->lengths = minor < 3	  ? WIRE_FIRST
		     : minor == 3 ? SHORTER_FIRST
				  : CAPTURED_FIRST;
	r->head = RECORD_LEN + (magic == MAGIC_MOD ? MOD_MORE : 0);
	r->started = true;
	r->big = big;
	r->ifaces = 1;
	r->iface[0] = (struct pcap_iface){
		/* The upper half tells of a frame check sequence. */
		.link = (uint16_t)pcap_get32(r, p + 20),
		.snaplen = pcap_get32(r, p + 16),
		.ticks = ticks,
	};
	*rec = (struct pcap_record){ .kind = PCAP_SECTION };
	return HEADER_LEN;
}

/** struct head - A record's header */
struct head {
	uint32_t sec;
	uint32_t frac;
	uint32_t cap;
	uint32_t wire;
};

static struct head get_head(const struct pcap_reader *r, const uint8_t *p)
{
	struct head h = { .sec = pcap_get32(r, p),
			  .frac = pcap_get32(r, p + 4),
			  .cap = pcap_get32(r, p + 8),
			  .wire = pcap_get32(r, p + 12) };
	uint32_t cap = h.cap;

	if (r->lengths == WIRE_FIRST ||
	    (r->lengths == SHORTER_FIRST && h.cap > h.wire)) {
		h.cap = h.wire;
		h.wire = cap;
	}
	return h;
}

static uint32_t longest(const struct pcap_reader *r)
{
	uint32_t snaplen = r->iface[0].snaplen;

	return snaplen < SNAPLEN_LEAST	   ? SNAPLEN_LEAST
	       : snaplen > PCAP_RECORD_MAX ? PCAP_RECORD_MAX
					   : snaplen;
}

static bool is_near(const struct pcap_reader *r, uint32_t sec)
{
	uint32_t away = sec > r->sec ? sec - r->sec : r->sec - sec;

	return !r->has_sec || away < NEAR_SECS;
}

/* Any two of these are found in captures that are whole; three are damage.
 * Nothing but zeroes is, too: a page that was never written.
 */
static bool is_damaged(const struct pcap_reader *r, const struct head *h)
{
	int odd = (h->cap > longest(r)) + (h->wire < h->cap) +
		  (h->frac >= r->iface[0].ticks) + !is_near(r, h->sec);

	return h->cap > PCAP_RECORD_MAX || odd > 2 ||
	       (h->sec | h->frac | h->cap | h->wire) == 0;
}

static int64_t read_record(struct pcap_reader *r, const uint8_t *p, size_t len,
			   struct pcap_record *rec)
{
	struct head h;

	if (len < r->head)
		return 0;
	h = get_head(r, p);
	if (h.cap > PCAP_RECORD_MAX || (r->lenient && is_damaged(r, &h)))
		return -EBADMSG;
	if (len - r->head < h.cap)
		return 0;

	*rec = (struct pcap_record){
		.kind = PCAP_FRAME,
		.data = p + r->head,
		.cap = h.cap,
		.wire = h.wire > h.cap ? h.wire : h.cap,
		.claimed = h.wire,
		.ts = h.sec * NSEC_TICKS +
		      h.frac * (NSEC_TICKS / r->iface[0].ticks),
	};
	r->sec = h.sec;
	r->has_sec = true;
	r->records++;
	return (int64_t)r->head + h.cap;
}

/* Could a record behind damage begin with this? Stricter than the above. */
static bool is_plausible(const struct pcap_reader *r, const struct head *h)
{
	uint32_t least = r->iface[0].link == LINK_ETHERNET ? ETH_HEADER : 1;

	return h->cap >= least && h->cap <= longest(r) && h->wire >= h->cap &&
	       h->wire <= PCAP_RECORD_MAX && h->frac < r->iface[0].ticks &&
	       (h->sec != 0 || (r->has_sec && r->sec == 0)) &&
	       is_near(r, h->sec);
}

/**
 * count_records() - How many plausible headers in a row begin with @p
 *
 * Return: up to PCAP_AGREE, an end of the file right behind one counted with
 * it;
 *	   -1: the window is too short
 */
static int count_records(const struct pcap_reader *r, const uint8_t *p,
			 size_t len, enum pcap_window state)
{
	int n = 0;

	while (n < PCAP_AGREE) {
		struct head h;

		if (len < r->head) {
			if (state == PCAP_MORE)
				return -1;
			/* An end right here is as good as another record. */
			return n + (len == 0 && n > 0 && r->has_sec &&
				    state == PCAP_LAST);
		}
		h = get_head(r, p);
		if (!is_plausible(r, &h))
			return n;
		n++;
		if (len - r->head < h.cap)
			return state == PCAP_MORE ? -1 : n;
		p += r->head + h.cap;
		len -= r->head + h.cap;
	}
	return n;
}

int pcap_resync(const struct pcap_reader *r, const uint8_t *p, size_t len,
		enum pcap_window state, size_t *skip)
{
	size_t at = 0;

	if (r->ng)
		return pcapng_resync(r, p, len, state, skip);
	for (; len - at >= r->head; at++) {
		struct head h = get_head(r, p + at);
		int n;

		if (!is_plausible(r, &h))
			continue;
		n = count_records(r, p + at, len - at, state);
		*skip = at;
		if (n < 0)
			return 0;
		if (n > 1)
			return n;
	}
	*skip = state == PCAP_LAST ? len : at;
	return 0;
}

int64_t pcap_read(struct pcap_reader *r, const uint8_t *p, size_t len,
		  struct pcap_record *rec)
{
	if (r->started)
		return r->ng ? pcapng_read(r, p, len, rec)
			     : read_record(r, p, len, rec);
	if (len < 4)
		return 0;
	if (get_be32(p) == PCAPNG_SHB)
		return pcapng_read(r, p, len, rec);
	return read_header(r, p, len, rec);
}

size_t pcap_write_header(uint8_t *out, size_t size, uint16_t link,
			 uint32_t snaplen)
{
	if (size < HEADER_LEN)
		return 0;
	put_le32(out, MAGIC_NSEC);
	put_le16(out + 4, 2);
	put_le16(out + 6, 4);
	memset(out + 8, 0, 8);
	put_le32(out + 16, snaplen);
	put_le32(out + 20, link);
	return HEADER_LEN;
}

size_t pcap_write_record(uint8_t *out, size_t size, uint64_t ts,
			 const uint8_t *data, uint32_t cap, uint32_t wire)
{
	if (size < RECORD_LEN || size - RECORD_LEN < cap)
		return 0;
	put_le32(out, (uint32_t)(ts / NSEC_TICKS));
	put_le32(out + 4, (uint32_t)(ts % NSEC_TICKS));
	put_le32(out + 8, cap);
	put_le32(out + 12, wire);
	if (cap > 0)
		memcpy(out + RECORD_LEN, data, cap);
	return RECORD_LEN + (size_t)cap;
}
