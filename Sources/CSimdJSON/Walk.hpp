// One walk over a document's structural index, filling the columns of the fields that are wanted.
//
// Stage 1 of simdjson gives, for a whole chunk of documents, the places of `{ } [ ] : ,` and of the
// first byte of each string, number and literal. A token ends before the white space that precedes
// the next place, so nothing is scanned twice: a string's closing quote is the last byte of its
// token.
//
// Invariant: between two documents every column holds exactly one entry a document; between two
// fields every column below a row holds as many entries as the row, or one more. What a broken
// document left behind is cut off or filled up by `settle`.
#ifndef MILLRACE_WALK_HPP
#define MILLRACE_WALK_HPP
#include "Scalars.hpp"
#include <string>

namespace millrace {

struct Node {
    int kind = MILLRACE_JSON_ROW;
    int precision = 0, scale = 0, unit = 0, flags = 0;
    std::string name;
    /// The nodes of a row's fields; an array's element.
    std::vector<int32_t> children;
    std::vector<uint8_t> valid;
    size_t null_count = 0;
    std::vector<uint8_t> bools;
    std::vector<int64_t> integers;
    std::vector<double> doubles;
    std::vector<int128> wide;
    std::vector<millrace_json_range> ranges;
    Bytes data;

    size_t count() const noexcept { return valid.size(); }
};

inline constexpr size_t maximum_depth = 1024;

struct Walker {
    std::vector<Node> nodes;
    /// Ids of the document's own fields.
    std::vector<int32_t> root;
    Bytes overflow;
    Bytes scratch;
    size_t arena_length = 0;
    bool checks_all = false;

    // The chunk: `text` is its first byte, `base` that byte's place in the arena.
    const uint8_t *text = nullptr;
    size_t base = 0;
    const uint32_t *index = nullptr;
    // The document's tokens: next, behind the last; where the document ends.
    size_t next = 0, last = 0;
    uint32_t end = 0;
    /// Texts of strings that must be documents themselves: json columns of Debezium's.
    struct Embedded {
        int32_t node;
        Token quoted;
        millrace_json_range text;
    };
    std::vector<Embedded> embedded;
    std::vector<std::string> placeholders;
    std::vector<millrace_json_missing> missing;
    size_t document = 0;
    // What to blame.
    int32_t failed_node = -1;
    Token failed_token{nullptr, nullptr};

    uint8_t peek() const noexcept { return next < last ? text[index[next]] : 0; }

    Token token(size_t i) const noexcept {
        const uint8_t *start = text + index[i];
        const uint8_t *stop = text + (i + 1 < last ? index[i + 1] : end);
        while (stop > start + 1 && is_space(stop[-1])) stop--;
        return {start, stop};
    }

    static bool is_space(uint8_t c) noexcept {
        return c == ' ' || c == '\n' || c == '\r' || c == '\t';
    }

    // Columns.

    void append_null(Node &node) {
        switch (node.kind) {
        case MILLRACE_JSON_BOOL: node.bools.push_back(0); break;
        case MILLRACE_JSON_INTEGER: case MILLRACE_JSON_DATE: case MILLRACE_JSON_TIME:
        case MILLRACE_JSON_TIMESTAMP: node.integers.push_back(0); break;
        case MILLRACE_JSON_FLOAT: case MILLRACE_JSON_DOUBLE: node.doubles.push_back(0); break;
        case MILLRACE_JSON_NUMERIC: case MILLRACE_JSON_UUID: node.wide.push_back(0); break;
        case MILLRACE_JSON_ROW:
            for (int32_t child : node.children) append_null(nodes[size_t(child)]);
            break;
        default: node.ranges.push_back({0, 0}); break;
        }
        node.valid.push_back(0);
        node.null_count++;
    }

    void cut(Node &node, size_t count) {
        while (node.count() > count) {
            node.null_count -= node.valid.back() ? 0 : 1;
            node.valid.pop_back();
        }
        auto shorten = [count](auto &values) { if (values.size() > count) values.resize(count); };
        shorten(node.bools);
        shorten(node.integers);
        shorten(node.doubles);
        shorten(node.wide);
        shorten(node.ranges);
    }

