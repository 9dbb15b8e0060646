/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names_internal.h - Interface names and messages of a journal
 */
#ifndef JOURNAL_NAMES_INTERNAL_H
#define JOURNAL_NAMES_INTERNAL_H

/** names_iface() - Name of an interface (enum journal_iface) */
const char *names_iface(unsigned iface);

/**
 * names_error() - Write "@path: what @r means" to JOURNAL_ERR bytes; give @r
 */
int names_error(char *err, const char *path, int r);

#endif /* JOURNAL_NAMES_INTERNAL_H */
