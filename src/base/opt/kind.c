/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kind.c - How the kinds that many options share are read and written
 */
#include "opt/kind.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "core/limits.h"
#include "opt/opt.h"
#include "opt/values.h"

#define RANGE_TEXT 64 /* room for a number in a sentence */

int opt_bad(struct errbuf *e, const struct opt_row *r, const char *v,
	    const char *why)
{
	return errbuf_set(e, -EINVAL, "--%s %s: %s; write --%s %s", r->name, v,
			  why, r->name, r->arg);
}

/* --- flags and strings --- */

static int set_flag(void *field, const struct opt_row *r, const char *v,
		    struct errbuf *e)
{
	(void)r;
	(void)v;
	(void)e;
	*(bool *)field = true;
	return 0;
}

static bool put_flag(struct text *t, const void *field, const struct opt_row *r,
		     unsigned i)
{
	(void)t;
	(void)r;
	return i == 0 && *(const bool *)field;
}

static int set_unset(void *field, const struct opt_row *r, const char *v,
		     struct errbuf *e)
{
	(void)r;
	(void)v;
	(void)e;
	*(bool *)field = false;
	return 0;
}

static bool put_unset(struct text *t, const void *field,
		      const struct opt_row *r, unsigned i)
{
	(void)t;
	(void)r;
	return i == 0 && !*(const bool *)field;
}

static int set_nothing(void *field, const struct opt_row *r, const char *v,
		       struct errbuf *e)
{
	(void)field;
	(void)r;
	(void)v;
	(void)e;
	return 0;
}

static bool put_nothing(struct text *t, const void *field,
			const struct opt_row *r, unsigned i)
{
	(void)t;
	(void)field;
	(void)r;
	(void)i;
	return false;
}

static int set_string(void *field, const struct opt_row *r, const char *v,
		      struct errbuf *e)
{
	if (*v == '\0')
		return opt_bad(e, r, "''", "is empty");
	*(const char **)field = v;
	return 0;
}

static bool put_string(struct text *t, const void *field,
		       const struct opt_row *r, unsigned i)
{
	const char *s = *(const char *const *)field;

	(void)r;
	if (i > 0 || !s)
		return false;
	value_put_word(t, s);
	return true;
}

/* --- numbers --- */

/** struct number - How a number's text and its value go together; @bad: what to
 * say of a text that is none
 */
struct number {
	int (*get)(const char *s, uint64_t *out);
	void (*put)(struct text *t, uint64_t n);
	const char *bad;
};

#define NO_NUMBER "is not such a number"

static void put_plain(struct text *t, uint64_t n)
{
	text_add(t, "%" PRIu64, n);
}

/* A plain number of @unit, which is kept in ns. */
static int get_times(const char *s, uint64_t unit, uint64_t *out)
{
	uint64_t n;
	int rc = value_get_number(s, &n);

	if (rc == 0 && n > UINT64_MAX / unit)
		rc = -ERANGE;
	if (rc == 0)
		*out = n * unit;
	return rc;
}

static int msecs_get(const char *s, uint64_t *out)
{
	return get_times(s, NS_PER_MS, out);
}

static void msecs_put(struct text *t, uint64_t n)
{
	put_plain(t, n / NS_PER_MS);
}

static int secs_get(const char *s, uint64_t *out)
{
	return get_times(s, NS_PER_SEC, out);
}

static void secs_put(struct text *t, uint64_t n)
{
	put_plain(t, n / NS_PER_SEC);
}

static void put_part(struct text *t, uint64_t n)
{
	value_put_share(t, (uint32_t)n);
}

static const struct number plain = { value_get_number, put_plain, NO_NUMBER };
static const struct number msecs = { msecs_get, msecs_put, NO_NUMBER };
static const struct number secs = { secs_get, secs_put, NO_NUMBER };
static const struct number sizes = {
	value_get_size, value_put_size,
	"is no size (a whole number, as 4096, 64K, 256M or 1G)"
};
static const struct number spans = {
	value_get_duration, value_put_duration,
	"is no time (a whole number, as 500ms, 60s, 5m, 1h or 2d)"
};
static const struct number parts = { value_get_share, put_part,
				     "is no share (as 5% or 0.1%)" };
static const struct number thousandths = { value_get_thousandths,
					   value_put_thousandths, NO_NUMBER };
static const struct number millionths = { value_get_millionths,
					  value_put_millionths, NO_NUMBER };

static int out_of_range(struct errbuf *e, const struct opt_row *r,
			const char *v, const struct number *k)
{
	char why[2 * RANGE_TEXT + 32];
	struct text t;

	text_begin(&t, why, sizeof(why));
	text_add(&t, "is out of range (%s",
		 r->most == UINT64_MAX ? "" : "from ");
	k->put(&t, r->least);
	if (r->most == UINT64_MAX)
		text_add(&t, " or more");
	else
		text_add(&t, " to ");
	if (r->most != UINT64_MAX)
		k->put(&t, r->most);
	text_add(&t, ")");
	return opt_bad(e, r, v, why);
}

