/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Scope-bound ownership. A variable marked _cleanup_(f) calls f(&variable) when its scope ends, on
 * every path. Ownership leaves the scope only through take_ptr() and take_fd().
 */
#ifndef SEEDSHIP_BASE_CLEANUP_H
#define SEEDSHIP_BASE_CLEANUP_H

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(f)   __attribute__((cleanup(f)))
#define _cleanup_free_ _cleanup_(free_ptrp)
#define _cleanup_fd_   _cleanup_(close_fdp)
#define _cleanup_file_ _cleanup_(fclose_filep)

/* Moves a pointer out of a scope-owned variable: evaluates to it and leaves NULL behind. */
#define take_ptr(p)                                   \
	({                                            \
		__typeof__(p) *_pp = &(p), _v = *_pp; \
		*_pp = NULL;                          \
		_v;                                   \
	})

/* Defines x_freep() for use with _cleanup_, from x_free(). */
#define DEFINE_FREEP(type, free_func)             \
	static inline void free_func##p(type **p) \
	{                                         \
		if (*p)                           \
			free_func(*p);            \
	}

static inline void free_ptrp(void *p)
{
	free(*(void **)p);
}

static inline void close_fdp(const int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		(void)close(*fd);
	errno = saved;
}

static inline void fclose_filep(FILE **f)
{
	if (*f)
		(void)fclose(*f);
}

/* Moves a descriptor out of a scope-owned variable and leaves -1 behind. */
static inline int take_fd(int *fd)
{
	int v = *fd;

	*fd = -1;
	return v;
}

static inline pthread_mutex_t *lock_scope_enter(pthread_mutex_t *m)
{
	(void)pthread_mutex_lock(m);
	return m;
}

static inline void lock_scope_leave(pthread_mutex_t **m)
{
	(void)pthread_mutex_unlock(*m);
}

#define LOCK_CONCAT_(a, b) a##b
#define LOCK_CONCAT(a, b)  LOCK_CONCAT_(a, b)

/* Holds a mutex until the end of the enclosing scope. */
#define LOCK_SCOPE(m)                                                                    \
	__attribute__((cleanup(lock_scope_leave), unused)) pthread_mutex_t *LOCK_CONCAT( \
		_lock_, __LINE__) = lock_scope_enter(m)

#endif
