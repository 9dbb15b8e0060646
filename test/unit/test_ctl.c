/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_ctl.c - Unit test of base/ctl: requests, what is shown, and the socket
 *
 * The socket is a real one; both of its ends are in this process, which turns the
 * loop until nothing is ready, so that no time is waited for.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "ctl/ctl.h"
#include "ctl/http.h"
#include "ctl/request.h"
#include "os/mem.h"

#define READ_MAX (2 * CTL_QUEUE)

/* --- requests --- */

static const struct {
	const char *line;
	int rc;
	enum ctl_verb verb;
	const char *name;
	const char *value;
} requests[] = {
	{ "get", 1, CTL_GET, "", "" },
	{ "get weight", 1, CTL_GET, "weight", "" },
	{ "  get   bufferOn  ", 1, CTL_GET, "bufferOn", "" },
	{ "set a-b_9 1:5", 1, CTL_SET, "a-b_9", "1:5" },
	{ "set a  two words ", 1, CTL_SET, "a", "two words" },
	{ "show", 1, CTL_SHOW_TEXT, "", "" },
	{ "show text", 1, CTL_SHOW_TEXT, "", "" },
	{ "show json", 1, CTL_SHOW_JSON, "", "" },
	{ "show prometheus", 1, CTL_SHOW_PROMETHEUS, "", "" },
	{ "watch", 1, CTL_WATCH, "", "" },
	{ "", -EINVAL, 0, "", "" },
	{ "g", 1, CTL_CALL, "g", "" },
	{ "gets  a b ", 1, CTL_CALL, "gets", "a b" },
	{ "kill 10.0.0.0/8", 1, CTL_CALL, "kill", "10.0.0.0/8" },
	{ "ki/ll", -EINVAL, 0, "", "" },
	{ "get a b", -EINVAL, 0, "", "" },
	{ "get a/b", -EINVAL, 0, "", "" },
	{ "set", -EINVAL, 0, "", "" },
	{ "set a", -EINVAL, 0, "", "" },
	{ "set a  ", -EINVAL, 0, "", "" },
	{ "set a \x01", -EINVAL, 0, "", "" },
	{ "set a \xc3\xa4", -EINVAL, 0, "", "" },
	{ "get a\r", -EINVAL, 0, "", "" },
	{ "show xml", -EINVAL, 0, "", "" },
	{ "watch this", -EINVAL, 0, "", "" },
};

static int next(struct ctl_input *in, struct ctl_request *r, struct errbuf *e)
{
	e->s[0] = '\0';
	return ctl_input_next(in, r, e);
}

static void test_requests(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		const char *line = requests[i].line;
		struct ctl_input in = { .n = strlen(line) };
		struct ctl_request r = { .name = "?", .value = "?" };
		struct errbuf e;

		memcpy(in.b, line, in.n);
		CHECK_ROW(next(&in, &r, &e) == 0, line);
		in.b[in.n++] = '\n';
		CHECK_ROW(next(&in, &r, &e) == requests[i].rc, line);
		CHECK_ROW(in.n == 0, line);
		CHECK_ROW((e.s[0] == '\0') == (requests[i].rc == 1), line);
		if (requests[i].rc != 1) {
			CHECK_ROW(strcmp(r.name, "?") == 0, line);
			continue;
		}
		CHECK_ROW(r.verb == requests[i].verb, line);
		CHECK_ROW(strcmp(r.name, requests[i].name) == 0, line);
		CHECK_ROW(strcmp(r.value, requests[i].value) == 0, line);
	}
}

static void test_long_requests(void)
{
	struct ctl_input in = { .n = CTL_LINE };
	struct ctl_request r;
	struct errbuf e;

	memset(in.b, 'a', sizeof(in.b));
	CHECK(next(&in, &r, &e) == -E2BIG);
	in.b[CTL_LINE - 1] = '\n';
	CHECK(next(&in, &r, &e) == -EINVAL && in.n == 0);
	in.n = CTL_LINE;
	memset(in.b, 'a', sizeof(in.b));
	memcpy(in.b, "set a ", 6);
	in.b[CTL_LINE - 1] = '\n';
	CHECK(next(&in, &r, &e) == 1 && strlen(r.value) == CTL_LINE - 7);
	memset(in.b, 'n', sizeof(in.b));
	memcpy(in.b, "get ", 4);
	in.n = 4 + CTL_NAME;
	in.b[4 + CTL_NAME - 1] = '\n';
	CHECK(next(&in, &r, &e) == 1 && strlen(r.name) == CTL_NAME - 1);
	in.n = 4 + CTL_NAME + 1;
	memset(in.b + 4, 'n', CTL_NAME);
	in.b[4 + CTL_NAME] = '\n';
	CHECK(next(&in, &r, &e) == -EINVAL);
	/* Two at once: one after the other. */
	memcpy(in.b, "show\nwatch\nge", 13);
	in.n = 13;
	CHECK(next(&in, &r, &e) == 1 && r.verb == CTL_SHOW_TEXT && in.n == 8);
	CHECK(next(&in, &r, &e) == 1 && r.verb == CTL_WATCH && in.n == 2);
	CHECK(next(&in, &r, &e) == 0 && memcmp(in.b, "ge", 2) == 0);
}

