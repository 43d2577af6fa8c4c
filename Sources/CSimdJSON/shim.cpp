// The extern "C" functions: indexing in chunks by simdjson's stage 1, then Walk.hpp document by
// document. The only exception that C++ can throw here is a refused allocation; it is caught.
#define SIMDJSON_EXCEPTIONS 0
#include "Walk.hpp"
#include <memory>
#include <new>
#include <simdjson.h>

/// Neighbours are indexed together up to so many bytes: the index of a chunk stays in the L2 cache.
static constexpr size_t chunk_bytes = 64 * 1024;

struct millrace_json {
    millrace::Walker walker;
    std::vector<millrace_json_error> errors;
    std::unique_ptr<simdjson::internal::dom_parser_implementation> stage;
    size_t capacity = 0;

    int index(const uint8_t *text, size_t length);
    void walk(size_t message, millrace_json_range document, size_t chunk_start, size_t &cursor);
    void refuse(size_t message, int reason, millrace_json_range place);
    void decode_alone(const uint8_t *arena, millrace_json_range document, size_t message);
    size_t decode_chunk(
        const uint8_t *arena, const millrace_json_range *documents, const uint8_t *is_null,
        size_t first, size_t count);
    void settle(size_t count);
    int read_text(millrace::Node &node, const uint8_t *arena, millrace_json_range range);
    int check_document(const uint8_t *text, size_t length);
    int check_embedded(const uint8_t *arena);
    /// Checks documents inside of documents: its index must not take the outer one's place.
    std::unique_ptr<millrace_json> inner;
};

/// Stage 1 over `length` > 0 bytes; answers simdjson's error code.
int millrace_json::index(const uint8_t *text, size_t length) {
    if (!stage || length > capacity) {
        size_t wanted = length > chunk_bytes * 2 ? length : chunk_bytes * 2;
        stage.reset();
        auto error = simdjson::get_active_implementation()->create_dom_parser_implementation(
            wanted, 16, stage);
        if (error) throw std::bad_alloc();
        capacity = wanted;
    }
    return stage->stage1(text, length, simdjson::stage1_mode::regular);
}

void millrace_json::settle(size_t count) {
    for (int32_t id : walker.root) {
        auto &node = walker.nodes[size_t(id)];
        if (node.kind != MILLRACE_JSON_INLINE && node.count() != count) walker.settle(node, count);
    }
}

void millrace_json::refuse(size_t message, int reason, millrace_json_range place) {
    for (int32_t id : walker.root) {
        auto &node = walker.nodes[size_t(id)];
        if (node.kind != MILLRACE_JSON_INLINE) walker.settle(node, message);
    }
    settle(message + 1);
    errors.push_back({uint32_t(message), walker.failed_node, reason, place});
}

static bool has_byte_order_mark(const uint8_t *text, size_t length) noexcept {
    return length >= 3 && text[0] == 0xef && text[1] == 0xbb && text[2] == 0xbf;
}

/// Walks a document whose tokens begin at `cursor` of the index or later.
void millrace_json::walk(
    size_t message, millrace_json_range document, size_t chunk_start, size_t &cursor) {
    size_t start = document.start - chunk_start, stop = start + document.length;
    const uint32_t *places = stage->structural_indexes.get();
    size_t total = stage->n_structural_indexes;
    while (cursor < total && places[cursor] < start) cursor++;
    size_t behind = cursor;
    while (behind < total && places[behind] < stop) behind++;
    walker.index = places;
    walker.next = cursor;
    walker.last = behind;
    walker.end = uint32_t(stop);
    cursor = behind;
    int reason = has_byte_order_mark(walker.text + start, document.length)
        ? MILLRACE_JSON_BYTE_ORDER_MARK : walker.walk_document(message);
    if (reason == 0 && !walker.embedded.empty()) reason = check_embedded(walker.text - walker.base);
    if (reason == 0) return settle(message + 1);
    auto token = walker.failed_token;
    millrace_json_range place{
        uint32_t(walker.base + size_t(token.start - walker.text)), uint32_t(token.size())};
    if (reason == MILLRACE_JSON_BYTE_ORDER_MARK) {
        place = {document.start, 0};
        walker.failed_node = -1;
    }
    refuse(message, reason, place);
}

