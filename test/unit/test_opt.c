/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_opt.c - Unit test of opt/: tables of options
 */
#include "opt/opt.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "core/limits.h"
#include "opt/values.h"

#define WORDS_MAX 64
#define TEXT_MAX  4096
#define NAMES_MAX 3

enum shape { ROUND = 7, SQUARE = 9 };

/* What lies inside of the command's struct, at an offset. */
struct inner {
	uint64_t span;
	uint32_t share;
	uint32_t milli;
	uint64_t micro;
};

struct all {
	bool flag;
	bool unset;
	bool doubled;
	bool on;
	const char *string;
	uint32_t u32;
	uint64_t u64;
	size_t size;
	uint64_t ms;
	uint64_t secs;
	enum shape shape;
	struct inner in;
	const char *name[NAMES_MAX];
	unsigned names;
	const char *rest[WORDS_MAX];
	unsigned rests;
};

/* A list of its own; where --doubled is given, each name counts twice. */
static int set_name(void *field, const struct opt_row *r, const char *v,
		    struct errbuf *e)
{
	struct all *a = field;

	for (int i = 0; i <= a->doubled; i++) {
		if (a->names == NAMES_MAX)
			return opt_bad(e, r, v, "is one too many");
		a->name[a->names++] = v;
	}
	return 0;
}

static bool put_name(struct text *t, const void *field, const struct opt_row *r,
		     unsigned i)
{
	const struct all *a = field;

	(void)r;
	if (i < a->names)
		value_put_word(t, a->name[i]);
	return i < a->names;
}

static const struct opt_kind kind_name = { false, set_name, put_name };
static const struct opt_word shapes[] = {
	{ "round", ROUND }, { "square", SQUARE }, { "box", SQUARE }, { NULL, 0 }
};
static const struct opt_word on_off[] = { { "off", 0 },
					  { "on", 1 },
					  { NULL, 0 } };

#define AT(member) offsetof(struct all, member)
#define IN(member) offsetof(struct inner, member)
#define ONE	   "One"
#define TWO	   "Two"

static const struct opt_row rows[] = {
	{ "flag", 'f', &opt_kind_flag, AT(flag), NULL, "a flag", .group = ONE,
	  .flags = OPT_RUNTIME },
	{ "no-thing", 'n', &opt_kind_unset, AT(unset), NULL, "another",
	  .group = ONE, .flags = OPT_RUNTIME },
	{ "string", 's', &opt_kind_string, AT(string), "WORD", "a word",
	  .group = TWO },
	{ "number", 0, &opt_kind_u32, AT(u32), "N", "a number", .group = ONE,
	  .least = 2, .most = 10, .flags = OPT_RUNTIME },
	{ "large-number", 'l', &opt_kind_u64, AT(u64), "N",
	  "a sentence about a large number that is too long for one line of a "
	  "help text, and so it goes on in the next one",
	  .group = TWO, .most = UINT64_MAX, .flags = OPT_ONCE },
	{ "size", 0, &opt_kind_size, AT(size), "SIZE", "a size", .group = ONE,
	  .most = SIZE_MAX },
	{ "ms", 0, &opt_kind_msecs, AT(ms), "MS", "milliseconds", .group = ONE,
	  .most = UINT64_MAX },
	{ "secs", 0, &opt_kind_secs, AT(secs), "S", "seconds", .group = ONE,
	  .most = UINT64_MAX },
	{ "shape", 0, &opt_kind_word, AT(shape), "round|square", "a choice",
	  .group = ONE, .words = shapes },
	{ "switch", 0, &opt_kind_switch, AT(on), "on|off", "a switch",
	  .group = ONE, .words = on_off },
	{ "name", 0, &kind_name, 0, "NAME", "names", .group = ONE,
	  .flags = OPT_REPEAT },
	{ "doubled", 0, &opt_kind_flag, AT(doubled), NULL, "not shown",
	  .group = ONE, .flags = OPT_FIRST | OPT_HIDDEN },
	{ "quiet", 'q', &opt_kind_ignored, 0, NULL, "taken", .group = ONE,
	  .flags = OPT_COMPAT },
	{ "help", 'h', &opt_kind_help, 0, NULL, "this", .group = ONE },
};

static const struct opt_row inner_rows[] = {
	{ "span", 0, &opt_kind_duration, IN(span), "TIME", "a span",
	  .group = TWO, .least = 1, .most = UINT64_MAX },
	{ "share", 0, &opt_kind_share, IN(share), "N%", "a share", .group = TWO,
	  .most = SHARE_ALL },
	{ "milli", 0, &opt_kind_milli, IN(milli), "X", "thousandths",
	  .group = TWO, .most = UINT32_MAX },
	{ "micro", 0, &opt_kind_micro, IN(micro), "X", "millionths",
	  .group = TWO, .least = 1, .most = 5000000 },
};

