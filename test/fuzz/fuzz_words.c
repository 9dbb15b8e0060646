/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_words.c - Command lines of any words, for send, prep, tunnel and proxy
 *
 * Their options are not those that fuzz_options reads. Input: text, which
 * is cut into words as an @FILE is, and a last byte that picks the subcommand.
 * What is refused has a sentence; what is taken is in the ranges that the headers
 * promise, and what tunnel and proxy take is written and read again as the same.
 * What would open files is left out: @FILE, and options of prep with an s
 * in them (--services).
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ends/ends.h"
#include "front/front.h"
#include "setup/setup.h"
#include "opt/values.h"
#include "prep/prep.h"
#include "send/send.h"

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
	assert(!o->step || o->pace.mode == PACE_CAPTURED);
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

static void try_prep(int n, char **argv)
{
	static struct prep_args a;
	struct errbuf e = { "" };
	unsigned sum = 0;
	int r;

	for (int i = 0; i < n; i++) {
		sum += repeats(argv[i]);
		if (sum > REPEATS_MOST ||
		    (argv[i][0] == '-' && strchr(argv[i], 's') != NULL))
			return;
	}
	memset(&a, 0, sizeof(a));
	r = prep_args_parse(&a, n, argv, &e);
	assert(r == 0 || r == 1 || (r < 0 && e.s[0] != '\0'));
	if (r == 0)
		check_prep(&a);
	prep_args_free(&a);
}

static void check_tunnel(const struct ends_options *o)
{
	assert(o->paths <= ENDS_PATHS && o->listens <= ENDS_LISTEN);
	if (o->check) { /* its paths alone are looked at */
		assert(o->paths > 0);
		return;
	}
	assert((o->paths > 0) != (o->listens > 0));
	/* A device of Ethernet may have no address: a bridge's. */
	assert((o->addrs > 0 || o->tap) && o->addrs <= ENDS_ADDRS);
	assert((o->allows > 0 || o->tap) && o->allows <= ENDS_ALLOWS);
	/* One of three: in the clear, keys of both, a pad. */
	assert(o->plain + (o->key != NULL) + (o->pad != NULL) == 1);
	assert(o->has_peer == (o->key != NULL));
	assert(o->psk == NULL || o->key != NULL);
	assert(o->classes <= ENDS_CLASSES);
	assert(o->mtu == 0 || (o->mtu >= 576 && o->mtu <= ENDS_MTU));
	for (unsigned i = 0; i < o->paths; i++) {
		const struct ends_place *p = &o->path[i];

		assert(p->port != 0 && strlen(p->dev) < ENDS_NAME);
		assert(!p->has_local || p->dev[0] == '\0');
		assert(strlen(p->host) < sizeof(p->host));
		assert(!p->has_local || p->host[0] != '\0' ||
		       ipaddr_is4(&p->local) == ipaddr_is4(&p->remote));
	}
}

static void write_words(const struct ends_options *o, char *out, size_t size)
{
	struct text t;

	text_begin(&t, out, size);
	opt_text(&tunnel_command, o, &t);
	assert(!t.full);
}

static void try_tunnel(int n, char **argv)
{
	static char words[2][65536];
	static struct ends_options o, again;
	struct errbuf e = { "" };
	int r = ends_options_parse(&o, n, argv, &e);

	assert(r == 0 || r == 1 || (r < 0 && e.s[0] != '\0'));
	if (r != 0 || o.task != ENDS_TUNNEL)
		return;
	check_tunnel(&o);
	write_words(&o, words[0], sizeof(words[0]));
	assert(ends_options_parse(&again, 0, NULL, &e) < 0);
	assert(opt_read(&tunnel_command, &again, words[0], &e) == 0);
	write_words(&again, words[1], sizeof(words[1]));
	assert(strcmp(words[0], words[1]) == 0);
}

static void check_proxy(const struct setup *o)
{
	assert(o->places <= SETUP_LISTENERS);
	assert(o->places > 0 || o->check);
	for (unsigned i = 0; i < o->places; i++) {
		assert(o->place[i].port != 0);
		assert(o->place[i].servers.n <= SERVERS_MAX);
	}
	assert(o->port_low >= 1024 && o->port_low <= o->port_high);
	assert(o->port_high <= UINT16_MAX);
	assert(o->connections > 0 && o->connections <= SETUP_CONNECTIONS);
	assert(o->workers > 0 && o->workers <= SETUP_WORKERS);
	assert(o->connections >= o->workers && o->copies >= o->workers);
	assert(o->port_high - o->port_low + 1 >= o->workers);
	assert(!o->transparent || o->splice == SETUP_TC);
}

static void write_proxy(const struct setup *o, char *out, size_t size)
{
	struct text t;

	text_begin(&t, out, size);
	opt_text(&proxy_command, o, &t);
	assert(!t.full);
}

static void try_proxy(int n, char **argv)
{
	static char words[2][65536];
	static struct setup o, again;
	struct errbuf e = { "" };
	int r = setup_parse(&o, n, argv, &e);

	assert(r == 0 || r == 1 || (r < 0 && e.s[0] != '\0'));
	if (r != 0)
		return;
	check_proxy(&o);
	write_proxy(&o, words[0], sizeof(words[0]));
	assert(setup_parse(&again, 0, NULL, &e) < 0);
	assert(opt_read(&proxy_command, &again, words[0], &e) == 0);
	write_proxy(&again, words[1], sizeof(words[1]));
	assert(strcmp(words[0], words[1]) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *argv[WORDS_MOST + 1];
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
	while ((r = words_next(&rest, &argv[n])) == 1 && n < WORDS_MOST)
		n++;
	if (r == 0) {
		if (data[size - 1] == 'T')
			try_tunnel(n, argv);
		else if (data[size - 1] == 'P')
			try_proxy(n, argv);
		else if (data[size - 1] & 1)
			try_prep(n, argv);
		else
			try_send(n, argv);
	}
	opt_forget();
	free(text);
	return 0;
}
