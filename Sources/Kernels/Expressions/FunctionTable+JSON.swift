// Functions on JSON.

import Types

extension FunctionTable {
    static let json: [Function] = [
        .plain(
            "->", [.json, .text], .json,
            "A field of an object as json. `'{\"a\":[1,2]}'::json -> 'a'` is [1,2].",
            JSONFunctions.get),
        .plain(
            "->", [.json, .integer], .json,
            "An element of an array as json, from 0, from the end if negative.",
            JSONFunctions.get),
        .plain(
            "->>", [.json, .text], .text,
            "A field of an object as text. `'{\"a\":\"b\"}'::json ->> 'a'` is b.",
            JSONFunctions.get),
        .plain(
            "->>", [.json, .integer], .text, "An element of an array as text.", JSONFunctions.get),
        .plain(
            "#>", [.json, .array(.text)], .json,
            "What a path of names and indexes leads to, as json.", JSONFunctions.path),
        .plain(
            "#>>", [.json, .array(.text)], .text,
            "What a path leads to, as text. `'{\"a\":[1,2]}'::json #>> '{a,1}'` is 2.",
            JSONFunctions.path),
        .plain(
            "json_array_length", [.json], .integer, canFail: true,
            "Number of elements. `json_array_length('[1,2]')` is 2.", JSONFunctions.arrayLength),
        .plain(
            "json_typeof", [.json], .text,
            "object, array, string, number, boolean or null. `json_typeof('[1]')` is array.",
            JSONFunctions.typeName),
    ]
}
