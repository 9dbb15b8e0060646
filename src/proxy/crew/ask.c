/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ask.c - A worker is asked, and answers
 *
 * The request is a line in memory that both have; the channel says that it is
 * there, and that its answer is. Nobody else waits for us while we wait for
 * that, but a control socket's clients. A worker that does not answer in time
 * is asked again the next time. It then has several messages before it, and
 * memory has the words of the last one: that one is run, once, and what it may
 * have answered to another is known by its number.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/limits.h"
#include "crew/crew_internal.h"
#include "os/child.h"
#include "os/clock.h"

#define ASK_MOST (2 * NS_PER_SEC)

void ask_drop(struct member *m)
{
	if (m->c->loop)
		loop_drop(m->c->loop, &m->watch);
	close(m->fd);
	m->fd = -1;
}

int ask_hear(struct member *m, uint32_t answer)
{
	struct worker_message said;
	int rc;

	while ((rc = child_hear(m->fd, &said, sizeof(said))) == 1) {
		if (said.what == WORKER_EVENT) {
			crew_told(m, &said);
		} else if (said.what == WORKER_OVER && m->c->stops > 0) {
			m->state = m->share->state;
			m->ends = true;
		} else if (said.what == WORKER_ANSWER &&
			   said.number == answer && answer != 0) {
			return 1;
		}
	}
	if (rc == 0)
		return 0;
	ask_drop(m);
	return -EPIPE;
}

/* Copy it out: what it has said may change while it is looked at. */
static int take_answer(struct member *m, struct errbuf *e)
{
	size_t n = m->share->len;
	int rc = m->share->rc;

	if (n >= sizeof(m->text))
		n = 0;
	memcpy(m->text, m->share->text, n);
	m->text[n] = '\0';
	if (rc == 0)
		return 0;
	*e = m->share->e;
	e->s[sizeof(e->s) - 1] = '\0';
	return rc < 0 ? rc : -EPROTO;
}

int ask_one(struct member *m, const char *words, struct errbuf *e)
{
	struct worker_message q = { .what = WORKER_ASKED };
	uint64_t until = clock_mono() + ASK_MOST;
	int rc;

	m->text[0] = '\0';
	if (m->fd < 0 || m->ends)
		return -ESRCH;
	q.number = ++m->number != 0 ? m->number : ++m->number;
	m->share->number = q.number;
	snprintf(m->share->words, sizeof(m->share->words), "%s", words);
	if (child_say(m->fd, &q, sizeof(q)) != 0)
		return -ESRCH;
	while ((rc = ask_hear(m, q.number)) == 0 && !m->ends) {
		uint64_t now = clock_mono();

		if (now >= until)
			return errbuf_set(e, -ETIMEDOUT,
					  "worker %u does not answer",
					  m->index);
		child_wait(m->fd, until - now);
	}
	return rc == 1 ? take_answer(m, e) : -ESRCH;
}

int ask_all(struct crew *c, const char *words, struct errbuf *e)
{
	struct errbuf one = { "" };
	int first = 0;

	for (unsigned i = 0; i < c->o.workers; i++) {
		int rc = ask_one(&c->member[i], words, &one);

		if (rc == 0 || rc == -ESRCH || first != 0)
			continue;
		first = rc;
		*e = one;
	}
	return first;
}

void ask_state(struct crew *c)
{
	struct errbuf e;

	c->state = (struct front_state){ .n = c->own };
	for (unsigned i = 0; i < c->o.workers; i++) {
		struct member *m = &c->member[i];

		if (ask_one(m, "show", &e) == 0)
			m->state = m->share->state;
		front_sum(&c->state, &m->state);
	}
}
