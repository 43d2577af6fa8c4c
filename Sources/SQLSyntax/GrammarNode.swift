// Reads libpg_query's tree in its protobuf form (pg_query.proto of 15-4.0.0). The JSON form loses
// every integer ≤ 0; this one has them all. A node is a slice of the bytes; fields are looked up
// when asked.

import Contracts

/// One message of the tree. A field that is absent has its default: 0, false, "", no node.
/// Complexity of each look-up: O(own fields), children are skipped by their length.
struct GrammarNode {
    private let bytes: [UInt8]
    private let range: Range<Int>

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        self.range = bytes.indices
    }

    private init(_ bytes: [UInt8], _ range: Range<Int>) {
        self.bytes = bytes
        self.range = range
    }

    /// A field of type int32, enum or bool, sign-extended.
    func integer(_ field: Int) -> Int {
        var cursor = range.lowerBound
        while let next = nextField(&cursor) {
            if next.number == field, case .integer(let value) = next.value { return value }
        }
        return 0
    }

    func flag(_ field: Int) -> Bool { integer(field) != 0 }

    func string(_ field: Int) -> String {
        guard let node = child(field) else { return "" }
        return String(decoding: bytes[node.range], as: UTF8.self)
    }

    /// nil where the string is absent or empty.
    func text(_ field: Int) -> String? {
        let text = string(field)
        return text.isEmpty ? nil : text
    }

    /// A message, as it is.
    func child(_ field: Int) -> GrammarNode? {
        var cursor = range.lowerBound
        while let next = nextField(&cursor) {
            if next.number == field, case .bytes(let range) = next.value {
                return GrammarNode(bytes, range)
            }
        }
        return nil
    }

    func children(_ field: Int) -> [GrammarNode] {
        var found: [GrammarNode] = []
        var cursor = range.lowerBound
        while let next = nextField(&cursor) {
            if next.number == field, case .bytes(let range) = next.value {
                found.append(GrammarNode(bytes, range))
            }
        }
        return found
    }

    /// The wrapper `Node` has one field: its number is the kind, its value the message.
    /// An empty wrapper is a null in PostgreSQL's list.
    var wrapped: (kind: Int, body: GrammarNode)? {
        var cursor = range.lowerBound
        guard let next = nextField(&cursor), case .bytes(let range) = next.value else {
            return nil
        }
        return (next.number, GrammarNode(bytes, range))
    }

    /// The message inside a wrapper `Node`, if it is of this kind.
    func unwrapped(_ kind: Int) -> GrammarNode? {
        guard let node = wrapped, node.kind == kind else { return nil }
        return node.body
    }

    private enum FieldValue {
        case integer(Int)
        case bytes(Range<Int>)
    }

    private func nextField(_ cursor: inout Int) -> (number: Int, value: FieldValue)? {
        guard cursor < range.upperBound else { return nil }
        let tag = varint(&cursor)
        let number = Int(tag >> 3)
        switch tag & 7 {
        case 0:
            return (number, .integer(Int(truncatingIfNeeded: varint(&cursor))))
        case 2:
            let count = Int(varint(&cursor))
            require(
                count <= range.upperBound - cursor, "grammar tree: a field ends behind its parent")
            defer { cursor += count }
            return (number, .bytes(cursor..<cursor + count))
        default:
            bug("grammar tree: wire type \(tag & 7) in field \(number)")
        }
    }

    private func varint(_ cursor: inout Int) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            require(
                cursor < range.upperBound && shift < 64, "grammar tree: a number without an end")
            let byte = bytes[cursor]
            cursor += 1
            value |= UInt64(byte & 0x7f) << shift
            if byte & 0x80 == 0 { return value }
            shift += 7
        }
    }
}