static int take_rest(void *base, const char *word, struct errbuf *e)
{
	struct all *a = base;

	if (strcmp(word, "never") == 0)
		return errbuf_set(e, -EINVAL, "never");
	a->rest[a->rests++] = word;
	return 0;
}

static const struct opt_table tables[] = {
	{ rows, ARRAY_SIZE(rows), 0 },
	{ inner_rows, ARRAY_SIZE(inner_rows), AT(in) },
};
static const struct opt_command whole = {
	.name = "test",
	.usage = "test [OPTION...]\ntest -h",
	.tables = tables,
	.count = 2,
	.operand = take_rest,
};
static const struct opt_command shortened = {
	.name = "test",
	.usage = "test",
	.tables = tables,
	.count = 2,
	.shortened = true,
	.operand = take_rest,
};

static int parse_as(const struct opt_command *c, struct all *a,
		    const char *line, struct opt_seen *seen, struct errbuf *e)
{
	static char store[8][1024];
	static unsigned turn;
	char *text = store[turn++ % 8];
	char *argv[WORDS_MAX];
	int argc = 0;

	snprintf(text, sizeof(store[0]), "%s", line);
	for (char *w = strtok(text, " "); w != NULL; w = strtok(NULL, " "))
		argv[argc++] = w;
	e->s[0] = '\0';
	memset(a, 0, sizeof(*a));
	a->unset = true;
	a->shape = ROUND;
	return opt_parse(c, a, argc, argv, seen, e);
}

static int parse(struct all *a, const char *line, struct errbuf *e)
{
	return parse_as(&whole, a, line, NULL, e);
}

static void test_every_kind(void)
{
	struct all a;
	struct errbuf e;

	CHECK(parse(&a,
		    "x -fn --string=a=b --number 10 -l5 --size 2K --ms 7 "
		    "--secs 8 --shape box --switch on --name p -q --name q "
		    "--span 3m --share 0.5% --milli 1.5 --micro .25 - -- -f",
		    &e) == 0);
	CHECK(a.flag && !a.unset && a.on && !a.doubled);
	CHECK(strcmp(a.string, "a=b") == 0);
	CHECK(a.u32 == 10 && a.u64 == 5 && a.size == 2048);
	CHECK(a.ms == 7 * NS_PER_MS && a.secs == 8 * NS_PER_SEC);
	CHECK(a.shape == SQUARE);
	CHECK(a.names == 2 && strcmp(a.name[1], "q") == 0);
	CHECK(a.in.span == 180 * NS_PER_SEC && a.in.share == 5000);
	CHECK(a.in.milli == 1500 && a.in.micro == 250000);
	CHECK(a.rests == 3 && strcmp(a.rest[0], "x") == 0);
	CHECK(strcmp(a.rest[1], "-") == 0 && strcmp(a.rest[2], "-f") == 0);
}

struct said {
	const char *line;
	const char *says;
};

static void test_errors_say_what_to_write(void)
{
	static const struct said bad[] = {
		{ "--nmuber 3", "did you mean --number?" },
		{ "-number 3", "did you mean --number?" },
		{ "--larg 3", "did you mean --large-number?" },
		{ "--doubledd", "no option --doubledd; 'understudy test" },
		{ "--zzz", "no option --zzz; 'understudy test --help'" },
		{ "-fz", "no option -fz" },
		{ "--number", "no value for --number; write --number N" },
		{ "-s", "no value for --string" },
		{ "--number 1",
		  "out of range (from 2 to 10); write --number N" },
		{ "--number 11", "out of range" },
		{ "--number 99999999999999999999", "out of range" },
		{ "--number x", "not such a number" },
		{ "--span 0", "out of range (1ns or more)" },
		{ "--micro 5.1", "out of range (from 0.000001 to 5)" },
		{ "--micro .", "not such a number" },
		{ "--micro 1.0000001", "not such a number" },
		{ "--ms 99999999999999999", "out of range" },
		{ "--secs 5s", "not such a number" },
		{ "--shape oval", "write --shape round|square" },
		{ "--flag=1", "takes no value" },
		{ "--string=", "is empty" },
		{ "-l 1 -l 2", "--large-number is given twice" },
		{ "--name 1 --name 2 --name 3 --name 4", "too many" },
		{ "never", "never" },
		{ "@/nonexistent/x", "@/nonexistent/x: No such file" },
		{ "@/dev/zero", "no file of options" },
	};
	struct all a;
	struct errbuf e;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		CHECK_ROW(parse(&a, bad[i].line, &e) < 0, bad[i].line);
		CHECK_ROW(strstr(e.s, bad[i].says) != NULL, e.s);
	}
}

