/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * access.c - One line for each connection that has ended, and each request
 *
 * Lines gather in a buffer and are written at the end of a turn of the loop.
 * What a file does not take then - a full disk, a pipe with a slow reader -
 * waits; when the buffer is full, further lines are lost, and counted. So a log
 * never holds up a connection.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/limits.h"
#include "front/front_internal.h"
#include "front/request_internal.h"
#include "os/folder.h"
#include "os/log.h"
#include "text/json.h"
#include "text/text.h"

#define LINE_MOST 2048 /* a request's line has 512 bytes, all printable */

static int open_one(struct log_file *l, struct errbuf *e, const char *option)
{
	int fd;

	if (!l->path)
		return 0;
	fd = folder_append(l->path);
	if (fd < 0)
		return errbuf_set(e, fd,
				  "%s %s: %s; give a file in a folder that the "
				  "user of --user may write to",
				  option, l->path, strerror(-fd));
	if (l->fd >= 0)
		close(l->fd);
	l->fd = fd;
	return 0;
}

int access_open(struct front *f, struct errbuf *e)
{
	int r = open_one(&f->log, e, "--log");

	return r == 0 ? open_one(&f->log_json, e, "--log-json") : r;
}

void access_again(struct front *f)
{
	struct errbuf e = { "" };

	access_flush(f);
	if (access_open(f, &e) != 0)
		log_line(LOG_WARN, "proxy: the old file is kept: %s", e.s);
}

/* How many bytes of whole lines are written at once. A pipe takes them whole or
 * not at all, so that lines of several processes stay whole.
 */
static uint32_t portion(const struct log_file *l)
{
	uint32_t n = l->len < PIPE_BUF ? l->len : PIPE_BUF;

	while (n > 0 && l->buf[n - 1] != '\n')
		n--;
	return n > 0 ? n : l->len;
}

static void flush_one(const struct front *f, struct log_file *l)
{
	while (l->fd >= 0 && l->len > 0) {
		uint32_t want = f->worker ? portion(l) : l->len;
		ssize_t n = write(l->fd, l->buf, want);

		if (n <= 0)
			return;
		l->len -= (uint32_t)n;
		memmove(l->buf, l->buf + n, l->len);
		if (n < want)
			return;
	}
}

void access_flush(struct front *f)
{
	flush_one(f, &f->log);
	flush_one(f, &f->log_json);
}

void access_close(struct front *f)
{
	access_flush(f);
	if (f->log.fd >= 0)
		close(f->log.fd);
	if (f->log_json.fd >= 0)
		close(f->log_json.fd);
	f->log.fd = f->log_json.fd = -1;
}

static void put_line(struct front *f, struct log_file *l, const char *s,
		     size_t n)
{
	if (n == 0 || n > LOG_BUFFER - l->len) {
		flush_one(f, l);
		if (n == 0 || n > LOG_BUFFER - l->len) {
			f->n->log_lost++;
			return;
		}
	}
	memcpy(l->buf + l->len, s, n);
	l->len += (uint32_t)n;
}

/* --- words --- */

static const char *how_of(const struct conn *c)
{
	static const char *const word[] = {
		[CONN_SPLICES] = "spliced", [CONN_COPIES] = "copied",
		[CONN_REFUSED] = "refused", [CONN_FAILED] = "failed",
		[CONN_OPENING] = "opening",
	};

	return word[c->how];
}

/* A counter's name without what the line has said already. */
static const char *short_of(const char *name)
{
	const char *at = !name ? NULL : strchr(name, '_');

	return !at ? NULL : at + 1;
}

/* What a client of SOCKS has said; of another one, nothing. */
static const struct socks *said_of(const struct conn *c)
{
	static const struct socks nothing;

	return c->wish ? &c->wish->socks : &nothing;
}

static const char *kind_of(const struct conn *c)
{
	const struct socks *s = said_of(c);

	if (conn_forwards(c))
		return "forward";
	if (conn_is_web(c))
		return c->wish && c->wish->http ? "connect" : "http";
	if (s->version == 4)
		return s->name_len > 0 ? "socks4a" : "socks4";
	return s->version == 5 ? "socks5" : "socks";
}

/* Where the client wanted to go, as he said it. */
static void put_wish(struct text *t, const struct conn *c)
{
	const struct setup_place *p = &c->f->o->place[c->place];
	const struct socks *said = said_of(c);
	char s[TEXT_ENDPOINT];

	if (said->name_len > 0)
		text_add(t, "%s:%u", said->name, said->port);
	else if (said->port != 0)
		text_add(t, "%s", text_endpoint(s, &said->ip, said->port));
	else
		text_add(t, "%s", text_endpoint(s, &p->ip, p->port));
}

static void put_seconds(struct text *t, uint64_t from, uint64_t to)
{
	uint64_t us;

	if (to < from || to == 0) {
		text_add(t, " -");
		return;
	}
	us = (to - from) / NS_PER_US;
	text_add(t, " %llu.%06llu", (unsigned long long)(us / 1000000),
		 (unsigned long long)(us % 1000000));
}

static const char *or_dash(const char *s)
{
	return !s ? "-" : s;
}

/* Who he has proved to be. */
static const char *user_of(const struct conn *c)
{
	return said_of(c)->lock == SOCKS_KNOWN ? c->wish->user : NULL;
}

/* --- lines --- */

