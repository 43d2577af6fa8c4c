// A C face of simdjson's first stage (3.0.1): UTF-8 check and structural index of a batch of
// documents, and one walk over the index that fills typed arrays. No exceptions; a document that
// breaks its contract becomes an entry of `millrace_json_errors`, never a crash.
#ifndef MILLRACE_CSIMDJSON_H
#define MILLRACE_CSIMDJSON_H
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

/// The name of the implementation that simdjson chose for this processor.
const char *millrace_simdjson_implementation(void);

enum millrace_json_kind {
    MILLRACE_JSON_BOOL = 0,
    /// Scale 0; `precision` is the width in bits: 16, 32, 64.
    MILLRACE_JSON_INTEGER = 1,
    MILLRACE_JSON_FLOAT = 2,
    MILLRACE_JSON_DOUBLE = 3,
    /// `precision` digits, `scale` of them behind the point, into int128.
    MILLRACE_JSON_NUMERIC = 4,
    MILLRACE_JSON_TEXT = 5,
    /// Base64 in a string, into the column's own data.
    MILLRACE_JSON_BASE64 = 6,
    MILLRACE_JSON_DATE = 7,
    MILLRACE_JSON_TIME = 8,
    MILLRACE_JSON_TIMESTAMP = 9,
    MILLRACE_JSON_UUID = 10,
    /// The value's text as it stands.
    MILLRACE_JSON_RAW = 11,
    MILLRACE_JSON_ARRAY = 12,
    MILLRACE_JSON_ROW = 13,
    /// An object whose fields are the root's own: an envelope.
    MILLRACE_JSON_INLINE = 14,
};

/// How a number stands for a time; ISO 8601 takes strings only.
enum millrace_json_unit {
    MILLRACE_JSON_ISO8601 = 0,
    MILLRACE_JSON_SECONDS = 1,
    MILLRACE_JSON_MILLISECONDS = 2,
    MILLRACE_JSON_MICROSECONDS = 3,
    MILLRACE_JSON_NANOSECONDS = 4,
    /// Only dates.
    MILLRACE_JSON_DAYS = 5,
};

enum millrace_json_flag {
    /// Strings stand for what JSON numbers cannot say: "NaN", decimals, ISO times beside a unit.
    MILLRACE_JSON_LENIENT = 1,
    /// A numeric in a string is base64 of its unscaled two's complement (Kafka Connect's Decimal).
    MILLRACE_JSON_CONNECT_DECIMAL = 2,
    /// A numeric in a string is its decimal text.
    MILLRACE_JSON_DECIMAL_TEXT = 4,
    /// A value may be one of `millrace_json_set_placeholders`: the producer does not have it.
    MILLRACE_JSON_MAY_BE_PLACEHOLDER = 8,
    /// A numeric in a string has another scale than the column: refused.
    MILLRACE_JSON_OTHER_SCALE = 16,
};

enum millrace_json_reason {
    MILLRACE_JSON_MALFORMED = 1,
    MILLRACE_JSON_WRONG_TYPE = 2,
    MILLRACE_JSON_OUT_OF_RANGE = 3,
    MILLRACE_JSON_EMPTY = 4,
    MILLRACE_JSON_NESTED_TOO_DEEP = 5,
    MILLRACE_JSON_INVALID_UTF8 = 6,
    MILLRACE_JSON_BYTE_ORDER_MARK = 7,
    MILLRACE_JSON_NOT_AN_OBJECT = 8,
    /// More non-zero digits behind the point than the type keeps.
    MILLRACE_JSON_INEXACT = 9,
    MILLRACE_JSON_AMBIGUOUS = 11,
    MILLRACE_JSON_OUT_OF_MEMORY = 12,
};

struct millrace_json_range {
    uint32_t start;
    uint32_t length;
};

struct millrace_json_error {
    uint32_t message;
    /// −1: the whole message.
    int32_t node;
    int32_t reason;
    /// The token to blame, in the arena.
    struct millrace_json_range place;
};

/// A placeholder stood where a document's value belongs; the column has NULL there.
struct millrace_json_missing {
    uint32_t message;
    int32_t node;
};

/// A decoded column; pointers are good until the next decode or destroy.
struct millrace_json_column {
    size_t count;
    size_t null_count;
    const uint8_t *valid;
    /// bool: uint8_t; integers and times: int64_t; floats: double; numeric, uuid: 16-byte integers;
    /// text, raw, base64, array: millrace_json_range; row: NULL.
    const void *values;
    /// base64 only.
    const uint8_t *data;
    size_t data_count;
};

struct millrace_json;

struct millrace_json *millrace_json_create(void);
void millrace_json_destroy(struct millrace_json *decoder);
/// Adds a node below `parent` (−1: a field of the document; an array has one child). Answers its
/// id, −1 when out of memory.
int32_t millrace_json_add(
    struct millrace_json *decoder, int32_t parent, int32_t kind, const uint8_t *name,
    size_t name_length, int32_t precision, int32_t scale, int32_t unit, int32_t flags);
/// What stands for a value that the producer does not have: JSON texts without white space, each
/// followed by a zero byte. White space in a document does not matter. Answers 0, or
/// millrace_json_reason OUT_OF_MEMORY.
int32_t millrace_json_set_placeholders(
    struct millrace_json *decoder, const uint8_t *texts, size_t length);
/// Decodes `count` documents. A document at [start, start + length) must be followed by a newline
/// to be indexed together with its neighbours; else it is indexed alone. With `is_null[i]` the
/// document is skipped: its row is all NULL. Escaped texts go to the overflow: their ranges count
/// from `arena_length`. Answers 0, or millrace_json_reason OUT_OF_MEMORY.
int32_t millrace_json_decode(
    struct millrace_json *decoder, const uint8_t *arena, size_t arena_length,
    const struct millrace_json_range *documents, const uint8_t *is_null, size_t count,
    int32_t checks_all);
/// Reads plain texts by the same fields: `rows` × (the document's own fields) ranges, row after
/// row. Booleans and bytea are PostgreSQL's (`t`, `\x00ff`), the rest as in JSON strings.
int32_t millrace_text_decode(
    struct millrace_json *decoder, const uint8_t *arena, size_t arena_length,
    const struct millrace_json_range *texts, const uint8_t *is_null, size_t rows);
struct millrace_json_column millrace_json_get(const struct millrace_json *decoder, int32_t node);
const struct millrace_json_error *millrace_json_errors(
    const struct millrace_json *decoder, size_t *count);
/// In the order of messages; of a message that has an error they mean nothing.
const struct millrace_json_missing *millrace_json_missing_values(
    const struct millrace_json *decoder, size_t *count);
const uint8_t *millrace_json_overflow(const struct millrace_json *decoder, size_t *count);
#ifdef __cplusplus
}
#endif
#endif
