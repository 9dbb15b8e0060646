/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * server.c - The control socket, and who is connected to it
 *
 * Theory of operation
 *
 * The socket is made before privileges go; later a process may take
 * connections, but neither make a socket nor remove one. So its file stays
 * behind, and who starts next takes its place after he has seen that nobody
 * listens there.
 *
 * A file of mode 0600 lets in root and its owner, and only them; that the
 * kernel says the same of who connected (SO_PEERCRED) is looked at again, as
 * folders are copied and modes changed. Who it is counts at the start: a
 * process that becomes nobody is not to be ruled by another one of nobody's.
 *
 * A client has a line that is not whole yet, and bytes that wait for him. An
 * answer is written at once, as far as the kernel takes it; the loop tells when
 * it takes more (loop_turn()), and until then nothing more of him is read. So a
 * client can neither stop the loop nor make memory grow, and an answer always
 * has room. Who watches gets each event whole or is closed.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "ctl/request.h"
#include "os/clock.h"

#define WHEN	"at" /* key of an event's time */
#define WATCHED "events\n"

/** struct client - Who is connected; @fd -1: nobody */
struct client {
	struct ctl *c;
	struct loop_watch on;
	int fd;
	bool watches;
	bool waits; /* for the kernel to take more */
	struct ctl_input in;
	size_t sent;
	size_t n;
	char out[CTL_QUEUE];
};

struct ctl {
	struct ctl_config config;
	int fd;
	uid_t owner;
	struct loop *loop;
	struct loop_watch on;
	struct ctl_counters n;
	struct client client[CTL_CLIENTS];
	char answer[CTL_ANSWER];
	char event[CTL_EVENT];
};

static const struct counter rows[] = { CTL_COUNTERS(COUNTER_ROW,
						    struct ctl_counters) };

const struct counter_list ctl_counter_list = COUNTER_LIST(rows);

size_t ctl_size(void)
{
	return arena_need(sizeof(struct ctl));
}

/* --- bytes to a client --- */

static void drop(struct client *k)
{
	loop_drop(k->c->loop, &k->on);
	close(k->fd);
	k->fd = -1;
}

/* Write what waits, and wait for the rest. Return: false: he is gone */
static bool flush(struct client *k)
{
	while (k->sent < k->n) {
		ssize_t n = write(k->fd, k->out + k->sent, k->n - k->sent);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN) {
			drop(k);
			return false;
		}
		if (n < 0)
			break;
		k->sent += (size_t)n;
	}
	if (k->sent == k->n)
		k->sent = k->n = 0;
	if (k->waits != (k->n > 0)) {
		k->waits = k->n > 0;
		loop_turn(k->c->loop, &k->on, k->waits);
	}
	return true;
}

/* Return: false: there is no room */
static bool put(struct client *k, const char *p, size_t n)
{
	if (k->sent > 0) {
		k->n -= k->sent;
		memmove(k->out, k->out + k->sent, k->n);
		k->sent = 0;
	}
	if (n > sizeof(k->out) - k->n)
		return false;
	memcpy(k->out + k->n, p, n);
	k->n += n;
	return true;
}

static void say(struct client *k, const char *what, const char *sentence)
{
	char line[sizeof(struct errbuf) + 32];
	struct text t;

	text_begin(&t, line, sizeof(line));
	text_add(&t, "%s %s\n", what, sentence);
	(void)put(k, line, t.len);
}

/* --- events --- */

bool ctl_watched(const struct ctl *c)
{
	bool any = false;

	for (int i = 0; c && i < CTL_CLIENTS; i++)
		any |= c->client[i].fd >= 0 && c->client[i].watches;
	return any;
}

bool ctl_event(struct ctl *c, struct json *j, const char *name)
{
	char when[TEXT_NUMBER];

	if (!ctl_watched(c))
		return false;
	c->n.events++;
	json_begin(j, c->event, sizeof(c->event));
	json_str(j, "event", name);
	json_str(j, WHEN, text_when(when, clock_real()));
	return true;
}

void ctl_tell(struct ctl *c, struct json *j)
{
	size_t n = json_line(j);

	for (int i = 0; n > 0 && i < CTL_CLIENTS; i++) {
		struct client *k = &c->client[i];

		if (k->fd < 0 || !k->watches)
			continue;
		if (put(k, c->event, n)) {
			(void)flush(k);
		} else {
			c->n.slow++;
			drop(k);
		}
	}
}

/* --- answers --- */

/* A row that get shows. */
static bool is_shown(const struct opt_row *r)
{
	return !(r->flags & OPT_HIDDEN) && r->kind != &opt_kind_help;
}

static int get(struct ctl *c, const char *name, struct text *t,
	       struct errbuf *e)
{
	const struct opt_row *r;
	int rc = 0;

