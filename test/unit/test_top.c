/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * top: a screen as a terminal shows it: a model of one (cursor, lines, ED, EL, CUU)
 * has the last screen alone, whatever was drawn before; no line is as wide as it, and
 * bytes of others are no orders to it.
 */
#include "top/top.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/rng.h"

#define ROWS 60
#define COLS 120

/* A terminal that knows what screen.c sends. */
struct terminal {
	char line[ROWS][COLS + 1];
	unsigned row, col, columns;
	unsigned bad;
};

static void order(struct terminal *t, const char **p)
{
	unsigned n = 0;

	while (**p >= '0' && **p <= '9')
		n = n * 10 + (unsigned)(*(*p)++ - '0');
	switch (*(*p)++) {
	case 'A':
		t->bad += n > t->row;
		t->row -= n > t->row ? t->row : n;
		break;
	case 'K':
		memset(t->line[t->row] + t->col, 0, COLS - t->col);
		break;
	case 'J':
		memset(t->line[t->row] + t->col, 0, COLS - t->col);
		for (unsigned i = t->row + 1; i < ROWS; i++)
			memset(t->line[i], 0, COLS);
		break;
	default:
		t->bad++;
	}
}

static void show(struct terminal *t, const char *p, size_t n)
{
	const char *end = p + n;

	while (p < end) {
		char c = *p++;

		if (c == '\r') {
			t->col = 0;
		} else if (c == '\n') {
			t->row += t->row < ROWS - 1;
			t->col = 0;
		} else if (c == '\033') {
			t->bad += *p++ != '[';
			order(t, &p);
		} else if (t->col + 1 < t->columns && c >= ' ' && c < 127) {
			t->line[t->row][t->col++] = c;
		} else {
			t->bad++;
		}
	}
}

static void kind(struct top_view *v, uint64_t n, const char *name)
{
	v->kind[v->kinds].n = n;
	v->kind[v->kinds].reason = "body";
	v->kind[v->kinds].len = strlen(name);
	memcpy(v->kind[v->kinds++].name, name, strlen(name));
}

static const char *all(const struct terminal *t)
{
	static char text[ROWS * (COLS + 1) + 1];
	size_t n = 0;

	for (unsigned i = 0; i < ROWS; i++)
		if (t->line[i][0] != '\0')
			n += (size_t)snprintf(text + n, sizeof(text) - n,
					      "%s\n", t->line[i]);
	text[n] = '\0';
	return text;
}

static void a_screen_says_what_there_is(void)
{
	static struct terminal t;
	static struct top_view v;
	struct top top = { .drawn = 0 };
	char out[TOP_TEXT];

	t.columns = 80;
	v = (struct top_view){
		.elapsed = UINT64_C(2000000000),
		.flows = 12,
		.requests = 2000,
		.verdict = { [VERDICT_IDENTICAL] = 700,
			     [VERDICT_EQUIVALENT] = 280,
			     [VERDICT_DIFFERENT] = 1,
			     [VERDICT_NOT_COMPARED] = 19 },
		.behind = { 400000, 3000000 },
		.missed = 5,
		.suts = 1,
	};
	v.sut[0].state = "refusing";
	v.sut[0].times = 2;
	v.sut[0].down = UINT64_C(3000000000);
	kind(&v, 5, "GET /a\033[2J\n\x80");
	show(&t, out, top_draw(&top, &v, 80, 24, out));
	CHECK(t.bad == 0 && t.row == 7);
	CHECK(strstr(all(&t), "12 flows, 1,000 requests/s (2,000)"));
	CHECK(strstr(all(&t),
		     "1,000, 0.10 % different, 1.90 % not compared\n"
		     "          28.00 % equivalent, 70.00 % identical"));
	CHECK(strstr(all(&t), "[!?================###"));
	CHECK(strstr(all(&t),
		     "behind 400 us p50, 3.0 ms p99; 5 frames missed"));
	CHECK(strstr(all(&t), "refusing, was down 2 times, 3.0 s in all"));
	CHECK(strstr(all(&t), "5 body       GET /a\\x1b[2J\\x0a\\x80"));
	v.elapsed += UINT64_C(500000000);
	v.requests += 100;
	v.kinds = 0;
	show(&t, out, top_draw(&top, &v, 80, 24, out));
	CHECK(t.bad == 0 && t.row == 7);
	CHECK(strstr(all(&t), "200 requests/s (2,100)"));
	CHECK(!strstr(all(&t), "GET") && strstr(all(&t), "none so far"));
	show(&t, out, top_clear(&top, out));
	CHECK(t.bad == 0 && t.row == 0 && all(&t)[0] == '\0');
	show(&t, "a message\n", 10);
	show(&t, out, top_draw(&top, &v, 80, 24, out));
	CHECK(strncmp(all(&t), "a message\nunderstudy", 20) == 0);
}

/* Views of any numbers, on terminals of any size, with messages between them. */
static void only_the_last_screen_is_there(void)
{
	for (uint64_t seed = 1; seed <= 300; seed++) {
		static struct terminal t, fresh;
		static struct top_view v;
		struct rng r = { seed };
		struct top top = { .drawn = 0 }, one = top;
		char out[TOP_TEXT];
		unsigned columns = 2 + (unsigned)rng_below(&r, COLS - 2);
		unsigned rows = 1 + (unsigned)rng_below(&r, 20);

		memset(&t, 0, sizeof(t));
		t.columns = columns;
		for (unsigned k = 0; k < 8; k++) {
			unsigned bits = (unsigned)rng_below(&r, 64);

			memset(&v, 0, sizeof(v));
			v.elapsed = rng_next(&r) >> bits;
			v.flows = rng_next(&r) >> bits;
			v.requests = rng_next(&r) >> bits;
			for (unsigned i = 0; i < VERDICT_COUNT; i++)
				v.verdict[i] = rng_next(&r) >> 3 >> bits;
			v.behind[0] = v.behind[1] = rng_next(&r) >> bits;
			v.suts = (unsigned)rng_below(&r, TOP_SUTS + 1);
			for (unsigned i = 0; i < v.suts; i++)
				v.sut[i].state = "up";
			for (unsigned i = (unsigned)rng_below(&r, 6); i > 0;
			     i--) {
				char name[TOP_NAME];

				for (unsigned m = 0; m < TOP_NAME; m++)
					name[m] =
						(char)(1 + rng_below(&r, 255));
				name[TOP_NAME - 1] = '\0';
				kind(&v, rng_next(&r) >> bits, name);
			}
			one = top;
			one.drawn = 0;
			show(&t, out, top_draw(&top, &v, columns, rows, out));
			CHECK(top.drawn < rows || rows == 1);
		}
		memset(&fresh, 0, sizeof(fresh));
		fresh.columns = columns;
		show(&fresh, out, top_draw(&one, &v, columns, rows, out));
		CHECK(t.bad == 0 && fresh.bad == 0);
		CHECK(memcmp(t.line, fresh.line, sizeof(t.line)) == 0);
	}
}

#define TEST(name)                                                             \
	{                                                                      \
#name, name                                                    \
	}

int main(void)
{
	static const struct check_test tests[] = {
		TEST(a_screen_says_what_there_is),
		TEST(only_the_last_screen_is_there),
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
