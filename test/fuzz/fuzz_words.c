/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_words.c - Command lines of any words, for send and prep
 *
 * Their options are not of the table that fuzz_options reads. Input: text, which
 * is cut into words as an @FILE is, and a last byte that picks the subcommand.
 * What is refused has a sentence; what is taken is in the ranges that the headers
 * promise. What would open files is left out: @FILE, and options of prep with an s
 * or an h in them (--services, --help).
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/prep.h"
#include "cmd/send.h"
#include "cmd/values.h"

#define WORDS_MOST   64
#define REPEATS_MOST 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_nets(const struct edit_nets *l)
{
	assert(l->n <= EDIT_MAPS);
	for (uint32_t i = 0; i < l->n; i++) {
		const struct edit_net *m = &l->net[i];
		bool v4 = ipaddr_is4(&m->from);

		assert(v4 == ipaddr_is4(&m->to));
		assert(m->from_bits <= 128 && m->to_bits <= 128);
		assert(!v4 || (m->from_bits >= 96 && m->to_bits >= 96));
	}
}

static void check_send(const struct send_options *o)
{
	const struct edit_config *c = &o->edit;

	assert(o->files <= SEND_FILES && o->files > 0);
	assert(o->ifname[0] != NULL);
	assert(o->speeds <= 1 || o->pace.mode == PACE_TOP || o->step);
	assert(o->pace.burst >= 1);
	assert(c->tos >= -1 && c->tos <= 255);
	assert(c->tclass >= -1 && c->tclass <= 255);
	assert(c->flowlabel >= -1 && c->flowlabel <= 0xfffff);
	assert(c->ports <= EDIT_MAPS && c->macs <= EDIT_MAPS);
	for (uint32_t i = 0; i < c->ports; i++)
		assert(c->port[i].least <= c->port[i].most);
	check_nets(&c->pnat[0]);
	check_nets(&c->pnat[1]);
	check_nets(&c->src);
	check_nets(&c->dst);
}

static void try_send(int n, char **argv)
{
	static struct send_options o;
	struct errbuf e = { "" };
	int r = send_options_parse(&o, n, argv, &e);

	assert(r == 0 || r == 1 || (r < 0 && e.s[0] != '\0'));
	if (r == 0)
		check_send(&o);
}

static void check_prep(const struct prep_args *a)
{
	assert(a->show != 0 || (a->in != NULL && a->out != NULL));
	assert(strlen(a->args) < PREP_ARGS_MAX);
	assert(a->show != 0 || a->rules.min_bits > a->rules.max_bits);
	assert(a->flows > 0 && a->flows <= PREP_FLOWS_MAX);
}

/* Repetitions of repetitions make libc's regcomp() take memory without end: the
 * expression is the user's own.
 */
static unsigned repeats(const char *word)
{
	unsigned n = 0;

	for (; *word != '\0'; word++)
		n += strchr("+*?{", *word) != NULL;
	return n;
}

/* prep's parser looks at the word in front of its own. */
static void try_prep(int n, char **argv)
{
	static struct prep_args a;
	struct errbuf e = { "" };
	unsigned sum = 0;
	int r;

	for (int i = 1; i <= n; i++) {
		sum += repeats(argv[i]);
		if (sum > REPEATS_MOST ||
		    (argv[i][0] == '-' && strpbrk(argv[i], "sh") != NULL))
			return;
	}
	memset(&a, 0, sizeof(a));
	r = prep_args_parse(&a, n, argv + 1, &e);
	assert(r == 0 || (r < 0 && e.s[0] != '\0'));
	if (r == 0)
		check_prep(&a);
	prep_args_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char name[] = "prep";
	char *argv[WORDS_MOST + 2] = { name };
	char *text, *rest;
	int n = 0, r;

	if (size < 2 || size > 1024 || memchr(data, '@', size) != NULL)
		return 0;
	text = malloc(size);
	if (text == NULL)
		abort();
	memcpy(text, data, size - 1);
	text[size - 1] = '\0';
	rest = text;
	while ((r = words_next(&rest, &argv[n + 1])) == 1 && n < WORDS_MOST)
		n++;
	argv[n + 1] = NULL;
	if (r == 0) {
		if (data[size - 1] & 1)
			try_prep(n, argv);
		else
			try_send(n, argv + 1);
	}
	free(text);
	return 0;
}