/* --- requests for metrics --- */

static const struct {
	const char *head;
	int status;
} heads[] = {
	{ "", 0 },
	{ "GET /metrics HTTP/1.1\r\nHost: x\r\n", 0 },
	{ "GET /metrics HTTP/1.1\r\n\r", 0 },
	{ "GET /metrics HTTP/1.1\r\n\r\n", 200 },
	{ "GET /metrics HTTP/1.0\r\nA:\tb\r\n\r\nrest\x01", 200 },
	{ "GET /metrics?a=b HTTP/1.1\r\n\r\n", 200 },
	{ "GET /metricsx HTTP/1.1\r\n\r\n", 404 },
	{ "GET /Metrics HTTP/1.1\r\n\r\n", 404 },
	{ "GET / HTTP/1.1\r\n\r\n", 404 },
	{ "GET http://a/metrics HTTP/1.1\r\n\r\n", 404 },
	{ "HEAD /metrics HTTP/1.1\r\n\r\n", 405 },
	{ "POST /metrics HTTP/1.1\r\n\r\n", 405 },
	{ "GETS /metrics HTTP/1.1\r\n\r\n", 405 },
	{ "get /metrics HTTP/1.1\r\n\r\n", 400 },
	{ " GET /metrics HTTP/1.1\r\n\r\n", 400 },
	{ "GET /metrics\r\n\r\n", 400 },
	{ "GET  /metrics HTTP/1.1\r\n\r\n", 400 },
	{ "GET /metrics HTTP/1.1 \r\n\r\n", 400 },
	{ "GET /metrics HTTP/1.2\r\n\r\n", 505 },
	{ "GET /metrics HTTP/2.0\r\n\r\n", 505 },
	{ "GET /metrics HTTP/11\r\n\r\n", 400 },
	{ "\r\n\r\n", 400 },
	{ "GET /metrics HTTP/1.1\n\n", 400 },
	{ "GET /metrics HTTP/1.1\r\r\n\r\n", 400 },
	{ "GET /metrics HTTP/1.1\rX", 400 },
	{ "GET /m\xc3\xa4 HTTP/1.1", 400 },
	{ "\x16\x03\x01", 400 },
};

static void test_heads(void)
{
	static char b[HTTP_REQUEST + 8];

	for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
		CHECK_ROW(http_status(heads[i].head, strlen(heads[i].head)) ==
				  heads[i].status,
			  heads[i].head);
	CHECK(http_status("GET /metrics HTTP/1.1\r\n\0\r\n\r\n", 28) == 400);
	/* The longest head, and one that is a byte too long. */
	memset(b, 'a', sizeof(b));
	memcpy(b, "GET /metrics HTTP/1.1\r\nA: ", 26);
	CHECK(http_status(b, HTTP_REQUEST - 1) == 0);
	CHECK(http_status(b, HTTP_REQUEST) == 431);
	memcpy(b + HTTP_REQUEST - 3, "\r\n\r\n", 4);
	CHECK(http_status(b, HTTP_REQUEST + 1) == 431);
	memcpy(b + HTTP_REQUEST - 4, "\r\n\r\n", 4);
	CHECK(http_status(b, HTTP_REQUEST) == 200);
}

/* --- a user of the room --- */

#define WORK_COUNTERS(X, T)                                                    \
	X(T, done, "", "what was done")                                        \
	X(T, sent_bytes, "bytes", "what was sent")                             \
	X(T, slept, "ns", "time asleep")

struct work_counters {
	WORK_COUNTERS(COUNTER_MEMBER, )
};