    /// Makes the node and all below it hold exactly `count` entries.
    void settle(Node &node, size_t count) {
        if (node.kind == MILLRACE_JSON_ROW) {
            cut(node, count);
            for (int32_t child : node.children) settle(nodes[size_t(child)], node.count());
        } else if (node.kind == MILLRACE_JSON_ARRAY) {
            cut(node, count);
            Node &element = nodes[size_t(node.children[0])];
            settle(element, element.count());
        } else {
            // A value may lie in its array while its validity byte is still missing.
            cut(node, count < node.count() ? count : node.count());
        }
        while (node.count() < count) append_null(node);
    }

    void clear() noexcept {
        for (Node &node : nodes) {
            node.valid.clear();
            node.null_count = 0;
            node.bools.clear();
            node.integers.clear();
            node.doubles.clear();
            node.wide.clear();
            node.ranges.clear();
            node.data.clear();
        }
        overflow.clear();
        missing.clear();
    }

    // Skipping: the whole grammar is checked, nothing is kept.

    static bool is_string(Token t) noexcept {
        return t.size() >= 2 && *t.start == '"' && t.end[-1] == '"';
    }

    bool checks_scalar(Token t) {
        uint8_t c = *t.start;
        if (c == '"') {
            if (!is_string(t)) return false;
            if (!memchr(t.start, '\\', t.size())) return true;
            scratch.clear();
            return unescape({t.start + 1, t.end - 1}, scratch);
        }
        if (c == 't') return equals(t, "true");
        if (c == 'f') return equals(t, "false");
        if (c == 'n') return equals(t, "null");
        return is_number(t);
    }

    int fail(int reason, size_t at) noexcept {
        failed_token = at < last ? token(at) : Token{text + end, text + end};
        return reason;
    }

    bool eat(uint8_t c) noexcept {
        if (peek() != c) return false;
        next++;
        return true;
    }

    /// Passes a key and its colon.
    bool skip_key() {
        if (next >= last || !checks_scalar(token(next)) || text[index[next]] != '"') return false;
        next++;
        return eat(':');
    }

    /// Passes one value, checking it. A bit of `arrays` a level: 1 = array.
    int skip_value() {
        uint64_t arrays[maximum_depth / 64];
        size_t depth = 0;
        for (;;) {
            if (next >= last) return fail(MILLRACE_JSON_MALFORMED, next);
            uint8_t c = text[index[next]];
            if (c == '{' || c == '[') {
                if (depth == maximum_depth) return fail(MILLRACE_JSON_NESTED_TOO_DEEP, next);
                uint64_t bit = uint64_t(1) << (depth % 64);
                if (c == '[') arrays[depth / 64] |= bit; else arrays[depth / 64] &= ~bit;
                depth++;
                next++;
                if (peek() != (c == '{' ? '}' : ']')) {
                    if (c == '{' && !skip_key()) return fail(MILLRACE_JSON_MALFORMED, next);
                    continue;
                }
                next++;
                depth--;
            } else {
                if (!checks_scalar(token(next))) return fail(MILLRACE_JSON_MALFORMED, next);
                next++;
            }
            for (;;) {
                if (depth == 0) return 0;
                bool in_array = arrays[(depth - 1) / 64] >> ((depth - 1) % 64) & 1;
                if (eat(',')) {
                    if (!in_array && !skip_key()) return fail(MILLRACE_JSON_MALFORMED, next);
                    break;
                }
                if (!eat(in_array ? ']' : '}')) return fail(MILLRACE_JSON_MALFORMED, next);
                depth--;
            }
        }
    }

    // Values.

    /// The content of a string token, unescaped; in the arena, or at the end of `overflow`.
    int text_of(Token t, millrace_json_range &range) {
        if (!is_string(t)) return MILLRACE_JSON_MALFORMED;
        Token inner{t.start + 1, t.end - 1};
        if (!memchr(inner.start, '\\', inner.size())) {
            range = {uint32_t(base + size_t(inner.start - text)), uint32_t(inner.size())};
            return 0;
        }
        size_t start = overflow.size();
        if (!unescape(inner, overflow)) return MILLRACE_JSON_MALFORMED;
        range = {uint32_t(arena_length + start), uint32_t(overflow.size() - start)};
        return 0;
    }

    /// The content of a string, for parsing: `scratch` holds it where it has escapes.
    int string_of(Token t, Token &out) {
        if (!is_string(t)) return MILLRACE_JSON_MALFORMED;
        out = {t.start + 1, t.end - 1};
        if (!memchr(out.start, '\\', out.size())) return 0;
        scratch.clear();
        if (!unescape(out, scratch)) return MILLRACE_JSON_MALFORMED;
        out = {scratch.data(), scratch.data() + scratch.size()};
        return 0;
    }

