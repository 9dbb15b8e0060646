/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fit.c - SYNs and answers for a way that takes no longer packets
 */
#include "wire/fit.h"

#include <stddef.h>
#include <string.h>

#include "core/bytes.h"
#include "core/csum.h"
#include "wire/numbers.h"
#include "wire/pseudo.h"
#include "wire/segment.h"

#define IP4_HEAD   20u
#define IP6_HEAD   40u
#define TCP_HEAD   20u
#define ICMP_HEAD  8u
#define IP4_DF	   0x4000u
#define IP4_OFFSET 0x1fffu
#define TTL	   64
#define EXT_MOST   8 /* extension headers that are gone through */

#define OPT_END 0
#define OPT_NOP 1
#define OPT_MSS 2
#define MSS_LEN 4

/* ICMP: RFC 792, RFC 4443 */
#define UNREACHABLE    3
#define NEEDS_CUT      4
#define TOO_BIG	       2
#define ERROR6_BELOW   128 /* types of ICMPv6's errors */
#define ECHO_REPLY     0
#define ECHO	       8
#define TIMESTAMP      13
#define TIMESTAMP_BACK 14

static bool is4(const uint8_t *ip, uint32_t n)
{
	return n >= IP4_HEAD && ip[0] >> 4 == 4 && (ip[0] & 15) >= 5 &&
	       (ip[0] & 15u) * 4 <= n;
}

static bool is6(const uint8_t *ip, uint32_t n)
{
	return n >= IP6_HEAD && ip[0] >> 4 == 6;
}

/* Where the upper layer begins, and which it is; 0: a fragment, or not found.
 */
static uint32_t upper(const uint8_t *ip, uint32_t n, uint8_t *proto)
{
	uint32_t at = IP6_HEAD;

	if (is4(ip, n)) {
		*proto = ip[9];
		return (get_be16(ip + 6) & ~IP4_DF) ? 0 : (ip[0] & 15u) * 4;
	}
	if (!is6(ip, n))
		return 0;
	*proto = ip[6];
	for (int i = 0;
	     i < EXT_MOST &&
	     (*proto == EXT_HOP || *proto == EXT_ROUTING || *proto == EXT_DEST);
	     i++) {
		if (n - at < 8)
			return 0;
		*proto = ip[at];
		at += (ip[at + 1] + 1u) * 8;
		if (at > n)
			return 0;
	}
	return at;
}

/* Lower the MSS of the option at @at of a TCP header. An option may begin
 * anywhere: at an odd place its two bytes are of two words of the sum, each the
 * other half.
 */
static bool lower(uint8_t *tcp, uint32_t at, uint32_t most)
{
	uint32_t mss = get_be16(tcp + at + 2);
	uint16_t old = (uint16_t)mss, now = (uint16_t)most;

	if (mss <= most)
		return false;
	put_be16(tcp + at + 2, now);
	if (at % 2 != 0) {
		old = (uint16_t)(old << 8 | old >> 8);
		now = (uint16_t)(now << 8 | now >> 8);
	}
	put_be16(tcp + 16,
		 csum_move(get_be16(tcp + 16), csum_swap16(0, old, now)));
	return true;
}

bool fit_mss(uint8_t *ip, uint32_t n, uint32_t mtu)
{
	uint8_t proto = 0;
	uint32_t at = upper(ip, n, &proto);
	uint32_t over, end;
	uint8_t *tcp = ip + at;

	if (at == 0)
		return false;
	over = TCP_HEAD + (ip[0] >> 4 == 4 ? IP4_HEAD : IP6_HEAD);
	if (proto != PROTO_TCP || n - at < TCP_HEAD || !(tcp[13] & TCP_SYN) ||
	    mtu <= over)
		return false;
	end = (tcp[12] >> 4) * 4u;
	if (end > n - at)
		return false;
	for (uint32_t i = TCP_HEAD; i < end && tcp[i] != OPT_END;) {
		if (tcp[i] == OPT_NOP) {
			i++;
			continue;
		}
		if (i + 1 >= end || tcp[i + 1] < 2 || tcp[i + 1] > end - i)
			return false;
		if (tcp[i] == OPT_MSS && tcp[i + 1] == MSS_LEN)
			return lower(tcp, i, mtu - over);
		i += tcp[i + 1];
	}
	return false;
}