void millrace_json::decode_alone(
    const uint8_t *arena, millrace_json_range document, size_t message) {
    walker.text = arena + document.start;
    walker.base = document.start;
    walker.failed_node = -1;
    int error = index(walker.text, document.length);
    if (error == simdjson::SUCCESS) {
        size_t cursor = 0;
        return walk(message, document, document.start, cursor);
    }
    int reason = has_byte_order_mark(walker.text, document.length) ? MILLRACE_JSON_BYTE_ORDER_MARK
                 : error == simdjson::UTF8_ERROR                   ? MILLRACE_JSON_INVALID_UTF8
                                                                   : MILLRACE_JSON_MALFORMED;
    refuse(message, reason, document);
}

/// Decodes the documents from `first` that lie behind one another up to `chunk_bytes`; answers the
/// next one. The newline between two of them keeps a broken one to itself: inside an open string it
/// is a control character, inside an open UTF-8 sequence an error; then each is indexed alone.
size_t millrace_json::decode_chunk(
    const uint8_t *arena, const millrace_json_range *documents, const uint8_t *is_null,
    size_t first, size_t count) {
    size_t start = documents[first].start, stop = start, behind = first;
    while (behind < count) {
        if (is_null[behind]) { behind++; continue; }
        size_t end = size_t(documents[behind].start) + documents[behind].length;
        bool follows = behind == first
            || (documents[behind].start == stop + 1 && arena[stop] == '\n');
        if (!follows || documents[behind].length == 0) break;
        if (behind > first && end - start > chunk_bytes) break;
        stop = end;
        behind++;
    }
    if (behind == first) return first;
    bool together = index(arena + start, stop - start) == simdjson::SUCCESS;
    size_t cursor = 0;
    for (size_t message = first; message < behind; message++) {
        if (is_null[message]) { settle(message + 1); continue; }
        if (!together) { decode_alone(arena, documents[message], message); continue; }
        walker.text = arena + start;
        walker.base = start;
        walk(message, documents[message], start, cursor);
    }
    return behind;
}

/// Whether the text is one JSON value and nothing else.
int millrace_json::check_document(const uint8_t *text, size_t length) {
    if (length == 0 || index(text, length) != simdjson::SUCCESS) return MILLRACE_JSON_MALFORMED;
    walker.text = text;
    walker.base = 0;
    walker.index = stage->structural_indexes.get();
    walker.next = 0;
    walker.last = stage->n_structural_indexes;
    walker.end = uint32_t(length);
    int status = walker.skip_value();
    return status ? status : walker.next == walker.last ? 0 : MILLRACE_JSON_MALFORMED;
}

/// Checks the documents that stand in strings of the last document.
int millrace_json::check_embedded(const uint8_t *arena) {
    if (!inner) inner.reset(new millrace_json);
    for (const auto &one : walker.embedded) {
        const uint8_t *text = one.text.start < walker.arena_length
            ? arena + one.text.start
            : walker.overflow.data() + (one.text.start - walker.arena_length);
        if (inner->check_document(text, one.text.length) == 0) continue;
        walker.failed_node = one.node;
        walker.failed_token = one.quoted;
        return MILLRACE_JSON_WRONG_TYPE;
    }
    return 0;
}

/// Appends a plain text, or answers why not and appends nothing.
int millrace_json::read_text(
    millrace::Node &node, const uint8_t *arena, millrace_json_range range) {
    millrace::Token text{arena + range.start, arena + range.start + range.length};
    int status = 0;
    switch (node.kind) {
    case MILLRACE_JSON_TEXT: case MILLRACE_JSON_RAW:
        if (node.kind == MILLRACE_JSON_RAW) status = check_document(text.start, text.size());
        else if (!simdjson::validate_utf8(reinterpret_cast<const char *>(text.start), text.size()))
            status = MILLRACE_JSON_INVALID_UTF8;
        if (status) return status;
        node.ranges.push_back(range);
        node.valid.push_back(1);
        return 0;
    case MILLRACE_JSON_BASE64: status = walker.append_hex(node, text); break;
    case MILLRACE_JSON_BOOL: status = walker.append_boolean_text(node, text); break;
    case MILLRACE_JSON_DATE: case MILLRACE_JSON_TIME: case MILLRACE_JSON_TIMESTAMP:
    case MILLRACE_JSON_UUID: status = walker.append_time_text(node, text); break;
    default:
        status = walker.append_number(node, text);
        if (status == MILLRACE_JSON_MALFORMED) status = walker.append_float_string(node, text);
        break;
    }
    if (!status) node.valid.push_back(1);
    return status;
}

