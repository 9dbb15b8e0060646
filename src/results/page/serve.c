/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * serve.c - Requests come, answers go
 *
 * Theory of operation
 *
 * HTTP is libmicrohttpd's: it reads a head, and hands over its fields. What a
 * request may have is said by ask.c, of the target as it was sent; the library
 * decodes none. One thread: its descriptors are waited for here, together with
 * the one that ends it. An answer is made whole, copied, and goes out as the
 * client takes it; how many clients there are, what each may send and how long
 * one may say nothing has bounds. When all places are taken, who comes waits.
 *
 * Each answer says that nothing but our own files may be loaded, nothing framed
 * and nothing stored; the page sets only text of what was captured, which the
 * browser is told to insist on (require-trusted-types-for).
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "page/page_internal.h"
#include "text/json.h"

#define CLIENTS 64u
#define SILENT	30u /* s */
#define MEMORY	(32u << 10)
#define PACKETS (64 << 20) /* bytes of a file that are given */
#define STATIC_CSP                                                             \
	"default-src 'none'; script-src 'self'; style-src 'self'; "            \
	"img-src 'self'; connect-src 'self'; base-uri 'none'; "                \
	"form-action 'none'; frame-ancestors 'none'; "                         \
	"require-trusted-types-for 'script'; trusted-types 'none'"

static const char *const always[][2] = {
	{ "Content-Security-Policy", STATIC_CSP },
	{ "X-Content-Type-Options", "nosniff" },
	{ "Referrer-Policy", "no-referrer" },
	{ "Cross-Origin-Opener-Policy", "same-origin" },
	{ "Cross-Origin-Resource-Policy", "same-origin" },
	{ "Cache-Control", "no-store" },
};

/* A request, from its line on. */
struct asked {
	char *target;
	bool told; /* its head was read */
	int status;
	struct ask_want want;
};

/* --- what a request says --- */

struct field {
	const char *name;
	const char **to;
	unsigned n;
};

static enum MHD_Result look(void *ctx, enum MHD_ValueKind kind,
			    const char *name, const char *value)
{
	struct field *f = ctx;

	(void)kind;
	if (strcasecmp(name, f->name) == 0) {
		f->n++;
		*f->to = value ? value : "";
	}
	return MHD_YES;
}

static void read_fields(struct MHD_Connection *c, struct ask_said *q)
{
	struct field f[] = { { "Host", &q->host, 0 },
			     { "Origin", &q->origin, 0 },
			     { "Sec-Fetch-Site", &q->site, 0 },
			     { "Authorization", &q->token, 0 } };
	const char *none = NULL;
	struct field length = { "Content-Length", &none, 0 };
	struct field coding = { "Transfer-Encoding", &none, 0 };

	for (size_t i = 0; i < sizeof(f) / sizeof(f[0]); i++) {
		(void)MHD_get_connection_values(c, MHD_HEADER_KIND, look,
						&f[i]);
		q->twice |= f[i].n > 1;
	}
	(void)MHD_get_connection_values(c, MHD_HEADER_KIND, look, &length);
	q->body = length.n > 1 || (length.n == 1 && strcmp(none, "0") != 0);
	(void)MHD_get_connection_values(c, MHD_HEADER_KIND, look, &coding);
	q->body |= coding.n > 0;
}

/* --- answers --- */

static enum MHD_Result give(struct MHD_Connection *c, int status,
			    const char *type, const void *p, size_t n)
{
	/* The library wants no const, and copies. */
	struct MHD_Response *r = MHD_create_response_from_buffer(
		n, (void *)(uintptr_t)p, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result ok = r ? MHD_YES : MHD_NO;

	for (size_t i = 0; ok && i < sizeof(always) / sizeof(always[0]); i++)
		ok = MHD_add_response_header(r, always[i][0], always[i][1]);
	if (ok)
		ok = MHD_add_response_header(r, "Content-Type", type);
	if (ok && status == 405)
		ok = MHD_add_response_header(r, "Allow", "GET, HEAD");
	if (ok && status == 401)
		ok = MHD_add_response_header(r, "WWW-Authenticate", "Bearer");
	if (ok)
		ok = MHD_queue_response(c, (unsigned)status, r);
	if (r)
		MHD_destroy_response(r);
	return ok;
}

static enum MHD_Result refuse(struct MHD_Connection *c, int status,
			      const char *why)
{
	char line[sizeof(struct errbuf) * 6 + 64];
	struct json j;

	json_begin(&j, line, sizeof(line));
	json_bytes(&j, "error", why, strlen(why));
	return give(c, status, "application/json", line, json_line(&j));
}

static const char *reason_of(int status)
{
	switch (status) {
	case 400:
		return "it is no request of this page's";
	case 401:
		return "the token is missing, or another run's: open the "
		       "address that the terminal shows";
	case 403:
		return "it came from another site, or for another host";
	case 405:
		return "nothing can be changed here";
	default:
		return "nothing is there";
	}
}

static enum MHD_Result give_packets(struct server *s, struct MHD_Connection *c,
				    int64_t id)
{
	char path[1100];
	uint8_t *p = NULL;
	enum MHD_Result ok;
	off_t n = 0;
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "%s/d-%06lld.pcapng", s->dir,
		 (long long)id);
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0)
		n = lseek(fd, 0, SEEK_END);
	if (n > 0 && n <= PACKETS && lseek(fd, 0, SEEK_SET) == 0)
		p = malloc((size_t)n);
	got = p ? read(fd, p, (size_t)n) : -1;
	ok = got == n ? give(c, 200, "application/vnd.tcpdump.pcap", p,
			     (size_t)n)
		      : refuse(c, 404,
			       "there are no packets of it: they are "
			       "made of -w, when the run is over");
	free(p);
	if (fd >= 0)
		close(fd);
	return ok;
}

