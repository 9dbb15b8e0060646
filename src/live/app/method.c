/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * method.c - Which methods of HTTP are played
 */
#include "app/method.h"

#include <stddef.h>
#include <string.h>

static bool is_token(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c >= '0' && c <= '9') ||
	       (c != '\0' && memchr("!#$%&'*+-.^_`|~", c, 15));
}

enum method_is method_is(const char *list, const uint8_t *p, uint32_t n)
{
	const uint8_t *end = n > 0 ? memchr(p, ' ', n) : NULL;
	enum method_is is = METHOD_OUT;
	size_t len = end ? (size_t)(end - p) : n;

	while (*list != '\0') {
		size_t name = 0;

		while (is_token(list[name]))
			name++;
		if (name >= len && memcmp(list, p, len) == 0) {
			if (end && name == len)
				return METHOD_IN;
			if (!end)
				is = METHOD_UNSURE;
		}
		list += name + (list[name] != '\0');
	}
	return is;
}

bool method_list_good(const char *list)
{
	size_t name = 0;

	for (; *list != '\0'; list++) {
		if (*list == ',' && name > 0)
			name = 0;
		else if (is_token(*list))
			name++;
		else
			return false;
	}
	return name > 0;
}