bool fit_may_cut(const uint8_t *ip, uint32_t n)
{
	return is4(ip, n) && !(get_be16(ip + 6) & IP4_DF);
}

/* One host's own address: not none, not a group's, not everybody's. */
static bool is_host4(const uint8_t *a)
{
	return a[0] != 0 && a[0] < 224;
}

static bool is_host6(const uint8_t *a)
{
	static const uint8_t none[16];

	return a[0] != 0xff && memcmp(a, none, sizeof(none)) != 0;
}

static uint32_t answer4(const uint8_t *ip, uint32_t n, uint32_t mtu,
			uint8_t *out)
{
	uint32_t quote = FIT_ANSWER4 - IP4_HEAD - ICMP_HEAD;
	uint32_t at = (ip[0] & 15u) * 4;
	uint8_t *icmp = out + IP4_HEAD;
	uint32_t len;

	if ((get_be16(ip + 6) & IP4_OFFSET) || !is_host4(ip + 12) ||
	    !is_host4(ip + 16))
		return 0;
	/* RFC 1122 section 3.2.2: no error about an error. */
	if (ip[9] == PROTO_ICMP &&
	    (n <= at || (ip[at] != ECHO && ip[at] != ECHO_REPLY &&
			 ip[at] != TIMESTAMP && ip[at] != TIMESTAMP_BACK)))
		return 0;
	quote = n < quote ? n : quote;
	len = IP4_HEAD + ICMP_HEAD + quote;
	memset(out, 0, IP4_HEAD + ICMP_HEAD);
	out[0] = 0x45;
	put_be16(out + 2, (uint16_t)len);
	out[8] = TTL;
	out[9] = PROTO_ICMP;
	memcpy(out + 12, ip + 16, 4);
	memcpy(out + 16, ip + 12, 4);
	put_be16(out + 10, (uint16_t)~csum_fold(csum_add(0, out, IP4_HEAD)));
	icmp[0] = UNREACHABLE;
	icmp[1] = NEEDS_CUT;
	put_be16(icmp + 6, (uint16_t)mtu);
	memcpy(icmp + ICMP_HEAD, ip, quote);
	put_be16(icmp + 2,
		 (uint16_t)~csum_fold(csum_add(0, icmp, ICMP_HEAD + quote)));
	return len;
}

static uint32_t answer6(const uint8_t *ip, uint32_t n, uint32_t mtu,
			uint8_t *out)
{
	uint32_t quote = FIT_ANSWER6 - IP6_HEAD - ICMP_HEAD;
	uint8_t *icmp = out + IP6_HEAD;
	uint8_t proto = 0;
	uint32_t at = upper(ip, n, &proto);
	struct ipaddr src, dst;
	uint64_t sum;

	if (!is_host6(ip + 8) || !is_host6(ip + 24))
		return 0;
	/* RFC 4443 section 2.4 (e). */
	if (proto == PROTO_ICMP6 && (at >= n || ip[at] < ERROR6_BELOW))
		return 0;
	quote = n < quote ? n : quote;
	memset(out, 0, IP6_HEAD + ICMP_HEAD);
	out[0] = 0x60;
	put_be16(out + 4, (uint16_t)(ICMP_HEAD + quote));
	out[6] = PROTO_ICMP6;
	out[7] = TTL;
	memcpy(out + 8, ip + 24, 16);
	memcpy(out + 24, ip + 8, 16);
	icmp[0] = TOO_BIG;
	put_be32(icmp + 4, mtu);
	memcpy(icmp + ICMP_HEAD, ip, quote);
	src = ipaddr_from6(out + 8);
	dst = ipaddr_from6(out + 24);
	sum = pseudo_sum(false, &src, &dst, PROTO_ICMP6, ICMP_HEAD + quote);
	put_be16(icmp + 2,
		 (uint16_t)~csum_fold(csum_add(sum, icmp, ICMP_HEAD + quote)));
	return IP6_HEAD + ICMP_HEAD + quote;
}

uint32_t fit_answer(const uint8_t *ip, uint32_t n, uint32_t mtu, uint8_t *out)
{
	if (is4(ip, n))
		return fit_may_cut(ip, n) ? 0 : answer4(ip, n, mtu, out);
	return is6(ip, n) ? answer6(ip, n, mtu, out) : 0;
}
