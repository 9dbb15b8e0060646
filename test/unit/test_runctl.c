/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_runctl.c - A run's control socket: its counters, its events and their bound
 *
 * The socket is a real one; both of its ends are in this process, which turns the
 * loop. Time is an argument.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "account/runctl.h"
#include "check.h"
#include "record/record.h"

#define IP4_INIT(a, b_, c, d)                                                  \
	{                                                                      \
		.b = { [10] = 0xff, 0xff, a, b_, c, d }                        \
	}
#define READ_MAX (CTL_ANSWER + 1024)

struct rig {
	struct runctl *c;
	struct loop *loop;
	struct options opt;
	struct redact redact;
	struct prom_copy copy; /* what there is */
	unsigned copied;
	unsigned reports;
	unsigned stops;
	char dir[32];
	char path[64];
	int fd;
	char got[READ_MAX];
};

static void copy(void *ctx, struct prom_copy *out)
{
	struct rig *r = ctx;

	r->copied++;
	*out = r->copy;
}

static void report(void *ctx)
{
	((struct rig *)ctx)->reports++;
}

static void stop(void *ctx)
{
	((struct rig *)ctx)->stops++;
}

static void connect_to(struct rig *r)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", r->path);
	r->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CHECK(connect(r->fd, (const void *)&a, sizeof(a)) == 0);
	runctl_turn(r->c);
}

/* What has come: a text, which is there until it is asked again. */
static const char *read_all(struct rig *r)
{
	size_t n = 0;

	for (int i = 0; i < 10; i++) {
		ssize_t k = read(r->fd, r->got + n, sizeof(r->got) - 1 - n);

		if (k > 0)
			n += (size_t)k;
		runctl_turn(r->c);
	}
	r->got[n] = '\0';
	return r->got;
}

static const char *ask(struct rig *r, const char *line)
{
	CHECK(write(r->fd, line, strlen(line)) == (ssize_t)strlen(line));
	runctl_turn(r->c);
	return read_all(r);
}

static struct rig *begin(bool mirror, bool sut)
{
	static const struct hash_key key = { { 1, 2 } };
	struct rig *r = calloc(1, sizeof(*r));
	struct errbuf e = { "" };
	struct runctl_config c = { .opt = &r->opt,
				   .redact = &r->redact,
				   .has_ring = { mirror, sut },
				   .copy = copy,
				   .report = report,
				   .stop = stop,
				   .ctx = r };

	options_defaults(&r->opt);
	redact_init(&r->redact, &key, NULL, false);
	snprintf(r->dir, sizeof(r->dir), "/tmp/test_runctl.XXXXXX");
	CHECK(mkdtemp(r->dir) != NULL);
	snprintf(r->path, sizeof(r->path), "%s/s", r->dir);
	CHECK(loop_open(&r->loop) == 0);
	c.loop = r->loop;
	c.path = r->path;
	CHECK_ROW(runctl_open(&r->c, &c, &e) == 0, e.s);
	CHECK(runctl_fd(r->c) >= 0);
	connect_to(r);
	return r;
}

static void end(struct rig *r)
{
	runctl_close(r->c);
	CHECK(unlink(r->path) == 0 && rmdir(r->dir) == 0);
	loop_close(r->loop);
	close(r->fd);
	free(r);
}

static unsigned count(const char *text, const char *what)
{
	unsigned n = 0;

	while ((text = strstr(text, what)) != NULL) {
		text += strlen(what);
		n++;
	}
	return n;
}

/* --- counters and requests --- */

