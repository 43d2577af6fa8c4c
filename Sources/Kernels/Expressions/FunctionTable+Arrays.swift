// Functions on arrays.

import Contracts
import Types

extension FunctionTable {
    static let arrays: [Function] = access + searches + texts + makings

    private static let access: [Function] = [
        Function(
            "element", [.anyArray, .exactly(.bigint)],
            summary: "`array[n]`, from 1; NULL outside. `(ARRAY[5, 6])[2]` is 6.",
            resultType: { ArrayFunctions.elementType($0[0]) }, kernel: ArrayFunctions.element),
        Function(
            "cardinality", [.anyArray],
            summary: "Number of elements in all dimensions. `cardinality(ARRAY[1, 2])` is 2.",
            resultType: { _ in .integer }, kernel: ArrayFunctions.cardinality),
        Function(
            "array_length", [.anyArray, .exactly(.integer)],
            summary: "Length of a dimension; NULL without it. `array_length(ARRAY[1, 2], 1)` is 2.",
            resultType: { _ in .integer }, kernel: ArrayFunctions.length()),
        Function(
            "array_upper", [.anyArray, .exactly(.integer)],
            summary: "The last index of a dimension. `array_upper(ARRAY[1, 2], 1)` is 2.",
            resultType: { _ in .integer }, kernel: ArrayFunctions.length()),
        Function(
            "array_lower", [.anyArray, .exactly(.integer)],
            summary: "The first index of a dimension: 1. `array_lower(ARRAY[1, 2], 1)` is 1.",
            resultType: { _ in .integer }, kernel: ArrayFunctions.length(isLower: true)),
    ]

    private static let searches: [Function] =
        [
            Function(
                "contains_element", [.anyArray, .any], isStrict: false,
                summary: "`value = ANY (array)`. `2 = ANY (ARRAY[1, 2])` is true.",
                resultType: { types throws(Failure) in
                    try ArrayFunctions.requireElement(types[0], types[1], "ANY")
                    return .boolean
                },
                kernel: ArrayFunctions.contains)
        ]
        + [[], [LogicalType.integer]].map { more in
            Function(
                "array_position", [.anyArray, .any] + more.map(Parameter.exactly),
                isStrict: false, canFail: !more.isEmpty,
                summary: "Where a value first stands, from 1; NULL if nowhere. "
                    + "`array_position(ARRAY['a', 'b'], 'b')` is 2.",
                resultType: { types throws(Failure) in
                    try ArrayFunctions.requireElement(types[0], types[1], "array_position")
                    return .integer
                },
                kernel: ArrayFunctions.position)
        }

    private static let texts: [Function] =
        [[], [LogicalType.text]].flatMap { more -> [Function] in
            [
                Function(
                    "array_to_string", [.anyArray, .exactly(.text)] + more.map(Parameter.exactly),
                    isStrict: false,
                    summary: "The elements' texts with a separator between; NULLs are left out, or "
                        + "shown as the third argument. `array_to_string(ARRAY[1,2], ',')` is 1,2.",
                    resultType: { _ in .text }, kernel: ArrayFunctions.joined),
                .plain(
                    "string_to_array", [.text, .text] + more, .array(.text), isStrict: false,
                    "The parts between delimiters; those equal to the third argument are NULL. "
                        + "`string_to_array('a,b', ',')` is {a,b}.",
                    ArrayFunctions.split),
            ]
        }

    private static let makings: [Function] =
        ["||", "array_cat"].map { name in
            Function(
                name, [.anyArray, .anyArray], isStrict: false,
                summary: "Both arrays' elements. `ARRAY[1] || ARRAY[2, 3]` is {1,2,3}.",
                resultType: { types throws(Failure) in
                    guard types[0].type == types[1].type else {
                        throw Failure(
                            .invalid, "sql.type_mismatch",
                            "\(types[0].type) and \(types[1].type) cannot be put together",
                            hint: "cast one side")
                    }
                    return types[0].type
                },
                kernel: ArrayFunctions.concatenation)
        }
        + ["||", "array_append"].map { name in
            Function(
                name, [.anyArray, .any], isStrict: false,
                summary: "The array with an element behind it. `ARRAY[1] || 2` is {1,2}.",
                resultType: { types throws(Failure) in
                    try ArrayFunctions.requireElement(types[0], types[1], "an element")
                    return types[0].type
                },
                kernel: ArrayFunctions.append(array: 0))
        }
        + ["||", "array_prepend"].map { name in
            Function(
                name, [.any, .anyArray], isStrict: false,
                summary: "The array with an element before it. `1 || ARRAY[2]` is {1,2}.",
                resultType: { types throws(Failure) in
                    try ArrayFunctions.requireElement(types[1], types[0], "an element")
                    return types[1].type
                },
                kernel: ArrayFunctions.append(array: 1))
        } + [
            Function(
                "array_remove", [.anyArray, .any], isStrict: false,
                summary: "The array without a value. `array_remove(ARRAY[1, 2, 1], 1)` is {2}.",
                resultType: { types throws(Failure) in
                    try ArrayFunctions.requireElement(types[0], types[1], "array_remove")
                    return types[0].type
                },
                kernel: ArrayFunctions.remove)
        ]
}
