#include <zstd.h>
#include <snappy-c.h>
#include <lz4.h>
#include <zlib.h>
#include <brotli/decode.h>
