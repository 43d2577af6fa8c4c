// Regular expressions and LIKE.

import Types

extension FunctionTable {
    static let regularExpressions: [Function] = likes + tests + parts

    private static let likes: [Function] = [
        .plain(
            "~~", [.text, .text], .boolean, canFail: true,
            "LIKE: `_` is any character, `%` any text, `\\` escapes. `'abc' LIKE 'a%'` is true.",
            LikePattern.like),
        .plain(
            "~~*", [.text, .text], .boolean, canFail: true,
            "ILIKE: LIKE without regard to case. `'ABC' ILIKE 'a%'` is true.",
            LikePattern.likeIgnoringCase),
        .plain(
            "like_escape", [.text, .text], .text, canFail: true,
            "A LIKE pattern whose escape character is another: `x LIKE '10!%' ESCAPE '!'`.",
            LikePattern.withEscape),
    ]

    private static let tests: [Function] = [
        .plain(
            "~", [.text, .text], .boolean, canFail: true,
            "Whether a regular expression (PCRE2) matches. `'thomas' ~ 't.*ma'` is true.",
            RegularExpressions.test(ignoresCase: false)),
        .plain(
            "~*", [.text, .text], .boolean, canFail: true,
            "The same without regard to case. `'thomas' ~* 'T.*ma'` is true.",
            RegularExpressions.test(ignoresCase: true)),
        .plain(
            "regexp_like", [.text, .text], .boolean, canFail: true,
            "Whether a regular expression matches. `regexp_like('Hello', 'l+')` is true.",
            RegularExpressions.test(ignoresCase: false)),
        .plain(
            "regexp_like", [.text, .text, .text], .boolean, canFail: true,
            "The same with flags. `regexp_like('Hello', 'HELLO', 'i')` is true.",
            RegularExpressions.test(ignoresCase: false)),
    ]

    private static let parts: [Function] =
        optional(
            "regexp_count", [.text, .text], [.integer, .text], .integer,
            "Number of matches. `regexp_count('123456789012', '\\d{3}')` is 4.",
            RegularExpressions.count)
        + optional(
            "regexp_substr", [.text, .text], [.integer, .integer, .text, .integer], .text,
            "The n-th match from a start on, or a group of it; NULL without one. "
                + "`regexp_substr('abcabd', 'ab.', 1, 2)` is abd.",
            RegularExpressions.substr)
        + optional(
            "regexp_match", [.text, .text], [.text], .array(.text),
            "The groups of the first match, or the match if there are none; NULL without one. "
                + "`regexp_match('foobar', '(o+)(.)')` is {oo,b}.",
            RegularExpressions.match)
        + optional(
            "regexp_split_to_array", [.text, .text], [.text], .array(.text),
            "The parts between matches. `regexp_split_to_array('a b  c', '\\s+')` is {a,b,c}.",
            RegularExpressions.split)
        + optional(
            "regexp_replace", [.text, .text, .text], [.text], .text,
            "The first match (flag g: every match) replaced; `\\1` is a group, `\\&` the match. "
                + "`regexp_replace('Thomas', '.[mN]a.', 'M')` is ThM.",
            RegularExpressions.replace)
        + optional(
            "regexp_replace", [.text, .text, .text, .integer], [.integer, .text], .text,
            "The n-th match from a start on replaced, all for n = 0. "
                + "`regexp_replace('Thomas', '.', 'X', 3, 2)` is ThoXas.",
            RegularExpressions.replace)
        + [
            .plain(
                "substring", [.text, .text], .text, canFail: true,
                "The first group of a match, or the match; NULL without one. "
                    + "`substring('Thomas' from '...$')` is mas.",
                RegularExpressions.substring)
        ]

    /// One overload for each number of optional parameters.
    private static func optional(
        _ name: String, _ parameters: [LogicalType], _ optional: [LogicalType],
        _ result: LogicalType, _ summary: String, _ kernel: @escaping Function.Kernel
    ) -> [Function] {
        (0...optional.count).map { count in
            .plain(
                name, parameters + optional.prefix(count), result, canFail: true, summary, kernel)
        }
    }
}
