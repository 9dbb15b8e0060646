/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * users.c - Lines of NAME:HASH
 */
#include "login/login.h"

#include <errno.h>
#include <string.h>

#include "codec/password.h"

static bool is_of_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' ||
	       c == '@';
}

static const char *take_line(struct users *u, const char *line)
{
	const char *colon = strchr(line, ':');
	size_t n = !colon ? 0 : (size_t)(colon - line);
	struct user *one = &u->user[u->n];

	if (n == 0)
		return "is not NAME:HASH";
	if (n > USERS_NAME)
		return "has a name that is too long";
	for (size_t i = 0; i < n; i++)
		if (!is_of_name(line[i]))
			return "has a name of other characters than letters, "
			       "digits and -_.@";
	if (strlen(colon + 1) > USERS_HASH || !password_hash_is(colon + 1))
		return "has no hash that is known here; 'openssl passwd -6' "
		       "makes one";
	if (users_find(u, (const uint8_t *)line, (unsigned)n))
		return "has a name that was there before";
	if (u->n == USERS_MAX)
		return "is one user too many";
	memcpy(one->name, line, n);
	one->name[n] = '\0';
	memcpy(one->hash, colon + 1, strlen(colon + 1) + 1);
	u->n++;
	return NULL;
}

int users_parse(struct users *u, char *text, struct errbuf *e)
{
	unsigned number = 0;

	u->n = 0;
	while (*text != '\0') {
		size_t n = strcspn(text, "\n");
		bool last = text[n] == '\0';
		const char *wrong = NULL;

		number++;
		text[n] = '\0';
		if (n > 0 && text[0] != '#')
			wrong = take_line(u, text);
		if (wrong)
			return errbuf_set(e, -EINVAL, "line %u %s", number,
					  wrong);
		text += last ? n : n + 1;
	}
	return u->n > 0 ? 0 : errbuf_set(e, -EINVAL, "has no user");
}

const struct user *users_find(const struct users *u, const uint8_t *name,
			      unsigned n)
{
	const struct user *found = NULL;

	for (unsigned i = 0; i < u->n; i++)
		if (strlen(u->user[i].name) == n &&
		    memcmp(u->user[i].name, name, n) == 0)
			found = &u->user[i];
	return found;
}
