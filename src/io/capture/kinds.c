/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kinds.c - What a file is that is no pcap and no pcapng
 *
 * The first bytes of formats that people have their captures in: packed ones,
 * and those of other programs, as Wireshark's wiretap knows them.
 */
#include "capture/kinds.h"

#include <stdbool.h>
#include <string.h>

#include "core/bytes.h"

#define UNPACK(how)                                                            \
	how " FILE | understudy shadow -r - ...; replay, prep and send want "  \
	    "it unpacked"
#define CONVERT "editcap -F pcapng FILE NEW makes a capture of it"

struct magic {
	const char *bytes;
	size_t len;
	const char *kind;
	const char *remedy;
};

static const struct magic magics[] = {
	{ "\x1f\x8b", 2, "packed with gzip", UNPACK("gunzip -c") },
	{ "\x28\xb5\x2f\xfd", 4, "packed with zstd", UNPACK("zstd -dc") },
	{ "\xfd"
	  "7zXZ",
	  5, "packed with xz", UNPACK("xz -dc") },
	{ "BZh", 3, "packed with bzip2", UNPACK("bzip2 -dc") },
	{ "\x04\x22\x4d\x18", 4, "packed with lz4", UNPACK("lz4 -dc") },
	{ "PK\x03\x04", 4, "a zip archive", UNPACK("unzip -p") },
	{ "snoop\0\0\0", 8, "a capture of snoop", CONVERT },
	{ "btsnoop\0", 8, "a capture of btsnoop", CONVERT },
	{ "RTSS", 4, "a capture of Microsoft Network Monitor", CONVERT },
	{ "GMBU", 4, "a capture of Microsoft Network Monitor", CONVERT },
	{ "XCP\0", 4, "a capture of NetXRay", CONVERT },
	{ "VL\0\0", 4, "a capture of NetXRay", CONVERT },
	{ "TRSNIFF data", 12, "a capture of Sniffer", CONVERT },
	{ "iptrace ", 8, "a capture of iptrace", CONVERT },
	{ "\x7f"
	  "ver\0",
	  5, "a capture of Peek", CONVERT },
	{ "5VIEW", 5, "a capture of 5View", CONVERT },
	{ "\xaa\xaa\xaa\xaa", 4, "a capture of 5View", CONVERT },
	{ "Session Transcript", 18, "a text of another program", CONVERT },
};

#define ERF_HEAD  16
#define ERF_TYPES 48 /* of records, less than that */

/* A row of records of Endace's: each tells its type and its length. */
static bool is_erf(const uint8_t *p, size_t len)
{
	unsigned n = 0;

	while (len >= ERF_HEAD && n < 3) {
		uint8_t type = p[8] & 0x7f;
		uint16_t size = get_be16(p + 10);

		if (type == 0 || type > ERF_TYPES || size < ERF_HEAD)
			return false;
		n++;
		if (size > len)
			break;
		p += size;
		len -= size;
	}
	return n > 1 || (n == 1 && len == 0);
}

static bool is_text(const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len && i < 256; i++)
		if ((p[i] < ' ' || p[i] > '~') && p[i] != '\n' &&
		    p[i] != '\t' && p[i] != '\r')
			return false;
	return len >= 8;
}

const char *kind_of_file(const uint8_t *p, size_t len, const char **remedy)
{
	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++) {
		if (len < magics[i].len ||
		    memcmp(p, magics[i].bytes, magics[i].len) != 0)
			continue;
		*remedy = magics[i].remedy;
		return magics[i].kind;
	}
	if (is_text(p, len)) {
		*remedy = "not a capture file; text2pcap makes one of a hex "
			  "dump, "
			  "and tcpdump -w writes one";
		return "text";
	}
	if (is_erf(p, len)) {
		*remedy = CONVERT;
		return "a capture of Endace's cards (ERF)";
	}
	return NULL;
}
