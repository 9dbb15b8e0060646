/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_run_loop.c - The packet thread's loop, with a source, observers and a sink
 * that are none
 *
 * The engine is a real one that looks for a SUT, so that its timers have something
 * to send; no wire is open. What happens is written down, a letter each: o over? t
 * the source's turn, T the engine's timers, x an effect, s the sink gets it, u it
 * was not sent, f flush, c the clock.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "os/clock.h"
#include "os/signals.h"
#include "run/source.h"
#include "run/state.h"

#define MS	   NS_PER_MS
#define LOG_MAX	   4096
#define TURNS_MOST 100 /* a loop that does not end is stopped */

struct rig;

/* What a source does in its turn number @n, from 1 on. */
typedef int turn_fn(struct rig *r, uint32_t n, uint64_t *next);

struct rig {
	struct run *run;
	struct options opt;
	struct sink sink;
	struct errbuf e;
	turn_fn *does;
	uint32_t over_at; /* turns after which it says so itself; 0: never */
	uint32_t turns;
	uint64_t due;	    /* what the source asked for */
	uint64_t came;	    /* and when its next turn came */
	uint32_t stop_at;   /* effect at which an observer gives up, from 1 */
	uint32_t signal_at; /* turn in which a signal comes */
	int refuse;	    /* what the sink says to an effect */
	uint32_t told;	    /* effects, as the second observer counts them */
	char log[LOG_MAX];
	size_t n;
};

static struct rig *rig; /* the observers' and the sink's */

static void write_down(char what)
{
	if (rig->n + 1 < LOG_MAX)
		rig->log[rig->n++] = what;
}

static uint32_t count(const struct rig *r, char what)
{
	uint32_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		n += r->log[i] == what;
	return n;
}

/* --- a sink --- */

static int to_sink(struct sink *s, const uint8_t *p, uint32_t len,
		   uint64_t cookie)
{
	(void)p;
	(void)len;
	if (rig->refuse != 0)
		return rig->refuse;
	write_down('s');
	s->done(s->ctx, cookie, 0);
	return 0;
}

static int no_ip(struct sink *s, uint8_t proto, const struct tcp_header *h,
		 const uint8_t *data, uint32_t len, uint16_t gso,
		 uint64_t cookie)
{
	(void)s;
	(void)proto;
	(void)h;
	(void)data;
	(void)len;
	(void)gso;
	(void)cookie;
	return -EOPNOTSUPP;
}

static void to_flush(struct sink *s)
{
	(void)s;
	write_down('f');
}

static const struct sink_ops sink_ops = {
	.ip = no_ip,
	.raw = to_sink,
	.flush = to_flush,
	.close = to_flush,
};

/* --- observers --- */

static void see_timeout(struct run *run)
{
	CHECK(run == rig->run);
	write_down('T');
}

static void see_effect(struct run *run, const struct effect *x,
		       const uint8_t *dst)
{
	(void)dst;
	CHECK(x->kind == EFFECT_RAW);
	write_down('x');
	if (rig->stop_at != 0 && run->effects + 1 == rig->stop_at)
		run->stop = true;
}

static void see_unsent(struct run *run, uint64_t number)
{
	CHECK(number + 1 == run->effects);
	write_down('u');
}

static void see_clock(struct run *run, int64_t step)
{
	(void)run;
	(void)step;
	write_down('c');
}

static const struct observer_ops observe_all = {
	.timeout = see_timeout,
	.effect = see_effect,
	.unsent = see_unsent,
	.clock = see_clock,
};

/* Told of one thing alone, behind the other. */
static void see_effect_too(struct run *run, const struct effect *x,
			   const uint8_t *dst)
{
	(void)run;
	(void)x;
	(void)dst;
	CHECK(rig->n > 0 && rig->log[rig->n - 1] == 'x');
	rig->told++;
}

static const struct observer_ops observe_effects = { .effect = see_effect_too };

/* --- a source --- */

static bool source_over(struct run *run, void *ctx)
{
	struct rig *r = ctx;

	(void)run;
	write_down('o');
	return (r->over_at != 0 && r->turns >= r->over_at) ||
	       r->turns >= TURNS_MOST;
}

static int source_turn(struct run *run, void *ctx, uint64_t *next,
		       struct errbuf *e)
{
	struct rig *r = ctx;

	CHECK(run == r->run && e == &r->e && *next == UINT64_MAX);
	write_down('t');
	r->turns++;
	return r->does(r, r->turns, next);
}

/* --- the rig --- */

