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

#endif /* OS_FOLDER_H */
