/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pcap_internal - What the two formats of capture files share
 */
#ifndef WIRE_PCAP_INTERNAL_H
#define WIRE_PCAP_INTERNAL_H

#include "core/bytes.h"
#include "wire/pcap.h"

#define PCAPNG_SHB 0x0a0d0d0au /* the same in either byte order */

/** pcap_get16() - Read a 16-bit integer in the file's byte order */
static inline uint16_t pcap_get16(const struct pcap_reader *r, const uint8_t *p)
{
	return r->big ? get_be16(p) : get_le16(p);
}

/** pcap_get32() - Read a 32-bit integer in the file's byte order */
static inline uint32_t pcap_get32(const struct pcap_reader *r, const uint8_t *p)
{
	return r->big ? get_be32(p) : get_le32(p);
}

/** pcapng_resync() - pcap_resync() in a pcapng file */
int pcapng_resync(const struct pcap_reader *r, const uint8_t *p, size_t len,
		  enum pcap_window state, size_t *skip);

/** pcapng_read() - pcap_read() for one block of a pcapng file */
int64_t pcapng_read(struct pcap_reader *r, const uint8_t *p, size_t len,
		    struct pcap_record *rec);

#endif /* WIRE_PCAP_INTERNAL_H */
