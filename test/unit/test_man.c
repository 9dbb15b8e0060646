/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_man.c - Do the commands' tables of options and their pages agree?
 *
 * Each option that help shows is in its command's page, or in the page that this
 * one refers to; what a page has a paragraph about is an option of its command, with
 * this letter; and what any page calls an option is one of some command. Each counter
 * of a report is in the page of counters.
 */
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/file.h"
#include "capture/ring.h"
#include "check.h"
#include "ctl/ctl.h"
#include "account/runctl.h"
#include "ctl/metrics.h"
#include "dgram/udp.h"
#include "emit/sink.h"
#include "ends/counters.h"
#include "ends/ends.h"
#include "tally/counters.h"
#include "flow/key.h"
#include "face/counters.h"
#include "front/front.h"
#include "setup/setup.h"
#include "keys/counters.h"
#include "lone/counters.h"
#include "ipip/counters.h"
#include "lan/prove.h"
#include "lan/sutwire.h"
#include "multipath/counters.h"
#include "pace/stamps.h"
#include "prep/prep.h"
#include "pulse/pulse.h"
#include "account/replay_counters.h"
#include "page/page.h"
#include "review/review.h"
#include "run/run.h"
#include "send/send.h"
#include "shadow/counters.h"
#include "tap/tap.h"
#include "wire/decode.h"

#define PAGE_MAX     65536
#define NAME_MAX_LEN 64

/** struct page - A command, and whose page has the options that its own lacks */
struct page {
	const struct opt_command *c;
	const char *refers;
};

static const struct page pages[] = {
	{ &options_shadow, NULL },     { &options_replay, "shadow" },
	{ &options_doctor, "shadow" }, { &options_rerun, NULL },
	{ &send_command, NULL },       { &prep_command, NULL },
	{ &tunnel_command, NULL },     { &ctl_command, NULL },
	{ &proxy_command, NULL },      { &pulse_command, NULL },
	{ &report_command, NULL },     { &diff_command, NULL },
	{ &page_command, NULL },
};

/* Page @name, as "send.1". Tests lie in a folder beside man/. */
static const char *page_named(const char *name)
{
	static char text[2][PAGE_MAX];
	static unsigned turn;
	char exe[4096] = "", path[8192];
	char *out = text[turn++ % 2];
	size_t n = 0;
	FILE *f;

	CHECK(readlink("/proc/self/exe", exe, sizeof(exe) - 1) > 0);
	snprintf(path, sizeof(path), "%s/../man/understudy-%s", dirname(exe),
		 name);
	f = fopen(path, "re");
	CHECK_ROW(f != NULL, path);
	if (f != NULL) {
		n = fread(out, 1, PAGE_MAX - 1, f);
		CHECK_ROW(n > 0 && n < PAGE_MAX - 1, path);
		fclose(f);
	}
	out[n] = '\0';
	return out;
}

/* The page of a command. */
static const char *page_of(const char *name)
{
	char page[NAME_MAX_LEN];

	snprintf(page, sizeof(page), "%s.1", name);
	return page_named(page);
}

/*
 * The next option in a line of mdoc(7): a word "-name", or a letter behind Fl.
 * Return: 1 a name, 2 a letter, 0 none
 */
static int next_option(const char **at, const char *end,
		       char name[NAME_MAX_LEN])
{
	bool fl = false;

	while (*at < end) {
		size_t n = strcspn(*at, " \n");
		const char *w = *at;

		*at += n + 1;
		if (n == 0 || w + n > end)
			continue;
		if (w[0] == '-' && n > 2 && n < NAME_MAX_LEN && fl) {
			memcpy(name, w + 1, n - 1);
			name[n - 1] = '\0';
			return 1;
		}
		if (fl && n == 1 && w[0] != ',' && w[0] != '|') {
			name[0] = w[0];
			name[1] = '\0';
			return 2;
		}
		/* "Fl i , -intf1" goes on behind the comma. */
		if (n != 1 || (w[0] != ',' && w[0] != '|'))
			fl = (n == 2 && memcmp(w, "Fl", 2) == 0) ||
			     (n == 3 && memcmp(w, ".Fl", 3) == 0);
		else
			fl = true;
	}
	return 0;
}

