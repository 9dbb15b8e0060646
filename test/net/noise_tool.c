/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * noise_tool.c - One handshake with an implementation of WireGuard
 *
 * usage: noise_tool begin|answer PORT OURS PEER PSK LISTEN
 *
 * Keys are text; PORT is the other end's, on loopback, LISTEN ours. The end that
 * begins confirms by an empty transport packet of WireGuard's (type 4), which
 * tunnel/keys does not have; the one that answers opens the other's. Prints "ready"
 * when it listens; then "done" and ends with 0, or what went wrong.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "codec/crypto.h"
#include "core/bytes.h"
#include "core/limits.h"
#include "keys/keytext.h"
#include "keys/noise.h"
#include "os/clock.h"
#include "os/random.h"

#define TRANSPORT      4
#define TRANSPORT_HEAD 16

static struct noise_self self;
static struct sockaddr_in peer = { .sin_family = AF_INET };
static int sock;

static void fail(const char *what)
{
	printf("%s\n", what);
	exit(1);
}

static void must(int ok, const char *what)
{
	if (!ok)
		fail(what);
}

static void read_key(const char *s, uint8_t key[CRYPTO_KEY])
{
	must(keytext_get(s, strlen(s), key) == 0, "not a key");
}

static ssize_t get(uint8_t *p, size_t n)
{
	socklen_t len = sizeof(peer);
	ssize_t r = recvfrom(sock, p, n, 0, (struct sockaddr *)&peer, &len);

	must(r > 0, "nothing came");
	return r;
}

static void put(const uint8_t *p, size_t n)
{
	must(sendto(sock, p, n, 0, (const struct sockaddr *)&peer,
		    sizeof(peer)) == (ssize_t)n,
	     "not sent");
}

static void begin(void)
{
	uint8_t priv[CRYPTO_KEY], stamp[NOISE_STAMP], m[NOISE_INITIATION];
	uint8_t nonce[CRYPTO_NONCE] = { 0 };
	uint8_t packet[TRANSPORT_HEAD + CRYPTO_TAG] = { TRANSPORT };
	struct crypto_part none = { NULL, 0 };
	struct noise_keys k;
	struct noise n;
	uint32_t theirs;

	must(random_bytes(priv, sizeof(priv)) == 0, "no random numbers");
	noise_stamp(stamp, clock_real());
	must(noise_initiate(&self, &n, priv, 77, stamp, m) == 0 &&
		     noise_mac(&self, m, sizeof(m), NULL) == 0,
	     "no initiation");
	put(m, sizeof(m));
	must(get(m, sizeof(m)) == NOISE_RESPONSE && m[0] == 2, "no response");
	must(noise_mac1_good(&self, m, NOISE_RESPONSE), "its mac1 is wrong");
	must(noise_responded(&self, &n, m) == 0, "it does not open");
	theirs = n.theirs;
	must(noise_split(&self, &n, true, &k) == 0, "no keys");
	put_le32(packet + 4, theirs);
	must(crypto_table()->seal(packet + TRANSPORT_HEAD, k.send, nonce, &none,
				  NULL, 0) == 0,
	     "not sealed");
	put(packet, sizeof(packet));
}

static void answer(void)
{
	uint8_t priv[CRYPTO_KEY], stamp[NOISE_STAMP], m[2048];
	uint8_t nonce[CRYPTO_NONCE] = { 0 }, r[NOISE_RESPONSE];
	struct crypto_part none = { NULL, 0 };
	struct noise_keys k;
	struct noise n;
	ssize_t len;

	must(get(m, sizeof(m)) == NOISE_INITIATION && m[0] == 1,
	     "no initiation");
	must(noise_mac1_good(&self, m, NOISE_INITIATION), "its mac1 is wrong");
	must(noise_initiated(&self, &n, m, stamp) == 0, "it does not open");
	must(random_bytes(priv, sizeof(priv)) == 0, "no random numbers");
	must(noise_respond(&self, &n, priv, 78, r) == 0 &&
		     noise_mac(&self, r, sizeof(r), NULL) == 0,
	     "no response");
	must(noise_split(&self, &n, false, &k) == 0, "no keys");
	put(r, sizeof(r));
	len = get(m, sizeof(m));
	must(len >= TRANSPORT_HEAD + CRYPTO_TAG && m[0] == TRANSPORT,
	     "no packet");
	must(get_le32(m + 4) == 78, "not to our index");
	put_le32(nonce + 4, get_le32(m + 8));
	put_le32(nonce + 8, get_le32(m + 12));
	must(crypto_table()->open(m, k.recv, nonce, &none, m + TRANSPORT_HEAD,
				  (size_t)len - TRANSPORT_HEAD) == 0,
	     "its packet does not open");
}

int main(int argc, char **argv)
{
	struct sockaddr_in us = { .sin_family = AF_INET };
	struct timeval wait = { .tv_sec = 10 };
	uint8_t ours[CRYPTO_KEY], theirs[CRYPTO_KEY], psk[CRYPTO_KEY];

	must(argc == 7, "usage: noise_tool begin|answer PORT OURS PEER PSK "
			"LISTEN");
	must(crypto_open() == 0, "libcrypto lacks a cipher");
	read_key(argv[3], ours);
	read_key(argv[4], theirs);
	read_key(argv[5], psk);
	must(noise_self_init(&self, crypto_table(), ours, theirs, psk) == 0,
	     "not two ends' keys");
	us.sin_addr.s_addr = peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	us.sin_port = htons((uint16_t)atoi(argv[6]));
	peer.sin_port = htons((uint16_t)atoi(argv[2]));
	sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	must(sock >= 0 && bind(sock, (struct sockaddr *)&us, sizeof(us)) == 0,
	     "no socket");
	must(setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) ==
		     0,
	     "no wait");
	printf("ready\n");
	fflush(stdout);
	if (strcmp(argv[1], "begin") == 0)
		begin();
	else
		answer();
	printf("done\n");
	close(sock);
	crypto_close();
	return 0;
}