static void test_underscores_and_short_names(void)
{
	struct all a;
	struct errbuf e;

	CHECK(parse(&a, "--large_number 4 --no_thing", &e) == 0);
	CHECK(a.u64 == 4 && !a.unset);
	CHECK(parse(&a, "--larg 4", &e) < 0);
	CHECK(parse_as(&shortened, &a, "--larg 4 --fl", NULL, &e) == 0);
	CHECK(a.u64 == 4 && a.flag);
	/* Exact names win, and what fits two is asked back. */
	CHECK(parse_as(&shortened, &a, "--s 4", NULL, &e) < 0);
	CHECK(strstr(e.s, "is it --string or --size?") != NULL);
	CHECK(parse_as(&shortened, &a, "--ms 4", NULL, &e) == 0);
}

static void test_help_comes_before_what_is_wrong(void)
{
	struct all a;
	struct errbuf e;

	CHECK(parse(&a, "--help --no-such", &e) == 1);
	CHECK(parse(&a, "--number x -h", &e) == 1);
	CHECK(parse(&a, "--string --help", &e) == 0);
}

static void test_what_changes_others_is_set_first(void)
{
	struct all a;
	struct errbuf e;

	CHECK(parse(&a, "--name x", &e) == 0 && a.names == 1);
	CHECK(parse(&a, "--name x --doubled", &e) == 0 && a.names == 2);
}

static void test_seen(void)
{
	struct all a;
	struct opt_seen seen;
	struct errbuf e;

	CHECK(parse_as(&whole, &a, "--number 2 --micro 1 -q", &seen, &e) == 0);
	CHECK(opt_was_seen(&whole, &seen, "number"));
	CHECK(opt_was_seen(&whole, &seen, "micro"));
	CHECK(opt_was_seen(&whole, &seen, "quiet"));
	CHECK(!opt_was_seen(&whole, &seen, "milli"));
	CHECK(!opt_was_seen(&whole, &seen, "flag"));
}

static void test_text_reads_back(void)
{
	static const char line[] =
		"-fn --string a'b --number 3 -l 6 --size 3M --ms 1 --secs 2 "
		"--shape square --switch on --name p --name # --span 1500ms "
		"--share 33.3333% --milli 0.001 --micro 4.999999";
	static const char want[] =
		" --flag --no-thing --string 'a'\\''b' --number 3 "
		"--large-number 6 --size 3M --ms 1 --secs 2 --shape square "
		"--switch on --name p --name '#' --span 1500ms --share "
		"33.3333% --milli 0.001 --micro 4.999999";
	struct all a, b;
	struct errbuf e;
	char text[TEXT_MAX], tight[sizeof(want)];
	struct text t;

	CHECK(parse(&a, line, &e) == 0);
	text_begin(&t, text, sizeof(text));
	opt_text(&whole, &a, &t);
	CHECK_ROW(strcmp(text, want) == 0, text);
	memset(&b, 0, sizeof(b));
	b.unset = true;
	CHECK(opt_read(&whole, &b, text, &e) == 0);
	CHECK(strcmp(b.string, a.string) == 0 && b.names == 2);
	CHECK(strcmp(b.name[1], "#") == 0);
	CHECK(memcmp(&a.in, &b.in, sizeof(a.in)) == 0);
	/* It fits to the byte, and what is not written is not missed. */
	text_begin(&t, tight, sizeof(tight));
	opt_text(&whole, &a, &t);
	CHECK(!t.full && strcmp(tight, want) == 0);
	text_begin(&t, tight, sizeof(tight) - 1);
	opt_text(&whole, &a, &t);
	CHECK(t.full);
	CHECK(opt_read(&whole, &b, "--string 'x", &e) < 0);
	CHECK(strstr(e.s, "quotation") != NULL);
}

static void test_a_file_of_options(void)
{
	char path[] = "/tmp/test_opt_XXXXXX";
	char line[128];
	struct all a;
	struct errbuf e;
	int fd = mkstemp(path);

	CHECK(fd >= 0);
	CHECK(dprintf(fd, "# how\n-f --name 'a b' \\\n x --\n -l") > 0);
	snprintf(line, sizeof(line), "--string @%s @%s", path, path);
	CHECK(parse(&a, line, &e) == 0);
	CHECK(a.string[0] == '@'); /* a value is no file */
	CHECK(a.flag && strcmp(a.name[0], "a b") == 0);
	CHECK(a.rests == 2 && strcmp(a.rest[1], "-l") == 0);
	snprintf(line, sizeof(line), "-- @%s", path);
	CHECK(parse(&a, line, &e) == 0 && a.rests == 1);
	CHECK(ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0);
	CHECK(dprintf(fd, "@%s", path) > 0);
	snprintf(line, sizeof(line), "@%s", path);
	CHECK(parse(&a, line, &e) < 0);
	CHECK(strstr(e.s, "may not name another") != NULL);
	/* Its last option takes no value from behind the file. */
	CHECK(ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0);
	CHECK(dprintf(fd, "--string") > 0);
	snprintf(line, sizeof(line), "@%s x", path);
	CHECK(parse(&a, line, &e) < 0);
	close(fd);
	unlink(path);
}

