/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * files - What is made of a store beside it, when a run is over
 */
#ifndef STORE_FILES_H
#define STORE_FILES_H

/**
 * files_make() - Make the report's files in @dir, of the store in it
 * @moved:	Called now and then: it goes on
 *
 * Return: 0 or -Exxx
 */
int files_make(const char *dir, void (*moved)(void *ctx), void *ctx);

/** files_remove() - Remove those that are there */
void files_remove(const char *dir);

#endif /* STORE_FILES_H */
