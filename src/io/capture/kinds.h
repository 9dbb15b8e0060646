/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kinds - What a file is that is no pcap and no pcapng
 */
#ifndef CAPTURE_KINDS_H
#define CAPTURE_KINDS_H

#include <stddef.h>
#include <stdint.h>

/**
 * kind_of_file() - Tell a file's kind by its first bytes
 * @p, @len:	Beginning of the file
 * @remedy:	Set on success: how to make a capture of it that is read
 *
 * Return: its name with an article, or NULL: it is none that is known
 */
const char *kind_of_file(const uint8_t *p, size_t len, const char **remedy);

#endif /* CAPTURE_KINDS_H */
