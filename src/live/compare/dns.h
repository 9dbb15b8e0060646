/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dns - Compare two DNS messages (RFC 1035)
 *
 * COMPARE_IDENTICAL: the bytes are equal. COMPARE_EQUIVALENT: the messages say
 * the same, although their bytes differ:
 *
 *   - header: all flags (QR, opcode, AA, TC, RD, RA, Z, AD, CD) and the rcode
 *     are equal, with the upper bits of the rcode in OPT (RFC 6891)
 *   - the question section is equal; upper and lower case differ (RFC 4343), as
 *     servers repeat it letter by letter
 *   - each section has the same records, RRset by RRset in the same order.
 *     Within an RRset any order is right: servers rotate it. Between RRsets it
 *     is not: there are resolvers that want CNAMEs in front
 *   - a record's TTL is left out, as it counts down in a cache, unless a rule
 *     says how far two may be apart
 *   - a signature (RRSIG, RFC 4034) is of the same set, by the same key (tag,
 *     algorithm, signer): its times and bytes are left out, as they change when
 *     a zone is signed again, and are not verified
 *   - names are compared without their compression, also within the data of
 *     the types that may compress (RFC 3597 section 4), in any case
 *   - OPT has the same version, flags and payload size, and the same options
 *     but for COOKIE (RFC 7873), which is random; where in its section it
 *     stands does not matter
 *
 * Messages that cannot be read, or have more than DNS_RECORDS records in a
 * section, are compared by their bytes.
 */
#ifndef COMPARE_DNS_H
#define COMPARE_DNS_H

#include <stdbool.h>
#include <stdint.h>

#include "app/message.h"
#include "compare/compare.h"

/**
 * dns_compare() - Give the verdict on two answers
 * @level:	COMPARE_IDENTICAL or COMPARE_EQUIVALENT
 * @by:		Rules, after rules_end(); NULL: there are none
 * @prod, @prod_len: Production's message, without the length of TCP
 * @sut, @sut_len: The SUT's
 * @out:	Verdict. status: rcodes. VERDICT_DIFFERENT for REASON_STATUS
 *		(rcode), REASON_HEADER (ID, flags, question, OPT), REASON_BODY
 *		(a record; offset is that of production's in its message, or
 *		UINT64_MAX if production's has none), REASON_LENGTH and REASON_
 *		BYTES (offset of the first byte that differs)
 */
void dns_compare(enum compare_level level, const struct rules *by,
		 const uint8_t *prod, uint32_t prod_len, const uint8_t *sut,
		 uint32_t sut_len, struct compare_result *out);

/**
 * dns_compare_stream() - dns_compare() of what came over TCP, where nothing has
 * to be truncated, at COMPARE_EQUIVALENT
 */
void dns_compare_stream(const struct rules *by, const uint8_t *prod,
			uint32_t prod_len, const uint8_t *sut, uint32_t sut_len,
			struct compare_result *out);

/** dns_same_besides() - Is all the same but for the records of the answer
 * section, which are not looked at?
 */
bool dns_same_besides(const struct rules *by, const struct dns_message *a,
		      const struct dns_message *b);

#endif /* COMPARE_DNS_H */
