// Faults below the engine, for its tests: preloaded, it lets calls on some files fail, tear or kill.
//
//   FAULT_CALL    write, fsync, fdatasync, rename or link; write is also pwrite
//   FAULT_PATH    part of the file's path
//   FAULT_END     what the path ends with
//   FAULT_NTH     the call that strikes, among those that match; every one from it on with FAULT_LASTS=1
//   FAULT_EFFECT  EIO, ENOSPC; after:EIO (done, and its answer lost); kill, after:kill; torn (half of
//                 a write, then the kill)
//   FAULT_LOG     a line for each strike: effect, call, path
//   FAULT_CLOCK   a file of 8 bytes: seconds by which the wall clock is off, now. (Debian's faketime can't be
//                 used: it allocates while it starts, and jemalloc asks for the time while it starts.)
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/types.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

static const char *fault_call, *fault_path, *fault_end, *fault_effect, *fault_log;
static long fault_nth, fault_lasts;
static atomic_long seen;
static _Atomic int64_t still, *_Atomic clock_offset = &still;

__attribute__((constructor)) static void begin(void) {
    fault_call = getenv("FAULT_CALL");
    fault_path = getenv("FAULT_PATH");
    fault_end = getenv("FAULT_END");
    fault_effect = getenv("FAULT_EFFECT");
    fault_log = getenv("FAULT_LOG");
    const char *nth = getenv("FAULT_NTH"), *lasts = getenv("FAULT_LASTS");
    fault_nth = nth ? atol(nth) : 1;
    fault_lasts = lasts ? atol(lasts) : 0;
    const char *clock = getenv("FAULT_CLOCK");
    int file = clock ? open(clock, O_RDONLY | O_CLOEXEC) : -1;
    void *shared = file >= 0 ? mmap(NULL, 8, PROT_READ, MAP_SHARED, file, 0) : MAP_FAILED;
    if (shared != MAP_FAILED) clock_offset = shared;
}

static int is_due(const char *call, const char *path) {
    if (!fault_call || !fault_effect || strcmp(call, fault_call)) return 0;
    if (fault_path && !strstr(path, fault_path)) return 0;
    size_t length = strlen(path), tail = fault_end ? strlen(fault_end) : 0;
    if (tail > length || (tail && strcmp(path + length - tail, fault_end))) return 0;
    long count = atomic_fetch_add(&seen, 1) + 1;
    if (fault_lasts ? count < fault_nth : count != fault_nth) return 0;
    char line[PATH_MAX + 64];
    int size = snprintf(line, sizeof line, "%s %s %s\n", fault_effect, call, path);
    int log = fault_log ? (int)syscall(SYS_openat, AT_FDCWD, fault_log, O_WRONLY | O_CREAT | O_APPEND, 0666) : -1;
    if (log >= 0) {
        syscall(SYS_write, log, line, size);
        syscall(SYS_close, log);
    }
    return 1;
}

static int is_due_of(const char *call, int descriptor) {
    if (!fault_call || strcmp(call, fault_call)) return 0;
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return is_due(call, path);
}

static void die(void) {
    kill(getpid(), SIGKILL);
    pause();
}

static int failed(void) {
    errno = strstr(fault_effect, "ENOSPC") ? ENOSPC : EIO;
    return -1;
}

static int is_after(void) { return !strncmp(fault_effect, "after:", 6); }
static int is_kill(void) { return strstr(fault_effect, "kill") != NULL; }

// A call without an answer of its own worth keeping.
#define STRIKE(real)                          \
    do {                                      \
        if (is_after()) (void)(real);         \
        if (is_kill()) die();                 \
        return failed();                      \
    } while (0)

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int descriptor, const void *bytes, size_t count) {
    static ssize_t (*real)(int, const void *, size_t);
    if (!real) real = NEXT(write);
    if (!is_due_of("write", descriptor)) return real(descriptor, bytes, count);
    if (!strcmp(fault_effect, "torn")) {
        real(descriptor, bytes, count / 2);
        die();
    }
    STRIKE(real(descriptor, bytes, count));
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off64_t offset) {
    static ssize_t (*real)(int, const void *, size_t, off64_t);
    if (!real) real = NEXT(pwrite64);
    if (!is_due_of("write", descriptor)) return real(descriptor, bytes, count, offset);
    if (!strcmp(fault_effect, "torn")) {
        real(descriptor, bytes, count / 2, offset);
        die();
    }
    STRIKE(real(descriptor, bytes, count, offset));
}

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t offset) {
    return pwrite64(descriptor, bytes, count, offset);
}

int fsync(int descriptor) {
    static int (*real)(int);
    if (!real) real = NEXT(fsync);
    if (!is_due_of("fsync", descriptor)) return real(descriptor);
    STRIKE(real(descriptor));
}

int fdatasync(int descriptor) {
    static int (*real)(int);
    if (!real) real = NEXT(fdatasync);
    if (!is_due_of("fdatasync", descriptor)) return real(descriptor);
    STRIKE(real(descriptor));
}

int rename(const char *from, const char *to) {
    static int (*real)(const char *, const char *);
    if (!real) real = NEXT(rename);
    if (!is_due("rename", to)) return real(from, to);
    STRIKE(real(from, to));
}

int link(const char *from, const char *to) {
    static int (*real)(const char *, const char *);
    if (!real) real = NEXT(link);
    if (!is_due("link", to)) return real(from, to);
    STRIKE(real(from, to));
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int result = (int)syscall(SYS_clock_gettime, clock, now);
    if (!result && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += *clock_offset;
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec exact;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &exact);
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *now) {
    struct timespec exact;
    clock_gettime(CLOCK_REALTIME, &exact);
    if (now) *now = exact.tv_sec;
    return exact.tv_sec;
}

int timespec_get(struct timespec *now, int base) {
    return base == TIME_UTC && !clock_gettime(CLOCK_REALTIME, now) ? base : 0;
}

// Who waits until a time by that clock waits as long as it says: the kernel's own clock has not moved.
static struct timespec real_time(const struct timespec *until) {
    struct timespec real = *until;
    real.tv_sec -= *clock_offset;
    return real;
}

int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict mutex, const struct timespec *restrict until) {
    static int (*real)(cnd_t *, mtx_t *, const struct timespec *);
    if (!real) real = NEXT(cnd_timedwait);
    struct timespec time = real_time(until);
    return real(condition, mutex, &time);
}

int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict until) {
    static int (*real)(sem_t *, const struct timespec *);
    if (!real) real = NEXT(sem_timedwait);
    struct timespec time = real_time(until);
    return real(semaphore, &time);
}
