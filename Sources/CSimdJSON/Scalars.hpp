// Scalars of JSON documents: numbers, times, base64, uuid, escapes. Each takes exactly its token.
#ifndef MILLRACE_SCALARS_HPP
#define MILLRACE_SCALARS_HPP
#include "CSimdJSON.h"
#include <charconv>
#include <cstring>
#include <vector>

namespace millrace {

using int128 = __int128;
using Bytes = std::vector<uint8_t>;

struct Token {
    const uint8_t *start;
    const uint8_t *end;
    size_t size() const noexcept { return size_t(end - start); }
};

inline bool is_digit(uint8_t c) noexcept { return uint8_t(c - '0') < 10; }

/// A JSON number's parts: ±digits × 10^exponent, digits without leading and trailing zeros.
struct Decimal {
    bool negative = false;
    uint8_t digits[40];
    int count = 0;
    int64_t exponent = 0;
    /// More than 40 significant digits: the number fits nowhere, or isn't exact anywhere.
    bool too_long = false;
};

/// The grammar of RFC 8259 §6. `false`: not a number.
inline bool parse_number(Token token, Decimal &out) noexcept {
    const uint8_t *p = token.start, *end = token.end;
    if (p < end && *p == '-') { out.negative = true; p++; }
    if (p >= end || !is_digit(*p)) return false;
    if (*p == '0' && p + 1 < end && is_digit(p[1])) return false;
    int64_t zeros = 0, exponent = 0;
    auto take = [&](uint8_t digit) noexcept {
        if (digit == 0) { if (out.count > 0 || out.too_long) zeros++; return; }
        while (zeros > 0) {
            zeros--;
            if (out.count < 40) out.digits[out.count++] = 0; else out.too_long = true;
        }
        if (out.count < 40) out.digits[out.count++] = digit; else out.too_long = true;
    };
    while (p < end && is_digit(*p)) take(uint8_t(*p++ - '0'));
    if (p < end && *p == '.') {
        p++;
        if (p >= end || !is_digit(*p)) return false;
        while (p < end && is_digit(*p)) { take(uint8_t(*p++ - '0')); exponent--; }
    }
    exponent += zeros;
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        bool negative = false;
        if (p < end && (*p == '+' || *p == '-')) { negative = *p == '-'; p++; }
        if (p >= end || !is_digit(*p)) return false;
        int64_t value = 0;
        while (p < end && is_digit(*p)) {
            if (value < 1'000'000'000) value = value * 10 + (*p - '0');
            p++;
        }
        exponent += negative ? -value : value;
    }
    out.exponent = exponent;
    return p == end;
}

/// The same grammar for a number that nobody wants.
inline bool is_number(Token token) noexcept {
    const uint8_t *p = token.start, *end = token.end;
    if (p < end && *p == '-') p++;
    if (p >= end || !is_digit(*p)) return false;
    if (*p == '0' && p + 1 < end && is_digit(p[1])) return false;
    while (p < end && is_digit(*p)) p++;
    if (p < end && *p == '.') {
        p++;
        if (p >= end || !is_digit(*p)) return false;
        while (p < end && is_digit(*p)) p++;
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        if (p < end && (*p == '+' || *p == '-')) p++;
        if (p >= end || !is_digit(*p)) return false;
        while (p < end && is_digit(*p)) p++;
    }
    return p == end;
}

inline int128 power_of_ten(int exponent) noexcept {
    int128 result = 1;
    while (exponent-- > 0) result *= 10;
    return result;
}

/// The number × 10^scale as an integer below 10^38. `floors`: digits behind it go down instead of
/// being refused.
inline int scaled(const Decimal &number, int64_t scale, bool floors, int128 &out) noexcept {
    if (number.count == 0) { out = 0; return 0; }
    int64_t exponent = number.exponent + scale;
    if (number.too_long && !floors)
        return number.count + exponent > 38 ? MILLRACE_JSON_OUT_OF_RANGE : MILLRACE_JSON_INEXACT;
    if (number.count + exponent > 38) return MILLRACE_JSON_OUT_OF_RANGE;
    if (exponent < 0 && !floors) return MILLRACE_JSON_INEXACT;
    int64_t used = exponent < 0 ? number.count + exponent : number.count;
    int128 value = 0;
    for (int64_t i = 0; i < used; i++) value = value * 10 + number.digits[i];
    if (exponent > 0) value *= power_of_ten(int(exponent));
    bool cut = exponent < 0 || number.too_long;
    out = number.negative ? (cut ? -value - 1 : -value) : value;
    return 0;
}

/// A token as an integer of `bits` bits; 1.0 and 1e3 are integers (dialect.md §3.3).
inline int parse_integer(Token token, int bits, int64_t &out) noexcept {
    const uint8_t *p = token.start;
    bool negative = p < token.end && *p == '-';
    if (negative) p++;
    size_t digits = size_t(token.end - p);
    int128 value = 0;
    bool plain = digits > 0 && digits <= 18 && (*p != '0' || digits == 1);
    uint64_t small = 0;
    for (size_t i = 0; plain && i < digits; i++) {
        plain = is_digit(p[i]);
        small = small * 10 + uint8_t(p[i] - '0');
    }
    if (plain) {
        value = negative ? -int128(small) : int128(small);
    } else {
        Decimal number;
        if (!parse_number(token, number)) return MILLRACE_JSON_WRONG_TYPE;
        int status = scaled(number, 0, false, value);
        if (status) return status;
    }
    int128 limit = int128(1) << (bits - 1);
    if (value >= limit || value < -limit) return MILLRACE_JSON_OUT_OF_RANGE;
    out = int64_t(value);
    return 0;
}

inline int parse_numeric(Token token, int precision, int scale, int128 &out) noexcept {
    Decimal number;
    if (!parse_number(token, number)) return MILLRACE_JSON_WRONG_TYPE;
    int status = scaled(number, scale, false, out);
    if (status) return status;
    int128 limit = power_of_ten(precision);
    return out >= limit || out <= -limit ? MILLRACE_JSON_OUT_OF_RANGE : 0;
}

/// Rounded to nearest, as PostgreSQL; beyond the range and below the smallest: out of range.
template <typename Float> int parse_float(Token token, double &out) noexcept {
    if (!is_number(token)) return MILLRACE_JSON_WRONG_TYPE;
    Float value = 0;
    auto start = reinterpret_cast<const char *>(token.start);
    auto end = reinterpret_cast<const char *>(token.end);
    auto result = std::from_chars(start, end, value);
    if (result.ec != std::errc()) return MILLRACE_JSON_OUT_OF_RANGE;
    out = double(value);
    return 0;
}

/// Days since 1970-01-01 of a proleptic Gregorian date (Howard Hinnant, chrono-compatible dates).
inline int64_t days_from_civil(int64_t year, int month, int day) noexcept {
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t days = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    return era * 146097 + days - 719468;
}

struct TimeCursor {
    const uint8_t *p;
    const uint8_t *end;
    /// Years count backwards from 1 BC: PostgreSQL's suffix, cut off.
    bool before_christ = false;
    explicit TimeCursor(Token token) noexcept : p(token.start), end(token.end) {}
    void cut_era() noexcept {
        before_christ = end - p > 3 && memcmp(end - 3, " BC", 3) == 0;
        if (before_christ) end -= 3;
    }
    bool done() const noexcept { return p >= end; }
    bool eat(uint8_t c) noexcept {
        if (p < end && *p == c) { p++; return true; }
        return false;
    }
    /// Exactly `count` digits, or −1.
    int digits(int count) noexcept {
        if (end - p < count) return -1;
        int value = 0;
        for (int i = 0; i < count; i++) {
            if (!is_digit(p[i])) return -1;
            value = value * 10 + (p[i] - '0');
        }
        p += count;
        return value;
    }
};

inline int parse_date_part(TimeCursor &cursor, int64_t &days) noexcept {
    bool negative = false;
    cursor.cut_era();
    if (!cursor.eat('+')) negative = cursor.eat('-');
    int64_t year = 0;
    int count = 0;
    while (!cursor.done() && is_digit(*cursor.p) && count < 7) {
        year = year * 10 + (*cursor.p++ - '0');
        count++;
    }
    if (count < 4) return MILLRACE_JSON_WRONG_TYPE;
    if (!cursor.eat('-')) return MILLRACE_JSON_WRONG_TYPE;
    int month = cursor.digits(2);
    if (month < 0 || !cursor.eat('-')) return MILLRACE_JSON_WRONG_TYPE;
    int day = cursor.digits(2);
    if (day < 0) return MILLRACE_JSON_WRONG_TYPE;
    if (cursor.before_christ && (negative || year == 0)) return MILLRACE_JSON_OUT_OF_RANGE;
    if (cursor.before_christ) year = 1 - year;
    if (negative) year = -year;
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (month < 1 || month > 12 || day < 1) return MILLRACE_JSON_OUT_OF_RANGE;
    if (day > lengths[month - 1] + (leap && month == 2)) return MILLRACE_JSON_OUT_OF_RANGE;
    days = days_from_civil(year, month, day);
    return 0;
}

/// HH:MM[:SS[.f…]]; digits behind the sixth round to the nearest µs.
inline int parse_clock_part(TimeCursor &cursor, int64_t &microseconds) noexcept {
    int hour = cursor.digits(2);
    if (hour < 0 || !cursor.eat(':')) return MILLRACE_JSON_WRONG_TYPE;
    int minute = cursor.digits(2);
    if (minute < 0) return MILLRACE_JSON_WRONG_TYPE;
    int second = 0;
    int64_t fraction = 0;
    if (cursor.eat(':')) {
        second = cursor.digits(2);
        if (second < 0) return MILLRACE_JSON_WRONG_TYPE;
        if (cursor.eat('.') || cursor.eat(',')) {
            int count = 0;
            bool up = false;
            while (!cursor.done() && is_digit(*cursor.p)) {
                int digit = *cursor.p++ - '0';
                if (count < 6) fraction = fraction * 10 + digit;
                if (count == 6) up = digit >= 5;
                count++;
            }
            if (count == 0) return MILLRACE_JSON_WRONG_TYPE;
            for (; count < 6; count++) fraction *= 10;
            fraction += up;
        }
    }
    if (hour > 24 || minute > 59 || second > 60) return MILLRACE_JSON_OUT_OF_RANGE;
    if (hour == 24 && (minute || second || fraction)) return MILLRACE_JSON_OUT_OF_RANGE;
    microseconds = ((int64_t(hour) * 60 + minute) * 60 + second) * 1'000'000 + fraction;
    return 0;
}

/// Z or ±HH[[:]MM], in minutes east; nothing is UTC.
inline int parse_zone_part(TimeCursor &cursor, int64_t &minutes) noexcept {
    minutes = 0;
    if (cursor.done() || cursor.eat('Z') || cursor.eat('z')) return 0;
    bool west = *cursor.p == '-';
    if (!cursor.eat('+') && !cursor.eat('-')) return MILLRACE_JSON_WRONG_TYPE;
    int hour = cursor.digits(2), minute = 0;
    if (hour < 0) return MILLRACE_JSON_WRONG_TYPE;
    bool colon = cursor.eat(':');
    if (colon || !cursor.done()) minute = cursor.digits(2);
    if (minute < 0) return MILLRACE_JSON_WRONG_TYPE;
    if (hour > 15 || minute > 59) return MILLRACE_JSON_OUT_OF_RANGE;
    minutes = (west ? -1 : 1) * (int64_t(hour) * 60 + minute);
    return 0;
}

inline bool equals(Token token, const char *text) noexcept {
    return token.size() == strlen(text) && memcmp(token.start, text, token.size()) == 0;
}

inline int parse_date(Token token, bool allows_zone, int64_t &days) noexcept {
    if (equals(token, "infinity")) { days = INT64_MAX; return 0; }
    if (equals(token, "-infinity")) { days = INT64_MIN; return 0; }
    TimeCursor cursor(token);
    int status = parse_date_part(cursor, days);
    if (status) return status;
    if (allows_zone) cursor.eat('Z');
    return cursor.done() ? 0 : MILLRACE_JSON_WRONG_TYPE;
}

inline int parse_time(Token token, int64_t &microseconds) noexcept {
    TimeCursor cursor(token);
    int status = parse_clock_part(cursor, microseconds);
    if (status) return status;
    cursor.eat('Z');
    if (microseconds > 86'400'000'000) return MILLRACE_JSON_OUT_OF_RANGE;
    return cursor.done() ? 0 : MILLRACE_JSON_WRONG_TYPE;
}

/// ISO 8601 as of PostgreSQL's to_json and java.time: T or a space between date and time.
inline int parse_timestamp(Token token, int64_t &microseconds) noexcept {
    if (equals(token, "infinity")) { microseconds = INT64_MAX; return 0; }
    if (equals(token, "-infinity")) { microseconds = INT64_MIN; return 0; }
    TimeCursor cursor(token);
    int64_t days = 0, clock = 0, zone = 0;
    int status = parse_date_part(cursor, days);
    if (status) return status;
    if (!cursor.done()) {
        if (!cursor.eat('T') && !cursor.eat(' ') && !cursor.eat('t'))
            return MILLRACE_JSON_WRONG_TYPE;
        status = parse_clock_part(cursor, clock);
        if (status) return status;
        status = parse_zone_part(cursor, zone);
        if (status) return status;
        if (!cursor.done()) return MILLRACE_JSON_WRONG_TYPE;
    }
    int128 value = int128(days) * 86'400'000'000 + clock - int128(zone) * 60'000'000;
    if (value >= INT64_MAX || value <= INT64_MIN) return MILLRACE_JSON_OUT_OF_RANGE;
    microseconds = int64_t(value);
    return 0;
}

/// A number of `unit`s as µs, downwards.
inline int parse_unit(Token token, int unit, int64_t &microseconds) noexcept {
    Decimal number;
    if (!parse_number(token, number)) return MILLRACE_JSON_WRONG_TYPE;
    int scale = unit == MILLRACE_JSON_SECONDS        ? 6
                : unit == MILLRACE_JSON_MILLISECONDS ? 3
                : unit == MILLRACE_JSON_NANOSECONDS  ? -3
                                                     : 0;
    int128 value = 0;
    int status = scaled(number, scale, true, value);
    if (status) return status;
    if (value >= INT64_MAX || value <= INT64_MIN) return MILLRACE_JSON_OUT_OF_RANGE;
    microseconds = int64_t(value);
    return 0;
}

inline int hex_digit(uint8_t c) noexcept {
    if (is_digit(c)) return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/// 32 hex digits, with hyphens after the 8th, 12th, 16th and 20th or none; first bit flipped
/// (Types.PhysicalType).
inline int parse_uuid(Token token, int128 &out) noexcept {
    bool hyphens = token.size() == 36;
    if (!hyphens && token.size() != 32) return MILLRACE_JSON_WRONG_TYPE;
    unsigned __int128 value = 0;
    for (size_t i = 0; i < token.size(); i++) {
        if (hyphens && (i == 8 || i == 13 || i == 18 || i == 23)) {
            if (token.start[i] != '-') return MILLRACE_JSON_WRONG_TYPE;
            continue;
        }
        int digit = hex_digit(token.start[i]);
        if (digit < 0) return MILLRACE_JSON_WRONG_TYPE;
        value = value << 4 | unsigned(digit);
    }
    out = int128(value ^ (static_cast<unsigned __int128>(1) << 127));
    return 0;
}

/// RFC 4648 §4, padded; no line breaks.
inline int parse_base64(Token token, Bytes &out) {
    if (token.size() % 4 != 0) return MILLRACE_JSON_WRONG_TYPE;
    size_t padding = 0;
    while (padding < 2 && padding < token.size() && token.end[-1 - ptrdiff_t(padding)] == '=')
        padding++;
    uint32_t bits = 0;
    size_t count = token.size() - padding;
    for (size_t i = 0; i < token.size(); i++) {
        uint8_t c = token.start[i];
        int value = c >= 'A' && c <= 'Z'   ? c - 'A'
                    : c >= 'a' && c <= 'z' ? c - 'a' + 26
                    : is_digit(c)          ? c - '0' + 52
                    : c == '+'             ? 62
                    : c == '/'             ? 63
                                           : -1;
        if (i >= count) value = 0;
        if (value < 0) return MILLRACE_JSON_WRONG_TYPE;
        bits = bits << 6 | unsigned(value);
        if (i % 4 == 3) {
            out.push_back(uint8_t(bits >> 16));
            out.push_back(uint8_t(bits >> 8));
            out.push_back(uint8_t(bits));
        }
    }
    out.resize(out.size() - padding);
    return 0;
}

inline int parse_hex4(const uint8_t *p, const uint8_t *end) noexcept {
    if (end - p < 4) return -1;
    int value = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(p[i]);
        if (digit < 0) return -1;
        value = value << 4 | digit;
    }
    return value;
}

inline void append_utf8(Bytes &out, uint32_t c) {
    if (c < 0x80) { out.push_back(uint8_t(c)); return; }
    if (c < 0x800) {
        out.push_back(uint8_t(0xc0 | c >> 6));
    } else {
        if (c < 0x10000) {
            out.push_back(uint8_t(0xe0 | c >> 12));
        } else {
            out.push_back(uint8_t(0xf0 | c >> 18));
            out.push_back(uint8_t(0x80 | (c >> 12 & 0x3f)));
        }
        out.push_back(uint8_t(0x80 | (c >> 6 & 0x3f)));
    }
    out.push_back(uint8_t(0x80 | (c & 0x3f)));
}

/// The code point after `\u`, surrogates joined; −1: broken or a lone surrogate.
inline int32_t parse_unicode_escape(const uint8_t *&p, const uint8_t *end) noexcept {
    int high = parse_hex4(p, end);
    if (high < 0 || (high >= 0xdc00 && high < 0xe000)) return -1;
    p += 4;
    if (high < 0xd800 || high >= 0xe000) return high;
    if (end - p < 6 || p[0] != '\\' || p[1] != 'u') return -1;
    int low = parse_hex4(p + 2, end);
    if (low < 0xdc00 || low >= 0xe000) return -1;
    p += 6;
    return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

/// What stands between the quotes, without its escapes (RFC 8259 §7).
inline bool unescape(Token token, Bytes &out) {
    const uint8_t *p = token.start;
    while (p < token.end) {
        uint8_t c = *p++;
        if (c != '\\') { out.push_back(c); continue; }
        if (p >= token.end) return false;
        switch (*p++) {
        case '"': out.push_back('"'); break;
        case '\\': out.push_back('\\'); break;
        case '/': out.push_back('/'); break;
        case 'b': out.push_back('\b'); break;
        case 'f': out.push_back('\f'); break;
        case 'n': out.push_back('\n'); break;
        case 'r': out.push_back('\r'); break;
        case 't': out.push_back('\t'); break;
        case 'u': {
            int32_t code = parse_unicode_escape(p, token.end);
            if (code < 0) return false;
            append_utf8(out, uint32_t(code));
            break;
        }
        default: return false;
        }
    }
    return true;
}

} // namespace millrace
#endif