static const char *got(const struct all *a, const char *name)
{
	static char text[TEXT_MAX];
	struct errbuf e = { "" };
	struct text t;

	text_begin(&t, text, sizeof(text));
	return opt_get(&whole, a, name, &t, &e) ? e.s[0] ? "?" : "" : text;
}

static void test_get_and_set(void)
{
	struct all a;
	struct errbuf e;

	CHECK(parse(&a, "--name p --name q --span 90s", &e) == 0);
	CHECK(strcmp(got(&a, "name"), "p q") == 0);
	CHECK(strcmp(got(&a, "span"), "90s") == 0);
	CHECK(strcmp(got(&a, "string"), "") == 0);
	CHECK(strcmp(got(&a, "flag"), "off") == 0);
	CHECK(strcmp(got(&a, "nonesuch"), "?") == 0);
	CHECK(opt_set(&whole, &a, "flag", "on", &e) == 0 && a.flag);
	CHECK(strcmp(got(&a, "flag"), "on") == 0);
	CHECK(opt_set(&whole, &a, "flag", "off", &e) == 0 && !a.flag);
	CHECK(opt_set(&whole, &a, "no-thing", "on", &e) == 0 && !a.unset);
	CHECK(opt_set(&whole, &a, "no-thing", "off", &e) == 0 && a.unset);
	CHECK(opt_set(&whole, &a, "flag", "yes", &e) == -EINVAL);
	CHECK(opt_set(&whole, &a, "number", "5", &e) == 0 && a.u32 == 5);
	CHECK(opt_set(&whole, &a, "number", "1", &e) == -EINVAL);
	CHECK(a.u32 == 5);
	CHECK(opt_set(&whole, &a, "span", "5", &e) == -EPERM);
	CHECK(a.in.span == 90 * NS_PER_SEC);
	CHECK(opt_set(&whole, &a, "nubmer", "5", &e) == -ENOENT);
	CHECK(strstr(e.s, "did you mean --number?") != NULL);
}

static void test_help_is_by_group(void)
{
	char text[TEXT_MAX];
	struct text t;
	const char *one, *two;

	text_begin(&t, text, sizeof(text));
	opt_help(&whole, &t);
	CHECK(!t.full);
	CHECK(strncmp(text,
		      "usage: understudy test [OPTION...]\n"
		      "       understudy test -h\n\nOne\n  -f, --flag  ",
		      62) == 0);
	one = strstr(text, "\nOne\n");
	two = strstr(text, "\nTwo\n");
	CHECK(one != NULL && two != NULL && one < two);
	CHECK(strstr(one, "--number N") < two);
	CHECK(strstr(text, "--string WORD") > two);
	CHECK(strstr(two + 1, "\nOne\n") == NULL);
	CHECK(strstr(text, "doubled") == NULL);
	for (const char *l = text; *l != '\0'; l += strcspn(l, "\n") + 1)
		CHECK_ROW(strcspn(l, "\n") < TEXT_COLUMNS, l);
	CHECK(strstr(two, "\n                          ") != NULL);
}

static void test_words_that_are_near(void)
{
	CHECK(opt_near("send", "send") == 0);
	CHECK(opt_near("sned", "send") == 1);
	CHECK(opt_near("shadwo", "shadow") == 1);
	CHECK(opt_near("shado", "shadow") == 1);
	CHECK(opt_near("shaadoww", "shadow") == 2);
	CHECK(opt_near("shallow", "shadow") == 2);
	CHECK(opt_near("rerun", "send") < 0);
	CHECK(opt_near("a", "b") < 0);
	CHECK(opt_near("a-word-of-more-than-forty-characters-in-all", "send") <
	      0);
}

static const struct check_test tests[] = {
	{ "every kind", test_every_kind },
	{ "errors say what to write", test_errors_say_what_to_write },
	{ "underscores and short names", test_underscores_and_short_names },
	{ "help comes before what is wrong",
	  test_help_comes_before_what_is_wrong },
	{ "what changes others is set first",
	  test_what_changes_others_is_set_first },
	{ "which were seen", test_seen },
	{ "the text reads back", test_text_reads_back },
	{ "a file of options", test_a_file_of_options },
	{ "get and set", test_get_and_set },
	{ "help is by group", test_help_is_by_group },
	{ "words that are near", test_words_that_are_near },
};

int main(void)
{
	int rc = check_main(tests, ARRAY_SIZE(tests));

	opt_forget();
	return rc;
}