static void rig_init(struct rig *r, turn_fn *does)
{
	static const uint8_t mac[ETH_LEN] = { 2, 0, 0, 0, 0, 1 };
	uint8_t sut[4] = { 10, 9, 0, 1 };
	struct engine_config *c = &r->opt.engine;
	struct emit_dest dest = { .ip = ipaddr_from4(sut) };
	struct run *run = calloc(1, sizeof(*run));

	memset(r, 0, sizeof(*r));
	rig = r;
	r->does = does;
	r->run = run;
	engine_defaults(c);
	c->limits = (struct limits){ 256, 1u << 20, 1u << 19, 4 };
	c->map[c->maps++] = (struct engine_map){
		.prod = dest.ip, .bits = 128, .prod_port = 80, .sut = dest.ip
	};
	memcpy(c->mac, mac, ETH_LEN);
	run->opt = &r->opt;
	run->pipe = -1;
	run->now = clock_mono();
	run->mem.size = arena_need(engine_size(c));
	run->mem.base = aligned_alloc(ARENA_ALIGN, run->mem.size);
	if (run->mem.base == NULL)
		abort();
	memset(run->mem.base, 0, run->mem.size);
	if (engine_init(&run->engine, &run->mem, c, run->now) != 0 ||
	    sink_init(&r->sink, &sink_ops, mac, &dest, 1, run_done, run) != 0)
		abort();
	run->sink = &r->sink;
	run->signal_fd = signals_open();
	CHECK(run->signal_fd >= 0);
	observe_add(run, &observe_all);
	observe_add(run, &observe_effects);
}

static int go(struct rig *r, uint64_t look_every)
{
	struct source_ops ops = { .look_every = look_every,
				  .over = source_over,
				  .turn = source_turn };

	return run_loop(r->run, &(struct source){ &ops, r }, &r->e);
}

static void rig_end(struct rig *r)
{
	while (signals_next(r->run->signal_fd) > 0)
		;
	close(r->run->signal_fd);
	free(r->run->mem.base);
	free(r->run);
}

/* --- sources --- */

static int three_turns(struct rig *r, uint32_t n, uint64_t *next)
{
	(void)r;
	(void)next;
	return n < 3 ? SOURCE_MORE : SOURCE_OVER;
}

static int fails_second(struct rig *r, uint32_t n, uint64_t *next)
{
	(void)next;
	return n < 2 ? SOURCE_MORE : errbuf_set(&r->e, -EIO, "it broke");
}

static int goes_on(struct rig *r, uint32_t n, uint64_t *next)
{
	(void)r;
	(void)n;
	(void)next;
	return SOURCE_MORE;
}

/* Not before a time, record once. */
static int not_before(struct rig *r, uint32_t n, uint64_t *next)
{
	if (n == 1)
		r->due = r->run->now + 40 * MS;
	if (r->run->now >= r->due) {
		r->came = r->run->now;
		return SOURCE_OVER;
	}
	*next = r->due;
	return SOURCE_RESTS;
}

/* A signal in its turn @signal_at. */
static int signal_in_turn(struct rig *r, uint32_t n, uint64_t *next)
{
	(void)next;
	if (n == r->signal_at)
		raise(SIGTERM);
	return n < 8 ? SOURCE_MORE : SOURCE_OVER;
}

static int other_signal(struct rig *r, uint32_t n, uint64_t *next)
{
	(void)r;
	(void)next;
	if (n == 1)
		raise(SIGUSR2);
	return n < 3 ? SOURCE_MORE : SOURCE_OVER;
}

/* --- tests --- */

static void a_source_that_ends_ends_it(void)
{
	struct rig r;

	rig_init(&r, three_turns);
	CHECK(go(&r, 0) == 0);
	CHECK(r.turns == 3 && count(&r, 'o') == 3 && !r.run->stop);
	/* In its last turn all is done that is in the others. */
	CHECK(count(&r, 'f') == 3 && r.n > 0 && r.log[r.n - 1] == 'f');
	rig_end(&r);
}

static void a_source_that_is_over_has_no_turn(void)
{
	struct rig r;

	rig_init(&r, goes_on);
	r.over_at = 2;
	CHECK(go(&r, 0) == 0);
	CHECK(r.turns == 2 && count(&r, 'o') == 3 && r.log[r.n - 1] == 'o');
	rig_end(&r);
	rig_init(&r, goes_on);
	r.run->stop = true; /* then it is not even asked */
	CHECK(go(&r, 0) == 0 && r.n == 0);
	rig_end(&r);
}

static void a_source_that_fails_ends_it_with_its_sentence(void)
{
	struct rig r;

	rig_init(&r, fails_second);
	CHECK(go(&r, 0) == -EIO && strcmp(r.e.s, "it broke") == 0);
	CHECK(r.turns == 2 && count(&r, 'f') == 1 && r.log[r.n - 1] == 't');
	rig_end(&r);
}

static void flush_comes_once_a_turn_behind_all_of_it(void)
{
	struct rig r;
	bool turn = false;
	uint32_t flushed = 0;

	rig_init(&r, goes_on);
	r.over_at = 5;
	CHECK(go(&r, 0) == 0);
	CHECK(count(&r, 'f') == 5 && count(&r, 's') > 0);
	for (size_t i = 0; i < r.n; i++) {
		turn |= r.log[i] == 't';
		flushed += r.log[i] == 'f';
		CHECK(r.log[i] != 'f' || (turn && r.log[i + 1] == 'o'));
	}
	CHECK(flushed == 5);
	/* The engine looks for its SUT at once: timers, then what they send. */
	CHECK(strncmp(r.log, "otTxsf", 6) == 0);
	CHECK(r.told == count(&r, 'x') && r.run->sunk == r.run->effects);
	rig_end(&r);
}

