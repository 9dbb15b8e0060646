/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * folder - The folder of a path, and how a file of ours is made in it
 */
#ifndef OS_FOLDER_H
#define OS_FOLDER_H

#include <fcntl.h>

/* Made anew and for its owner alone, through no symbolic link: the only way in
 * which a file is made, and the only one that the sandbox lets through.
 */
#define FOLDER_MAKE_FLAGS (O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC)
#define FOLDER_MAKE_MODE  0600
/* What others may read is given this mode (fchmod(2)) before it is written. */
#define FOLDER_READ_MODE 0644
/* What is added to: a log, which a program beside may have moved away, or a
 * pipe.
 */
#define FOLDER_APPEND_FLAGS                                                    \
	(O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
#define FOLDER_OPEN_FLAGS (O_PATH | O_DIRECTORY | O_CLOEXEC)

/**
 * folder_open() - Open the folder of @path
 * @base:	Points to the file's name in @path
 *
 * Return: O_PATH descriptor or -Exxx
 */
int folder_open(const char *path, const char **base);

/**
 * folder_make() - Make a file, see FOLDER_MAKE_FLAGS
 * @folder:	Descriptor; AT_FDCWD: @name is a path
 *
 * Return: descriptor to write to, or -EEXIST, or another -Exxx of open(2)
 */
int folder_make(int folder, const char *name);

/**
 * folder_append() - Open a file to add to it, or make it for its owner alone
 *
 * A pipe whose reader is slow takes nothing rather than let the writer wait.
 *
 * Return: descriptor, or -ELOOP (it is a symbolic link), -ENXIO (a pipe without
 * a reader), or another -Exxx of open(2)
 */
int folder_append(const char *path);

#endif /* OS_FOLDER_H */
