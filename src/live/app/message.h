/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * message - A DNS message, read (RFC 1035 section 4)
 *
 * An index of the records of each section, in which every length and every
 * name has been checked: what the functions below are given is whole.
 */
#ifndef APP_MESSAGE_H
#define APP_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#define DNS_RECORDS 128 /* of a section; a message with more is not read */

enum {
	DNS_HEADER = 12,
	DNS_FLAGS = 2,	    /* offset in the header */
	DNS_LABEL_MAX = 63, /* bytes of a label */
	DNS_RCODE = 0x000f, /* in the flags */
	DNS_TC = 0x0200,    /* truncated */
};

/* Types that are known here (IANA, "Domain Name System (DNS) Parameters"). */
enum {
	DNS_TYPE_OPT = 41,
	DNS_TYPE_RRSIG = 46,
};

enum dns_section {
	DNS_QUESTION,
	DNS_ANSWER,
	DNS_AUTHORITY,
	DNS_ADDITIONAL,
	DNS_COUNT
};

struct dns_bytes {
	const uint8_t *p;
	uint32_t len;
};

/* A record: offsets into its message. */
struct dns_record {
	uint32_t owner;
	uint32_t data;
	uint16_t len;
	uint16_t type;
	uint16_t class;
	uint32_t ttl;
};

/* The records of one section; OPT is not among them. */
struct dns_index {
	uint32_t n;
	struct dns_record r[DNS_RECORDS];
};

struct dns_message {
	struct dns_bytes m;
	struct dns_index sec[DNS_COUNT];
	bool has_opt;
	uint32_t opt_ttl; /* extended rcode, version, flags */
	struct dns_record opt;
};

/* How the data of a type is made: @fixed bytes, then @names names, then bytes.
 */
struct dns_layout {
	uint8_t fixed;
	uint8_t names;
};

/** dns_layout() - That of a type (RFC 3597 section 4) */
struct dns_layout dns_layout(uint16_t type);

/**
 * dns_read() - Read a whole message; @p is borrowed
 *
 * Return: false: it is broken, or a section has more than DNS_RECORDS
 */
bool dns_read(const uint8_t *p, uint32_t len, struct dns_message *out);

/** dns_rcode() - With the upper bits that OPT has (RFC 6891 section 6.1.3) */
uint16_t dns_rcode(const struct dns_message *m);

/** dns_name_end() - Offset behind the name at @off; 0: it is broken */
uint32_t dns_name_end(const struct dns_bytes *m, uint32_t off);

/** dns_same_name() - Are two names that are whole the same, in any case? */
bool dns_same_name(const struct dns_bytes *a, uint32_t a_off,
		   const struct dns_bytes *b, uint32_t b_off);

/** dns_same_set() - Are two records of one RRset (RFC 2181 section 5)? A
 * signature is of the set that it covers (RFC 4034 section 3)
 */
bool dns_same_set(const struct dns_message *a, const struct dns_record *ra,
		  const struct dns_message *b, const struct dns_record *rb);

#define DNS_CANONICAL 1024u /* bytes of dns_canonical() at most */

/**
 * dns_canonical() - A record without compression and its time to live, names in
 * lower case, up to where bytes begin that are no name
 * @out:	DNS_CANONICAL bytes
 * @rest:	Set to the offset of those bytes, which end with the record
 *
 * Two records are the same if both are.
 *
 * Return: bytes of @out
 */
uint32_t dns_canonical(const struct dns_message *m, const struct dns_record *r,
		       uint8_t *out, uint32_t *rest);

/** dns_lower() - A letter of a name (RFC 4343) */
static inline uint8_t dns_lower(uint8_t b)
{
	return b >= 'A' && b <= 'Z' ? (uint8_t)(b + 0x20) : b;
}

#endif /* APP_MESSAGE_H */
