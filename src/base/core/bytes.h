/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bytes - Read and write integers at any address
 *
 * Headers inside a frame are not aligned: IPv4 follows a 14-byte Ethernet
 * header, TCP options sit at odd offsets. Code therefore never casts a frame to
 * a struct; it goes through these. The compiler turns each into one load or
 * store and a byte swap.
 */
#ifndef CORE_BYTES_H
#define CORE_BYTES_H

#include <stdint.h>

/** get_be16() - Read the 16-bit big-endian integer at @p, in host order */
static inline uint16_t get_be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

/** get_be32() - Read the 32-bit big-endian integer at @p, in host order */
static inline uint32_t get_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | (uint32_t)p[3];
}

/** get_be64() - Read the 64-bit big-endian integer at @p, in host order */
static inline uint64_t get_be64(const uint8_t *p)
{
	return (uint64_t)get_be32(p) << 32 | get_be32(p + 4);
}

/** put_be16() - Write @v at @p as a 16-bit big-endian integer */
static inline void put_be16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/** put_be32() - Write @v at @p as a 32-bit big-endian integer */
static inline void put_be32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

/** put_be64() - Write @v at @p as a 64-bit big-endian integer */
static inline void put_be64(uint8_t *p, uint64_t v)
{
	put_be32(p, (uint32_t)(v >> 32));
	put_be32(p + 4, (uint32_t)v);
}

/** get_le16() - Read the 16-bit little-endian integer at @p, in host order */
static inline uint16_t get_le16(const uint8_t *p)
{
	return (uint16_t)(p[1] << 8 | p[0]);
}

/** get_le32() - Read the 32-bit little-endian integer at @p, in host order */
static inline uint32_t get_le32(const uint8_t *p)
{
	return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 |
	       (uint32_t)p[1] << 8 | (uint32_t)p[0];
}

/** get_le64() - Read the 64-bit little-endian integer at @p, in host order */
static inline uint64_t get_le64(const uint8_t *p)
{
	return (uint64_t)get_le32(p + 4) << 32 | get_le32(p);
}

/** put_le16() - Write @v at @p as a 16-bit little-endian integer */
static inline void put_le16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

/** put_le32() - Write @v at @p as a 32-bit little-endian integer */
static inline void put_le32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
	p[2] = (uint8_t)(v >> 16);
	p[3] = (uint8_t)(v >> 24);
}

/** put_le64() - Write @v at @p as a 64-bit little-endian integer */
static inline void put_le64(uint8_t *p, uint64_t v)
{
	put_le32(p, (uint32_t)v);
	put_le32(p + 4, (uint32_t)(v >> 32));
}

#endif /* CORE_BYTES_H */