    static int unless_malformed(int status, Token t) noexcept {
        if (status != MILLRACE_JSON_WRONG_TYPE) return status;
        return is_number(t) ? status : MILLRACE_JSON_MALFORMED;
    }

    int append_number(Node &node, Token t) {
        int status = 0;
        int64_t integer = 0;
        double real = 0;
        int128 wide = 0;
        switch (node.kind) {
        case MILLRACE_JSON_INTEGER:
            status = unless_malformed(parse_integer(t, node.precision, integer), t);
            if (status == MILLRACE_JSON_INEXACT) status = MILLRACE_JSON_WRONG_TYPE;
            if (!status) node.integers.push_back(integer);
            return status;
        case MILLRACE_JSON_FLOAT: case MILLRACE_JSON_DOUBLE:
            status = node.kind == MILLRACE_JSON_FLOAT ? parse_float<float>(t, real)
                                                      : parse_float<double>(t, real);
            status = unless_malformed(status, t);
            if (!status) node.doubles.push_back(real);
            return status;
        case MILLRACE_JSON_NUMERIC:
            status = unless_malformed(parse_numeric(t, node.precision, node.scale, wide), t);
            if (!status) node.wide.push_back(wide);
            return status;
        case MILLRACE_JSON_DATE: case MILLRACE_JSON_TIME: case MILLRACE_JSON_TIMESTAMP:
            if (node.unit == MILLRACE_JSON_ISO8601)
                return unless_malformed(MILLRACE_JSON_WRONG_TYPE, t);
            status = unless_malformed(
                node.unit == MILLRACE_JSON_DAYS ? parse_integer(t, 32, integer)
                                                : parse_unit(t, node.unit, integer), t);
            if (!status && node.kind == MILLRACE_JSON_TIMESTAMP
                && (node.flags & MILLRACE_JSON_LENIENT))
                integer = infinite(integer);
            if (!status && node.kind == MILLRACE_JSON_TIME
                && (integer < 0 || integer > 86'400'000'000)) status = MILLRACE_JSON_OUT_OF_RANGE;
            if (!status) node.integers.push_back(integer);
            return status;
        default: return unless_malformed(MILLRACE_JSON_WRONG_TYPE, t);
        }
    }

    /// Debezium's spelling of PostgreSQL's infinite timestamps (its PGStatement constants, µs).
    static int64_t infinite(int64_t microseconds) noexcept {
        if (microseconds == 9223372036825200000) return INT64_MAX;
        if (microseconds == -9223372036832400000) return INT64_MIN;
        return microseconds;
    }

    /// Kafka Connect's Decimal: base64 of the big-endian two's complement.
    int connect_decimal(Token t, const Node &node, int128 &out) {
        Bytes bytes;
        int status = parse_base64(t, bytes);
        if (status) return status;
        if (bytes.empty()) return MILLRACE_JSON_WRONG_TYPE;
        unsigned __int128 value = bytes[0] & 0x80 ? ~static_cast<unsigned __int128>(0) : 0;
        size_t first = 0;
        while (bytes.size() - first > 16) {
            if (bytes[first] != uint8_t(value)) return MILLRACE_JSON_OUT_OF_RANGE;
            first++;
        }
        if (first > 0 && ((bytes[first] ^ uint8_t(value)) & 0x80))
            return MILLRACE_JSON_OUT_OF_RANGE;
        for (size_t i = first; i < bytes.size(); i++) value = value << 8 | bytes[i];
        out = int128(value);
        int128 limit = power_of_ten(node.precision);
        return out >= limit || out <= -limit ? MILLRACE_JSON_OUT_OF_RANGE : 0;
    }

    int append_decimal_string(Node &node, Token t) {
        int128 wide = 0;
        int status = MILLRACE_JSON_WRONG_TYPE;
        if (node.flags & MILLRACE_JSON_OTHER_SCALE) return status;
        bool says_text = node.flags & MILLRACE_JSON_DECIMAL_TEXT;
        bool says_base64 = node.flags & MILLRACE_JSON_CONNECT_DECIMAL;
        if (!says_text && !says_base64 && (node.flags & MILLRACE_JSON_LENIENT)) {
            // Without a schema: a point means text (Debezium writes all s digits), else base64;
            // digits alone may be either.
            Decimal number;
            bool is_number = parse_number(t, number);
            says_text = memchr(t.start, '.', t.size()) != nullptr
                || (is_number && t.size() % 4 != 0);
            says_base64 = !says_text;
            if (is_number && says_base64) return MILLRACE_JSON_AMBIGUOUS;
        }
        if (says_text) status = parse_numeric(t, node.precision, node.scale, wide);
        else if (says_base64) status = connect_decimal(t, node, wide);
        if (!status) node.wide.push_back(wide);
        return status;
    }

    int append_float_string(Node &node, Token t) {
        if (node.kind != MILLRACE_JSON_FLOAT && node.kind != MILLRACE_JSON_DOUBLE)
            return MILLRACE_JSON_WRONG_TYPE;
        if (equals(t, "NaN")) node.doubles.push_back(__builtin_nan(""));
        else if (equals(t, "Infinity")) node.doubles.push_back(__builtin_inf());
        else if (equals(t, "-Infinity")) node.doubles.push_back(-__builtin_inf());
        else return MILLRACE_JSON_WRONG_TYPE;
        return 0;
    }

    int append_parsed_string(Node &node, Token quoted) {
        Token t{nullptr, nullptr};
        int status = string_of(quoted, t);
        return status ? status : append_unquoted(node, t);
    }

    int append_unquoted(Node &node, Token t) {
        int status = 0;
        int64_t integer = 0;
        int128 wide = 0;
        bool takes_iso = node.unit == MILLRACE_JSON_ISO8601 || (node.flags & MILLRACE_JSON_LENIENT);
        switch (node.kind) {
        case MILLRACE_JSON_BASE64: {
            size_t start = node.data.size();
            status = parse_base64(t, node.data);
            if (status) { node.data.resize(start); return status; }
            node.ranges.push_back({uint32_t(start), uint32_t(node.data.size() - start)});
            return 0;
        }
        case MILLRACE_JSON_DATE:
            status = takes_iso ? parse_date(t, node.flags & MILLRACE_JSON_LENIENT, integer)
                               : MILLRACE_JSON_WRONG_TYPE;
            break;
        case MILLRACE_JSON_TIME:
            status = takes_iso ? parse_time(t, integer) : MILLRACE_JSON_WRONG_TYPE;
            break;
        case MILLRACE_JSON_TIMESTAMP:
            status = takes_iso ? parse_timestamp(t, integer) : MILLRACE_JSON_WRONG_TYPE;
            break;
        case MILLRACE_JSON_UUID:
            status = parse_uuid(t, wide);
            if (!status) node.wide.push_back(wide);
            return status;
        case MILLRACE_JSON_NUMERIC: return append_decimal_string(node, t);
        case MILLRACE_JSON_FLOAT: case MILLRACE_JSON_DOUBLE:
            return node.flags & MILLRACE_JSON_LENIENT ? append_float_string(node, t)
                                                      : MILLRACE_JSON_WRONG_TYPE;
        default: return MILLRACE_JSON_WRONG_TYPE;
        }
        if (!status) node.integers.push_back(integer);
        return status;
    }

    // Plain texts of csv and raw keys.

    int append_time_text(Node &node, Token t) {
        if (node.kind == MILLRACE_JSON_TIMESTAMP && node.unit != MILLRACE_JSON_ISO8601)
            return append_number(node, t);
        return append_unquoted(node, t);
    }

    int append_boolean_text(Node &node, Token t) {
        char lower[6] = {};
        if (t.size() == 0 || t.size() > 5) return MILLRACE_JSON_WRONG_TYPE;
        for (size_t i = 0; i < t.size(); i++)
            lower[i] = char(t.start[i] | (t.start[i] >= 'A' && t.start[i] <= 'Z' ? 0x20 : 0));
        for (const char *yes : {"t", "true", "y", "yes", "on", "1"})
            if (strcmp(lower, yes) == 0) { node.bools.push_back(1); return 0; }
        for (const char *no : {"f", "false", "n", "no", "off", "0"})
            if (strcmp(lower, no) == 0) { node.bools.push_back(0); return 0; }
        return MILLRACE_JSON_WRONG_TYPE;
    }

    /// PostgreSQL's hex form of bytea.
    int append_hex(Node &node, Token t) {
        if (t.size() < 2 || t.size() % 2 != 0 || t.start[0] != '\\' || t.start[1] != 'x')
            return MILLRACE_JSON_WRONG_TYPE;
        size_t start = node.data.size();
        for (const uint8_t *p = t.start + 2; p < t.end; p += 2) {
            int high = hex_digit(p[0]), low = hex_digit(p[1]);
            if (high < 0 || low < 0) { node.data.resize(start); return MILLRACE_JSON_WRONG_TYPE; }
            node.data.push_back(uint8_t(high << 4 | low));
        }
        node.ranges.push_back({uint32_t(start), uint32_t(node.data.size() - start)});
        return 0;
    }

    int append_string(Node &node, Token t) {
        if (node.kind != MILLRACE_JSON_TEXT) return append_parsed_string(node, t);
        millrace_json_range range;
        int status = text_of(t, range);
        if (!status) node.ranges.push_back(range);
        return status;
    }

    /// Whether the value at hand is a placeholder: its text but for white space between tokens.
    bool is_placeholder() const noexcept {
        for (const std::string &form : placeholders) {
            const uint8_t *p = text + index[next], *stop = text + end;
            size_t matched = 0;
            bool in_string = false;
            while (p < stop && matched < form.size()) {
                if (*p == uint8_t(form[matched])) {
                    bool escaped = matched > 0 && form[matched - 1] == '\\';
                    if (*p == '"' && !escaped) in_string = !in_string;
                    matched++;
                } else if (in_string || !is_space(*p)) break;
                p++;
            }
            if (matched == form.size()) return true;
        }
        return false;
    }

    int append_bool(Node &node, Token t) {
        bool value = equals(t, "true");
        if (!value && !equals(t, "false")) return MILLRACE_JSON_MALFORMED;
        if (node.kind != MILLRACE_JSON_BOOL) return MILLRACE_JSON_WRONG_TYPE;
        node.bools.push_back(value);
        return 0;
    }

    int append_embedded(Node &node, int32_t id) {
        Token quoted = token(next);
        millrace_json_range range;
        int status = text_of(quoted, range);
        if (status) return fail(status, next);
        embedded.push_back({id, quoted, range});
        node.ranges.push_back(range);
        node.valid.push_back(1);
        next++;
        return 0;
    }

    int append_raw(Node &node, int32_t id) {
        if ((node.flags & MILLRACE_JSON_LENIENT) && peek() == '"')
            return append_embedded(node, id);
        size_t first = next;
        int status = skip_value();
        if (status) return status;
        Token opening = token(first), closing = token(next - 1);
        node.ranges.push_back(
            {uint32_t(base + size_t(opening.start - text)),
             uint32_t(closing.end - opening.start)});
        node.valid.push_back(1);
        return 0;
    }

    int append_array(Node &node) {
        if (!eat('[')) return fail(wrong_type_here(), next);
        Node &element = nodes[size_t(node.children[0])];
        size_t start = element.count();
        if (!eat(']')) {
            for (;;) {
                int status = append_value(element, node.children[0]);
                if (status) return status;
                if (eat(']')) break;
                if (!eat(',')) return fail(MILLRACE_JSON_MALFORMED, next);
            }
        }
        node.ranges.push_back({uint32_t(start), uint32_t(element.count() - start)});
        node.valid.push_back(1);
        return 0;
    }

    /// The reason for a value that is not of the wanted shape: it may be no value at all.
    int wrong_type_here() {
        size_t place = next;
        int status = skip_value();
        next = place;
        return status ? status : MILLRACE_JSON_WRONG_TYPE;
    }

    int append_row(Node &node) {
        if (peek() != '{') return fail(wrong_type_here(), next);
        size_t count = node.count();
        size_t found = 0;
        int status = walk_object(node.children, count, found, false);
        if (status) return status;
        for (int32_t child : node.children) {
            if (nodes[size_t(child)].count() == count) append_null(nodes[size_t(child)]);
        }
        node.valid.push_back(1);
        return 0;
    }

    /// Appends exactly one entry, or fails with `failed_node` and `failed_token` set.
    int append_value(Node &node, int32_t id) {
        if (next >= last) return fail(MILLRACE_JSON_MALFORMED, next);
        uint8_t c = text[index[next]];
        Token t = token(next);
        int status = 0;
        if ((node.flags & MILLRACE_JSON_MAY_BE_PLACEHOLDER) && is_placeholder()) {
            failed_node = id;
            status = skip_value();
            if (status) return status;
            append_null(node);
            missing.push_back({uint32_t(document), id});
            return 0;
        }
        if (c == 'n') {
            failed_node = id;
            if (!equals(t, "null")) return fail(MILLRACE_JSON_MALFORMED, next);
            append_null(node);
            next++;
            return 0;
        }
        if (node.kind >= MILLRACE_JSON_RAW) {
            failed_node = id;
            return node.kind == MILLRACE_JSON_RAW     ? append_raw(node, id)
                   : node.kind == MILLRACE_JSON_ARRAY ? append_array(node)
                                                      : append_row(node);
        }
        if (c == '"') status = append_string(node, t);
        else if (c == '{' || c == '[') status = wrong_type_here();
        else if (c == 't' || c == 'f') status = append_bool(node, t);
        else status = append_number(node, t);
        if (status) {
            failed_node = id;
            return fail(status, next);
        }
        node.valid.push_back(1);
        next++;
        return 0;
    }

    // Objects.

    /// The field whose name the key is; −1: none. Fields mostly come in one order: `hint` goes
    /// first.
    int32_t match(const std::vector<int32_t> &fields, Token key, size_t &hint, bool &broken) {
        const uint8_t *name = key.start + 1;
        size_t length = key.size() - 2;
        if (memchr(name, '\\', length)) {
            scratch.clear();
            broken = !unescape({name, name + length}, scratch);
            if (broken) return -1;
            name = scratch.data();
            length = scratch.size();
        }
        for (size_t i = 0; i < fields.size(); i++) {
            size_t at = hint + i < fields.size() ? hint + i : hint + i - fields.size();
            const std::string &field = nodes[size_t(fields[at])].name;
            if (field.size() == length && memcmp(field.data(), name, length) == 0) {
                hint = at + 1 < fields.size() ? at + 1 : 0;
                return fields[at];
            }
        }
        return -1;
    }

    /// Walks the object at `next` into `fields`, each holding `count` entries so far. With
    /// `stops_early` ends behind the last wanted field.
    int walk_object(
        const std::vector<int32_t> &fields, size_t count, size_t &found, bool stops_early) {
        next++;
        if (eat('}')) return 0;
        size_t hint = 0;
        for (;;) {
            if (next >= last) return fail(MILLRACE_JSON_MALFORMED, next);
            Token key = token(next);
            if (!is_string(key)) return fail(MILLRACE_JSON_MALFORMED, next);
            bool broken = false;
            int32_t id = match(fields, key, hint, broken);
            if (broken) return fail(MILLRACE_JSON_MALFORMED, next);
            next++;
            if (!eat(':')) return fail(MILLRACE_JSON_MALFORMED, next);
            int status = take_field(id, count, found);
            if (status) return status;
            if (stops_early && found == fields.size() && peek() == ',') return 0;
            if (eat('}')) return 0;
            if (!eat(',')) return fail(MILLRACE_JSON_MALFORMED, next);
        }
    }

    int take_field(int32_t id, size_t count, size_t &found) {
        if (id < 0) return skip_value();
        Node &node = nodes[size_t(id)];
        if (node.kind == MILLRACE_JSON_INLINE) {
            if (peek() != '{') return skip_value();
            return walk_object(root, count, found, false);
        }
        if (node.count() != count) return skip_value();
        found++;
        return append_value(node, id);
    }

    /// One document into row `row` of all root columns; 0 or the reason.
    int walk_document(size_t row) {
        failed_node = -1;
        failed_token = Token{text + end, text + end};
        embedded.clear();
        document = row;
        if (next >= last) return MILLRACE_JSON_MALFORMED;
        if (peek() != '{') {
            int status = skip_value();
            return status ? status
                   : next < last ? fail(MILLRACE_JSON_MALFORMED, next)
                                 : MILLRACE_JSON_NOT_AN_OBJECT;
        }
        size_t found = 0;
        if (root.empty() && !checks_all) {
            return text[index[last - 1]] == '}' && last - next > 1
                ? 0 : fail(MILLRACE_JSON_MALFORMED, last - 1);
        }
        int status = walk_object(root, row, found, !checks_all);
        if (status) return status;
        if (!checks_all && found == root.size() && peek() == ',') {
            if (text[index[last - 1]] == '}' && token(last - 1).size() == 1) return 0;
            return fail(MILLRACE_JSON_MALFORMED, last - 1);
        }
        return next == last ? 0 : fail(MILLRACE_JSON_MALFORMED, next);
    }
};

} // namespace millrace
#endif
