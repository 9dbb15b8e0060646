/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names - Interface names and the folder of a journal's files
 */
#ifndef JOURNAL_NAMES_INTERNAL_H
#define JOURNAL_NAMES_INTERNAL_H

/**
 * names_folder() - Open the folder of @path
 * @base:	Points to the file's name in @path
 *
 * Return: O_PATH descriptor or -Exxx
 */
int names_folder(const char *path, const char **base);

/** names_iface() - Name of an interface (enum journal_iface) */
const char *names_iface(unsigned iface);

/** names_error() - Write "@path: what @r means" to JOURNAL_ERR bytes; give @r */
int names_error(char *err, const char *path, int r);

#endif /* JOURNAL_NAMES_INTERNAL_H */