static enum MHD_Result give_answer(struct server *s, struct MHD_Connection *c,
				   const struct ask_want *w)
{
	struct errbuf e = { "" };
	size_t n;
	int status;

	if (w->what == ASK_HEALTH)
		return give(c, 200, "text/plain", "ok\n", 3);
	if (w->what < ASK_HEALTH)
		return give(c, 200, page_files[w->what].type,
			    page_files[w->what].p, page_files[w->what].n);
	if (w->what == ASK_PACKETS)
		return give_packets(s, c, w->id);
	status = answer(s->dir, w, s->answer, &n, &e);
	assert((status == 200) == (n > 0));
	if (status != 200)
		return refuse(c, status, e.s);
	return give(c, status,
		    w->what == ASK_METRICS ? "text/plain; version=0.0.4"
					   : "application/json",
		    s->answer, n);
}

/* --- the library's calls --- */

static void *begin_request(void *ctx, const char *uri, struct MHD_Connection *c)
{
	struct asked *a = calloc(1, sizeof(*a));

	(void)ctx;
	(void)c;
	if (a)
		a->target = strdup(uri);
	return a;
}

static void end_request(void *ctx, struct MHD_Connection *c, void **of,
			enum MHD_RequestTerminationCode why)
{
	struct asked *a = *of;

	(void)ctx;
	(void)c;
	(void)why;
	if (a)
		free(a->target);
	free(a);
	*of = NULL;
}

static enum MHD_Result handle(void *ctx, struct MHD_Connection *c,
			      const char *url, const char *method,
			      const char *version, const char *upload,
			      size_t *upload_size, void **of)
{
	struct server *s = ctx;
	struct asked *a = *of;
	struct ask_said q = { .method = method };

	(void)url;
	(void)version;
	(void)upload;
	if (!a || !a->target)
		return MHD_NO;
	if (!a->told) {
		a->told = true;
		q.target = a->target;
		read_fields(c, &q);
		a->status = ask(&s->door, &q, &a->want);
		/* Content is not waited for: the connection ends with it. */
		return q.body ? refuse(c, a->status, reason_of(a->status))
			      : MHD_YES;
	}
	if (*upload_size > 0)
		return MHD_NO;
	return a->status == 200 ? give_answer(s, c, &a->want)
				: refuse(c, a->status, reason_of(a->status));
}

int serve_open(struct server *s)
{
	s->http = MHD_start_daemon(
		MHD_USE_EPOLL, 0, NULL, NULL, handle, s,
		MHD_OPTION_LISTEN_SOCKET, s->fd, MHD_OPTION_CONNECTION_LIMIT,
		CLIENTS, MHD_OPTION_CONNECTION_TIMEOUT, SILENT,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY,
		MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_URI_LOG_CALLBACK,
		begin_request, NULL, MHD_OPTION_NOTIFY_COMPLETED, end_request,
		NULL, MHD_OPTION_END);
	return s->http ? 0 : -ENOMEM;
}

int serve(struct server *s)
{
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(s->http, MHD_DAEMON_INFO_EPOLL_FD);
	struct pollfd p[2] = { { .fd = s->until, .events = POLLIN } };

	if (!info)
		return -EIO;
	p[1] = (struct pollfd){ .fd = info->epoll_fd, .events = POLLIN };
	for (;;) {
		MHD_UNSIGNED_LONG_LONG ms;
		struct timespec t = { .tv_sec = 1 };

		if (MHD_get_timeout(s->http, &ms) == MHD_YES && ms < 1000)
			t = (struct timespec){ .tv_nsec = (long)ms * 1000000 };
		if (ppoll(p, 2, &t, NULL) < 0 && errno != EINTR)
			return -errno;
		if (p[0].revents != 0)
			return 0;
		if (MHD_run(s->http) != MHD_YES)
			return -EIO;
	}
}

void serve_close(struct server *s)
{
	if (s->http)
		MHD_stop_daemon(s->http);
	s->http = NULL;
}