#define WORK_GAUGES(X, T)                                                      \
	X(T, alive, "bool", "whether it is")                                   \
	X(T, rate, "bytes/s", "how fast it is")                                \
	X(T, rtt_us, "us", "round trip")

struct work_gauges {
	WORK_GAUGES(COUNTER_MEMBER, )
};

static const struct counter work_rows[] = { WORK_COUNTERS(
	COUNTER_ROW, struct work_counters) };
static const struct counter gauge_rows[] = { WORK_GAUGES(COUNTER_ROW,
							 struct work_gauges) };
static const struct counter_list work_list = COUNTER_LIST(work_rows);
static const struct counter_list gauge_list = COUNTER_LIST(gauge_rows);

static const struct work_counters work = { 7, 1000, 5 };
static const struct work_gauges gauge = { 1, 1500000, 2500 };

static bool find_all(void *ctx, unsigned i, struct ctl_item *out)
{
	(void)ctx;
	(void)i;
	out->counters = &work;
	return true;
}

/* There are numbers 0 and 2 of three. */
static bool find_one(void *ctx, unsigned i, struct ctl_item *out)
{
	(void)ctx;
	out->counters = &work;
	out->gauges = &gauge;
	memcpy(out->note, "there", 6);
	return i != 1;
}

static const struct ctl_group groups[] = {
	{ "lane", "lane", 3, &work_list, &gauge_list, find_one },
	{ "all", "all of it", 0, &work_list, NULL, find_all },
};

#define SHOWN                                                                  \
	{                                                                      \
		"work", groups, ARRAY_SIZE(groups), NULL                       \
	}

static void test_prometheus(void)
{
	static const char expected[] =
		"# HELP understudy_work_lane_alive whether it is\n"
		"# TYPE understudy_work_lane_alive gauge\n"
		"understudy_work_lane_alive{lane=\"0\",to=\"there\"} 1\n"
		"understudy_work_lane_alive{lane=\"2\",to=\"there\"} 1\n"
		"# HELP understudy_work_lane_rate_bytes_per_second how fast it "
		"is\n"
		"# TYPE understudy_work_lane_rate_bytes_per_second gauge\n"
		"understudy_work_lane_rate_bytes_per_second{lane=\"0\",to="
		"\"there\"} "
		"1500000\n"
		"understudy_work_lane_rate_bytes_per_second{lane=\"2\",to="
		"\"there\"} "
		"1500000\n"
		"# HELP understudy_work_lane_rtt_us round trip\n"
		"# TYPE understudy_work_lane_rtt_us gauge\n"
		"understudy_work_lane_rtt_us{lane=\"0\",to=\"there\"} 2500\n"
		"understudy_work_lane_rtt_us{lane=\"2\",to=\"there\"} 2500\n"
		"# HELP understudy_work_lane_done_total what was done\n"
		"# TYPE understudy_work_lane_done_total counter\n"
		"understudy_work_lane_done_total{lane=\"0\",to=\"there\"} 7\n"
		"understudy_work_lane_done_total{lane=\"2\",to=\"there\"} 7\n"
		"# HELP understudy_work_lane_sent_bytes_total what was sent\n"
		"# TYPE understudy_work_lane_sent_bytes_total counter\n"
		"understudy_work_lane_sent_bytes_total{lane=\"0\",to=\"there\"}"
		" 1000\n"
		"understudy_work_lane_sent_bytes_total{lane=\"2\",to=\"there\"}"
		" 1000\n"
		"# HELP understudy_work_lane_slept_ns_total time asleep\n"
		"# TYPE understudy_work_lane_slept_ns_total counter\n"
		"understudy_work_lane_slept_ns_total{lane=\"0\",to=\"there\"} "
		"5\n"
		"understudy_work_lane_slept_ns_total{lane=\"2\",to=\"there\"} "
		"5\n"
		"# HELP understudy_work_all_done_total what was done\n"
		"# TYPE understudy_work_all_done_total counter\n"
		"understudy_work_all_done_total 7\n"
		"# HELP understudy_work_all_sent_bytes_total what was sent\n"
		"# TYPE understudy_work_all_sent_bytes_total counter\n"
		"understudy_work_all_sent_bytes_total 1000\n"
		"# HELP understudy_work_all_slept_ns_total time asleep\n"
		"# TYPE understudy_work_all_slept_ns_total counter\n"
		"understudy_work_all_slept_ns_total 5\n";
	static const struct ctl_shown shown = SHOWN;
	char buf[8192];
	struct text t;

	text_begin(&t, buf, sizeof(buf));
	ctl_show_prometheus(&shown, &t);
	CHECK(!t.full);
	CHECK_ROW(strcmp(buf, expected) == 0, buf);
}

