/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * page.c - The process that shows a folder
 *
 * It listens before anything is given up, at a port of this host's loopback
 * alone, and opens no other socket: the kernel is told that it may not
 * (sandbox_calls(), and Landlock from Linux 6.7 on). Of the file system it has
 * the folder, to read. Who takes it over has what the folder has, which is
 * redacted, and the browser's trust in this origin.
 *
 * Beside a run it is forked, as the keeper is, and ends when the run does: by a
 * pipe that the run holds open, and by the kernel (PR_SET_PDEATHSIG).
 */
#include "page/page.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/address.h"
#include "os/confine.h"
#include "os/log.h"
#include "os/random.h"
#include "os/signals.h"
#include "page/page_internal.h"
#include "store/store.h"

#define WAITING 64 /* clients */

/* --- what both have --- */

static int make_token(struct ask_door *d)
{
	uint8_t raw[(ASK_TOKEN - 1) / 2];
	int r = random_bytes(raw, sizeof(raw));

	for (size_t i = 0; r == 0 && i < sizeof(raw); i++)
		snprintf(d->token + 2 * i, 3, "%02x", raw[i]);
	return r;
}

static int port_of(int fd, uint16_t *port)
{
	struct sockaddr_storage a;
	socklen_t n = sizeof(a);
	struct ipaddr ip;

	return getsockname(fd, (struct sockaddr *)&a, &n) == 0
		       ? address_get(&a, &ip, port)
		       : -errno;
}

static int listen_at(struct server *s, const struct page_options *o,
		     struct errbuf *e)
{
	const char *where = o->listen ? o->listen : PAGE_LISTEN;
	struct ipaddr ip;
	uint16_t port;
	int r = page_where(where, &ip, &port, e);

	if (r != 0)
		return r;
	s->fd = address_bind(&ip, port, false, e);
	if (s->fd < 0) {
		r = s->fd;
		return r == -EADDRINUSE
			       ? errbuf_set(e, r,
					    "--listen %s: somebody listens "
					    "there already; give another port, "
					    "or 0 for any",
					    where)
			       : r;
	}
	r = listen(s->fd, WAITING) == 0 ? port_of(s->fd, &port) : -errno;
	if (r == 0)
		r = make_token(&s->door);
	if (r != 0) {
		close(s->fd);
		return errbuf_set(e, r, "--listen %s: %s", where, strerror(-r));
	}
	ask_door(&s->door, &ip, port);
	return 0;
}

static struct server *new_server(const struct page_options *o, struct errbuf *e)
{
	struct server *s = calloc(1, sizeof(*s));

	if (!s) {
		errbuf_set(e, -ENOMEM, "no memory");
		return NULL;
	}
	s->dir = o->dir;
	if (listen_at(s, o, e) == 0)
		return s;
	free(s);
	return NULL;
}

static void put_url(const struct server *s, char url[PAGE_URL])
{
	snprintf(url, PAGE_URL, "http://%s/#%s", s->door.host, s->door.token);
}

static int shut_in(struct server *s, const char *user, bool stay,
		   struct errbuf *e)
{
	static char path[STORE_PATH];
	struct confine c = { .user = user,
			     .stay = stay,
			     .quiet = true,
			     .box = { .needs = SANDBOX_RUN | SANDBOX_STORE |
					       SANDBOX_LOOP | SANDBOX_CONTROL |
					       SANDBOX_SERVE,
				      .broker = -1,
				      .control = s->fd } };
	int r;

	if (snprintf(path, sizeof(path), "%s/" STORE_FILE, s->dir) >=
	    (int)sizeof(path))
		return errbuf_set(e, -ENAMETOOLONG, "%s: too long a name",
				  s->dir);
	confine_place(&c, path, false);
	r = confine(&c, CONFINE_EARLY, e);
	/* A change of user undoes it, and no filter lets it through later. */
	if (r == 0 && !stay && prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		r = errbuf_set(e, -errno, "cannot be bound to the run");
	if (r == 0 && serve_open(s) != 0)
		r = errbuf_set(e, -EIO, "the page cannot be served");
	return r == 0 ? confine(&c, CONFINE_FINAL, e) : r;
}

/* --- understudy page --- */

static int look_at(const char *dir, struct errbuf *e)
{
	struct archive *a = NULL;
	int r = archive_open(&a, dir, e);

	archive_close(a);
	return r;
}

int page_run(const struct page_options *o, struct errbuf *e)
{
	char url[PAGE_URL];
	struct server *s;
	int r;

	if (access(o->dir, R_OK) != 0)
		return errbuf_set(e, -errno,
				  "%s: %s; give the folder that a run made "
				  "with --out",
				  o->dir, strerror(errno));
	s = new_server(o, e);
	if (!s)
		return -EIO;
	s->until = signals_open();
	r = s->until < 0 ? errbuf_set(e, s->until, "cannot take signals")
			 : shut_in(s, NULL, true, e);
	if (r == 0)
		r = look_at(o->dir, e);
	if (r == 0) {
		put_url(s, url);
		r = printf("%s\n", url) > 0 && fflush(stdout) == 0
			    ? serve(s)
			    : errbuf_set(e, -EIO, "standard output is shut");
	}
	serve_close(s);
	free(s);
	return r;
}

/* --- beside a run --- */

struct page {
	int pipe; /* the writing end: nothing is ever written */
};

static void run(struct server *s, const char *user)
{
	struct errbuf e = { "" };
	sigset_t all;
	int keep[2] = { s->fd, s->until };
	unsigned low = (unsigned)(keep[0] < keep[1] ? keep[0] : keep[1]);
	unsigned high = (unsigned)(keep[0] < keep[1] ? keep[1] : keep[0]);

	(void)setpgid(0, 0);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	(void)prctl(PR_SET_NAME, "understudy-page");
	/* SQLite takes no descriptor below 3 for a file. */
	(void)close_range(0, STDERR_FILENO - 1, 0);
	for (int i = 0; i < STDERR_FILENO; i++)
		(void)open("/dev/null", O_RDWR);
	if (low > STDERR_FILENO + 1)
		(void)close_range(STDERR_FILENO + 1, low - 1, 0);
	if (high > low + 1)
		(void)close_range(low + 1, high - 1, 0);
	(void)close_range(high + 1, ~0u, 0);
	if (shut_in(s, user, false, &e) != 0)
		log_line(LOG_WARN, "--listen: %s", e.s);
	else
		(void)serve(s);
	_exit(0);
}

int page_start(struct page **out, const struct page_options *o,
	       const char *user, char url[PAGE_URL], struct errbuf *e)
{
	struct page *p = calloc(1, sizeof(*p));
	struct server *s = p ? new_server(o, e) : NULL;
	int ends[2];
	pid_t child;

	if (!s) {
		free(p);
		return -EIO;
	}
	if (pipe2(ends, O_CLOEXEC) != 0) {
		close(s->fd);
		free(s);
		free(p);
		return errbuf_set(e, -EMFILE, "cannot make a pipe");
	}
	signal(SIGCHLD, SIG_IGN); /* nobody waits for it */
	s->until = ends[0];
	put_url(s, url);
	child = fork();
	if (child == 0)
		run(s, user);
	close(ends[0]);
	close(s->fd);
	free(s);
	p->pipe = ends[1];
	if (child < 0) {
		page_stop(p);
		return errbuf_set(e, -EAGAIN, "cannot make a process");
	}
	*out = p;
	return 0;
}

void page_stop(struct page *p)
{
	if (p)
		close(p->pipe);
	free(p);
}
