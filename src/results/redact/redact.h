/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * redact - Secrets in captured bytes become tags
 *
 * What is shown of captured bytes goes through here. A secret is what stands
 * behind a name that says so (a field, a cookie, a parameter, a member, an
 * element), or what has the form of one (a card's number, a JWT, a bearer's
 * token, a key). In its place comes <secret:1a2b3c4d>: a hash of the value
 * under a key of the run, so that equal values have equal tags in one run, and
 * nobody who lacks the key can try values. <secret:1a2b3c4d+>: of the value
 * only a part was known, and the tag is of that part.
 *
 * It errs on the side of hiding: a value whose beginning is not known is one.
 */
#ifndef REDACT_REDACT_H
#define REDACT_REDACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/hash.h"
#include "rules/rules.h"

#define REDACT_TAG 18u /* bytes of the longest tag */

/**
 * struct redact - By what is redacted
 * @key:	Of the run, and of nothing else in it
 * @rules:	Their names count too; NULL: there are none
 * @off:	Nothing is
 */
struct redact {
	struct hash_key key;
	const struct rules *rules;
	bool off;
};

/**
 * redact_init() - Make one
 * @run:	Secret of the run; the key is made of it
 * @rules:	They must outlive it; or NULL
 */
void redact_init(struct redact *r, const struct hash_key *run,
		 const struct rules *rules, bool off);

/**
 * struct redact_text - Captured bytes of which some are shown
 * @p, @n:	All that is known, hostile
 * @from, @to:	Of it @from up to @to is shown; the rest tells what these are
 * @headless:	Bytes stand in front of @p that are not known
 * @cut:	Bytes stand behind that are not known
 * @name, @name_len: Whose value @p is; NULL: nobody's, or @p has the names in
 *		it
 */
struct redact_text {
	const uint8_t *p;
	size_t n;
	size_t from;
	size_t to;
	bool headless;
	bool cut;
	const char *name;
	size_t name_len;
};

/**
 * redact_put() - Write what is shown, with tags
 * @r:		NULL: nothing is redacted
 * @out, @room:	Where; what does not fit is cut, a tag as a whole
 *
 * A secret that is shown in part becomes one tag. Time grows with @n. Return:
 * bytes written
 */
size_t redact_put(const struct redact *r, const struct redact_text *t,
		  uint8_t *out, size_t room);

/**
 * redact_mask() - The same at equal length: for bytes whose places matter
 * @r:		Not NULL
 * @t:		All of it is shown: @from is 0, @to is @n
 * @out:	@n bytes; may be @t's own
 *
 * In place of a secret comes the beginning of its tag, as much as fits, and 'x'
 * up to its end. Behind the 512th secret all is 'x'.
 */
void redact_mask(const struct redact *r, const struct redact_text *t,
		 uint8_t *out);

/** redact_all() - The same of whole bytes that have names in them */
size_t redact_all(const struct redact *r, const void *p, size_t n, void *out,
		  size_t room);

#endif /* REDACT_REDACT_H */