static void test_counters(void)
{
	struct rig *r = begin(true, false);
	const char *s;

	r->copy.answers.identical = 11;
	r->copy.different[REASON_STATUS] = 12;
	r->copy.ring[0].frames = 13;
	s = ask(r, "show json\n");
	CHECK_ROW(strstr(s, "\"type\":\"shadow\"") != NULL, s);
	CHECK_ROW(strstr(s, "\"answers\":{\"identical\":11,") != NULL, s);
	CHECK_ROW(strstr(s, "\"different\":{\"status\":12,") != NULL, s);
	CHECK_ROW(strstr(s, "\"mirror_ring\":{") != NULL &&
			  strstr(s, "\"sut_ring\":{") == NULL,
		  s);
	CHECK(r->copied == 1);
	r->copy.answers.identical = 14;
	s = ask(r, "show json\n");
	CHECK_ROW(strstr(s, "\"answers\":{\"identical\":14,") != NULL, s);
	s = ask(r, "show prometheus\n");
	CHECK_ROW(strstr(s,
			 "\nunderstudy_shadow_mirror_ring_frames_total 13\n") !=
			  NULL,
		  s);
	CHECK(count(s, "# TYPE ") == count(s, "# HELP "));
	end(r);
	r = begin(false, true);
	s = ask(r, "show json\n");
	CHECK_ROW(strstr(s, "\"mirror_ring\":{") == NULL &&
			  strstr(s, "\"sut_ring\":{") != NULL,
		  s);
	end(r);
}

static void test_requests(void)
{
	struct rig *r = begin(true, true);
	const char *s;

	CHECK(strcmp(ask(r, "set stop-after 7\n"), "ok 0\n") == 0);
	CHECK(r->opt.stop_after == 7);
	s = ask(r, "set stop-after many\n");
	CHECK_ROW(strncmp(s, "error ", 6) == 0, s);
	CHECK(r->opt.stop_after == 7);
	s = ask(r, "set pool 1G\n");
	CHECK_ROW(strstr(s, "cannot be changed") != NULL, s);
	CHECK(strcmp(ask(r, "report\n"), "ok 0\n") == 0 && r->reports == 1);
	CHECK(strcmp(ask(r, "stop\n"), "ok 0\n") == 0 && r->stops == 1);
	s = ask(r, "stop it\n");
	CHECK_ROW(strncmp(s, "error ", 6) == 0 && r->stops == 1, s);
	end(r);
}

/* --- events --- */

static struct exchange_record exchange = {
	.kind = EVENT_VERDICT,
	.verdict = VERDICT_DIFFERENT,
	.reason = REASON_STATUS,
	.has_text = true,
	.flow = 9,
	.client_port = 4000,
	.prod_port = 80,
	.sut_port = 81,
	.client = IP4_INIT(10, 0, 0, 2),
	.prod = IP4_INIT(10, 0, 0, 10),
	.sut = IP4_INIT(10, 1, 0, 20),
};
static struct exchange_text text;

static struct engine_item difference(const char *request, size_t n)
{
	text.request_len = (uint8_t)n;
	memcpy(text.request, request, n);
	return (struct engine_item){ .kind = EVENT_VERDICT,
				     .exchange = &exchange,
				     .text = &text };
}

static void test_differences(void)
{
	struct rig *r = begin(true, true);
	char bytes[RECORD_REQUEST];
	struct engine_item t = difference("GET /a?token=hunter HTTP/1.1", 28);
	struct engine_item same = t;
	const char *s;

	runctl_item(NULL, &t, 0); /* without --ctl */
	runctl_item(r->c, &t, 0); /* nobody watches */
	CHECK(strcmp(ask(r, "watch\n"), "events\n") == 0);
	same.text = NULL; /* it is alike */
	runctl_item(r->c, &same, 0);
	CHECK(read_all(r)[0] == '\0');
	runctl_item(r->c, &t, 0);
	s = read_all(r);
	CHECK_ROW(strncmp(s, "{\"event\":\"different\",\"at\":\"", 26) == 0, s);
	CHECK_ROW(strstr(s,
			 "\"flow\":9,\"client\":\"10.0.0.2:4000\","
			 "\"production\":\"10.0.0.10:80\","
			 "\"sut\":\"10.1.0.20:81\",\"baseline\":false,"
			 "\"reason\":\"status\",\"request\":\"GET /a") != NULL,
		  s);
	CHECK_ROW(strstr(s, "hunter") == NULL, s);
	/* The longest there is: each byte of it escaped. */
	memset(bytes, 1, sizeof(bytes));
	t = difference(bytes, sizeof(bytes));
	runctl_item(r->c, &t, 0);
	s = read_all(r);
	CHECK_ROW(count(s, "\\u0001") == RECORD_REQUEST && count(s, "\n") == 1,
		  s);
	end(r);
}

