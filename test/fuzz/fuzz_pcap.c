/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_pcap.c - Fuzz pcap_read() with arbitrary files
 *
 * Input: 1 byte that picks how windows grow and whether the reader is lenient, then
 * the file. Checks what pcap.h promises: steps stay in the window (but over a long
 * block), records lie in it, the reader does not move on 0, and a file read through
 * growing windows gives the same records as one read whole. What is read is written
 * again and must come back. Behind damage the next record is looked for, and what
 * is found can be read.
 */
#include "wire/pcap.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(const uint8_t *part, const uint8_t *p, size_t len,
			 uint32_t n)
{
	assert(part >= p && n <= len && (size_t)(part - p) <= len - n);
}

static void check_record(const struct pcap_reader *r,
			 const struct pcap_record *rec, const uint8_t *p,
			 size_t n)
{
	if (rec->kind == PCAP_FRAME || rec->kind == PCAP_CUSTOM)
		check_inside(rec->data, p, n, rec->cap);
	if (rec->comment != NULL)
		check_inside(rec->comment, p, n, rec->comment_len);
	if (rec->kind == PCAP_FRAME) {
		assert(rec->cap <= rec->wire && rec->cap <= PCAP_RECORD_MAX);
		assert(rec->iface < r->ifaces && rec->iface < PCAP_IFACES);
		assert(r->iface[rec->iface].ticks > 0);
	}
}

/* Read through a window that begins short and grows by @grow bytes. */
static int64_t read_growing(struct pcap_reader *r, const uint8_t *p, size_t len,
			    size_t grow, struct pcap_record *rec)
{
	for (size_t n = 0;; n += grow) {
		size_t window = n < len ? n : len;
		struct pcap_reader was = *r;
		uint8_t *copy = malloc(window > 0 ? window : 1);
		int64_t e;

		memcpy(copy, p, window);
		e = pcap_read(r, copy, window, rec);
		if (e > 0 && (size_t)e <= window)
			check_record(r, rec, copy, (size_t)e);
		else
			assert(e <= 0 ||
			       (r->long_blocks && e <= PCAP_SKIP_MAX));
		free(copy);
		if (e != 0 || window == len)
			return e;
		assert(memcmp(r, &was, sizeof(was)) == 0);
	}
}

/* Write the frame @rec and read it again. */
static void write_again(const struct pcap_record *rec)
{
	size_t size = rec->cap + (size_t)rec->comment_len + 128;
	uint8_t *out = malloc(size);
	struct pcap_reader r;
	struct pcap_record got;
	size_t n = pcapng_write_shb(out, size, NULL, NULL, 0);
	int64_t e;

	n += pcapng_write_idb(out + n, size - n, 1, 0, NULL);
	n += pcapng_write_epb(out + n, size - n, 0, rec->ts, rec->data,
			      rec->cap, rec->wire, rec->flags,
			      (const char *)rec->comment, rec->comment_len);
	pcap_reader_init(&r);
	e = pcap_read(&r, out, n, &got);
	assert(e == 28 && got.kind == PCAP_SECTION);
	e += pcap_read(&r, out + e, n - (size_t)e, &got);
	assert(e > 28 && got.kind == PCAP_IFACE);
	e += pcap_read(&r, out + e, n - (size_t)e, &got);
	assert((size_t)e == n && got.kind == PCAP_FRAME);
	assert(got.ts == rec->ts && got.cap == rec->cap);
	assert(got.wire == rec->wire && got.flags == rec->flags);
	assert(memcmp(got.data, rec->data, got.cap) == 0);
	assert(got.comment_len == rec->comment_len);
	free(out);
}

/* Go on behind damage. Return: bytes to step over, @size: nothing was found */
static size_t resync(const struct pcap_reader *r, const uint8_t *p, size_t size)
{
	struct pcap_reader was = *r;
	struct pcap_record rec;
	size_t skip = 0;
	size_t more = 0;
	int n = pcap_resync(r, p, size, PCAP_LAST, &skip);

	assert(n >= 0 && n <= PCAP_AGREE && skip <= size);
	assert(n > 0 || skip == size);
	assert(pcap_resync(r, p, size, PCAP_MORE, &more) <= n && more <= size);
	assert(memcmp(r, &was, sizeof(was)) == 0);
	if (n > 0)
		assert(pcap_read(&was, p + skip, size - skip, &rec) != 0);
	return skip;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pcap_reader whole, parts;
	struct pcap_record a, b;
	size_t grow;

	if (size < 1)
		return 0;
	grow = 1 + (size_t)(data[0] & 0x7f) * 8;
	pcap_reader_init(&whole);
	whole.lenient = whole.long_blocks = (data[0] & 0x80) != 0;
	parts = whole;
	data++;
	size--;

	for (;;) {
		int64_t n = pcap_read(&whole, data, size, &a);
		int64_t m = read_growing(&parts, data, size, grow, &b);

		assert(n == m);
		assert(n >= 0 || n == -EBADMSG || n == -ENOTSUP);
		if (n == -EBADMSG && whole.started && size > 1) {
			size_t skip = resync(&whole, data + 1, size - 1);

			data += 1 + skip;
			size -= 1 + skip;
			continue;
		}
		if (n <= 0 || (size_t)n > size)
			return 0;
		check_record(&whole, &a, data, (size_t)n);
		assert(a.kind == b.kind && a.cap == b.cap && a.ts == b.ts);
		assert(memcmp(&whole, &parts, sizeof(whole)) == 0);
		if (a.kind == PCAP_FRAME && a.cap < PCAP_RECORD_MAX / 2)
			write_again(&a);
		data += n;
		size -= (size_t)n;
	}
}
