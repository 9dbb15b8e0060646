/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http.c - A proxy of HTTP/1.0 that splices
 *
 *	example_http PORT [CACHE]
 *
 * Figure 4.3 of the thesis on symmetric TCP splice, as a program for libunderstudy-splice.
 * It reads a request, looks for the object in its cache, else connects to the server that
 * the request names, sends the request on as HTTP/1.0, and splices. What is spliced does
 * not pass through it, so that it fills no cache itself: CACHE is a folder in which
 * "http://host/path" is the file host/path. It serves one request after the other, with
 * names looked up meanwhile. Whoever reaches PORT may use it: it is an example.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <usplice.h>

#include "proxy.h"

#define HEAD_MAX 8192 /* bytes of a request's head */

struct request {
	char head[HEAD_MAX + 1]; /* whole, with the empty line */
	char out[HEAD_MAX + 64]; /* as it is sent on */
	char host[256];
	char port[6];
	const char *path; /* in @head, behind the first / */
	size_t path_len;
};

/* Byte by byte, so that none of what follows the head is taken. */
static bool read_head(int client, struct request *r)
{
	size_t n = 0;

	while (n < HEAD_MAX && recv(client, r->head + n, 1, 0) == 1) {
		r->head[++n] = '\0';
		if (n >= 4 && memcmp(r->head + n - 4, "\r\n\r\n", 4) == 0)
			return memchr(r->head, '\0', n) == NULL;
	}
	return false;
}

/* "host[:port]" of @n bytes; not an address of IPv6. */
static bool take_host(struct request *r, const char *s, size_t n)
{
	const char *colon = memchr(s, ':', n);
	size_t host = colon != NULL ? (size_t)(colon - s) : n;

	if (host == 0 || host >= sizeof(r->host) ||
	    (colon != NULL && n - host > sizeof(r->port)))
		return false;
	memcpy(r->host, s, host);
	r->host[host] = '\0';
	strcpy(r->port, "80");
	if (colon != NULL) {
		memcpy(r->port, colon + 1, n - host - 1);
		r->port[n - host - 1] = '\0';
	}
	return true;
}

/* A header that is between the client and us (RFC 9110 section 7.6.1). */
static bool is_ours(const char *line)
{
	return strncasecmp(line, "Connection:", 11) == 0 ||
	       strncasecmp(line, "Keep-Alive:", 11) == 0 ||
	       strncasecmp(line, "Proxy-Connection:", 17) == 0;
}

/* "GET http://host/path HTTP/1.0" becomes "GET /path HTTP/1.0". */
static bool rewrite(struct request *r)
{
	char *end = strstr(r->head, "\r\n");
	char *uri = strchr(r->head, ' ');
	char *last = uri != NULL ? strchr(uri + 1, ' ') : NULL;
	char *host, *path;
	int n;

	if (last == NULL || last > end || strncmp(last, " HTTP/1.", 8) != 0 ||
	    strncasecmp(uri, " http://", 8) != 0)
		return false;
	host = uri + 8;
	path = memchr(host, '/', (size_t)(last - host));
	if (path == NULL)
		path = last;
	if (!take_host(r, host, (size_t)(path - host)))
		return false;
	r->path = path < last ? path + 1 : last;
	r->path_len = (size_t)(last - r->path);
	n = snprintf(r->out, sizeof(r->out), "%.*s /%.*s HTTP/1.0\r\n",
		     (int)(uri - r->head), r->head, (int)r->path_len, r->path);
	for (char *line = end + 2; *line != '\r'; line = end + 2) {
		end = strstr(line, "\r\n");
		if (end == NULL)
			return false;
		if (!is_ours(line))
			n += snprintf(r->out + n, sizeof(r->out) - (size_t)n,
				      "%.*s\r\n", (int)(end - line), line);
	}
	snprintf(r->out + n, sizeof(r->out) - (size_t)n, "\r\n");
	return true;
}

/* Return: a descriptor, -1: it is not there. Of names and paths only plain ones are. */
static int find_in_cache(const char *cache, const struct request *r)
{
	char name[HEAD_MAX];
	int n;

	if (cache == NULL || strncmp(r->head, "GET ", 4) != 0)
		return -1;
	n = snprintf(name, sizeof(name), "%s/%s/%.*s", cache, r->host,
		     (int)r->path_len, r->path);
	if (n >= (int)sizeof(name) || strstr(name + strlen(cache), ".."))
		return -1;
	return open(name, O_RDONLY | O_NOFOLLOW);
}

static void serve_from_cache(int client, int file)
{
	struct stat st;
	off_t at = 0;
	char head[100];
	int n;

	if (fstat(file, &st) != 0 || !S_ISREG(st.st_mode))
		return;
	n = snprintf(head, sizeof(head),
		     "HTTP/1.0 200 OK\r\nContent-Length: %lld\r\n\r\n",
		     (long long)st.st_size);
	if (send(client, head, (size_t)n, MSG_NOSIGNAL | MSG_MORE) != n)
		return;
	while (at < st.st_size &&
	       sendfile(client, file, &at, (size_t)(st.st_size - at)) > 0)
		;
}

static void refuse(int client, const char *status)
{
	char b[100];
	int n = snprintf(b, sizeof(b),
			 "HTTP/1.0 %s\r\nContent-Length: 0\r\n\r\n", status);

	send(client, b, (size_t)n, MSG_NOSIGNAL);
}

/* Return: NULL, or what the client is to be told */
static const char *forward(struct usplice *u, int client, int server,
			   const struct request *r, const struct addrinfo *a)
{
	size_t n = strlen(r->out);
	struct usplice_pair *p;
	int rc = usplice_intend(u, client, server, a->ai_addr, a->ai_addrlen,
				NULL, &p);

	if (rc != 0)
		return "502 Cannot be spliced";
	if (connect(server, a->ai_addr, a->ai_addrlen) == 0 &&
	    send(server, r->out, n, MSG_NOSIGNAL) == (ssize_t)n &&
	    usplice_splice(p, 0) == 0)
		return NULL;
	usplice_end(p);
	return "502 Bad Gateway";
}

static const char *serve_from_server(struct usplice *u, int client,
				     const struct request *r)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct timeval patience = { .tv_sec = PATIENCE };
	const char *no = "502 No such host";
	struct addrinfo *a;
	int server;

	if (getaddrinfo(r->host, r->port, &hints, &a) != 0)
		return no;
	server = socket(a->ai_family, SOCK_STREAM, 0);
	if (server >= 0) {
		setsockopt(server, SOL_SOCKET, SO_SNDTIMEO, &patience,
			   sizeof(patience));
		no = forward(u, client, server, r, a);
		close(server);
	}
	freeaddrinfo(a);
	return no;
}

void serve(struct usplice *u, int client, const char *cache)
{
	struct timeval patience = { .tv_sec = PATIENCE };
	const char *no = "400 Bad Request";
	static struct request r;
	int file;

	setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience,
		   sizeof(patience));
	if (read_head(client, &r) && rewrite(&r)) {
		file = find_in_cache(cache, &r);
		no = NULL;
		if (file >= 0) {
			serve_from_cache(client, file);
			close(file);
		} else {
			no = serve_from_server(u, client, &r);
		}
	}
	if (no != NULL)
		refuse(client, no);
	/* Spliced: this tells nobody. */
	close(client);
}
