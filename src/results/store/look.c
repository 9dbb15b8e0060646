/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * look.c - Parts of a store are read
 *
 * Lists are cut by the database, which has an index for each of their orders:
 * kinds by how many there are, differences by kind, samples by difference. A
 * store of an earlier version has neither ticks nor samples.
 */
#include "store/look.h"

#include <errno.h>
#include <string.h>

#include "store/archive.h"

#define WITH_SAMPLES 2 /* version */

/* Rows that are gathered in memory. */
struct gathered {
	uint8_t *p;
	size_t size;
	uint32_t n;
};

static int gather(struct archive *s, struct gathered *g, size_t size,
		  uint32_t most)
{
	*g = (struct gathered){ .size = size };
	g->p = archive_take(s, size * (most + 1));
	return g->p ? 0 : -ENOMEM;
}

static void *next(struct gathered *g)
{
	return g->p + g->size * g->n++;
}

static int number(struct archive_row *r, unsigned i, void *ctx)
{
	(void)i;
	*(uint64_t *)ctx = archive_u64(r);
	return 0;
}

/* --- ticks --- */

static void read_list(struct archive_row *r, const struct counter_list *l,
		      void *base)
{
	for (size_t i = 0; i < l->n; i++)
		*(uint64_t *)(void *)((char *)base + l->row[i].offset) =
			archive_u64(r);
}

static int take_tick(struct archive_row *r, unsigned i, void *ctx)
{
	struct store_tick *t = next(ctx);

	(void)i;
	t->at = archive_u64(r);
	read_list(r, &tick_counter_list, &t->n);
	read_list(r, &tick_gauge_list, &t->is);
	return 0;
}

int archive_ticks(struct archive *s, const struct store_tick **out, size_t *n,
		  struct errbuf *e)
{
	struct archive_bind b = { 0 };
	struct gathered g = { 0 };
	uint64_t all = 0;
	int r = 0;

	if (s->version >= WITH_SAMPLES)
		r = archive_each(s, "SELECT coalesce(max(rowid),0) FROM tick",
				 1, number, &all);
	if (r == 0)
		r = gather(s, &g, sizeof(**out), LOOK_TICKS);
	b.n[0] = all <= LOOK_TICKS
			 ? 1
			 : (int64_t)((all + LOOK_TICKS - 2) / (LOOK_TICKS - 1));
	b.n[1] = (int64_t)all;
	if (r == 0 && all > 0)
		r = archive_query(s,
				  "SELECT * FROM tick WHERE (rowid-1)%?1=0 OR "
				  "rowid=?2 ORDER BY rowid",
				  &b, LOOK_TICKS, take_tick, &g);
	if (r != 0)
		return archive_bad(s, r, e);
	*out = (const struct store_tick *)(const void *)g.p;
	*n = g.n;
	return 0;
}

/* --- kinds --- */

static int take_kind(struct archive_row *r, unsigned i, void *ctx)
{
	(void)i;
	return archive_kind_row(r, next(ctx));
}

static int count_kinds(struct archive *s, const struct archive_bind *b,
		       bool find, uint64_t *all)
{
	return find ? archive_query(s,
				    "SELECT count(*) FROM kind WHERE "
				    "instr(name,?4) OR instr(detail,?5)",
				    b, 1, number, all)
		    : archive_each(s, "SELECT count(*) FROM kind", 1, number,
				   all);
}

int archive_kinds_of(struct archive *s, const struct look_list *l,
		     const struct archive_kind **out, size_t *n, uint64_t *all,
		     struct errbuf *e)
{
	struct archive_bind b = { .n = { l->n < LOOK_MOST ? l->n : LOOK_MOST,
					 l->from },
				  .p = l->find,
				  .len = l->find_len };
	bool find = l->find_len > 0;
	struct gathered g = { 0 };
	uint64_t found = 0;
	int r = count_kinds(s, &b, find, &found);

	if (r == 0)
		r = gather(s, &g, sizeof(**out), LOOK_MOST);
	if (r == 0)
		r = archive_query(s,
				  find ? "SELECT * FROM kind WHERE "
					 "instr(name,?4) OR instr(detail,?5) "
					 "ORDER BY n DESC,id LIMIT ?1 OFFSET ?2"
				       : "SELECT * FROM kind "
					 "ORDER BY n DESC,id LIMIT ?1 OFFSET "
					 "?2",
				  &b, LOOK_MOST, take_kind, &g);
	if (r != 0)
		return archive_bad(s, r, e);
	*out = (const struct archive_kind *)(const void *)g.p;
	*n = g.n;
	*all = found;
	return 0;
}

static int none(struct archive *s, struct errbuf *e)
{
	return errbuf_set(e, -ENOENT, "%s: it has no such row", s->path);
}

int archive_kind_at(struct archive *s, int64_t id,
		    const struct archive_kind **out, struct errbuf *e)
{
	struct archive_bind b = { .n = { id } };
	struct gathered g = { 0 };
	int r = gather(s, &g, sizeof(**out), 1);

	if (r == 0)
		r = archive_query(s, "SELECT * FROM kind WHERE id=?1", &b, 1,
				  take_kind, &g);
	if (r != 0)
		return archive_bad(s, r, e);
	if (g.n == 0)
		return none(s, e);
	*out = (const struct archive_kind *)(const void *)g.p;
	return 0;
}

/* --- differences --- */

