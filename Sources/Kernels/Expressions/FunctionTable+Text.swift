// Functions on text.

import Types

extension FunctionTable {
    static let text: [Function] = cases + measures + slices + buildings

    private static let cases: [Function] = [
        .plain(
            "lower", [.text], .text,
            "Lower case, by Unicode's simple mapping. `lower('ÄB')` is äb.",
            TextCase.lower.kernel),
        .plain(
            "upper", [.text], .text,
            "Upper case, by Unicode's simple mapping. `upper('äb')` is ÄB.",
            TextCase.upper.kernel),
        .plain(
            "initcap", [.text], .text,
            "Each word capitalized. `initcap('hi THOMAS')` is Hi Thomas.",
            TextCase.capitalized),
    ]

    private static let measures: [Function] =
        ["length", "char_length", "character_length"].map { name in
            .plain(
                name, [.text], .integer, "Number of code points. `\(name)('jösé')` is 4.",
                TextMeasures.length)
        } + [
            .plain(
                "length", [.bytea], .integer, "Number of bytes. `length('\\x1234'::bytea)` is 2.",
                TextMeasures.byteLength)
        ]
        + [LogicalType.text, .bytea].flatMap { type -> [Function] in
            [
                .plain(
                    "octet_length", [type], .integer,
                    "Number of bytes, of text in UTF-8. `octet_length('jösé')` is 6.",
                    TextMeasures.byteLength),
                .plain(
                    "bit_length", [type], .integer,
                    "Number of bits, of text in UTF-8. `bit_length('jose')` is 32.",
                    TextMeasures.bitLength),
                .plain(
                    "position", [type, type], .integer,
                    "Where the second argument first stands in the first, from 1; 0 if nowhere. "
                        + "`position('om' in 'Thomas')` is 3.",
                    TextMeasures.position),
            ]
        } + [
            .plain(
                "strpos", [.text, .text], .integer,
                "Where the second text first stands in the first, from 1; 0 if nowhere. "
                    + "`strpos('high', 'ig')` is 2.",
                TextMeasures.position),
            .plain(
                "starts_with", [.text, .text], .boolean,
                "Whether the first text begins with the second. "
                    + "`starts_with('alphabet', 'alph')` is true.",
                TextMeasures.startsWith),
            .plain(
                "^@", [.text, .text], .boolean, "`starts_with` as an operator.",
                TextMeasures.startsWith),
            .plain(
                "ascii", [.text], .integer, "Code of the first character. `ascii('x')` is 120.",
                TextMeasures.code),
        ]

    private static let slices: [Function] =
        [LogicalType.text, .bytea].flatMap { type in
            ["substring", "substr"].flatMap { name -> [Function] in
                [
                    .plain(
                        name, [type, .integer], type,
                        "From a place on, counted from 1. `\(name)('Thomas', 3)` is omas.",
                        TextSlices.substring),
                    .plain(
                        name, [type, .integer, .integer], type, canFail: true,
                        "So many characters (of bytea: bytes) from a place on. "
                            + "`\(name)('Thomas', 2, 3)` is hom.",
                        TextSlices.substring),
                ]
            }
        } + [
            .plain(
                "left", [.text, .integer], .text,
                "The first n characters; of n < 0 all but the last. `left('abcde', 2)` is ab.",
                TextSlices.left),
            .plain(
                "right", [.text, .integer], .text,
                "The last n characters; of n < 0 all but the first. `right('abcde', 2)` is de.",
                TextSlices.right),
            .plain(
                "split_part", [.text, .text, .integer], .text, canFail: true,
                "The n-th part between delimiters, from the end for n < 0. "
                    + "`split_part('a,b,c', ',', 2)` is b.",
                TextSlices.splitPart),
        ]
        + trims("btrim", .both, "both ends", "btrim('xyxtrimyyx', 'xyz')` is trim")
        + trims("ltrim", .left, "the start", "ltrim('zzzytest', 'xyz')` is test")
        + trims("rtrim", .right, "the end", "rtrim('testxxzx', 'xyz')` is test")

