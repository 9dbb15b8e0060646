/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dns_rig - A small assembler for messages of DNS
 */
#ifndef TEST_DNS_RIG_H
#define TEST_DNS_RIG_H

#include <stdint.h>
#include <string.h>

#include "core/bytes.h"

#define QUERY_NAME 12 /* offset of the question's name */

struct msg {
	uint8_t b[1024];
	uint32_t n;
};

static inline void raw(struct msg *m, const void *p, size_t n)
{
	memcpy(m->b + m->n, p, n);
	m->n += (uint32_t)n;
}

static inline void u16(struct msg *m, unsigned v)
{
	put_be16(m->b + m->n, (uint16_t)v);
	m->n += 2;
}

/* A name in text form; "" is the root, "*" a pointer to the question's. */
static inline void name(struct msg *m, const char *s)
{
	if (strcmp(s, "*") == 0) {
		u16(m, 0xc000 | QUERY_NAME);
		return;
	}
	while (*s != '\0') {
		size_t n = strcspn(s, ".");

		m->b[m->n++] = (uint8_t)n;
		raw(m, s, n);
		s += n + (s[n] == '.');
	}
	m->b[m->n++] = 0;
}

static inline struct msg begin(unsigned flags, const char *question)
{
	struct msg m = { .n = 0 };

	u16(&m, 0x1234);
	u16(&m, flags);
	u16(&m, 1);
	u16(&m, 0);
	u16(&m, 0);
	u16(&m, 0);
	name(&m, question);
	u16(&m, 1);
	u16(&m, 1);
	return m;
}

/* Begin a record of section @sec (1 answer to 3 additional). */
static inline void record(struct msg *m, unsigned sec, const char *owner,
			  unsigned type, unsigned class, uint32_t ttl)
{
	uint8_t *count = m->b + 4 + 2 * sec;

	put_be16(count, (uint16_t)(get_be16(count) + 1));
	name(m, owner);
	u16(m, type);
	u16(m, class);
	u16(m, ttl >> 16);
	u16(m, ttl & 0xffff);
}

static inline void a_record(struct msg *m, const char *owner, uint32_t ttl,
			    uint8_t last)
{
	uint8_t ip[4] = { 192, 0, 2, last };

	record(m, 1, owner, 1, 1, ttl);
	u16(m, 4);
	raw(m, ip, 4);
}

static inline void named(struct msg *m, unsigned sec, const char *owner,
			 unsigned type, unsigned fixed, const char *target)
{
	uint32_t len;

	record(m, sec, owner, type, 1, 60);
	len = m->n;
	u16(m, 0);
	for (; fixed > 0; fixed--)
		m->b[m->n++] = 9;
	name(m, target);
	put_be16(m->b + len, (uint16_t)(m->n - len - 2));
}

static inline void opt(struct msg *m, unsigned size, uint32_t ttl,
		       const void *data, unsigned len)
{
	record(m, 3, "", 41, size, ttl);
	u16(m, len);
	raw(m, data, len);
}

#endif /* TEST_DNS_RIG_H */
