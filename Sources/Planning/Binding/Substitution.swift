// `${NAME}` inside string constants, after parsing (dialect.md §3.7).

package import Contracts

/// `text` with `${NAME}` and `${NAME:-default}` replaced; `$${` is a literal `${`.
/// The value of a variable is never read again for `${`. Throws `sql.variable_unset` or
/// `sql.variable_malformed` at `place`, the constant's.
package func substitutingVariables(
    in text: String, environment: [String: String], place: SourcePlace
) throws(Failure) -> String {
    guard text.utf8.contains(UInt8(ascii: "$")) else { return text }
    var result: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.first {
        if rest.starts(with: Array("$${".utf8)) {
            result += Array("${".utf8)
            rest = rest.dropFirst(3)
        } else if rest.starts(with: Array("${".utf8)) {
            guard let end = rest.firstIndex(of: UInt8(ascii: "}")) else {
                throw Failure(
                    .invalid, "sql.variable_malformed", "${ without }",
                    hint: "a literal ${ is written $${", place: place)
            }
            let inside = String(
                decoding: rest[rest.index(rest.startIndex, offsetBy: 2)..<end],
                as: UTF8.self)
            result += Array(try variable(inside, environment, place).utf8)
            rest = rest[rest.index(after: end)...]
        } else {
            result.append(byte)
            rest = rest.dropFirst()
        }
    }
    return String(decoding: result, as: UTF8.self)
}

/// The value of what stands between the braces.
private func variable(
    _ inside: String, _ environment: [String: String], _ place: SourcePlace
) throws(Failure) -> String {
    let mark = Array(inside.utf8).indices.first {
        inside.utf8.dropFirst($0).starts(with: ":-".utf8)
    }
    let name = mark.map { String(decoding: inside.utf8.prefix($0), as: UTF8.self) } ?? inside
    guard isVariableName(name) else {
        throw Failure(
            .invalid, "sql.variable_malformed", "\"${\(inside)}\" names no variable",
            hint: "write ${NAME} or ${NAME:-default}; a literal ${ is written $${", place: place)
    }
    if let value = environment[name] { return value }
    if let mark { return String(decoding: inside.utf8.dropFirst(mark + 2), as: UTF8.self) }
    throw Failure(
        .invalid, "sql.variable_unset", "the environment variable \(name) is not set",
        hint: "set it, or give a default: ${\(name):-…}", place: place)
}

private func isVariableName(_ name: String) -> Bool {
    guard let first = name.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first)
    else { return false }
    return name.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