	if (name[0] != '\0') {
		rc = opt_get(c->config.options, c->config.base, name, t, e);
		text_add(t, "\n");
		return rc;
	}
	for (size_t i = 0; rc == 0; i++) {
		r = opt_row(c->config.options, i, NULL);
		if (!r)
			break;
		if (!is_shown(r))
			continue;
		text_add(t, "%s ", r->name);
		rc = opt_get(c->config.options, c->config.base, r->name, t, e);
		text_add(t, "\n");
	}
	return rc;
}

static int set(struct ctl *c, const struct ctl_request *r, struct errbuf *e)
{
	const struct ctl_config *f = &c->config;
	struct json j;
	int rc = f->before ? f->before(f->ctx, r->name, e) : 0;

	if (rc == 0)
		rc = opt_set(f->options, f->base, r->name, r->value, e);
	if (rc == 0 && f->after)
		rc = f->after(f->ctx, r->name, e);
	if (rc == 0 && ctl_event(c, &j, "set")) {
		json_str(&j, "name", r->name);
		json_str(&j, "value", r->value);
		ctl_tell(c, &j);
	}
	return rc;
}

static int call(struct ctl *c, const struct ctl_request *r, struct text *t,
		struct errbuf *e)
{
	const struct ctl_config *f = &c->config;
	char own[sizeof(e->s)];
	struct text more;

	text_begin(&more, own, sizeof(own));
	for (size_t i = 0; i < f->calls; i++) {
		if (strcmp(f->call[i].name, r->name) == 0)
			return f->call[i].run(f->ctx, r->value, t, e);
		text_add(&more, "%s%s", i == 0 ? "; or " : ", ",
			 f->call[i].usage);
	}
	return errbuf_set(e, -EINVAL, "%s: is no request; " CTL_USAGE "%s",
			  r->name, own);
}

/* Return: 0 or -Exxx with a sentence */
static int make_answer(struct client *k, const struct ctl_request *r,
		       struct text *t, struct errbuf *e)
{
	struct ctl *c = k->c;

	switch (r->verb) {
	case CTL_GET:
		return get(c, r->name, t, e);
	case CTL_SET:
		return set(c, r, e);
	case CTL_SHOW_TEXT:
		ctl_show_text(&c->config.shown, t);
		break;
	case CTL_SHOW_JSON:
		t->len = ctl_show_json(&c->config.shown, t->buf, t->size);
		t->full = t->len == 0;
		break;
	case CTL_SHOW_PROMETHEUS:
		ctl_show_prometheus(&c->config.shown, t);
		break;
	case CTL_WATCH:
		k->watches = true;
		break;
	case CTL_CALL:
		return call(c, r, t, e);
	}
	return 0;
}

static void answer(struct client *k, const struct ctl_request *r)
{
	struct ctl *c = k->c;
	struct errbuf e = { "" };
	char size[TEXT_NUMBER];
	struct text t, head;
	int rc;

	text_begin(&t, c->answer, sizeof(c->answer));
	rc = make_answer(k, r, &t, &e);
	if (rc == 0 && t.full) {
		c->n.no_room++;
		rc = errbuf_set(&e, -E2BIG, "the answer is too long");
	}
	c->n.errors += rc != 0;
	if (rc != 0) {
		say(k, "error", e.s);
		return;
	}
	if (k->watches) {
		(void)put(k, WATCHED, sizeof(WATCHED) - 1);
		return;
	}
	text_begin(&head, size, sizeof(size));
	text_add(&head, "%zu", t.len);
	say(k, "ok", size);
	(void)put(k, c->answer, t.len);
}

/* --- bytes from a client --- */

/* Answer what has come, one after the other. Return: false: he is gone */
static bool answer_all(struct client *k)
{
	struct ctl_request r;
	struct errbuf e = { "" };
	int rc;

	while (k->n == 0 && (rc = ctl_input_next(&k->in, &r, &e)) != 0) {
		if (rc == -E2BIG) {
			k->c->n.too_long++;
			drop(k);
			return false;
		}
		/* Behind watch there is nothing to ask. */
		if (k->watches)
			continue;
		k->c->n.requests++;
		if (rc == 1) {
			answer(k, &r);
		} else {
			k->c->n.errors++;
			say(k, "error", e.s);
		}
		if (k->fd < 0 || !flush(k))
			return false;
	}
	return true;
}

static void client_is_ready(void *ctx, uint64_t now)
{
	struct client *k = ctx;
	ssize_t n;

	(void)now;
	if (k->n > 0 && (!flush(k) || k->n > 0 || !answer_all(k)))
		return;
	if (k->n > 0)
		return;
	n = read(k->fd, k->in.b + k->in.n, sizeof(k->in.b) - k->in.n);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		drop(k);
		return;
	}
	k->in.n += (size_t)n;
	(void)answer_all(k);
}

