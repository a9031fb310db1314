/* A disk that fails when it is told to: loaded before the C library (LD_PRELOAD), it lets calls on the files of one
 * database fail. What fails is said in the file named by DISK_FAULTS, which is mapped: five numbers of 32 bits.
 * DISK_FILE is what the paths of the database's files contain. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { READS = 1, WRITES = 2, SYNCS = 4 };

struct faults {
    int which; /* The kinds of calls that fail, added up; 0: none. */
    int error; /* The errno that they fail with. */
    int skip;  /* So many calls still end well. */
    int times; /* So many calls fail after them. */
    int hits;  /* So many have failed. */
};

static struct faults *faults;
static const char *file;

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("DISK_FAULTS");
    int fd = path ? open(path, O_RDWR) : -1;
    void *at = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *faults, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED)
        abort();
    file = getenv("DISK_FILE");
    faults = at;
}

static int fails(int fd, int kind)
{
    char link[64], path[4096];
    if (!faults || !(__atomic_load_n(&faults->which, __ATOMIC_SEQ_CST) & kind))
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    path[length < 0 ? 0 : length] = 0;
    if (!file || !strstr(path, file))
        return 0;
    if (__atomic_fetch_sub(&faults->skip, 1, __ATOMIC_SEQ_CST) > 0)
        return 0;
    if (__atomic_fetch_sub(&faults->times, 1, __ATOMIC_SEQ_CST) <= 0)
        return 0;
    __atomic_fetch_add(&faults->hits, 1, __ATOMIC_SEQ_CST);
    errno = faults->error;
    return 1;
}

#define REAL(type, name, ...) static type (*real)(__VA_ARGS__); if (!real) real = dlsym(RTLD_NEXT, #name)
#define MOVES(name, kind, at, bytes) \
    ssize_t name(int fd, bytes buffer, size_t count, at offset) \
    { REAL(ssize_t, name, int, bytes, size_t, at); return fails(fd, kind) ? -1 : real(fd, buffer, count, offset); }
#define SYNCS_TO_DISK(name) \
    int name(int fd) { REAL(int, name, int); return fails(fd, SYNCS) ? -1 : real(fd); }

MOVES(pread, READS, off_t, void *)
MOVES(pread64, READS, off64_t, void *)
MOVES(pwrite, WRITES, off_t, const void *)
MOVES(pwrite64, WRITES, off64_t, const void *)
SYNCS_TO_DISK(fsync)
SYNCS_TO_DISK(fdatasync)
