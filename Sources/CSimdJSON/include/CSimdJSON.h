// A C face of simdjson's on-demand parser (3.0.1). No exceptions, no logic beyond the walk.
#ifndef MILLRACE_CSIMDJSON_H
#define MILLRACE_CSIMDJSON_H
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif
/// The name of the implementation that simdjson chose for this processor.
const char *millrace_simdjson_implementation(void);
#ifdef __cplusplus
}
#endif
#endif
