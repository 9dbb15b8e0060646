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

#define HEADER_LEN 24
#define RECORD_LEN 16

#define MAGIC_USEC 0xa1b2c3d4u
#define MAGIC_NSEC 0xa1b23c4du
#define MAGIC_MOD  0xa1b2cd34u /* Kuznetzov's: records have longer headers */

#define USEC_TICKS UINT64_C(1000000)
#define NSEC_TICKS UINT64_C(1000000000)

/* Fractions of a second of the two magic numbers; 0: another number. */
static uint64_t magic_ticks(uint32_t magic)
{
	switch (magic) {
	case MAGIC_USEC:
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
	       big == MAGIC_MOD || little == MAGIC_MOD || big == PCAPNG_SHB;
}

void pcap_reader_init(struct pcap_reader *r)
{
	memset(r, 0, sizeof(*r));
}

static int64_t read_header(struct pcap_reader *r, const uint8_t *p, size_t len,
			   struct pcap_record *rec)
{
	bool big = magic_ticks(get_be32(p)) != 0;
	uint64_t ticks = magic_ticks(big ? get_be32(p) : get_le32(p));

	if (get_be32(p) == MAGIC_MOD || get_le32(p) == MAGIC_MOD)
		return -ENOTSUP;
	if (ticks == 0)
		return -EBADMSG;
	if (len < HEADER_LEN)
		return 0;
	/* Before 2.4 some writers had the two lengths the other way round. */
	if ((big ? get_be16(p + 4) : get_le16(p + 4)) != 2 ||
	    (big ? get_be16(p + 6) : get_le16(p + 6)) != 4)
		return -ENOTSUP;

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

static int64_t read_record(struct pcap_reader *r, const uint8_t *p, size_t len,
			   struct pcap_record *rec)
{
	uint32_t cap, wire;

	if (len < RECORD_LEN)
		return 0;
	cap = pcap_get32(r, p + 8);
	wire = pcap_get32(r, p + 12);
	if (cap > PCAP_RECORD_MAX)
		return -EBADMSG;
	if (len - RECORD_LEN < cap)
		return 0;

	*rec = (struct pcap_record){
		.kind = PCAP_FRAME,
		.data = p + RECORD_LEN,
		.cap = cap,
		.wire = wire > cap ? wire : cap,
		.claimed = wire,
		.ts = pcap_get32(r, p) * NSEC_TICKS +
		      pcap_get32(r, p + 4) * (NSEC_TICKS / r->iface[0].ticks),
	};
	r->records++;
	return (int64_t)RECORD_LEN + cap;
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
