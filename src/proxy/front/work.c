/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * work.c - One worker of several: what its parent asks of it
 *
 * Theory of operation
 *
 * A worker is a whole proxy of its own, with its part of connections and ports
 * (setup_share()), its own listeners at the same addresses, between which the
 * kernel shares the clients, its own program in the kernel and its own tables.
 * What there is one of for all of them is the parent's: the control socket,
 * metrics, signals, the report. What it asks is answered within a turn of the
 * loop, and what happens to a server is told without being asked; if nobody
 * reads that, it is lost and counted, for a worker waits for nobody.
 *
 * When the parent is gone, so is what it was told to us by: all ends at once.
 */
#include <errno.h>
#include <string.h>

#include "front/front_internal.h"
#include "front/manage_internal.h"
#include "front/work_internal.h"

static void show(struct front *f)
{
	front_look(f, &f->worker->share->state);
}

static int set(struct front *f, char *words, struct errbuf *e)
{
	char *value = strchr(words, ' ');

	if (!value)
		return errbuf_set(e, -EINVAL, "set %s: to what?", words);
	*value = '\0';
	return opt_set(&proxy_command, &f->set, words, value + 1, e);
}

/* Return: 0 or -Exxx with a sentence */
static int run(struct front *f, char *words, struct text *out, struct errbuf *e)
{
	char *rest = strchr(words, ' ');

	if (rest)
		*rest++ = '\0';
	if (strcmp(words, "show") == 0)
		show(f);
	else if (strcmp(words, "stop") == 0)
		front_stop(f);
	else if (strcmp(words, "logs") == 0)
		access_again(f);
	else if (strcmp(words, "see") == 0)
		return reload(f, false, e);
	else if (strcmp(words, "take") == 0)
		return reload(f, true, e);
	else if (strcmp(words, "set") == 0 && rest)
		return set(f, rest, e);
	else
		return manage_run(f, words, rest ? rest : "", out, e);
	return 0;
}

static void answer(struct front *f, const struct worker_message *m)
{
	struct worker_share *s = f->worker->share;
	struct worker_message a = { .what = WORKER_ANSWER,
				    .number = m->number };
	char words[WORKER_LINE];
	struct text out;

	/* Its words are gone. */
	if (m->number != s->number)
		return;
	memcpy(words, s->words, sizeof(words));
	words[sizeof(words) - 1] = '\0';
	s->e.s[0] = '\0';
	text_begin(&out, s->text, sizeof(s->text));
	s->rc = run(f, words, &out, &s->e);
	s->len = (uint32_t)out.len;
	/* It asks for one thing at a time, so there is room. */
	(void)child_say(f->worker->channel, &a, sizeof(a));
}

static void parent_speaks(void *ctx, uint64_t now)
{
	struct front *f = ctx;
	struct worker_message m;
	int rc;

	f->now = now;
	while ((rc = child_hear(f->worker->channel, &m, sizeof(m))) == 1)
		if (m.what == WORKER_ASKED)
			answer(f, &m);
	if (rc == 0)
		return;
	loop_drop(f->loop, &f->on_parent);
	f->over = true;
}

int work_open(struct front *f)
{
	f->on_parent = (struct loop_watch){ .ready = parent_speaks, .ctx = f };
	return loop_add(f->loop, &f->on_parent, f->worker->channel);
}

void work_says(struct front *f, enum worker_said what)
{
	struct worker_message m = { .what = what };

	show(f);
	(void)child_say(f->worker->channel, &m, sizeof(m));
}

void work_event(struct front *f, const char *what, const char *server,
		const char *listener)
{
	struct worker_message m = { .what = WORKER_EVENT };
	struct text t;

	text_begin(&t, m.event, sizeof(m.event));
	text_add(&t, "%s", what);
	memcpy(m.server, server, strnlen(server, sizeof(m.server) - 1));
	memcpy(m.listener, listener, strnlen(listener, sizeof(m.listener) - 1));
	if (child_say(f->worker->channel, &m, sizeof(m)) != 0)
		f->n->events_lost++;
}
