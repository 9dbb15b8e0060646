/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * settings.c - `set NAME VALUE`, `= NAME VALUE`, and an effect as text
 *
 * Settings: family 4|6, compare none|identical|equivalent, order captured|causal,
 * behind wait|shed, midstream yes|no, level packet|timing, gso yes|no, strict
 * yes|no, deaf yes|no (the SUT's wire is never read empty), shrink yes|no
 * (production was told a smaller window as well: I38 is then not held against right
 * edges), prove each|default, other-way yes|no (the SUT answers clients by another
 * wire, and the probe here), deaf-from, deaf-until (seconds from the start: when the
 * SUT answers no probe at all), flows N, pool N, share N (bytes), max-lag,
 * sut-silent, answer-wait, idle, delay (seconds).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/seq.h"
#include "world.h"

void world_defaults(struct world *w)
{
	struct engine_config *c = &w->cfg;

	engine_defaults(c);
	c->limits = (struct limits){ 64, 4u << 20, 1u << 20, 4 };
	c->shadow.delay = SHADOW_DELAY;
	c->key = (struct hash_key){ { 17, 42 } };
}

/* One of two words: @yes makes it true. */
static bool set_bool(bool *out, const char *v, const char *yes, const char *no)
{
	if (strcmp(v, yes) != 0 && strcmp(v, no) != 0)
		return false;
	*out = strcmp(v, yes) == 0;
	return true;
}

static bool set_level(enum compare_level *out, const char *v)
{
	static const char *const names[] = { "none", "identical",
					     "equivalent" };

	for (unsigned i = 0; i < 3; i++) {
		if (strcmp(v, names[i]) != 0)
			continue;
		*out = (enum compare_level)i;
		return true;
	}
	return false;
}

static bool set_number(struct world *w, const char *name, double v)
{
	struct engine_config *c = &w->cfg;
	uint64_t ns = (uint64_t)(v * 1e9 + 0.5);

	if (v < 0)
		return false;
	if (strcmp(name, "flows") == 0)
		c->limits.flows = (uint32_t)v;
	else if (strcmp(name, "pool") == 0)
		c->limits.pool = (size_t)v;
	else if (strcmp(name, "share") == 0)
		c->limits.flow_share = (size_t)v;
	else if (strcmp(name, "max-lag") == 0)
		c->shadow.max_lag = ns;
	else if (strcmp(name, "sut-silent") == 0)
		c->shadow.sut_silent = ns;
	else if (strcmp(name, "answer-wait") == 0)
		c->shadow.answer_wait = ns;
	else if (strcmp(name, "idle") == 0)
		c->shadow.idle = ns;
	else if (strcmp(name, "reorder-wait") == 0)
		c->shadow.reorder_wait = ns;
	else if (strcmp(name, "delay") == 0)
		c->shadow.delay = ns;
	else if (strcmp(name, "deaf-from") == 0)
		w->deaf_from = ns;
	else if (strcmp(name, "deaf-until") == 0)
		w->deaf_until = ns;
	else
		return false;
	return true;
}

bool world_set(struct world *w, const struct line *l)
{
	struct shadow_options *o = &w->cfg.shadow;
	const char *name = l->word[0];
	const char *v = l->word[1];
	char *end;
	double d;

	if (l->words != 2)
		return false;
	if (strcmp(name, "family") == 0)
		return set_bool(&w->v6, v, "6", "4");
	if (strcmp(name, "compare") == 0)
		return set_level(&w->cfg.compare, v);
	if (strcmp(name, "order") == 0)
		return set_bool(&o->order_captured, v, "captured", "causal");
	if (strcmp(name, "behind") == 0)
		return set_bool(&o->shed, v, "shed", "wait");
	if (strcmp(name, "midstream") == 0)
		return set_bool(&o->midstream, v, "yes", "no");
	if (strcmp(name, "level") == 0)
		return set_bool(&o->timing, v, "timing", "packet");
	if (strcmp(name, "gso") == 0)
		return set_bool(&o->gso, v, "yes", "no");
	if (strcmp(name, "strict") == 0)
		return set_bool(&w->strict, v, "yes", "no");
	if (strcmp(name, "deaf") == 0)
		return set_bool(&w->deaf, v, "yes", "no");
	if (strcmp(name, "shrink") == 0)
		return set_bool(&w->shrink, v, "yes", "no");
	if (strcmp(name, "methods") == 0 && strlen(v) < METHODS_TEXT) {
		memcpy(w->cfg.methods, v, strlen(v) + 1);
		return true;
	}
	if (strcmp(name, "prove") == 0)
		return set_bool(&w->cfg.prove_each, v, "each", "default");
	if (strcmp(name, "other-way") == 0)
		return set_bool(&w->other_way, v, "yes", "no");
	d = strtod(v, &end);
	return end != v && *end == '\0' && set_number(w, name, d);
}

/* They are the machine's to write, so it wants itself without const. */
static const struct shadow_counters *machine_counters(const struct world *w)
{
	return shadow_counters(
		(struct shadow *)(uintptr_t)engine_shadow(w->engine));
}

static bool find_in(const struct counter_list *l, const void *base,
		    const char *name, uint64_t *v)
{
	const struct counter *c = counter_find(l, name);

	if (c != NULL)
		*v = counter_get(c, base);
	return c != NULL;
}

static bool find_counter(const struct world *w, const char *name, uint64_t *v)
{
	return find_in(&shadow_counter_list, machine_counters(w), name, v) ||
	       find_in(&engine_counter_list, &engine_stats(w->engine)->count,
		       name, v);
}

static bool find_net(const struct world *w, const char *name, uint64_t *v)
{
	return find_in(&prove_counter_list,
		       prove_counters(engine_prove(w->engine)), name, v);
}

/* verdict.NAME, reason.NAME, unanswered.NAME, end.NAME and net.NAME. */
static bool find_named(const struct world *w, const char *name, uint64_t *v)
{
	const struct engine_stats *st = engine_stats(w->engine);
	const char *dot = strchr(name, '.');
	const char *what = dot == NULL ? name : dot + 1;
	size_t n = (size_t)(what - name);

	*v = 0;
	if (n == 4 && strncmp(name, "net.", n) == 0)
		return find_net(w, what, v);
	if (n == 8 && strncmp(name, "verdict.", n) == 0) {
		for (unsigned i = 0; i < VERDICT_COUNT; i++) {
			if (strcmp(what, verdict_name((enum verdict)i)) != 0)
				continue;
			*v = st->verdict[i];
			return true;
		}
	}
	if (n == 7 && strncmp(name, "reason.", n) == 0) {
		for (unsigned i = 0; i < REASON_COUNT; i++) {
			if (strcmp(what, reason_name((enum compare_reason)i)) !=
			    0)
				continue;
			for (int j = 0; j < VERDICT_COUNT; j++)
				*v += st->reason[j][i];
			return true;
		}
	}
	if (n == 11 && strncmp(name, "unanswered.", n) == 0) {
		for (unsigned i = 0; i < UNANSWERED_COUNT; i++) {
			if (strcmp(what, unanswered_name((enum unanswered)i)) !=
			    0)
				continue;
			*v = st->unanswered[i];
			return true;
		}
	}
	if (n == 4 && strncmp(name, "end.", n) == 0) {
		for (unsigned i = 0; i < FLOW_END_COUNT; i++) {
			if (strcmp(what, flow_end_name((enum flow_end)i)) != 0)
				continue;
			*v = machine_counters(w)->ended[i];
			return true;
		}
	}
	return false;
}

static bool find_value(const struct world *w, const char *name, uint64_t *v)
{
	struct engine_occupancy o;

	engine_occupancy(w->engine, w->now, &o);
	if (strcmp(name, "flows") == 0)
		*v = o.flows;
	else if (strcmp(name, "pool") == 0)
		*v = o.pool_used;
	else if (strcmp(name, "timers") == 0)
		*v = o.timers;
	else if (strcmp(name, "down-ms") == 0)
		*v = health_down(&engine_stats(w->engine)->health[0], w->now) /
		     NS_PER_MS;
	else
		return find_counter(w, name, v) || find_named(w, name, v);
	return true;
}

void world_assert(struct world *w, const struct line *l)
{
	bool least = l->words == 3 && strcmp(l->word[1], ">=") == 0;
	uint64_t have, want;
	char *end;

	if (l->words != 2u + least) {
		world_fail(w, "= NAME [>=] VALUE");
		return;
	}
	want = strtoull(l->word[1 + least], &end, 10);
	if (*end != '\0' || w->engine == NULL ||
	    !find_value(w, l->word[0], &have)) {
		world_fail(w, "there is no %s to compare", l->word[0]);
		return;
	}
	if (least ? have < want : have != want)
		world_fail(w, "%s is %llu", l->word[0],
			   (unsigned long long)have);
}

static int opts_text(char *p, size_t size, const struct seen *s)
{
	const struct tcp_opts *o = &s->opts;
	int n = snprintf(p, size, " <");

#define ADD(...) n += snprintf(p + n, size - (size_t)n, __VA_ARGS__)
	if (o->has & OPT_HAS_MSS)
		ADD("mss %u,", o->mss);
	if (o->has & OPT_HAS_SACK_OK)
		ADD("sackOK,");
	if (o->has & OPT_HAS_WSCALE)
		ADD("wscale %u,", o->wscale);
	if (o->has & OPT_HAS_TS)
		ADD("TS val %u ecr %u,", o->tsval, o->tsecr);
	for (int i = 0; i < o->sacks && s->conn != NULL; i++)
		ADD("sack %u:%u,", o->sack[i].left - s->conn->iss[WHO_SUT],
		    o->sack[i].right - s->conn->iss[WHO_SUT]);
	if (o->has &
	    (OPT_HAS_FASTOPEN | OPT_HAS_MPTCP | OPT_HAS_MD5 | OPT_HAS_AO))
		ADD("unplayable,");
	ADD(">");
#undef ADD
	return n;
}

const char *seen_text(const struct world *w, const struct seen *s)
{
	static const char letters[] = "FSRP.UEW";
	static char text[512];
	const struct effect *e = &s->e;
	const struct conn *c = s->conn;
	uint32_t seq = e->seq - (c == NULL ? 0 : c->iss[WHO_CLIENT]);
	uint32_t ack = e->ack - (c == NULL ? 0 : c->iss[WHO_SUT]);
	char flags[9] = "";
	int n = 0;

	for (int i = 0; i < 8; i++)
		if (e->flags & 1 << i)
			flags[n++] = letters[i];
	n = snprintf(text, sizeof(text), "U %s %u:%u(%u)", flags, seq,
		     seq + e->len, e->len);
	if (e->flags & TCP_ACK)
		n += snprintf(text + n, sizeof(text) - (size_t)n, " ack %u",
			      ack);
	n += snprintf(text + n, sizeof(text) - (size_t)n, " win %u", e->win);
	if (e->optlen > 0)
		n += opts_text(text + n, sizeof(text) - (size_t)n, s);
	snprintf(text + n, sizeof(text) - (size_t)n, " # %s%s%ld",
		 cause_name(e->cause), c == NULL ? "" : ", conn ",
		 c == NULL ? 0L : (long)(c - w->conn));
	return text;
}
