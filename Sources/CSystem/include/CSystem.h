// The few calls of Linux that Swift cannot import because they are variadic or macros.
#ifndef MILLRACE_CSYSTEM_H
#define MILLRACE_CSYSTEM_H
#include <stddef.h>
#include <stdint.h>
/// open(2) with a mode. Returns a descriptor or −errno.
int millrace_open(const char *path, int flags, unsigned mode);
/// errno of the last failed call on this thread.
int millrace_errno(void);
#endif