static void log_text(struct conn *c)
{
	char line[LINE_MOST], s[TEXT_ENDPOINT], date[TEXT_NUMBER];
	struct text t;

	text_begin(&t, line, sizeof(line));
	text_add(&t, "%s - %s [%s] \"%s ",
		 text_endpoint(s, &c->client, c->client_port),
		 or_dash(user_of(c)), text_date(date, c->began_real),
		 kind_of(c));
	put_wish(&t, c);
	text_add(&t, "\" %s %s %s %s %llu %llu",
		 c->server_port == 0
			 ? "-"
			 : text_endpoint(s, &c->server, c->server_port),
		 how_of(c), or_dash(short_of(c->why)),
		 or_dash(short_of(c->end)),
		 (unsigned long long)c->bytes[DIR_C2S],
		 (unsigned long long)c->bytes[DIR_S2C]);
	put_seconds(&t, c->began, c->opened);
	put_seconds(&t, c->began, c->ended);
	text_add(&t, "\n");
	put_line(c->f, &c->f->log, line, t.full ? 0 : t.len);
}

void access_put(struct json *j, const struct conn *c)
{
	const struct setup_place *p = &c->f->o->place[c->place];
	char s[TEXT_ENDPOINT];

	json_u64(j, "id", c->id);
	json_str(j, "began", text_when(s, c->began_real));
	json_str(j, "client", text_endpoint(s, &c->client, c->client_port));
	json_str(j, "listener", text_endpoint(s, &p->ip, p->port));
	json_str(j, "kind", kind_of(c));
	json_str(j, "user", user_of(c));
	json_str(j, "name", said_of(c)->name_len > 0 ? said_of(c)->name : NULL);
	json_str(j, "server",
		 c->server_port == 0
			 ? NULL
			 : text_endpoint(s, &c->server, c->server_port));
	json_str(j, "how", how_of(c));
	json_str(j, "why", short_of(c->why));
	json_str(j, "end", short_of(c->end));
	json_u64(j, "bytes_c2s", c->bytes[DIR_C2S]);
	json_u64(j, "bytes_s2c", c->bytes[DIR_S2C]);
	if (c->opened != 0)
		json_us(j, "opened_us", c->opened - c->began);
}

static void log_object(struct conn *c)
{
	char line[LINE_MOST];
	struct json j;

	json_begin(&j, line, sizeof(line));
	json_str(&j, "type", "connection");
	json_u64(&j, "schema", 1);
	access_put(&j, c);
	json_us(&j, "ended_us", c->ended - c->began);
	put_line(c->f, &c->f->log_json, line, json_line(&j));
}

void access_line(struct conn *c)
{
	if (c->f->log.path)
		log_text(c);
	if (c->f->log_json.path)
		log_object(c);
}

/* --- requests of HTTP --- */

/* A quotation mark would end the line's text before its end. */
static void put_request(struct text *t, const struct http_exchange *x)
{
	if (x->line_len == 0)
		text_add(t, "-");
	for (uint16_t i = 0; i < x->line_len; i++)
		text_add(t, x->line[i] == '"' ? "%%22" : "%c", x->line[i]);
}

static const char *server_of(const struct conn *c, char s[TEXT_ENDPOINT])
{
	if (c->fd[DIR_S2C] < 0)
		return NULL;
	return text_endpoint(s, &c->server, c->server_port);
}

static void request_text(struct conn *c)
{
	const struct http_exchange *x = &c->request->web.x;
	char line[LINE_MOST], s[TEXT_ENDPOINT], date[TEXT_NUMBER];
	struct text t;

	text_begin(&t, line, sizeof(line));
	text_add(&t, "%s - - [%s] \"",
		 text_endpoint(s, &c->client, c->client_port),
		 text_date(date, c->request->began_real));
	put_request(&t, x);
	text_add(&t, "\" %s copied %u %s %llu %llu", or_dash(server_of(c, s)),
		 x->status, x->ours ? "proxy" : "server",
		 (unsigned long long)x->bytes[DIR_C2S],
		 (unsigned long long)x->bytes[DIR_S2C]);
	put_seconds(&t, c->request->began, c->f->now);
	text_add(&t, "\n");
	put_line(c->f, &c->f->log, line, t.full ? 0 : t.len);
}

static void request_object(struct conn *c)
{
	const struct http_exchange *x = &c->request->web.x;
	char line[LINE_MOST], s[TEXT_ENDPOINT], said[HTTP_LINE + 1];
	struct json j;

	memcpy(said, x->line, x->line_len);
	said[x->line_len] = '\0';
	json_begin(&j, line, sizeof(line));
	json_str(&j, "type", "request");
	json_u64(&j, "schema", 1);
	json_u64(&j, "id", c->id);
	json_str(&j, "began", text_when(s, c->request->began_real));
	json_str(&j, "client", text_endpoint(s, &c->client, c->client_port));
	json_str(&j, "request", x->line_len > 0 ? said : NULL);
	json_str(&j, "server", server_of(c, s));
	json_str(&j, "how", "copied");
	json_u64(&j, "status", x->status);
	json_str(&j, "by", x->ours ? "proxy" : "server");
	json_u64(&j, "bytes_c2s", x->bytes[DIR_C2S]);
	json_u64(&j, "bytes_s2c", x->bytes[DIR_S2C]);
	json_us(&j, "took_us", c->f->now - c->request->began);
	put_line(c->f, &c->f->log_json, line, json_line(&j));
}

void access_request(struct conn *c)
{
	if (c->f->log.path)
		request_text(c);
	if (c->f->log_json.path)
		request_object(c);
}