static void test_others(void)
{
	static const struct {
		struct engine_event ev;
		const char *says; /* NULL: nothing */
	} rows[] = {
		{ { .kind = EVENT_FLOW_END, .end = FLOW_END_CLIENT_RST },
		  NULL },
		{ { .kind = EVENT_FLOW_END, .end = FLOW_END_PROD_RST }, NULL },
		{ { .kind = EVENT_FLOW_END, .end = FLOW_END_REUSED }, NULL },
		{ { .kind = EVENT_FLOW_END,
		    .end = FLOW_END_SYN_TIMEOUT,
		    .flow = 3 },
		  "{\"event\":\"flow_end\"," },
		{ { .kind = EVENT_SUT_STATE, .up = true },
		  "\"state\":\"back\"" },
		{ { .kind = EVENT_SUT_STATE, .state = HEALTH_SILENT },
		  "\"state\":\"silent\"" },
		{ { .kind = EVENT_NETWORK,
		    .client = IP4_INIT(10, 0, 0, 0),
		    .bits = IPADDR_4IN6 + 24,
		    .end = FLOW_END_NO_ROUTE },
		  "\"network\":\"10.0.0.0/24\"" },
		{ { .kind = EVENT_CLOCK_STEP, .step_ns = -5 },
		  "\"step_ns\":-5" },
	};
	struct rig *r = begin(true, true);

	ask(r, "watch\n");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct engine_item t = { .kind = rows[i].ev.kind,
					 .event = &rows[i].ev };
		const char *s;

		runctl_item(r->c, &t, 0);
		s = read_all(r);
		CHECK_ROW(rows[i].says ? strstr(s, rows[i].says) != NULL
				       : s[0] == '\0',
			  s);
	}
	runctl_link(NULL, "eth9", true);
	runctl_link(r->c, "eth9", true);
	CHECK(strstr(read_all(r),
		     "\"interface\":\"eth9\",\"state\":\"down\"") != NULL);
	runctl_close(r->c);
	r->got[read(r->fd, r->got, READ_MAX - 1)] = '\0';
	CHECK_ROW(strstr(r->got, "{\"event\":\"end\",") == r->got, r->got);
	r->c = NULL;
	end(r);
}

/* No more than so many a second, and each that is left out is counted. */
static void test_bound(void)
{
	struct rig *r = begin(true, true);
	struct engine_item t = difference("GET /", 5);
	int watcher;
	unsigned n = 0;

	ask(r, "watch\n");
	for (unsigned i = 0; i < 10 * RUNCTL_EVENTS; i++) {
		runctl_item(r->c, &t, NS_PER_SEC - 1);
		if (i % 50 == 0)
			n += count(read_all(r), "\n");
	}
	n += count(read_all(r), "\n");
	CHECK(n == RUNCTL_EVENTS);
	for (unsigned i = 0; i < RUNCTL_EVENTS; i++)
		runctl_item(r->c, &t, NS_PER_SEC);
	CHECK(count(read_all(r), "\n") == RUNCTL_EVENTS);
	watcher = r->fd;
	connect_to(r);
	CHECK_ROW(strstr(ask(r, "show json\n"),
			 "\"events\":{\"told\":200,\"left_out\":900}") != NULL,
		  r->got);
	close(watcher);
	end(r);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "counters are as of now", test_counters },
		{ "requests reach the run", test_requests },
		{ "differences are told, without secrets", test_differences },
		{ "what else happens is told", test_others },
		{ "events have a bound", test_bound },
	};

	signal(SIGPIPE, SIG_IGN); /* as os/signals.c has it */
	return check_main(tests, sizeof(tests) / sizeof(tests[0]));
}