static void test_json_and_text(void)
{
	static const char json[] =
		"{\"type\":\"work\",\"schema\":1,\"lanes\":["
		"{\"lane\":0,\"to\":\"there\",\"alive\":true,\"rate\":1500000,"
		"\"rtt_us\":2500,\"done\":7,\"sent_bytes\":1000,\"slept\":5},"
		"{\"lane\":2,\"to\":\"there\",\"alive\":true,\"rate\":1500000,"
		"\"rtt_us\":2500,\"done\":7,\"sent_bytes\":1000,\"slept\":5}],"
		"\"all\":{\"done\":7,\"sent_bytes\":1000,\"slept\":5}}\n";
	static const struct ctl_shown shown = SHOWN;
	char buf[8192];
	struct text t;

	CHECK(ctl_show_json(&shown, buf, sizeof(buf)) == sizeof(json) - 1);
	CHECK_ROW(strcmp(buf, json) == 0, buf);
	CHECK(ctl_show_json(&shown, buf, sizeof(json) - 1) == 0);
	text_begin(&t, buf, sizeof(buf));
	ctl_show_text(&shown, &t);
	CHECK_ROW(strstr(buf, "lane 2 to there\n") != NULL, buf);
	CHECK_ROW(strstr(buf, "         1.5 MB/s  how fast it is\n") != NULL,
		  buf);
	CHECK_ROW(strstr(buf, "all of it\n") != NULL, buf);
}

/* --- the socket --- */

struct knobs {
	uint32_t number;
	bool flag;
	uint32_t fixed;
};

static const struct opt_row knob_rows[] = {
	{ "number", 0, &opt_kind_u32, offsetof(struct knobs, number), "N", "",
	  .group = "", .most = 100, .flags = OPT_RUNTIME },
	{ "flag", 0, &opt_kind_flag, offsetof(struct knobs, flag), NULL, "",
	  .group = "", .flags = OPT_RUNTIME },
	{ "fixed", 0, &opt_kind_u32, offsetof(struct knobs, fixed), "N", "",
	  .group = "", .most = 100 },
	{ "help", 'h', &opt_kind_help, 0, NULL, "", .group = "" },
};
static const struct opt_table knob_tables[] = {
	{ knob_rows, ARRAY_SIZE(knob_rows), 0 },
};
static const struct opt_command knob_command = {
	.name = "work",
	.usage = "work",
	.tables = knob_tables,
	.count = 1,
};

/** struct rig - A server, its loop, and its user */
struct rig {
	char dir[32];
	char path[160]; /* more than a socket may have */
	struct arena arena;
	struct loop *loop;
	struct ctl *ctl;
	struct knobs knobs;
	struct knobs before;
	unsigned told;
};

static int before(void *ctx, const char *name, struct errbuf *e)
{
	struct rig *r = ctx;

	(void)name;
	(void)e;
	r->before = r->knobs;
	return 0;
}

/* 13 is refused. */
static int after(void *ctx, const char *name, struct errbuf *e)
{
	struct rig *r = ctx;

	r->told++;
	if (r->knobs.number != 13)
		return 0;
	r->knobs = r->before;
	return errbuf_set(e, -EINVAL, "%s: brings bad luck", name);
}

/* Says a number twice. */
static int twice(void *ctx, const char *words, struct text *out,
		 struct errbuf *e)
{
	struct rig *r = ctx;

	r->told++;
	if (words[0] == '\0')
		return errbuf_set(e, -EINVAL, "twice what?");
	text_add(out, "%s%s\n", words, words);
	return 0;
}

/* More than an answer may have. */
static int long_one(void *ctx, const char *words, struct text *out,
		    struct errbuf *e)
{
	(void)ctx;
	(void)words;
	(void)e;
	while (!out->full)
		text_add(out, "%01000d\n", 0);
	return 0;
}

static const struct ctl_call calls[] = {
	{ "twice", "twice WORDS", twice },
	{ "long", "long", long_one },
};