static int get_ranged(const struct number *k, const struct opt_row *r,
		      const char *v, uint64_t *out, struct errbuf *e)
{
	uint64_t n = 0;
	int rc = k->get(v, &n);

	if (rc == -EINVAL)
		return opt_bad(e, r, v, k->bad);
	if (rc || n < r->least || n > r->most)
		return out_of_range(e, r, v, k);
	*out = n;
	return 0;
}

/* The functions of a kind of numbers that lie in fields of @type. */
#define NUMBER(name, type, how)                                                \
	static int set_##name(void *field, const struct opt_row *r,            \
			      const char *v, struct errbuf *e)                 \
	{                                                                      \
		uint64_t n = 0;                                                \
		int rc = get_ranged(&(how), r, v, &n, e);                      \
                                                                               \
		if (rc == 0)                                                   \
			*(type *)field = (type)n;                              \
		return rc;                                                     \
	}                                                                      \
                                                                               \
	static bool put_##name(struct text *t, const void *field,              \
			       const struct opt_row *r, unsigned i)            \
	{                                                                      \
		(void)r;                                                       \
		if (i == 0)                                                    \
			(how).put(t, *(const type *)field);                    \
		return i == 0;                                                 \
	}                                                                      \
                                                                               \
	const struct opt_kind opt_kind_##name = { false, set_##name,           \
						  put_##name }

NUMBER(u32, uint32_t, plain);
NUMBER(u64, uint64_t, plain);
NUMBER(size, size_t, sizes);
NUMBER(duration, uint64_t, spans);
NUMBER(msecs, uint64_t, msecs);
NUMBER(secs, uint64_t, secs);
NUMBER(share, uint32_t, parts);
NUMBER(milli, uint32_t, thousandths);
NUMBER(micro, uint64_t, millionths);

/* --- words --- */

int opt_choose(const struct opt_row *r, const char *v, int *out,
	       struct errbuf *e)
{
	for (const struct opt_word *w = r->words; w->word != NULL; w++) {
		if (strcmp(w->word, v) == 0) {
			*out = w->value;
			return 0;
		}
	}
	return opt_bad(e, r, v, "is not one of its words");
}

bool opt_put_chosen(struct text *t, const struct opt_row *r, int value)
{
	for (const struct opt_word *w = r->words; w->word != NULL; w++) {
		if (w->value == value) {
			text_add(t, "%s", w->word);
			return true;
		}
	}
	return false;
}

static int set_word(void *field, const struct opt_row *r, const char *v,
		    struct errbuf *e)
{
	int n = 0;
	int rc = opt_choose(r, v, &n, e);

	/* An enum is as wide as an int, by the ABI. */
	if (rc == 0)
		memcpy(field, &n, sizeof(n));
	return rc;
}

static bool put_word(struct text *t, const void *field, const struct opt_row *r,
		     unsigned i)
{
	int n;

	memcpy(&n, field, sizeof(n));
	return i == 0 && opt_put_chosen(t, r, n);
}

static int set_const(void *field, const struct opt_row *r, const char *v,
		     struct errbuf *e)
{
	const int n = (int)r->least;

	(void)v;
	(void)e;
	memcpy(field, &n, sizeof(n));
	return 0;
}

static bool put_const(struct text *t, const void *field,
		      const struct opt_row *r, unsigned i)
{
	int n;

	(void)t;
	memcpy(&n, field, sizeof(n));
	return i == 0 && n == (int)r->least;
}

static int set_switch(void *field, const struct opt_row *r, const char *v,
		      struct errbuf *e)
{
	int n = 0;
	int rc = opt_choose(r, v, &n, e);

	if (rc == 0)
		*(bool *)field = n != 0;
	return rc;
}

static bool put_switch(struct text *t, const void *field,
		       const struct opt_row *r, unsigned i)
{
	return i == 0 && opt_put_chosen(t, r, *(const bool *)field);
}

const struct opt_kind opt_kind_flag = { true, set_flag, put_flag };
const struct opt_kind opt_kind_unset = { true, set_unset, put_unset };
const struct opt_kind opt_kind_ignored = { true, set_nothing, put_nothing };
const struct opt_kind opt_kind_help = { true, set_nothing, put_nothing };
const struct opt_kind opt_kind_string = { false, set_string, put_string };
const struct opt_kind opt_kind_word = { false, set_word, put_word };
const struct opt_kind opt_kind_switch = { false, set_switch, put_switch };
const struct opt_kind opt_kind_const = { true, set_const, put_const };