extern "C" {

const char *millrace_simdjson_implementation(void) {
    static const std::string name = simdjson::get_active_implementation()->name();
    return name.c_str();
}

struct millrace_json *millrace_json_create(void) { return new (std::nothrow) millrace_json; }

void millrace_json_destroy(struct millrace_json *decoder) { delete decoder; }

int32_t millrace_json_add(
    struct millrace_json *decoder, int32_t parent, int32_t kind, const uint8_t *name,
    size_t name_length, int32_t precision, int32_t scale, int32_t unit, int32_t flags) {
    try {
        auto &nodes = decoder->walker.nodes;
        millrace::Node node;
        node.kind = kind;
        node.precision = precision;
        node.scale = scale;
        node.unit = unit;
        node.flags = flags;
        if (name_length > 0) node.name.assign(reinterpret_cast<const char *>(name), name_length);
        auto id = int32_t(nodes.size());
        nodes.push_back(std::move(node));
        auto &siblings = parent < 0 ? decoder->walker.root : nodes[size_t(parent)].children;
        siblings.push_back(id);
        return id;
    } catch (...) { return -1; }
}

int32_t millrace_json_set_placeholders(
    struct millrace_json *decoder, const uint8_t *texts, size_t length) {
    try {
        auto &forms = decoder->walker.placeholders;
        forms.clear();
        size_t start = 0;
        for (size_t i = 0; i < length; i++) {
            if (texts[i] != 0) continue;
            forms.emplace_back(reinterpret_cast<const char *>(texts + start), i - start);
            start = i + 1;
        }
        return 0;
    } catch (...) { return MILLRACE_JSON_OUT_OF_MEMORY; }
}

int32_t millrace_json_decode(
    struct millrace_json *decoder, const uint8_t *arena, size_t arena_length,
    const struct millrace_json_range *documents, const uint8_t *is_null, size_t count,
    int32_t checks_all) {
    try {
        auto &walker = decoder->walker;
        walker.clear();
        decoder->errors.clear();
        walker.arena_length = arena_length;
        walker.checks_all = checks_all != 0;
        size_t message = 0;
        while (message < count) {
            if (is_null[message]) {
                message++;
                decoder->settle(message);
            } else if (documents[message].length == 0) {
                walker.failed_node = -1;
                decoder->refuse(message, MILLRACE_JSON_EMPTY, documents[message]);
                message++;
            } else {
                message = decoder->decode_chunk(arena, documents, is_null, message, count);
            }
        }
        return 0;
    } catch (...) { return MILLRACE_JSON_OUT_OF_MEMORY; }
}

int32_t millrace_text_decode(
    struct millrace_json *decoder, const uint8_t *arena, size_t arena_length,
    const struct millrace_json_range *texts, const uint8_t *is_null, size_t rows) {
    try {
        auto &walker = decoder->walker;
        walker.clear();
        decoder->errors.clear();
        walker.arena_length = arena_length;
        size_t fields = walker.root.size();
        for (size_t row = 0; row < rows; row++) {
            bool failed = false;
            for (size_t field = 0; field < fields; field++) {
                size_t at = row * fields + field;
                auto &node = walker.nodes[size_t(walker.root[field])];
                if (is_null[at]) { walker.append_null(node); continue; }
                int reason = decoder->read_text(node, arena, texts[at]);
                if (reason == 0) continue;
                walker.append_null(node);
                if (!failed)
                    decoder->errors.push_back(
                        {uint32_t(row), walker.root[field], reason, texts[at]});
                failed = true;
            }
        }
        return 0;
    } catch (...) { return MILLRACE_JSON_OUT_OF_MEMORY; }
}

struct millrace_json_column millrace_json_get(const struct millrace_json *decoder, int32_t id) {
    const auto &node = decoder->walker.nodes[size_t(id)];
    const void *values = nullptr;
    if (!node.bools.empty()) values = node.bools.data();
    else if (!node.integers.empty()) values = node.integers.data();
    else if (!node.doubles.empty()) values = node.doubles.data();
    else if (!node.wide.empty()) values = node.wide.data();
    else if (!node.ranges.empty()) values = node.ranges.data();
    return {node.count(),       node.null_count,    node.valid.data(), values,
            node.data.data(), node.data.size()};
}

const struct millrace_json_error *millrace_json_errors(
    const struct millrace_json *decoder, size_t *count) {
    *count = decoder->errors.size();
    return decoder->errors.data();
}

const struct millrace_json_missing *millrace_json_missing_values(
    const struct millrace_json *decoder, size_t *count) {
    *count = decoder->walker.missing.size();
    return decoder->walker.missing.data();
}

const uint8_t *millrace_json_overflow(const struct millrace_json *decoder, size_t *count) {
    *count = decoder->walker.overflow.size();
    return decoder->walker.overflow.data();
}

} // extern "C"