/* Root, or who started this process? */
static bool is_ours(const struct ctl *c, int fd)
{
	struct ucred peer;
	socklen_t n = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) == 0 &&
	       (peer.uid == 0 || peer.uid == c->owner);
}

static struct client *free_client(struct ctl *c)
{
	for (int i = 0; i < CTL_CLIENTS; i++)
		if (c->client[i].fd < 0)
			return &c->client[i];
	return NULL;
}

static void somebody_came(void *ctx, uint64_t now)
{
	struct ctl *c = ctx;
	int fd = accept4(c->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct client *k = free_client(c);
	bool ours;

	(void)now;
	if (fd < 0)
		return;
	ours = is_ours(c, fd);
	if (!ours || !k) {
		c->n.strangers += !ours;
		c->n.full += ours;
		close(fd);
		return;
	}
	k->on = (struct loop_watch){ .ready = client_is_ready, .ctx = k };
	k->c = c;
	k->watches = k->waits = false;
	k->in.n = k->n = k->sent = 0;
	if (loop_add(c->loop, &k->on, fd) != 0) {
		close(fd);
		return;
	}
	k->fd = fd;
	c->n.clients++;
}

/* --- start and end --- */

/* A socket that nobody listens at is in the way of none. */
static int make_way(const struct sockaddr_un *a, struct errbuf *e)
{
	struct stat st;
	int fd, rc;

	if (lstat(a->sun_path, &st) != 0)
		return 0;
	if (!S_ISSOCK(st.st_mode))
		return errbuf_set(e, -EEXIST,
				  "--ctl %s: is there and no socket; give "
				  "another path",
				  a->sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	rc = fd < 0 ? -errno : 0;
	if (rc == 0 && connect(fd, (const void *)a, sizeof(*a)) != 0)
		rc = -errno;
	if (fd >= 0)
		close(fd);
	if (rc == 0)
		return errbuf_set(e, -EADDRINUSE,
				  "--ctl %s: another process listens there; "
				  "end it, or give another path",
				  a->sun_path);
	if (rc != -ECONNREFUSED || unlink(a->sun_path) != 0)
		return errbuf_set(e, -EADDRINUSE,
				  "--ctl %s: is there already; remove it, or "
				  "give another path",
				  a->sun_path);
	return 0;
}

static int listen_at(const char *path, struct errbuf *e)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	size_t n = strlen(path);
	int fd, rc;
	mode_t mask;

	if (n == 0 || n >= sizeof(a.sun_path))
		return errbuf_set(e, -ENAMETOOLONG,
				  "--ctl %s: a socket's path has 1 to %zu "
				  "bytes",
				  path, sizeof(a.sun_path) - 1);
	memcpy(a.sun_path, path, n);
	rc = make_way(&a, e);
	if (rc != 0)
		return rc;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	rc = fd < 0 ? -errno : 0;
	mask = umask(0177);
	if (rc == 0 && bind(fd, (const void *)&a, sizeof(a)) != 0)
		rc = -errno;
	umask(mask);
	if (rc == 0 && listen(fd, CTL_CLIENTS) != 0)
		rc = -errno;
	if (rc == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return errbuf_set(e, rc,
			  "--ctl %s: %s; give a path in a folder that "
			  "is there and yours",
			  path, strerror(-rc));
}

int ctl_open(struct ctl **out, struct arena *a, const struct ctl_config *config,
	     struct errbuf *e)
{
	struct ctl *c;
	int fd = listen_at(config->path, e);

	if (fd < 0)
		return fd;
	c = arena_take(a, sizeof(*c));
	assert(c);
	c->config = *config;
	c->fd = fd;
	c->owner = geteuid();
	c->loop = NULL;
	c->n = (struct ctl_counters){ 0 };
	for (int i = 0; i < CTL_CLIENTS; i++)
		c->client[i].fd = -1;
	*out = c;
	return 0;
}

void ctl_close(struct ctl *c)
{
	if (!c)
		return;
	for (int i = 0; i < CTL_CLIENTS; i++)
		if (c->client[i].fd >= 0)
			drop(&c->client[i]);
	if (c->loop)
		loop_drop(c->loop, &c->on);
	close(c->fd);
}

int ctl_serve(struct ctl *c, struct loop *l)
{
	c->loop = l;
	c->on = (struct loop_watch){ .ready = somebody_came, .ctx = c };
	return loop_add(l, &c->on, c->fd);
}

int ctl_fd(const struct ctl *c)
{
	return c ? c->fd : -1;
}

const struct ctl_counters *ctl_counters(const struct ctl *c)
{
	return &c->n;
}