static int open_rig(struct rig *r, struct errbuf *e)
{
	struct ctl_config c = { .path = r->path,
				.options = &knob_command,
				.base = &r->knobs,
				.before = before,
				.after = after,
				.call = calls,
				.calls = ARRAY_SIZE(calls),
				.ctx = r,
				.shown = SHOWN };
	int rc;

	r->arena.used = 0;
	rc = ctl_open(&r->ctl, &r->arena, &c, e);
	return rc == 0 ? ctl_serve(r->ctl, r->loop) : rc;
}

static void begin(struct rig *r)
{
	struct errbuf e = { "" };

	*r = (struct rig){ .dir = "/tmp/test_ctl.XXXXXX" };
	CHECK(mkdtemp(r->dir) != NULL);
	snprintf(r->path, sizeof(r->path), "%s/ctl", r->dir);
	CHECK(mem_take(&r->arena, ctl_size(), 0) == 0);
	CHECK(loop_open(&r->loop) == 0);
	CHECK_ROW(open_rig(r, &e) == 0, e.s);
}

static void end(struct rig *r)
{
	ctl_close(r->ctl);
	loop_close(r->loop);
	mem_give(&r->arena);
	CHECK(unlink(r->path) == 0 && rmdir(r->dir) == 0);
}

static void turn(struct rig *r)
{
	while (loop_wait(r->loop, 0) > 0)
		;
}

static int connect_to(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	memcpy(a.sun_path, path, strlen(path));
	CHECK(fd >= 0);
	return connect(fd, (void *)&a, sizeof(a)) == 0 ? fd
						       : (close(fd), -errno);
}

static void tell(struct rig *r, int fd, const char *line)
{
	CHECK(write(fd, line, strlen(line)) == (ssize_t)strlen(line));
	turn(r);
}

/* All that has come; NULL: it was closed, and nothing had. */
static const char *hear(struct rig *r, int fd)
{
	static char buf[READ_MAX];
	size_t n = 0;
	ssize_t k;

	while ((k = read(fd, buf + n, sizeof(buf) - 1 - n)) > 0) {
		n += (size_t)k;
		turn(r);
	}
	buf[n] = '\0';
	return n == 0 && k == 0 ? NULL : buf;
}

static void expect(struct rig *r, int fd, const char *line, const char *answer)
{
	const char *got;

	tell(r, fd, line);
	got = hear(r, fd);
	CHECK_ROW(got != NULL && strcmp(got, answer) == 0,
		  got != NULL ? got : line);
}

static void test_get_and_set(void)
{
	static struct rig r;
	int fd;

	begin(&r);
	fd = connect_to(r.path);
	CHECK(fd >= 0);
	turn(&r);
	expect(&r, fd, "get number\n", "ok 2\n0\n");
	expect(&r, fd, "set number 5\nget number\n", "ok 0\nok 2\n5\n");
	CHECK(r.knobs.number == 5 && r.told == 1);
	expect(&r, fd, "set flag on\n", "ok 0\n");
	CHECK(r.knobs.flag && r.told == 2);
	expect(&r, fd, "get\n",
	       "ok 25\n"
	       "number 5\nflag on\nfixed 0\n");
	expect(&r, fd, "set number 13\n", "error number: brings bad luck\n");
	CHECK(r.knobs.number == 5 && r.told == 3);
	tell(&r, fd, "set fixed 4\nset number 101\nset nmber 4\nset flag 1\n");
	CHECK(strncmp(hear(&r, fd), "error fixed cannot be", 21) == 0);
	CHECK(r.knobs.number == 5 && r.knobs.fixed == 0 && r.told == 3);
	CHECK(ctl_counters(r.ctl)->requests == 10);
	CHECK(ctl_counters(r.ctl)->errors == 5);
	tell(&r, fd, "sho");
	expect(&r, fd, "w nothing\n",
	       "error show nothing: write show, show json or show "
	       "prometheus\n");
	tell(&r, fd, "show prometheus\n");
	CHECK(strncmp(hear(&r, fd), "ok ", 3) == 0);
	close(fd);
	turn(&r);
	end(&r);
}

static void test_calls(void)
{
	static struct rig r;
	int fd;

	begin(&r);
	fd = connect_to(r.path);
	turn(&r);
	expect(&r, fd, "twice a b\n", "ok 7\na ba b\n");
	expect(&r, fd, "twice\n", "error twice what?\n");
	CHECK(r.told == 2);
	expect(&r, fd, "long\n", "error the answer is too long\n");
	expect(&r, fd, "thrice 1\n",
	       "error thrice: is no request; " CTL_USAGE
	       "; or twice WORDS, long\n");
	CHECK(r.told == 2 && ctl_counters(r.ctl)->no_room == 1);
	CHECK(ctl_counters(r.ctl)->errors == 3);
	close(fd);
	turn(&r);
	end(&r);
}

