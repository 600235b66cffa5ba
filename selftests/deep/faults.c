// SPDX-License-Identifier: GPL-2.0-only
/*
 * Preloaded into vgwd, makes its surroundings fail on demand. The numbers stand
 * in the file VGW_FAULTS, 32 bits each, and are read anew at every call:
 *
 *   0  receive buffer of netlink sockets made from now on, bytes (0: as asked)
 *   1  every Nth allocation fails (0: none)
 *   2  allocations that failed so far, written here
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER, PERIOD, FAILED, N_FAULTS };

static _Atomic uint32_t none[N_FAULTS], calls;
static _Atomic uint32_t *faults = none;

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *old, size_t size);

__attribute__((constructor)) static void faults_open(void)
{
	const char *path = getenv("VGW_FAULTS");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *page = MAP_FAILED;

	if (fd >= 0)
		page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page != MAP_FAILED)
		faults = page;
	if (fd >= 0)
		close(fd);
}

static int fails(void)
{
	uint32_t period = faults[PERIOD];

	if (!period || ++calls % period)
		return 0;
	faults[FAILED]++;
	errno = ENOMEM;
	return 1;
}

void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *old, size_t size)
{
	return size && fails() ? NULL : __libc_realloc(old, size);
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	static int (*real)(int fd, int level, int name, const void *value, socklen_t len);
	int size = (int)faults[BUFFER];

	if (!real)
		real = dlsym(RTLD_NEXT, "setsockopt");
	if (size && level == SOL_SOCKET && (name == SO_RCVBUFFORCE || name == SO_RCVBUF))
		return real(fd, level, name, &size, sizeof(size));
	return real(fd, level, name, value, len);
}