static const struct opt_row *row_of(const struct opt_command *c, int what,
				    const char *name)
{
	const struct opt_row *r;

	for (size_t i = 0; (r = opt_row(c, i, NULL)) != NULL; i++)
		if (what == 1 ? strcmp(r->name, name) == 0
			      : r->letter == name[0])
			return r;
	return NULL;
}

/* Does @page speak of option @name? */
static bool speaks_of(const char *page, int what, const char *name)
{
	char found[NAME_MAX_LEN];

	while (*page != '\0') {
		const char *end = page + strcspn(page, "\n");
		const char *at = page;
		int kind;

		while ((kind = next_option(&at, end, found)) != 0)
			if (kind == what && strcmp(found, name) == 0)
				return true;
		page = end + (*end == '\n');
	}
	return false;
}

static void test_every_option_has_its_paragraph(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		const struct opt_command *c = pages[i].c;
		const char *own = page_of(c->name);
		const char *other =
			pages[i].refers ? page_of(pages[i].refers) : "";
		const struct opt_row *r;

		for (size_t k = 0; (r = opt_row(c, k, NULL)) != NULL; k++) {
			char letter[2] = { r->letter, '\0' };

			if (r->flags & OPT_HIDDEN)
				continue;
			CHECK_ROW(speaks_of(own, 1, r->name) ||
					  speaks_of(other, 1, r->name),
				  r->name);
			CHECK_ROW(r->letter == 0 || speaks_of(own, 2, letter) ||
					  speaks_of(other, 2, letter),
				  r->name);
		}
	}
}

static void test_every_paragraph_has_its_option(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		const char *page = page_of(pages[i].c->name);
		char name[NAME_MAX_LEN];
		unsigned found = 0;

		while (*page != '\0') {
			const char *end = page + strcspn(page, "\n");
			const char *at = page + 4;
			int what;

			if (strncmp(page, ".It ", 4) == 0)
				while ((what = next_option(&at, end, name))) {
					CHECK_ROW(row_of(pages[i].c, what,
							 name) != NULL,
						  name);
					found++;
				}
			page = end + (*end == '\n');
		}
		CHECK_ROW(found > 0, pages[i].c->name);
	}
}

static void test_what_is_called_an_option_is_one(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		const char *page = page_of(pages[i].c->name);
		char name[NAME_MAX_LEN];

		while (*page != '\0') {
			const char *end = page + strcspn(page, "\n");
			const char *at = page;
			int what;

			while ((what = next_option(&at, end, name)) != 0) {
				bool known = what == 2;

				for (size_t k = 0; k < ARRAY_SIZE(pages); k++)
					known |= row_of(pages[k].c, 1, name) !=
						 NULL;
				CHECK_ROW(known, name);
			}
			page = end + (*end == '\n');
		}
	}
}

static const struct counter_list *const lists[] = {
	&shadow_counter_list,  &engine_counter_list, &udp_counter_list,
	&sutwire_counter_list, &prove_counter_list,  &replay_counter_list,
	&file_counter_list,    &stamps_counter_list, &ring_counter_list,
	&sink_counter_list,    &mirror_icmp_list,    &runctl_counter_list,
};

static const struct counter_list *const tunnel_lists[] = {
	&lone_counter_list,    &lone_path_counter_list, &reorder_counter_list,
	&ends_counter_list,    &link_counter_list,	&mp_counter_list,
	&mp_path_counter_list, &mp_lane_counter_list,	&ends_path_gauge_list,
};

static const struct counter_list *const proxy_lists[] = {
	&front_counter_list,	  &front_gauge_list,	 &server_counter_list,
	&front_server_gauge_list, &metrics_counter_list, &tap_counter_list,
};