static void test_limits(void)
{
	static struct rig r;
	char line[CTL_LINE + 2];
	int fd[CTL_CLIENTS + 1];

	begin(&r);
	for (int i = 0; i <= CTL_CLIENTS; i++) {
		fd[i] = connect_to(r.path);
		turn(&r);
	}
	CHECK(hear(&r, fd[CTL_CLIENTS]) == NULL);
	CHECK(ctl_counters(r.ctl)->full == 1);
	expect(&r, fd[0], "get number\n", "ok 2\n0\n");
	/* Who goes makes room. */
	close(fd[0]);
	turn(&r);
	close(fd[CTL_CLIENTS]);
	fd[CTL_CLIENTS] = connect_to(r.path);
	turn(&r);
	expect(&r, fd[CTL_CLIENTS], "get number\n", "ok 2\n0\n");
	memset(line, 'a', sizeof(line));
	line[CTL_LINE] = '\0';
	tell(&r, fd[1], line);
	CHECK(hear(&r, fd[1]) == NULL);
	CHECK(ctl_counters(r.ctl)->too_long == 1);
	for (int i = 1; i <= CTL_CLIENTS; i++)
		close(fd[i]);
	turn(&r);
	end(&r);
}

/* An answer that its client does not take keeps none waiting, and is whole. */
static void test_slow_client(void)
{
	static struct rig r;
	static char ask[4096];
	const char *got;
	size_t asked = 0, heard = 0, want;
	int fd, other;

	begin(&r);
	fd = connect_to(r.path);
	turn(&r);
	for (size_t i = 0; i + 16 < sizeof(ask); i += 16)
		memcpy(ask + i, "show prometheus\n", 17);
	/* Until nothing more is taken of him. */
	for (int i = 0; i < 1000; i++) {
		ssize_t n = write(fd, ask, strlen(ask));

		turn(&r);
		if (n <= 0)
			break;
		asked += (size_t)n;
	}
	want = ctl_counters(r.ctl)->requests;
	CHECK(asked / 16 > want);
	other = connect_to(r.path);
	turn(&r);
	expect(&r, other, "get number\n", "ok 2\n0\n");
	got = hear(&r, fd);
	while (got != NULL && got[0] != '\0') {
		for (; (got = strstr(got, "ok ")) != NULL; got += 3)
			heard++;
		got = hear(&r, fd);
	}
	CHECK(heard == asked / 16);
	close(fd);
	close(other);
	turn(&r);
	end(&r);
}

static void test_watch(void)
{
	static struct rig r;
	struct json j;
	const char *got;
	int fd, lazy;

	begin(&r);
	CHECK(!ctl_event(NULL, &j, "x") && !ctl_event(r.ctl, &j, "x"));
	fd = connect_to(r.path);
	lazy = connect_to(r.path);
	turn(&r);
	expect(&r, lazy, "watch\n", "events\n");
	expect(&r, fd, "watch\n", "events\n");
	CHECK(ctl_event(r.ctl, &j, "path_lost"));
	json_u64(&j, "path", 3);
	ctl_tell(r.ctl, &j);
	got = hear(&r, fd);
	CHECK_ROW(strncmp(got, "{\"event\":\"path_lost\",\"at\":\"2", 28) == 0,
		  got);
	CHECK_ROW(strstr(got, "Z\",\"path\":3}\n") != NULL, got);
	/* He does not read: he is closed, and the other one hears all. */
	for (int i = 0; i < 100000 && ctl_counters(r.ctl)->slow == 0; i++) {
		CHECK(ctl_event(r.ctl, &j, "x"));
		ctl_tell(r.ctl, &j);
		CHECK(strncmp(hear(&r, fd), "{\"event\":\"x\"", 12) == 0);
	}
	CHECK(ctl_counters(r.ctl)->slow == 1);
	/* What he asks behind it has no answer. */
	tell(&r, fd, "get number\n");
	CHECK(strcmp(hear(&r, fd), "") == 0);
	close(fd);
	turn(&r);
	CHECK(!ctl_event(r.ctl, &j, "x"));
	close(lazy);
	end(&r);
}

