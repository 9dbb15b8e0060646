/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * class - What sort of value a text is
 *
 * Two values that no server could give twice (an identifier, a moment) are
 * alike if they are of one class. Which classes there are is a closed list: a
 * class says little, so it must not say "anything".
 */
#ifndef RULES_CLASS_H
#define RULES_CLASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLASSES(X)                                                             \
	X(CLASS_UUID, "uuid")	    /* RFC 9562 section 4 */                   \
	X(CLASS_TIME, "time")	    /* RFC 3339, or of HTTP (when.h) */        \
	X(CLASS_EPOCH, "epoch")	    /* 10, 13, 16 or 19 digits */              \
	X(CLASS_INTEGER, "integer") /* of any number of digits */              \
	X(CLASS_DECIMAL, "decimal")                                            \
	X(CLASS_JWT, "jwt")	/* RFC 7519: three parts in base64url */       \
	X(CLASS_HEX, "hex")	/* of one length, at least 8 */                \
	X(CLASS_TOKEN, "token") /* base64 or base64url, one length, >= 16 */   \
	X(CLASS_URL, "url")                                                    \
	X(CLASS_ETAG, "etag") /* RFC 9110 section 8.8.3 */

enum value_class {
#define X(id, name) id,
	CLASSES(X)
#undef X
		CLASS_COUNT
};

/** class_name() - As rules and reports spell it */
const char *class_name(enum value_class c);

/** class_find() - The class of this name. Return: it, or CLASS_COUNT */
enum value_class class_find(const char *name, size_t n);

/** class_has() - Is this text of the class? */
bool class_has(enum value_class c, const uint8_t *p, size_t n);

/** class_sized() - Are values of this class alike at the same length only? */
static inline bool class_sized(enum value_class c)
{
	return c == CLASS_HEX || c == CLASS_TOKEN;
}

#endif /* RULES_CLASS_H */