    private static func trims(
        _ name: String, _ side: TextSlices.Side, _ ends: String, _ example: String
    ) -> [Function] {
        [
            .plain(
                name, [.text], .text, "Without the spaces at \(ends).", TextSlices.trim(side)),
            .plain(
                name, [.text, .text], .text,
                "Without the characters of the second text at \(ends). `\(example).",
                TextSlices.trim(side)),
            .plain(
                name, [.bytea, .bytea], .bytea,
                "Without the bytes of the second argument at \(ends).", TextSlices.trim(side)),
        ]
    }

    private static let buildings: [Function] = [
        .plain(
            "||", [.text, .text], .text, "Both texts, one behind the other. `'a' || 'b'` is ab.",
            TextBuilding.concatenation),
        .plain(
            "||", [.bytea, .bytea], .bytea, "Both byte strings, one behind the other.",
            TextBuilding.concatenation),
        Function(
            "concat", [.any], isVariadic: true, isStrict: false,
            summary:
                "The texts of all arguments; NULLs are left out. `concat('a', 2, NULL)` is a2.",
            resultType: { _ in .text }, kernel: TextBuilding.concat),
        Function(
            "concat_ws", [.exactly(.text), .any], isVariadic: true, isStrict: false,
            summary: "The texts of the arguments with a separator between; NULLs are left out. "
                + "`concat_ws(',', 'a', NULL, 2)` is a,2.",
            resultType: { _ in .text }, kernel: TextBuilding.concatWithSeparator),
        .plain(
            "replace", [.text, .text, .text], .text, canFail: true,
            "Every occurrence of the second text becomes the third. "
                + "`replace('abcdabc', 'bc', 'X')` is aXdaX.",
            TextBuilding.replace),
        .plain(
            "lpad", [.text, .integer], .text, canFail: true,
            "Filled at the start with spaces up to n characters, or cut. `lpad('a', 3)` is '  a'.",
            TextBuilding.pad(atFront: true)),
        .plain(
            "lpad", [.text, .integer, .text], .text, canFail: true,
            "Filled at the start up to n characters, or cut. `lpad('hi', 5, 'xy')` is xyxhi.",
            TextBuilding.pad(atFront: true)),
        .plain(
            "rpad", [.text, .integer], .text, canFail: true,
            "Filled at the end with spaces up to n characters, or cut. `rpad('a', 3)` is 'a  '.",
            TextBuilding.pad(atFront: false)),
        .plain(
            "rpad", [.text, .integer, .text], .text, canFail: true,
            "Filled at the end up to n characters, or cut. `rpad('hi', 5, 'xy')` is hixyx.",
            TextBuilding.pad(atFront: false)),
        .plain(
            "overlay", [.text, .text, .integer], .text, canFail: true,
            "A part replaced, from a place on, as long as the new text. "
                + "`overlay('abcd' placing 'XY' from 2)` is aXYd.",
            TextBuilding.overlay),
        .plain(
            "overlay", [.text, .text, .integer, .integer], .text, canFail: true,
            "So many characters replaced. "
                + "`overlay('Txxxxas' placing 'hom' from 2 for 4)` is Thomas.",
            TextBuilding.overlay),
        .plain(
            "repeat", [.text, .integer], .text, canFail: true,
            "A text n times. `repeat('Pg', 2)` is PgPg.", TextBuilding.repeated),
        .plain(
            "reverse", [.text], .text, "The characters backwards. `reverse('abc')` is cba.",
            TextBuilding.reverse),
        .plain(
            "chr", [.integer], .text, canFail: true,
            "The character of a code. `chr(65)` is A.", TextBuilding.character),
        .plain(
            "translate", [.text, .text, .text], .text,
            "Each character of the second text becomes the one of the third at its place, or goes. "
                + "`translate('12345', '143', 'ax')` is a2x5.",
            TextBuilding.translate),
    ]
}