static void test_place(void)
{
	static struct rig r, second;
	struct errbuf e = { "" };
	struct stat st;
	int fd;

	begin(&r);
	CHECK(stat(r.path, &st) == 0 && (st.st_mode & 0777) == 0600);
	second = r;
	CHECK(open_rig(&second, &e) == -EADDRINUSE);
	CHECK_ROW(strstr(e.s, "another process listens") != NULL, e.s);
	ctl_close(r.ctl);
	CHECK(stat(r.path, &st) == 0);
	CHECK_ROW(open_rig(&r, &e) == 0, e.s);
	ctl_close(r.ctl);
	CHECK(unlink(r.path) == 0);
	fd = open(r.path, O_CREAT | O_WRONLY, 0600);
	CHECK(fd >= 0 && open_rig(&second, &e) == -EEXIST);
	close(fd);
	CHECK(unlink(r.path) == 0);
	memset(second.path, 'a', sizeof(second.path) - 1);
	CHECK(open_rig(&second, &e) != 0);
	CHECK_ROW(open_rig(&r, &e) == 0, e.s);
	end(&r);
}

/* Another user, for whom somebody has opened the file. */
static void test_strangers(void)
{
	static struct rig r;
	int status = 0;
	pid_t child;

	if (geteuid() != 0)
		CHECK_SKIP("only root can be another user");
	begin(&r);
	CHECK(chmod(r.dir, 0755) == 0 && chmod(r.path, 0666) == 0);
	child = fork();
	if (child == 0) {
		int fd = setuid(65534) == 0 ? connect_to(r.path) : -1;

		_exit(fd >= 0 ? 0 : 1);
	}
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	turn(&r);
	CHECK(ctl_counters(r.ctl)->strangers == 1);
	CHECK(ctl_counters(r.ctl)->clients == 0);
	end(&r);
}

/* --- the client --- */

static int parse(struct ctl_options *o, const char *a, const char *b,
		 const char *c)
{
	char words[3][600];
	char *argv[3];
	struct errbuf e = { "" };
	int n = 0, rc;

	for (const char *const *w = (const char *const[]){ a, b, c, NULL };
	     *w != NULL; w++) {
		snprintf(words[n], sizeof(words[n]), "%s", *w);
		argv[n] = words[n];
		n++;
	}
	rc = ctl_options_parse(o, n, argv, &e);
	CHECK((rc < 0) == (e.s[0] != '\0'));
	return rc;
}

static void test_command_line(void)
{
	struct ctl_options o;
	char longest[CTL_LINE];

	CHECK(parse(&o, "/run/x", "show", NULL) == 0);
	CHECK(strcmp(o.request, "show") == 0);
	CHECK(parse(&o, "/run/x", "set", "weight 5") == 0);
	CHECK(strcmp(o.request, "set weight 5") == 0);
	CHECK(parse(&o, "/run/x", NULL, NULL) == -EINVAL);
	CHECK(parse(&o, NULL, NULL, NULL) == -EINVAL);
	CHECK(parse(&o, "/run/x", "a\nb", NULL) == -EINVAL);
	CHECK(parse(&o, "--help", NULL, NULL) == 1);
	memset(longest, 'a', sizeof(longest));
	longest[CTL_LINE - 2] = '\0';
	CHECK(parse(&o, "/run/x", longest, NULL) == -EINVAL);
	longest[CTL_LINE - 3] = '\0';
	CHECK(parse(&o, "/run/x", longest, NULL) == 0);
	CHECK(strlen(o.request) == CTL_LINE - 3);
	opt_forget();
}

static const struct check_test tests[] = {
	{ "a line is a request, or is refused with a sentence", test_requests },
	{ "lengths of lines and names", test_long_requests },
	{ "Prometheus has each family once, with its help", test_prometheus },
	{ "JSON is one line, and text names all", test_json_and_text },
	{ "what is set is got, and what is refused is put back",
	  test_get_and_set },
	{ "requests of its own", test_calls },
	{ "requests for metrics", test_heads },
	{ "clients and lines have a limit", test_limits },
	{ "who does not read is not asked again", test_slow_client },
	{ "who watches hears all, or is closed", test_watch },
	{ "the socket is the owner's, and replaces a dead one", test_place },
	{ "another user is refused", test_strangers },
	{ "the client's words are one request", test_command_line },
};

int main(void)
{
	return check_main(tests, ARRAY_SIZE(tests));
}