static int take_difference(struct archive_row *r, unsigned i, void *ctx)
{
	struct look_difference *x = next(ctx);
	char *request, *detail;

	(void)i;
	x->id = archive_int(r, INT64_MIN, INT64_MAX);
	x->kind = archive_int(r, INT64_MIN, INT64_MAX);
	archive_difference(r, &x->d, &x->result);
	if (r->bad)
		return -EBADMSG;
	x->sampled = archive_int(r, 0, 1) != 0;
	request = archive_take(r->s, x->d.request_len + 1);
	detail = archive_take(r->s, strlen(x->d.detail) + 1);
	if (!request || !detail)
		return -ENOMEM;
	memcpy(request, x->d.request, x->d.request_len);
	memcpy(detail, x->d.detail, strlen(x->d.detail));
	x->d.result = &x->result;
	x->d.request = request;
	x->d.detail = detail;
	return 0;
}

static int differences(struct archive *s, const char *sql,
		       const struct archive_bind *b, uint32_t most,
		       const struct look_difference **out, size_t *n,
		       struct errbuf *e)
{
	struct gathered g = { 0 };
	int r = gather(s, &g, sizeof(**out), most);

	if (r == 0)
		r = archive_query(s, sql, b, most, take_difference, &g);
	if (r != 0)
		return archive_bad(s, r, e);
	*out = (const struct look_difference *)(const void *)g.p;
	*n = g.n;
	return 0;
}

#define SAMPLED "EXISTS(SELECT 1 FROM sample WHERE difference=d.id)"
#define OF_KIND "FROM difference AS d WHERE kind=?1 ORDER BY "

int archive_differences_of(struct archive *s, int64_t kind,
			   const struct look_list *l,
			   const struct look_difference **out, size_t *n,
			   struct errbuf *e)
{
	struct archive_bind b = {
		.n = { kind, l->n < LOOK_MOST ? l->n : LOOK_MOST, l->from }
	};

	return differences(s,
			   s->version < WITH_SAMPLES ? "SELECT *,0 " OF_KIND
						       "id LIMIT ?2 OFFSET ?3"
						     : "SELECT *," SAMPLED
						       " " OF_KIND
						       "id LIMIT ?2 OFFSET ?3",
			   &b, LOOK_MOST, out, n, e);
}

int archive_difference_at(struct archive *s, int64_t id,
			  const struct look_difference **out, struct errbuf *e)
{
	struct archive_bind b = { .n = { id } };
	size_t n = 0;
	int r = differences(s,
			    s->version < WITH_SAMPLES
				    ? "SELECT *,0 FROM difference AS d WHERE "
				      "id=?1"
				    : "SELECT *," SAMPLED " FROM difference "
				      "AS d WHERE id=?1",
			    &b, 1, out, &n, e);

	return r == 0 && n == 0 ? none(s, e) : r;
}

int archive_first(struct archive *s, uint32_t most,
		  const struct look_difference **out, size_t *n,
		  struct errbuf *e)
{
	struct archive_bind b = { .n = { SAMPLE_KIND, most } };

	return differences(
		s,
		"SELECT d.*,0 FROM (SELECT id AS i, kind AS k, row_number() "
		"OVER (PARTITION BY kind ORDER BY id) AS r FROM difference) "
		"JOIN kind ON kind.id=k JOIN difference AS d ON d.id=i "
		"WHERE r<=?1 ORDER BY r,kind.n DESC,kind.id LIMIT ?2",
		&b, most, out, n, e);
}

/* --- samples --- */

static const char *side_of(unsigned i)
{
	return sample_side_name((enum sample_side)i);
}

static const char *shown_of(unsigned i)
{
	return sample_shown_name((enum sample_shown)i);
}

static const void *copy(struct archive_row *r, size_t *n, size_t most)
{
	const char *p = archive_bytes(r, n);
	char *out = archive_take(r->s, *n + 1);

	r->bad |= !out || *n > most;
	if (out)
		memcpy(out, p, *n);
	return out;
}

static int take_sample(struct archive_row *r, unsigned i, void *ctx)
{
	struct sample *p = next(ctx);
	int64_t at;

	(void)i;
	r->at = 1;
	p->side = (enum sample_side)archive_word(r, side_of, SAMPLE_SIDES);
	p->shown = (enum sample_shown)archive_word(r, shown_of,
						   SAMPLE_SHOWN_COUNT);
	at = archive_int(r, -1, INT64_MAX);
	p->at = at < 0 ? SAMPLE_SAME : (uint64_t)at;
	p->start = archive_u64(r);
	p->bytes = archive_u64(r);
	p->head = copy(r, &p->head_len, SAMPLE_HEAD);
	p->body = copy(r, &p->body_len, SAMPLE_BODY);
	return 0;
}

int archive_samples_of(struct archive *s, int64_t difference,
		       const struct sample **out, size_t *n, struct errbuf *e)
{
	struct archive_bind b = { .n = { difference } };
	struct gathered g = { 0 };
	int r = gather(s, &g, sizeof(**out), SAMPLE_SIDES);

	if (r == 0 && s->version >= WITH_SAMPLES)
		r = archive_query(s,
				  "SELECT * FROM sample WHERE difference=?1 "
				  "ORDER BY rowid",
				  &b, SAMPLE_SIDES, take_sample, &g);
	if (r != 0)
		return archive_bad(s, r, e);
	*out = (const struct sample *)(const void *)g.p;
	*n = g.n;
	return 0;
}
