/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * signals - Signals as something to read
 */
#ifndef OS_SIGNALS_H
#define OS_SIGNALS_H

#include <stdbool.h>

/**
 * signals_open() - Block INT, TERM, HUP, USR1 and USR2 and queue them instead
 *
 * SIGPIPE and SIGXFSZ are ignored: a reader that went away, or a file that may
 * not grow, is an error of that write. Call it before any thread is made, so
 * that all inherit the mask.
 *
 * Return: a descriptor to poll for reading, or -Exxx
 */
int signals_open(void);

/**
 * signals_hup_ends() - Does SIGHUP mean that a terminal is gone?
 *
 * It does for a process that has one and was not told to survive it (nohup(1)).
 * Any other is sent it on purpose: to take its files again. Call it before
 * signals_open().
 */
bool signals_hup_ends(void);

/** signals_next() - Take one from @fd. Return: its number, 0: none waits */
int signals_next(int fd);

#endif /* OS_SIGNALS_H */
