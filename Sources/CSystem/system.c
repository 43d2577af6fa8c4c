#define _GNU_SOURCE
#include "CSystem.h"
#include <errno.h>
#include <fcntl.h>

int millrace_open(const char *path, int flags, unsigned mode) {
    int descriptor = open(path, flags, (mode_t)mode);
    return descriptor < 0 ? -errno : descriptor;
}

int millrace_errno(void) { return errno; }