static bool has_counter(const char *page, const char *name)
{
	char item[NAME_MAX_LEN + 16];

	snprintf(item, sizeof(item), "\n.It Li %s\n", name);
	return strstr(page, item) != NULL;
}

/* Is it in the page, with the words of its list? */
static bool is_explained(const char *page, const struct counter *c)
{
	const char *help = c->help;
	char item[1024];

	snprintf(item, sizeof(item), "\n.It Li %s\n%c%s", c->name,
		 help[0] >= 'a' && help[0] <= 'z' ? help[0] - 'a' + 'A'
						  : help[0],
		 help + 1);
	return strstr(page, item) != NULL;
}

static void test_every_counter_is_explained(void)
{
	const char *tunnel = page_named("tunnel.1");
	const char *page, *proxy;

	for (size_t l = 0; l < ARRAY_SIZE(tunnel_lists); l++)
		for (size_t i = 0; i < tunnel_lists[l]->n; i++)
			CHECK_ROW(
				is_explained(tunnel, &tunnel_lists[l]->row[i]),
				tunnel_lists[l]->row[i].name);
	page = page_named("counters.7");
	proxy = page_named("proxy.1");
	/* Where help has an option in it, its page spells that otherwise. */
	for (size_t l = 0; l < ARRAY_SIZE(proxy_lists); l++)
		for (size_t i = 0; i < proxy_lists[l]->n; i++)
			CHECK_ROW(
				has_counter(proxy, proxy_lists[l]->row[i].name),
				proxy_lists[l]->row[i].name);
	for (size_t l = 0; l < ARRAY_SIZE(lists); l++)
		for (size_t i = 0; i < lists[l]->n; i++)
			CHECK_ROW(is_explained(page, &lists[l]->row[i]),
				  lists[l]->row[i].name);
	for (int i = 0; i < DECODE_COUNT; i++)
		CHECK_ROW(has_counter(page, decode_name((enum decode_result)i)),
			  decode_name((enum decode_result)i));
	for (int i = FLOW_END_NONE + 1; i < FLOW_END_COUNT; i++)
		CHECK_ROW(has_counter(page, flow_end_name((enum flow_end)i)),
			  flow_end_name((enum flow_end)i));
}

/* Rows that would be misread, and help that is wider than a terminal. */
static void test_tables_are_sound(void)
{
	static char text[PAGE_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		const struct opt_command *c = pages[i].c;
		const struct opt_row *r;
		size_t k = 0;
		struct text t;

		for (; (r = opt_row(c, k, NULL)) != NULL; k++) {
			CHECK_ROW(row_of(c, 1, r->name) == r, r->name);
			CHECK_ROW(r->letter == 0 ||
					  row_of(c, 2, &r->letter) == r,
				  r->name);
			CHECK_ROW(r->kind->flag == (r->arg == NULL), r->name);
			CHECK_ROW(r->help != NULL && r->group != NULL, r->name);
			/* A value that is added cannot be changed. */
			CHECK_ROW(!(r->flags & OPT_RUNTIME) ||
					  !(r->flags & OPT_REPEAT),
				  r->name);
		}
		CHECK_ROW(k > 0 && k <= OPT_ROWS_MAX, c->name);
		text_begin(&t, text, sizeof(text));
		opt_help(c, &t);
		CHECK_ROW(!t.full, c->name);
		for (const char *l = text; *l; l += strcspn(l, "\n") + 1)
			CHECK_ROW(strcspn(l, "\n") < TEXT_COLUMNS, c->name);
	}
}

static const struct check_test tests[] = {
	{ "every option has its paragraph",
	  test_every_option_has_its_paragraph },
	{ "every paragraph has its option",
	  test_every_paragraph_has_its_option },
	{ "what is called an option is one",
	  test_what_is_called_an_option_is_one },
	{ "tables are sound", test_tables_are_sound },
	{ "every counter is explained", test_every_counter_is_explained },
};

int main(void)
{
	return check_main(tests, ARRAY_SIZE(tests));
}
