/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_options.c - Command lines of any words
 *
 * Input: text, which is cut into words as an @FILE is, and a last byte that picks
 * the subcommand. What is refused has a sentence and changes nothing. What is taken
 * is written as text, and that text read again is the same to the last byte of
 * the engine's configuration. No word may begin with @: the parser would open
 * files. Nothing else here touches the system.
 */
#include "config/config.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "opt/values.h"

#define WORDS_MOST 64
#define TEXT_MOST  16384

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Cut @text, which is written to, into words. Return: their number, or -1. */
static int split(char *text, char **argv)
{
	int n = 0, r;

	while ((r = words_next(&text, &argv[n])) == 1)
		if (++n == WORDS_MOST)
			return -1;
	return r == 0 ? n : -1;
}

static void check_refused(const struct options *o, const struct options *was,
			  const struct errbuf *e, int r)
{
	assert(r == -EINVAL);
	assert(memcmp(o, was, sizeof(*o)) == 0);
	assert(e->s[0] != '\0' && strlen(e->s) < sizeof(e->s));
}

/* Read again as rerun does, which does not know whose text it is. */
static void check_taken(const struct options *o)
{
	static char text[TEXT_MOST], copy[TEXT_MOST], again[TEXT_MOST];
	struct options second;
	struct errbuf e = { "" };
	int n = options_text(o, text, sizeof(text));

	assert(n >= 0 && strlen(text) == (size_t)n);
	assert(options_text(o, copy, (size_t)n) == -ENOSPC);
	assert(options_read(&second, text, OPTIONS_SHADOW | OPTIONS_REPLAY,
			    &e) == 0);
	second.replay = o->replay;
	assert(options_text(&second, again, sizeof(again)) == n);
	assert(strcmp(text, again) == 0);
	assert(memcmp(&o->engine, &second.engine, sizeof(o->engine)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned cmds[] = { OPTIONS_SHADOW, OPTIONS_DOCTOR,
					 OPTIONS_RERUN, OPTIONS_REPLAY };
	static struct options o, was;
	char *argv[WORDS_MOST];
	struct errbuf e = { "" };
	unsigned cmd;
	char *text;
	int n, r;

	if (size < 2 || size > 1024 || memchr(data, '@', size) != NULL)
		return 0;
	cmd = cmds[data[size - 1] % 4];
	text = malloc(size);
	if (text == NULL)
		abort();
	memcpy(text, data, size - 1);
	text[size - 1] = '\0';
	n = split(text, argv);
	if (n >= 0) {
		memset(&o, 0x5a, sizeof(o));
		was = o;
		r = options_parse(&o, n, argv, cmd, &e);
		assert(r <= 1);
		if (r < 0)
			check_refused(&o, &was, &e, r);
		if (r == 0 &&
		    (options_check(&o, cmd, &e) == 0 || e.s[0] != '\0') &&
		    (cmd & (OPTIONS_SHADOW | OPTIONS_REPLAY)) != 0)
			check_taken(&o);
	}
	opt_forget();
	free(text);
	return 0;
}