static void a_source_with_the_file_s_time_does_it_itself(void)
{
	struct rig r;

	rig_init(&r, three_turns);
	r.run->by_file = true;
	r.run->now = 7;
	CHECK(go(&r, NS_PER_SEC) == 0);
	CHECK(r.n == 6 && memcmp(r.log, "ototot", 6) == 0 && r.run->now == 7);
	rig_end(&r);
}

static void it_rests_until_the_source_s_time(void)
{
	uint64_t best = UINT64_MAX;

	/* It rests 100 ms where nothing is due; a busy machine may be late. */
	for (int i = 0; i < 10 && best >= 40 * MS; i++) {
		struct effects out = { .n = 0 };
		struct rig r;

		rig_init(&r, not_before);
		/* The engine's own timers come far later. */
		engine_timeout(r.run->engine, r.run->now, &out);
		CHECK(go(&r, 0) == 0 && r.came >= r.due);
		CHECK(r.turns <= 5); /* it did not turn round and round */
		if (r.came - r.due < best)
			best = r.came - r.due;
		rig_end(&r);
	}
	CHECK(best < 40 * MS);
}

static void a_source_that_goes_on_is_not_kept_waiting(void)
{
	struct rig r;
	uint64_t begun;

	rig_init(&r, goes_on);
	begun = clock_mono();
	r.over_at = 50; /* of up to 100 ms, if it rested */
	CHECK(go(&r, 0) == 0 && r.turns == 50);
	CHECK(clock_mono() - begun < 2 * NS_PER_SEC);
	CHECK(r.run->slept == 0);
	rig_end(&r);
}

static void a_signal_ends_it_after_its_turn(void)
{
	struct rig r;

	rig_init(&r, signal_in_turn);
	r.signal_at = 3;
	CHECK(go(&r, 0) == 0);
	CHECK(r.run->stop && r.turns == 3 && count(&r, 'f') == 3);
	rig_end(&r);
	rig_init(&r, other_signal);
	CHECK(go(&r, 0) == 0 && r.turns == 3 && !r.run->stop);
	rig_end(&r);
}

static void signals_are_looked_at_as_often_as_the_source_says(void)
{
	struct rig r;

	rig_init(&r, signal_in_turn);
	r.signal_at = 2; /* the first look is behind the first turn */
	CHECK(go(&r, 3600 * NS_PER_SEC) == 0);
	CHECK(!r.run->stop && r.turns == 8);
	rig_end(&r);
}

static void an_observer_that_gives_up_ends_it(void)
{
	struct rig r;

	rig_init(&r, goes_on);
	r.stop_at = 1;
	CHECK(go(&r, 0) == 0);
	/* The other one is told, what was under way goes out, and no more. */
	CHECK(r.run->stop && r.turns == 1 && r.told == 1);
	CHECK(strcmp(r.log, "otTxsf") == 0);
	rig_end(&r);
}

static void nobody_is_told_after_observe_none(void)
{
	struct rig r;

	rig_init(&r, three_turns);
	observe_none(r.run);
	CHECK(go(&r, 0) == 0);
	CHECK(count(&r, 'x') == 0 && count(&r, 'T') == 0 && r.told == 0);
	CHECK(count(&r, 's') == r.run->effects && r.run->effects > 0);
	rig_end(&r);
}

static void what_the_sink_refuses_is_told(void)
{
	struct rig r;

	rig_init(&r, three_turns);
	r.refuse = -ENOBUFS;
	CHECK(go(&r, 0) == 0);
	CHECK(strncmp(r.log, "otTxuf", 6) == 0 && count(&r, 's') == 0);
	CHECK(r.run->pend_n == 0 && r.run->sunk == r.run->effects);
	rig_end(&r);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "a source that ends ends it", a_source_that_ends_ends_it },
		{ "a source that is over has no turn",
		  a_source_that_is_over_has_no_turn },
		{ "a source that fails ends it with its sentence",
		  a_source_that_fails_ends_it_with_its_sentence },
		{ "flush comes once a turn behind all of it",
		  flush_comes_once_a_turn_behind_all_of_it },
		{ "a source with the file's time does it itself",
		  a_source_with_the_file_s_time_does_it_itself },
		{ "it rests until the source's time",
		  it_rests_until_the_source_s_time },
		{ "a source that goes on is not kept waiting",
		  a_source_that_goes_on_is_not_kept_waiting },
		{ "a signal ends it after its turn",
		  a_signal_ends_it_after_its_turn },
		{ "signals are looked at as often as the source says",
		  signals_are_looked_at_as_often_as_the_source_says },
		{ "an observer that gives up ends it",
		  an_observer_that_gives_up_ends_it },
		{ "nobody is told after observe none",
		  nobody_is_told_after_observe_none },
		{ "what the sink refuses is told",
		  what_the_sink_refuses_is_told },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
